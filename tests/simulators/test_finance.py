"""Simulated prices have the moments and option prices that their models have in theory."""

import math

import pytest
import torch

from genmodels.simulators.draws import BlockDraws
from genmodels.simulators.finance.garch import GARCH
from genmodels.simulators.finance.gbm import GBM
from genmodels.simulators.finance.heston import Heston
from genmodels.simulators.finance.merton import Merton
from genmodels.simulators.finance.regime_switching import RegimeSwitching, stationary
from tests.simulators.prices import (
    JUMPS,
    MODELS,
    RATE,
    SMILE,
    SPOT,
    STRIKES,
    WILD,
    black_scholes,
    call_by_simulation,
    heston_call,
    merton_call,
    simulated,
)


def within(found, error, expected, times=3.0):
    assert abs(found - expected) < times * error, (found, error, expected)


def test_gbm_has_the_mean_and_variance_of_its_closed_form():
    mu, sigma, years, n = 0.08, 0.3, 2.0, 200_000
    model = GBM(mu=mu, sigma=sigma, steps_per_year=8 / years)
    last = simulated(model, n, steps=8, seed=1).sum(0).exp()[:, 0]
    mean = math.exp(mu * years)
    variance = mean**2 * (math.exp(sigma**2 * years) - 1)
    within(float(last.mean()), math.sqrt(variance / n), mean)
    fourth = float((last - mean).pow(4).mean())
    within(float(last.var()), math.sqrt((fourth - variance**2) / n), variance)


@pytest.mark.parametrize("name", ["gbm", "merton", "heston"])
def test_discounted_prices_are_martingales_at_every_step(name):
    n, model = 40_000, MODELS[name]
    prices = simulated(model, n, steps=63, seed=3)[..., 0].cumsum(0).exp()
    for t in (0, 20, 62):
        discounted = prices[t] * math.exp(-0.05 * (t + 1) / 252)
        within(float(discounted.mean()), float(discounted.std()) / math.sqrt(n), 1.0)


@pytest.mark.parametrize("strike", STRIKES)
def test_gbm_prices_calls_as_black_and_scholes(strike):
    model = GBM(mu=RATE, sigma=0.2, steps_per_year=4)
    price, error = call_by_simulation(model, strike, paths=200_000, steps=4, years=1.0)
    within(price, error, black_scholes(strike, 1.0, 0.2))


@pytest.mark.parametrize("strike", STRIKES)
def test_merton_prices_calls_as_its_series(strike):
    model = Merton(mu=RATE, **JUMPS, steps_per_year=4)
    price, error = call_by_simulation(model, strike, paths=200_000, steps=4, years=1.0)
    within(price, error, merton_call(strike, 1.0, **JUMPS))


@pytest.mark.parametrize("strike", STRIKES)
@pytest.mark.parametrize("smile", [SMILE, WILD], ids=["calm", "touches zero"])
def test_heston_prices_calls_as_its_characteristic_function(strike, smile):
    model = Heston(mu=RATE, **smile, steps_per_year=64)
    price, error = call_by_simulation(model, strike, paths=100_000, steps=64, years=1.0, seed=2)
    within(price, error, heston_call(strike, 1.0, **smile))


@pytest.mark.parametrize("strike", STRIKES)
def test_the_formula_of_the_test_agrees_with_quantlib(strike):
    ql = pytest.importorskip("QuantLib", reason="an extra oracle, which need not be there")
    today = ql.Date(1, 1, 2024)
    ql.Settings.instance().evaluationDate = today
    day = ql.Actual365Fixed()
    flat = [ql.YieldTermStructureHandle(ql.FlatForward(today, r, day)) for r in (RATE, 0.0)]
    spot = ql.QuoteHandle(ql.SimpleQuote(SPOT))
    values = [SMILE[key] for key in ("v0", "kappa", "theta", "xi", "rho")]
    engine = ql.AnalyticHestonEngine(ql.HestonModel(ql.HestonProcess(*flat, spot, *values)))
    option = ql.EuropeanOption(
        ql.PlainVanillaPayoff(ql.Option.Call, strike), ql.EuropeanExercise(today + 365)
    )
    option.setPricingEngine(engine)
    assert heston_call(strike, 1.0, **SMILE) == pytest.approx(option.NPV(), abs=1e-6)


def test_the_variance_of_heston_returns_to_its_mean_from_any_start():
    model = Heston(mu=0.0, kappa=4.0, theta=0.04, xi=0.3, rho=-0.5, v0=0.16)
    x = simulated(model, 40_000, steps=252, seed=4)[..., 0]
    for t in (0, 60, 251):
        mean = 0.04 + (0.16 - 0.04) * math.exp(-4.0 * (t + 0.5) / 252)
        square = x[t].square() * 252
        within(float(square.mean()), float(square.std()) / 200, mean)


def test_a_stationary_start_of_heston_has_the_law_in_which_the_variance_stays():
    model = Heston(mu=0.0, kappa=4.0, theta=0.04, xi=0.3, rho=-0.5, v0="stationary")
    v = model._start(BlockDraws(seed=0, block=0, paths=40_000, device=torch.device("cpu")))[:, 0]
    spread = 0.04 * 0.3**2 / (2 * 4.0)
    within(float(v.mean()), math.sqrt(spread / 40_000), 0.04)
    assert float(v.var()) == pytest.approx(spread, rel=0.04)
    # cov(x_1^2, x_n^2) = V e^(-kappa n dt) dt^2 needs a variance that differs at the start
    x = simulated(model, 40_000, steps=5, seed=4)[..., 0] * 252**0.5
    product = (x[0].square() - 0.04) * (x[4].square() - 0.04)
    within(float(product.mean()), float(product.std()) / 200, spread * math.exp(-16 / 252))


def test_a_garch_that_burnt_in_starts_with_its_long_run_kurtosis():
    omega, alpha, beta = 1e-5, 0.12, 0.8
    model = GARCH(mu=0.0, omega=omega, alpha=alpha, beta=beta, burn_in=150)
    x = simulated(model, 200_000, steps=1, seed=5)[0, :, 0]
    square = omega**2 * (1 + 2 * 0.92 / 0.08) / (1 - 3 * alpha**2 - beta**2 - 2 * alpha * beta)
    within(float(x.square().mean()), float(x.square().std()) / 200_000**0.5, omega / 0.08)
    within(float(x.pow(4).mean()), float(x.pow(4).std()) / 200_000**0.5, 3 * square)


def test_common_jumps_come_together_and_their_sizes_are_correlated():
    model = Merton(
        mu=0.0, sigma=0.0, intensity=100.0, jump_mean=0.0, jump_std=[0.1, 0.2],
        correlation=[[1, 0.7], [0.7, 1]], common_jumps=True,
    )  # fmt: skip
    x = simulated(model, 2048, steps=100, seed=6).flatten(0, 1)
    jumped = (x - x.mode(0).values).abs() > 1e-12
    assert bool((jumped[:, 0] == jumped[:, 1]).all())
    assert float(jumped[:, 0].double().mean()) == pytest.approx(1 - math.exp(-100 / 252), abs=0.01)
    assert float(torch.corrcoef(x.T)[0, 1]) == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize("gamma", [0.0, 0.1])
def test_garch_has_its_unconditional_variance_and_kurtosis(gamma):
    omega, alpha, beta = 1e-5, 0.08, 0.8
    model = GARCH(mu=0.0, omega=omega, alpha=alpha, beta=beta, gamma=gamma)
    x = simulated(model, 8192, steps=400, seed=5)[200:, :, 0]
    expected = omega / (1 - alpha - beta - gamma / 2)
    by_path = x.square().mean(0)
    within(float(by_path.mean()), float(by_path.std()) / math.sqrt(8192), expected)
    # E h^2 solves a linear equation: a = alpha + gamma 1[z < 0] is independent of z^2.
    second = 3 * (alpha**2 + alpha * gamma + gamma**2 / 2) + beta**2
    second += 2 * beta * (alpha + gamma / 2)
    square = (omega**2 + 2 * omega * expected * (alpha + beta + gamma / 2)) / (1 - second)
    fourth = x.pow(4).mean(0)
    within(float(fourth.mean()), float(fourth.std()) / math.sqrt(8192), 3 * square)


def test_student_noise_has_variance_one_and_its_kurtosis():
    model = GARCH(mu=0.0, omega=1.0, alpha=0.0, beta=0.0, nu=10.0)
    x = simulated(model, 8192, steps=100, seed=6)
    within(float(x.var()), math.sqrt((4 - 1) / x.numel()), 1.0)
    assert float(x.pow(4).mean()) == pytest.approx(3 + 6 / (10 - 4), abs=0.1)


def test_regimes_come_as_often_and_stay_as_long_as_their_chain_says():
    model = RegimeSwitching(
        means=[0.0, 100.0, 200.0],
        volatilities=[1.0, 1.0, 1.0],
        transitions=[[0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7]],
    )
    state = (simulated(model, 4096, steps=200, seed=7)[..., 0] / 100).round()
    pi = stationary(model.transitions)
    torch.testing.assert_close(pi @ model.transitions, pi)
    for k in range(3):
        for t in (0, 199):
            share = float((state[t] == k).double().mean())
            within(share, math.sqrt(float(pi[k] * (1 - pi[k])) / 4096), float(pi[k]), 3.5)
        for j in range(3):
            moved = float((state[1:][state[:-1] == k] == j).double().mean())
            assert moved == pytest.approx(float(model.transitions[k, j]), abs=0.01)


@pytest.mark.parametrize("kind", ["gbm", "merton", "heston", "garch", "regime_switching"])
def test_assets_are_correlated_as_asked(kind):
    matrix = [[1.0, 0.6, -0.3], [0.6, 1.0, 0.1], [-0.3, 0.1, 1.0]]
    state = {**MODELS[kind].state(), "correlation": matrix}
    state |= {"intensity": 0.0} if kind == "merton" else {}
    state |= {"alpha": 0.0, "gamma": 0.0} if kind == "garch" else {}
    state |= {"means": [0.0, 0.0], "volatilities": [0.01, 0.01]} if "regime" in kind else {}
    state |= {"xi": 0.1} if kind == "heston" else {}  # sqrt(v_i v_j) is below theta on average
    x = simulated(type(MODELS[kind])(**state), 1024, steps=100, seed=8).flatten(0, 1)
    found = torch.corrcoef(x.T)
    torch.testing.assert_close(found, torch.tensor(matrix).double(), atol=0.015, rtol=0)
