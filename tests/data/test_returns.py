"""Prices are found in rows however they lie, and what is no price is said."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from genmodels.data.returns import Arrangement, returns_of, told_by
from genmodels.simulators.finance.bars import Bars
from genmodels.simulators.finance.paths import PricePaths
from tests.simulators.prices import MODELS
from tests.simulators.test_bars import CPU, SHAPE

PATH, STEP = Arrangement("path"), Arrangement("step")


def made(rows, values, **more):
    paths = PricePaths(
        model=MODELS["gbm"], steps=30, rows=rows, values=values, bars=Bars(**SHAPE), **more
    )
    return paths.block(0, seed=1, device=CPU).slice(0, 60 if rows == "path" else 31 * 30), paths


@pytest.mark.parametrize("rows", ["path", "step"])
@pytest.mark.parametrize("values", ["close", "return", "bar"])
def test_what_a_simulator_says_of_its_rows_is_enough(rows, values):
    table, paths = made(rows, values)
    lies = told_by(paths.facts())
    found = returns_of(table, lies, "real")
    expected = made("path", "return")[0].to_pandas().to_numpy()
    steps = found.values.shape[1]
    assert steps >= 29
    assert found.lost == 0
    first = 1 if values == "bar" else 0  # a bar's first close has none before it
    wanted = expected[: len(found.values), first : first + steps]
    whole = np.isfinite(found.values[..., 0])
    np.testing.assert_allclose(found.values[..., 0][whole], wanted[whole], atol=1e-12)
    assert found.n == whole.sum()


def test_facts_of_other_simulators_are_no_prices():
    assert told_by(None) is None
    assert told_by({"name": "seir", "rows": "step"}) is None
    assert told_by({"series": ["a"], "rows": "day", "values": "close"}) is None


def test_closes_are_found_among_bars_and_other_things():
    table = pa.table({"Date": ["b"] * 20, "Open": [1.0] * 20, "Close": np.exp(np.arange(20.0))})
    assert returns_of(table, STEP, "real").values.ravel() == pytest.approx(np.ones(19))
    wide = {f"{name}_{t}": [float(t + 1)] for t in range(12) for name in ("open", "close")}
    assert returns_of(pa.table(wide), PATH, "real").names == ("close",)
    with pytest.raises(ValueError, match="which of a, b are the prices"):
        returns_of(pa.table({"a": [1.0] * 20, "b": [1.0] * 20}), STEP, "real")
    with pytest.raises(ValueError, match=r"no finance\.price=shut; there are: Date"):
        returns_of(table, Arrangement("step", series=("shut",)), "real")


def test_steps_are_in_the_order_of_their_numbers():
    wide = pa.table({f"t{t}": [float(2**t)] for t in (11, 2, 10, *range(3, 10), 1, 12)})
    assert returns_of(wide, PATH, "real").values.ravel() == pytest.approx(np.full(11, np.log(2)))


def test_paths_with_prices_that_are_none_are_counted_and_left_out():
    closes = np.tile(np.exp(np.arange(15.0)), (4, 1))
    closes[1, 3], closes[2, 14] = -1.0, np.nan
    found = returns_of(pa.table({f"close_{t}": closes[:, t] for t in range(15)}), PATH, "synthetic")
    assert found.lost == 0.5
    assert len(found.values) == 2
    with pytest.raises(ValueError, match="no path of the synthetic data has 10 returns"):
        returns_of(pa.table({f"close_{t}": [0.0] for t in range(15)}), PATH, "synthetic")


def test_rows_that_are_steps_in_any_order_are_put_in_theirs_and_missed():
    table, _ = made("step", "close")
    mixed = pa.Table.from_pandas(table.to_pandas().sample(frac=1, random_state=0))
    lies = Arrangement("step", series=("close",))
    ordered = returns_of(table, lies, "real").values
    np.testing.assert_array_equal(returns_of(mixed, lies, "real").values, ordered)
    half = pa.Table.from_pandas(table.to_pandas().iloc[::2])
    with pytest.raises(ValueError, match="lack steps of a path: they are no whole paths"):
        returns_of(half, lies, "training")


def test_paths_of_different_lengths_end_in_gaps():
    frame = pd.DataFrame({"path": [0] * 20 + [1] * 15, "step": [*range(20), *range(15)]})
    frame["close"] = np.exp(frame["step"] * 0.1)
    found = returns_of(pa.Table.from_pandas(frame), STEP, "real")
    assert found.values.shape == (2, 19, 1)
    assert np.isfinite(found.values[1]).sum() == 14
    assert found.lost == 0
