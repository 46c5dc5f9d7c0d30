"""The section on prices sees what synthetic returns lack, and nothing where they lack nothing."""

import numpy as np
import pytest

from genmodels.data.returns import Returns
from genmodels.report.page.verdicts import judge
from genmodels.report.prices.section import price_section
from genmodels.simulators.finance.garch import GARCH
from genmodels.simulators.finance.gbm import GBM
from tests.simulators.prices import MODELS, simulated

GOOD = {"level", "close", "unsure"}
REAL = GARCH(mu=4e-4, omega=2e-6, alpha=0.04, beta=0.86, gamma=0.14, burn_in=100)


def returns(model, paths=400, steps=252, seed=0):
    return np.moveaxis(simulated(model, paths, steps=steps, seed=seed).numpy(), 0, 1)


def given(values, lost=0.0, names=("close",)):
    return Returns(names, values, lost)


def verdicts(train, held, made, **more):
    section = price_section(
        given(train), given(held), given(made, **more), paths=2000, repeats=100, seed=0
    )
    return {row.metric.split(":")[0]: judge(row) for row in section.rows}, section


@pytest.fixture(scope="module")
def real():
    return returns(REAL, seed=1), returns(REAL, seed=2)


def test_a_fresh_sample_lacks_nothing_but_what_one_chance_in_twenty_takes(real):
    found, section = verdicts(*real, returns(REAL, seed=3))
    assert sum(one not in GOOD for one in found.values()) <= 1, found
    heads = {row.metric.split(":")[0] for row in section.rows if row.headline}
    assert {found[name] for name in heads - {"heavy tails"}} <= GOOD, found
    assert len(section.rows) == 7
    assert [len(detail.lines) for detail in section.details] == [15, 4]
    assert len(section.pictures) == 1
    assert section.pictures[0].png.startswith(b"\x89PNG")


def test_gbm_has_no_clusters_no_tails_and_no_leverage(real):
    found, section = verdicts(*real, returns(MODELS["gbm"], seed=3))
    assert found["volatility clustering"] == "floor"
    assert found["slow memory"] in ("floor", "unsure")
    assert found["leverage effect"] == "floor"
    hill = next(row for row in section.rows if row.metric.startswith("heavy tails: Hill"))
    assert judge(hill) not in GOOD


def test_returns_shuffled_in_time_keep_their_tails_and_nothing_else(real):
    shuffled = np.random.default_rng(0).permutation(real[1].ravel()).reshape(real[1].shape)
    found, section = verdicts(*real, shuffled)
    assert found["volatility clustering"] == "floor"
    assert found["leverage effect"] == "floor"
    tails = [row for row in section.rows if row.metric.startswith("heavy tails: Hill")]
    assert judge(tails[0]) in GOOD


def test_time_run_backwards_keeps_clusters_and_loses_leverage(real):
    found, _ = verdicts(*real, real[1][:, ::-1].copy())
    assert found["volatility clustering"] in GOOD
    assert found["leverage effect"] not in GOOD


def test_returns_that_foretell_the_next_are_seen(real):
    noisy = real[1].copy()  # as differences of noisy closes are
    noisy[:, 1:] -= 0.4 * real[1][:, :-1]
    found, section = verdicts(*real, noisy)
    (name,) = [name for name in found if name.startswith("linear autocorrelation")]
    assert found[name] not in GOOD
    lines = {line[0]: line[1:] for line in section.details[0].lines}
    robust = lines["Ljung-Box p of r, 20 lags, allowing for changing volatility"]
    assert robust[0] < 1e-6
    assert robust[1] > 1e-3


def test_one_long_series_is_enough_and_judged_with_all_real_returns():
    series = returns(REAL, paths=1, steps=4000, seed=4)
    train, held = series[:, :2800], series[:, 2800:]
    found, section = verdicts(train, held, returns(REAL, paths=20, steps=1200, seed=5))
    assert set(found.values()) <= GOOD, found
    assert "few paths" in section.rows[0].note
    found, _ = verdicts(train, held, returns(MODELS["gbm"], paths=20, steps=1200, seed=5))
    assert found["volatility clustering"] not in {"level", "close"}


def test_a_series_that_one_of_many_could_be_is_not_told_from_them():
    series = returns(REAL, paths=1, steps=2000, seed=4)
    train, held = series[:, :1500], series[:, 1500:]
    found, section = verdicts(train, held, returns(REAL, paths=64, steps=2000, seed=5))
    assert set(found.values()) <= GOOD, found
    found, section = verdicts(train, held, returns(MODELS["gbm"], paths=64, steps=2000, seed=5))
    assert found["volatility clustering"] == "floor"
    row = next(row for row in section.rows if row.metric.startswith("volatility clustering"))
    low, high = row.interval
    assert low < 0.0 < high < 0.1  # what single series without memory show


def test_lost_paths_are_a_figure_of_their_own(real):
    found, section = verdicts(*real, real[1], lost=0.2)
    assert found["paths with a gap or a price that is not above 0, share"] == "bad"
    assert "left out" in section.rows[0].note


def test_the_same_seed_gives_the_same_section(real):
    one, other = (verdicts(*real, real[0])[1] for _ in range(2))
    assert one.rows == other.rows
    assert one.details == other.details


def test_assets_that_do_not_go_together_are_seen():
    def two(rho, seed):
        model = GBM(mu=0.0, sigma=[0.1, 0.2], correlation=[[1, rho], [rho, 1]])
        return given(returns(model, 200, 60, seed), names=("oil", "gas"))

    for rho, good in ((0.8, True), (0.0, False)):
        section = price_section(
            two(0.8, 1), two(0.8, 2), two(rho, 3), paths=100, repeats=50, seed=0
        )
        rows = {row.metric: judge(row) for row in section.rows}
        (name,) = [name for name in rows if name.startswith("correlation of returns")]
        assert (rows[name] in GOOD) is good, rows[name]
        assert any("oil and gas" in str(line[0]) for line in section.details[-1].lines)
        assert sum(name.endswith(", gas") for name in rows) > 3


def test_what_cannot_be_compared_is_refused():
    x = returns(MODELS["gbm"], 40, 5)
    with pytest.raises(ValueError, match="paths of 10 returns, these have 5"):
        price_section(given(x), given(x), given(x), paths=10, repeats=20, seed=0)
    two = np.concatenate([x, x], 2)
    with pytest.raises(ValueError, match="different numbers of assets"):
        price_section(
            given(x), given(x), given(two, names=("a", "b")), paths=10, repeats=20, seed=0
        )


def test_returns_that_never_move_are_no_reason_to_fail(real):
    found, _ = verdicts(*real, np.zeros((40, 252, 1)))
    assert "volatility clustering" not in found
