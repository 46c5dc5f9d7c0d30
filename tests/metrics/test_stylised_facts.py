"""Statistics of returns equal their definitions, and see what is planted and nothing else."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from genmodels.data.prices import Observed
from genmodels.metrics.stylised_facts import (
    aggregational_normality,
    autocorrelation,
    excess_kurtosis,
    hill,
    leverage,
    ljung_box,
    skewness,
    stylised_facts,
)
from tests.simulators.prices import MODELS, simulated

RNG = np.random.default_rng


def paths(name, count=256, steps=1000):
    return simulated(MODELS[name], count, steps=steps, seed=31)[..., 0].numpy().T


def test_moments_are_those_of_scipy():
    x = RNG(0).standard_t(5, 3000)
    assert excess_kurtosis(x) == pytest.approx(stats.kurtosis(x))
    assert skewness(x) == pytest.approx(stats.skew(x))
    assert excess_kurtosis(x.reshape(3, 1000)) == pytest.approx(stats.kurtosis(x))


def test_autocorrelation_is_its_definition():
    x = RNG(1).normal(size=50).cumsum()
    e = x - x.mean()
    expected = [sum(e[t] * e[t + k] for t in range(50 - k)) / sum(e**2) for k in (1, 2, 3)]
    assert autocorrelation(x, 3) == pytest.approx(expected)


def test_autocorrelation_of_an_autoregression_falls_by_its_coefficient():
    noise, x = RNG(2).normal(size=100_000), np.zeros(100_000)
    for t in range(1, len(x)):
        x[t] = 0.6 * x[t - 1] + noise[t]
    assert autocorrelation(x, 4) == pytest.approx(0.6 ** np.arange(1, 5), abs=0.02)


def test_no_pair_crosses_from_one_path_to_the_next():
    x = np.array([[1.0, -1.0, 1.0, -1.0], [-1.0, 1.0, -1.0, 1.0]])
    assert autocorrelation(x, 1) == pytest.approx([-6 / 8])


def test_ljung_box_rejects_independent_values_as_often_as_it_says():
    p = [ljung_box(RNG(seed).normal(size=400), 10).p for seed in range(400)]
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.09
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_ljung_box_of_many_short_paths_rejects_as_often_as_it_says():
    p = [ljung_box(RNG(seed).normal(size=(1000, 60)), 10).p for seed in range(200)]
    assert 0.015 < np.mean(np.array(p) < 0.05) < 0.1
    assert ljung_box(RNG(0).normal(size=(1000, 60)).cumsum(1) / 20, 10).p < 1e-6


def test_ljung_box_is_its_formula():
    x = RNG(3).normal(size=60)
    rho = autocorrelation(x, 2)
    q = 60 * 62 * (rho[0] ** 2 / 59 + rho[1] ** 2 / 58)
    found = ljung_box(x, 2)
    assert found.statistic == pytest.approx(q)
    assert found.p == pytest.approx(math.exp(-q / 2))


@pytest.mark.parametrize("alpha", [2.0, 3.0, 4.0])
def test_hill_finds_the_index_of_a_power_law(alpha):
    rng = RNG(4)
    x = rng.pareto(alpha, 200_000) + 1
    found = hill(x * rng.choice([-1, 1], len(x)), share=0.01)
    assert found.k == 2000
    assert abs(found.alpha - alpha) < 3.5 * found.standard_error


def test_hill_needs_a_tail():
    with pytest.raises(ValueError, match="5 returns at least"):
        hill(np.arange(20.0))


def test_leverage_is_a_correlation():
    x = RNG(5).normal(size=5000)
    e, y = x - x.mean(), (x - x.mean()) ** 2
    assert leverage(x, 2)[1] == pytest.approx(np.corrcoef(e[:-2], y[2:])[0, 1], abs=0.002)


def test_sums_of_heavy_tailed_returns_come_near_to_normal():
    x = RNG(6).standard_t(6, (20, 10_000))
    found = aggregational_normality(x, (1, 10, 50))
    assert found[1] > 2
    assert found[10] == pytest.approx(found[1] / 10, abs=0.1)
    assert abs(found[50]) < 0.15
    assert list(aggregational_normality(x[0, :100], (1, 5))) == [1]


def test_gbm_has_no_stylised_fact():
    found = stylised_facts(paths("gbm"))
    assert abs(found.excess_kurtosis) < 0.05
    assert abs(found.skewness) < 0.02
    assert found.tail.alpha > 5
    assert found.whiteness.p > 0.001
    assert found.clustering.p > 0.001
    assert abs(found.leverage).max() < 0.01
    assert abs(found.slow_memory) < 0.005


@pytest.mark.parametrize("name", ["garch", "heston", "regime_switching"])
def test_models_of_volatility_cluster_and_have_heavy_tails(name):
    found = stylised_facts(paths(name))
    assert found.excess_kurtosis > 0.5
    assert found.clustering.p < 1e-6
    assert found.acf_absolute.min() > 0.01
    assert abs(found.acf).max() < 0.02
    if name != "heston":  # whose variance needs a third of a year to forget
        assert found.aggregated_kurtosis[60] < found.aggregated_kurtosis[1]


def test_leverage_is_seen_where_a_model_has_it_and_nowhere_else():
    means = {name: stylised_facts(paths(name)).leverage.mean() for name in MODELS}
    assert means["garch"] < -0.012
    assert means["heston"] < -0.02
    assert abs(means["merton"]) < 0.005
    assert abs(means["gbm"]) < 0.005


def test_jumps_have_heavy_tails_and_no_clusters():
    found = stylised_facts(paths("merton"))
    assert found.excess_kurtosis > 1
    assert found.skewness < 0
    assert found.clustering.p > 0.001


def test_too_few_returns_are_refused():
    with pytest.raises(ValueError, match="100 finite returns"):
        stylised_facts(np.zeros(50))
    with pytest.raises(ValueError, match="more than 20 returns"):
        autocorrelation(np.zeros(20))


@pytest.mark.data
@pytest.mark.skipif("GENMODELS_DATA" not in os.environ, reason="GENMODELS_DATA is not set")
def test_real_prices_show_every_fact():
    path = Path(os.environ["GENMODELS_DATA"]) / "tables" / "ohlc_aapl.csv.gz"
    found = stylised_facts(
        np.diff(np.log(Observed(path=str(path), column="Close").load()["series"]))
    )
    assert found.excess_kurtosis > 2
    assert 2 < found.tail.alpha < 5
    assert found.clustering.p < 1e-6
    assert found.slow_memory > 0.05
    assert found.leverage.mean() < 0
    assert found.aggregated_kurtosis[20] < found.aggregated_kurtosis[1]
