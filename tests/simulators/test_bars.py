"""Bars around simulated closes: highs and lows of the exact law, gaps, volumes, and their fit."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import kstest, norm

from genmodels.simulators.finance.bars import FIELDS, Bars
from genmodels.simulators.finance.fit.bars import fit_bars
from genmodels.simulators.finance.fit.gbm import fit_gbm
from genmodels.simulators.finance.gbm import GBM
from genmodels.simulators.finance.merton import Merton
from genmodels.simulators.finance.paths import PricePaths
from tests.simulators.prices import MODELS

SHAPE = {"overnight": 0.2, "pieces": 8, "volume": 1e6, "move": 0.01, "memory": 0.7}
SHAPE |= {"coupling": 0.4, "noise": 0.25}
FLAT = GBM(mu=0.02, sigma=0.2, steps_per_year=1.0)  # no drift of the logarithm
CPU = torch.device("cpu")


def frame(model, *, steps=20, rows="step", block=0, **bars):
    paths = PricePaths(
        model=model, steps=steps, rows=rows, values="bar", bars=Bars(**{**SHAPE, **bars})
    )
    return paths.block(block, seed=5, device=CPU).to_pandas()


@pytest.mark.parametrize("name", MODELS)
def test_a_bar_holds_its_open_and_its_close(name):
    found = frame(MODELS[name], overnight=0.4)  # of which Merton's jumps take 0.22
    assert list(found) == ["path", "step", *FIELDS]
    assert (found["high"] >= found[["open", "close"]].max(axis=1)).all()
    assert (found["low"] <= found[["open", "close"]].min(axis=1)).all()
    assert (found["low"] > 0).all()
    assert found["volume"].dtype == np.int64
    assert (found["volume"] > 0).all()
    assert (found["high"] > found["low"]).all()
    last = found.groupby("path")["close"].shift()
    assert (found["open"] != last).mean() > 0.9


@pytest.mark.parametrize("name", MODELS)
def test_the_closes_of_bars_are_those_without_them(name):
    bars = PricePaths(model=MODELS[name], steps=9, values="bar", bars=Bars(**SHAPE))
    plain = PricePaths(model=MODELS[name], steps=9)
    one = bars.block(0, seed=5, device=CPU).to_pandas()
    other = plain.block(0, seed=5, device=CPU).to_pandas()
    assert one.shape[1] == 5 * 9
    names = [f"close_{t}" for t in range(1, 10)]
    np.testing.assert_allclose(one[names], other[names], rtol=1e-12)


@pytest.mark.parametrize("pieces", [1, 8])
def test_highs_and_lows_have_the_law_of_the_extremes_of_a_brownian_motion(pieces):
    found = frame(FLAT, steps=1, overnight=0.0, pieces=pieces)
    for extreme in (np.log(found["high"] / 100), -np.log(found["low"] / 100)):
        # reflection: P(max > h) = 2 (1 - Phi(h / s))
        assert kstest(extreme / 0.2, lambda h: 2 * norm.cdf(h) - 1).pvalue > 0.01
    span = np.log(found["high"] / found["low"])
    error = span.std() / math.sqrt(len(span))
    assert abs(span.mean() - 0.2 * math.sqrt(8 / math.pi)) < 3 * error  # Feller 1951


def test_ranges_have_the_second_moment_of_parkinson():
    found = frame(FLAT, steps=40, overnight=0.0, pieces=8)
    square = np.log(found["high"] / found["low"]) ** 2 / 0.2**2
    error = square.std() / math.sqrt(len(square))
    assert abs(square.mean() - 4 * math.log(2)) < 3 * error
    assert error < 0.005 * square.mean()


@pytest.mark.parametrize("name", ["gbm", "merton", "garch"])
def test_the_night_has_its_share_of_the_variance(name):
    found = frame(MODELS[name], steps=200, overnight=0.35)
    last = found.groupby("path")["close"].shift()
    gap = np.log(found["open"] / last).dropna()
    day = np.log(found["close"] / found["open"])[gap.index]
    assert gap.var() / (gap.var() + day.var()) == pytest.approx(0.35, abs=0.015)
    if name != "merton":
        assert abs(np.corrcoef(gap, day)[0, 1]) < 0.01


def test_jumps_come_overnight():
    jumpy = Merton(mu=0.0, sigma=0.01, intensity=50.0, jump_mean=0.0, jump_std=0.2)
    found = frame(jumpy, overnight=0.5)
    assert np.abs(np.log(found["close"] / found["open"])).max() < 0.01
    assert np.abs(np.log(found["high"] / found["low"])).max() < 0.01


def test_several_assets_have_bars_of_their_own():
    model = GBM(mu=0.0, sigma=[0.1, 0.3], correlation=[[1, 0.5], [0.5, 1]])
    found = frame(model)
    assert list(found)[2:] == [f"asset_{a}_{field}" for a in (1, 2) for field in FIELDS]
    spans = [np.log(found[f"asset_{a}_high"] / found[f"asset_{a}_low"]).mean() for a in (1, 2)]
    assert spans[1] / spans[0] == pytest.approx(3, rel=0.05)


def observed(model, *, steps, **bars):
    """One long path of bars."""
    found = frame(model, steps=steps, rows="step", **bars)
    first = found[found["path"] == 0]
    found = {field: first[field].to_numpy(float) for field in FIELDS}
    return {"series": found.pop("close"), **found}


def test_a_fit_of_bars_finds_what_they_were_made_with():
    move = 0.2 / math.sqrt(252) * math.sqrt(2 / math.pi)
    truth = {**SHAPE, "move": move, "overnight": 0.3}
    found = fit_bars(observed(MODELS["gbm"], steps=20_000, **truth), Bars(**SHAPE))
    assert len(found.estimates) == 6
    for e in found.estimates:
        expected = truth[e.name.removeprefix("bars.")]
        assert abs(e.value - expected) < 3.5 * e.standard_error, e
    assert found.bars.pieces == 8
    assert found.notes == ()


def test_a_fit_without_volume_keeps_what_was_told_and_says_so():
    prices = observed(MODELS["gbm"], steps=300)
    prices["volume"][::50] = 0
    assert "6 bars have no volume" in fit_bars(prices, Bars(**SHAPE)).notes[0]
    del prices["volume"]
    found = fit_bars(prices, Bars(**SHAPE))
    assert "no volume" in found.notes[0]
    assert found.bars.volume == 1e6
    del prices["open"]
    with pytest.raises(ValueError, match="the file needs open beside its closes"):
        fit_bars(prices, Bars(**SHAPE))


@pytest.mark.parametrize("trend", [0.0, 0.006])
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_a_fit_finds_the_level_of_volumes_without_memory_and_of_those_that_trend(trend, seed):
    prices = observed(MODELS["gbm"], steps=250, overnight=0.2)
    noise = np.random.default_rng(seed).normal(0, 0.3 if trend == 0 else 0.01, 250)
    prices["volume"] = np.round(1e7 * np.exp(trend * np.arange(250) + noise))
    found = fit_bars(prices, Bars(**SHAPE))
    low, high = np.quantile(prices["volume"], [0.02, 0.98])
    assert low < found.bars.volume < high
    assert any("memory of the volume is at its bound" in note for note in found.notes)


def test_fitted_bars_go_with_the_fitted_model():
    prices = observed(MODELS["gbm"], steps=2000, overnight=0.4, volume=5e4)
    paths = PricePaths(model=MODELS["gbm"], steps=5, values="bar", bars=Bars(**SHAPE), fit=fit_gbm)
    again, facts, lines = paths.fitted(prices)
    assert again.facts()["bars"]["overnight"] == pytest.approx(0.4, abs=0.05)
    assert facts["bars"]["estimates"]["bars.volume"]["value"] == pytest.approx(5e4, rel=0.1)
    assert any("bars.coupling" in line for line in lines)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"overnight": 1.0}, r"bars.overnight must be in \[0, 0.999\], got 1"),
        ({"overnight": "half"}, "bars.overnight must be a number, got 'half'"),
        ({"pieces": 0}, "bars.pieces must be a whole number from 1, got 0"),
        ({"pieces": 2.5}, "bars.pieces must be a whole number from 1, got 2.5"),
        ({"volume": -1.0}, "bars.volume must be above 0"),
        ({"memory": 1.0}, "bars.memory must be in"),
        ({"noise": -0.1}, "bars.noise must be at least 0"),
        ({"coupling": math.nan}, "bars.coupling must be finite"),
    ],
)
def test_impossible_bars_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Bars(**{**SHAPE, **wrong})
