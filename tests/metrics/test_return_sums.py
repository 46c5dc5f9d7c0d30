"""Statistics of sums equal their definitions, and their draws wander as they should."""

import numpy as np
import pytest

from genmodels.metrics import stylised_facts as facts
from genmodels.metrics.return_sums import block_length, sums
from tests.simulators.prices import MODELS, simulated

RNG = np.random.default_rng


def garch(paths, steps, seed=0):
    return simulated(MODELS["garch"], paths, steps=steps, seed=seed)[..., 0].numpy().T


@pytest.mark.parametrize("block", [125, 1000])
def test_sums_of_blocks_are_the_statistics_of_the_whole(block):
    r = garch(1, 1000)
    found = sums(r, lags=8, horizons=(1, 5), block=block).whole
    e, pairs = r[0] - r.mean(), 1000 - np.arange(1, 9)
    assert found.n == 1000
    assert found.kurtosis == pytest.approx(facts.excess_kurtosis(r))
    assert found.acf == pytest.approx(facts.autocorrelation(r, 8) * 1000 / pairs)
    assert found.aggregated_kurtosis(1) == pytest.approx(found.kurtosis)
    assert found.aggregated_kurtosis(5) == pytest.approx(
        facts.aggregational_normality(r, (5,))[5], abs=1e-3
    )
    assert found.ljung_box(found.acf * pairs / 1000) < found.ljung_box(found.acf)
    box = facts.ljung_box(r, 8).statistic
    assert found.ljung_box(found.acf) == pytest.approx(box, rel=0.02)
    assert found.tail_index == pytest.approx(facts.hill(r).alpha, rel=0.05)
    absolute = np.abs(e)
    k = 3
    cov = (absolute[:-k] * absolute[k:]).mean() - absolute.mean() ** 2
    assert found.acf_absolute[k - 1] == pytest.approx(cov / absolute.var())
    later = (e[:-k] * e[k:] ** 2).mean() / (e.std() * (e**2).std())
    assert found.leverage_effect[k - 1] == pytest.approx(later)
    square = ((e**2)[:-k] * (e**2)[k:]).mean() - e.var() ** 2
    assert found.acf_squared[k - 1] == pytest.approx(square / (e**2).var())


def test_shorter_paths_end_where_their_gaps_begin():
    r = garch(40, 200)
    short = r.copy()
    short[::2, 150:] = np.nan
    parts = [sums(x, lags=5, horizons=(1, 20), block=50).whole for x in (r[1::2], r[::2, :150])]
    found = sums(short, lags=5, horizons=(1, 20), block=50).whole
    assert found.n == 20 * 350
    assert found.pairs.tolist() == [20 * (350 - 2 * k) for k in range(1, 6)]
    assert found.aggregated[20][0] == 20 * (10 + 7)
    assert found.linear == pytest.approx(sum(p.linear for p in parts), rel=0.05, abs=1e-4)


def test_draws_of_blocks_wander_as_independent_samples_do():
    fresh = [
        sums(garch(64, 100, seed), lags=5, horizons=(1,), block=100).whole for seed in range(60)
    ]
    drawn = sums(garch(64, 100), lags=5, horizons=(1,), block=100).draws(400, RNG(0))
    for name in ("acf_absolute", "leverage_effect", "acf"):
        one = np.std([getattr(x, name).mean() for x in fresh])
        other = getattr(drawn, name).mean(-1).std()
        assert 0.6 < other / one < 1.7, name


def test_the_error_of_an_autocorrelation_allows_for_clustering():
    z, plain = [], []
    for seed in range(40):
        found = sums(garch(1, 2000, 50 + seed), lags=5, horizons=(1,), block=100).whole
        z.append(found.acf / found.acf_error)
        plain.append(found.acf * np.sqrt(found.pairs))
    assert np.mean(np.abs(z) < 1.96) == pytest.approx(0.95, abs=0.04)
    assert np.std(plain) > 1.03


def test_paths_apart_forget_what_sets_them_apart():
    r = RNG(1).normal(size=(50, 400)) * RNG(2).uniform(0.5, 2.0, (50, 1))
    together = sums(r, lags=5, horizons=(1,), block=400).whole
    apart = sums(r, lags=5, horizons=(1,), block=400, apart=True).whole
    assert together.acf_absolute.mean() > 0.1
    assert abs(apart.acf_absolute.mean()) < 0.02


def test_blocks_are_paths_where_there_are_many():
    assert block_length(1000, 252) == 252
    assert block_length(1, 3000) == 125
    assert block_length(1, 1000) == 50
    assert block_length(2, 60) == 10
