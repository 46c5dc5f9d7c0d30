"""Fits find the parameters that simulated prices were made with, and say how surely."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal, norm

from genmodels.data.prices import Observed
from genmodels.simulators.finance.fit import garch as garch_fit
from genmodels.simulators.finance.fit import merton as merton_fit
from genmodels.simulators.finance.fit import regime_switching as regime_fit
from genmodels.simulators.finance.fit.garch import Decay, fit_garch
from genmodels.simulators.finance.fit.gbm import fit_gbm
from genmodels.simulators.finance.fit.heston import fit_heston
from genmodels.simulators.finance.fit.merton import fit_merton
from genmodels.simulators.finance.fit.regime_switching import fit_regime_switching
from genmodels.simulators.finance.fit.result import leap_note
from genmodels.simulators.finance.garch import GARCH
from genmodels.simulators.finance.gbm import GBM
from genmodels.simulators.finance.heston import Heston
from genmodels.simulators.finance.merton import Merton
from tests.simulators.prices import MODELS, closes, simulated

FITS = {
    "gbm": fit_gbm,
    "merton": fit_merton,
    "heston": fit_heston,
    "garch": fit_garch,
    "regime_switching": fit_regime_switching,
}
PLAIN = GARCH(mu=5e-4, omega=4e-6, alpha=0.08, beta=0.88)


def flat(state):
    """Parameters by the names of estimates: lists are numbered."""
    found = {}
    for key, value in state.items():
        if isinstance(value, list):
            found |= {f"{key}{name}": x for name, x in _parts(value)}
        else:
            found[key] = value
    return found


def _parts(value):
    for i, part in enumerate(value):
        if isinstance(part, list):
            yield from ((f"[{i}][{j}]", x) for j, x in enumerate(part))
        else:
            yield f"[{i}]", part


def coverage(model, fit, *, fits, steps):
    """Share of 95 % intervals that hold the truth, by parameter."""
    x = simulated(model, fits, steps=steps, seed=11)[..., 0].numpy()
    inside = {}
    for path in range(fits):
        prices = np.exp(np.concatenate([[0.0], x[:, path].cumsum()]))
        for e in fit(prices).estimates:
            error = math.nan if e.standard_error is None else e.standard_error
            hit = abs(e.value - model.state()[e.name]) < 1.96 * error
            inside.setdefault(e.name, []).append(hit)
    return {name: float(np.mean(hits)) for name, hits in inside.items()}


def test_intervals_of_gbm_hold_the_truth_as_often_as_they_promise():
    found = coverage(MODELS["gbm"], fit_gbm, fits=400, steps=500)
    assert all(0.92 < share < 0.98 for share in found.values()), found


def test_gbm_of_several_assets_is_fitted_with_their_correlation():
    truth = {"mu": [0.05, 0.1, 0.0], "sigma": [0.2, 0.3, 0.1]}
    truth["correlation"] = [[1.0, 0.6, -0.3], [0.6, 1.0, 0.1], [-0.3, 0.1, 1.0]]
    x = simulated(GBM(**truth), 1, steps=20_000, seed=12)[:, 0].numpy()
    fit = fit_gbm(np.exp(np.concatenate([np.zeros((1, 3)), x.cumsum(0)])))
    expected = flat(truth)
    assert len(fit.estimates) == 9
    for e in fit.estimates:
        assert abs(e.value - expected[e.name]) < 3.5 * e.standard_error, e
    normal = multivariate_normal(x.mean(0), np.cov(x.T, bias=True))
    assert fit.log_likelihood == pytest.approx(normal.logpdf(x).sum(), rel=1e-9)
    assert fit.model.assets == 3
    with pytest.raises(ValueError, match="fitted to one asset, column= names 3"):
        fit_garch(np.exp(x))


def plain_garch(prices):
    return fit_garch(prices, leverage=False, student=False)


def test_most_intervals_of_a_few_fits_of_garch_hold_the_truth():
    found = coverage(PLAIN, plain_garch, fits=12, steps=2500)
    assert np.mean(list(found.values())) > 0.8, found


@pytest.mark.slow
def test_intervals_of_garch_hold_the_truth_as_often_as_they_promise():
    found = coverage(PLAIN, plain_garch, fits=100, steps=4000)
    assert all(0.88 <= share <= 1.0 for share in found.values()), found
    full = coverage(MODELS["garch"], fit_garch, fits=100, steps=4000)
    assert all(0.86 <= share <= 1.0 for share in full.values()), full


@pytest.mark.parametrize("name", ["merton", "garch", "regime_switching"])
def test_one_long_series_tells_every_parameter(name):
    fit = FITS[name](closes(MODELS[name], steps=20_000, seed=13))
    truth = flat(MODELS[name].state())
    for e in fit.estimates:
        assert e.standard_error is not None
        assert abs(e.value - truth[e.name]) < 3.5 * e.standard_error, e
    assert fit.observations == 20_000


def test_moments_of_heston_are_near_and_say_what_they_are_not():
    model = Heston(mu=0.1, kappa=5.0, theta=0.05, xi=0.8, rho=-0.6)
    fit = fit_heston(closes(model, steps=50_000, seed=14))
    found = {e.name: e.value for e in fit.estimates}
    assert found["theta"] == pytest.approx(0.05, rel=0.1)
    assert found["kappa"] == pytest.approx(5.0, rel=0.6)
    assert found["xi"] == pytest.approx(0.8, rel=0.4)
    assert found["rho"] == pytest.approx(-0.6, abs=0.3)
    assert fit.log_likelihood is None
    assert fit.aic is None
    assert "do not identify" in "\n".join(fit.lines())


def test_log_likelihood_and_criteria_of_gbm_are_those_of_normal_returns():
    prices = closes(MODELS["gbm"], steps=300, seed=15)
    fit, x = fit_gbm(prices), np.diff(np.log(prices))
    expected = norm.logpdf(x, x.mean(), x.std()).sum()
    assert fit.log_likelihood == pytest.approx(expected, rel=1e-12)
    assert fit.aic == pytest.approx(4 - 2 * expected)
    assert fit.bic == pytest.approx(2 * math.log(300) - 2 * expected)


def test_the_likelihood_of_garch_is_that_of_its_recursion():
    x = simulated(MODELS["garch"], 1, steps=200, seed=16)[:, 0, 0]
    theta = torch.tensor([4e-4, 2e-6, 0.04, 0.89, 0.08, 6.0], dtype=torch.float64)
    found = float(garch_fit.log_likelihood(x, *theta))
    e = (x - 4e-4).tolist()
    h, total = float(np.mean(np.square(e))), 0.0
    for shock in e:
        scale = math.sqrt(h * 4 / 6)
        total += math.lgamma(3.5) - math.lgamma(3.0) - math.log(6 * math.pi) / 2
        total += -math.log(scale) - 3.5 * math.log1p((shock / scale) ** 2 / 6)
        h = 2e-6 + (0.04 + 0.08 * (shock < 0)) * shock**2 + 0.89 * h
    assert found == pytest.approx(total, rel=1e-12)


def test_the_filter_has_its_first_and_second_derivative():
    u = torch.randn(7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    at = (u.requires_grad_(), torch.tensor(0.7, dtype=torch.float64, requires_grad=True))
    assert torch.autograd.gradcheck(Decay.apply, at)
    assert torch.autograd.gradgradcheck(Decay.apply, at)


def test_the_likelihood_of_regimes_is_that_of_hamiltons_filter():
    x = simulated(MODELS["regime_switching"], 1, steps=77, seed=17)[:, 0, 0]
    theta = torch.tensor([8e-4, -1e-3, 0.007, 0.02, 0.02, 0.05], dtype=torch.float64)
    p, (m, s) = np.array([[0.98, 0.02], [0.05, 0.95]]), (theta[:2].numpy(), theta[2:4].numpy())
    belief, total = np.array([5 / 7, 2 / 7]), 0.0
    for value in x.tolist():
        joint = belief * norm.pdf(value, m, s)
        total += math.log(joint.sum())
        belief = joint / joint.sum() @ p
    assert float(regime_fit.log_likelihood(x, theta, 2)) == pytest.approx(total, rel=1e-10)


def test_a_merton_without_jumps_has_the_likelihood_of_gbm():
    prices = closes(MODELS["gbm"], steps=300, seed=18)
    fit, x = fit_gbm(prices), torch.from_numpy(np.diff(np.log(prices)))
    mu, sigma = (e.value for e in fit.estimates)
    theta = torch.tensor([mu, sigma, 1e-12, 0.0, 0.1], dtype=torch.float64)
    found = merton_fit.log_likelihood(x, theta, 1 / 252)
    assert float(found) == pytest.approx(fit.log_likelihood, rel=1e-9)


@pytest.mark.parametrize("name", FITS)
def test_a_fit_makes_a_model_and_lists_what_it_cannot_make(name):
    fit = FITS[name](closes(MODELS[name], steps=1500, seed=19))
    assert fit.model.name == name
    type(fit.model)(**fit.model.state())
    assert len(fit.facts()["cannot_make"]) >= 2
    assert all(isinstance(line, str) and "\n" not in line for line in fit.lines())
    lacks = " ".join(fit.model.lacks)
    assert ("leverage" in lacks) == (name in ("gbm", "merton"))
    assert ("clustering" in lacks) == (name in ("gbm", "merton"))


def test_without_gamma_and_nu_garch_lacks_leverage_and_heavy_noise():
    lacks = " ".join(plain_garch(closes(PLAIN, steps=1500, seed=20)).model.lacks)
    assert "leverage" in lacks
    assert "heavy tails" in lacks


@pytest.mark.parametrize("name", ["merton", "garch", "regime_switching"])
def test_independent_normal_returns_are_fitted_without_a_crash_or_a_gain(name):
    prices = closes(MODELS["gbm"], steps=1500, seed=24)
    fit, plain = FITS[name](prices), fit_gbm(prices)
    assert 0 <= fit.log_likelihood - plain.log_likelihood + 0.1 < 8
    assert fit.bic > plain.bic
    assert all(math.isfinite(e.value) for e in fit.estimates)
    if any(e.standard_error is None for e in fit.estimates):
        assert "no curvature" in "\n".join(fit.lines())


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        (np.ones(100), "never move"),
        (np.arange(1.0, 40.0), "at least 61 prices, got 39"),
        (np.append(np.ones(70), -1.0), "row 71 holds -1"),
        (np.append(np.ones(70), np.nan), "row 71 holds nan"),
    ],
)
def test_prices_that_cannot_be_fitted_are_refused(prices, message):
    with pytest.raises(ValueError, match=message):
        fit_gbm(prices)


@pytest.mark.data
@pytest.mark.skipif("GENMODELS_DATA" not in os.environ, reason="GENMODELS_DATA is not set")
def test_real_prices_are_told_apart_by_their_likelihood():
    path = Path(os.environ["GENMODELS_DATA"]) / "tables" / "ohlc_aapl.csv.gz"
    prices = Observed(path=str(path), column="close").load()["series"]
    found = {name: fit(prices) for name, fit in FITS.items()}
    aic = {name: fit.aic for name, fit in found.items() if fit.aic is not None}
    assert aic["garch"] < aic["regime_switching"] < aic["merton"] < aic["gbm"]
    values = {e.name: e.value for e in found["garch"].estimates}
    assert values["gamma"] > 0
    assert 2 < values["nu"] < 10
    assert 0.9 < values["alpha"] + values["beta"] + values["gamma"] / 2 < 1
    errors = [e.standard_error for fit in found.values() for e in fit.estimates]
    assert None not in errors


def test_simulating_from_a_fit_of_jumps_keeps_their_moments():
    model = Merton(mu=0.1, sigma=0.15, intensity=20.0, jump_mean=-0.01, jump_std=0.02)
    fit = fit_merton(closes(model, steps=20_000, seed=21))
    again = simulated(fit.model, 1024, steps=100, seed=22)
    first = simulated(model, 1024, steps=100, seed=23)
    assert float(again.std()) == pytest.approx(float(first.std()), rel=0.05)


def test_what_looks_like_a_split_is_said():
    calm = 100.0 + np.sin(np.arange(80.0))
    assert leap_note(calm) is None
    calm[40:] /= 2
    assert "at row 41: a split?" in str(leap_note(calm))
    assert "at row 41: a split?" in str(leap_note(np.stack([np.ones(80), calm], 1)))
