"""Columns as levels: bins with their names, gaps, and what is refused."""

import numpy as np
import pyarrow as pa
import pytest

from genmodels.metrics.coverage.bins import bins_of
from genmodels.metrics.coverage.differences import joint_tail, tails
from genmodels.metrics.coverage.factors import codes_of, factors_of, offered, sizes_of
from genmodels.metrics.tables.views import table_views
from genmodels.sampling.control.wishes import parse_wish
from genmodels.schema import Column, TableSchema

AGE, RATE = Column("age", "integer", nullable=True), Column("rate", "continuous", nullable=True)
DAY = Column("day", "datetime")
ZONED = Column("at", "datetime", timezone="Europe/Paris")
SEX = Column("sex", "categorical", levels=("f", "m", "x"), nullable=True)
KEY = Column("key", "identifier")
SCHEMA = TableSchema((AGE, RATE, SEX, KEY))


def names(column, edges, values=()):
    return [b.text for b in bins_of(column, np.array(values, float), edges)]


def people(ages=(5, 18, 64, 80, 120, None), sexes=("f", "f", "m", "m", None, "f")):
    rows = len(ages)
    columns = {"age": pa.array(ages, pa.int64()), "rate": pa.array(np.arange(rows) / 4)}
    return pa.table(columns | {"sex": list(sexes), "key": [f"k{i}" for i in range(rows)]})


def made(names=("age", "sex"), edges=None, gaps="level", table=None, **more):
    view = table_views([people() if table is None else table], SCHEMA)[0]
    options = {"bins": 4, "most_levels": 20, "gaps": gaps} | more
    return factors_of(view, SCHEMA, names, edges=edges or {}, **options), view


def test_edges_of_whole_numbers_name_the_first_and_the_last():
    assert names(AGE, [0, 18, 65, 80, 120]) == ["0..17", "18..64", "65..79", "80..120"]
    assert names(AGE, [float("-inf"), 0, 1, 2.5, float("inf")]) == ["<= -1", "0", "1..2", ">= 3"]


def test_edges_of_other_numbers_part_them():
    assert names(RATE, [0, 0.5, 2]) == [">= 0 and < 0.5", ">= 0.5 and <= 2"]
    assert names(RATE, [float("-inf"), 0.5, float("inf")]) == ["< 0.5", ">= 0.5"]


def test_quantiles_part_numbers_into_equal_shares_and_never_part_a_point():
    x = np.arange(1000.0)
    assert names(RATE, 4, x) == ["< 249", ">= 249 and < 499", ">= 499 and < 749", ">= 749"]
    assert names(AGE, 4, [1] * 90 + [2] * 10) == ["<= 1", ">= 2"]
    assert names(RATE, 4, [0.0] * 90 + [0.5, 3.0]) == ["< 0.5", ">= 0.5"]
    assert names(AGE, 2, [7] * 5) == ["not missing"]


@pytest.mark.parametrize("edges", [5, [-10, 0, 3, 40, 101], [float("-inf"), 3.5, float("inf")]])
@pytest.mark.parametrize("column", [AGE, RATE])
def test_the_name_of_a_bin_asks_for_its_values_and_no_others(column, edges):
    rng = np.random.default_rng(0)
    x = np.round(rng.normal(20, 30, 300), 0 if column is AGE else 2)
    schema = TableSchema((column,))
    table = pa.table({column.name: x.astype(int) if column is AGE else x})
    (view,) = table_views([table], schema)
    factors = factors_of(
        view, schema, [column.name], edges={column.name: edges}, bins=3, gaps="level",
        most_levels=9,
    )  # fmt: skip
    codes = codes_of(factors, view)[:, 0]
    for level, text in enumerate(factors[0].levels):
        wish = parse_wish(column, text, key="k")
        assert np.array_equal(codes == level, wish.fits(table.column(0)))
    beyond = (x < -10) | (x > 101) if edges == [-10, 0, 3, 40, 101] else np.zeros(300, bool)
    assert np.array_equal(codes == len(factors[0].levels), beyond)


@pytest.mark.parametrize("column", [DAY, ZONED])
def test_dates_are_parted_in_their_own_zone(column):
    stamps = np.datetime64("2020-01-01", "us") + np.arange(0, 400, 7) * np.timedelta64(1, "D")
    kind = pa.timestamp("us", column.timezone)
    table = pa.table({column.name: pa.array(stamps).cast(pa.int64()).cast(kind)})
    schema = TableSchema((column,))
    (view,) = table_views([table], schema)
    edges = {column.name: ["2020-01-01", "2020-06-01", "2021-01-01"]}
    factors = factors_of(view, schema, [column.name], edges=edges, bins=3, gaps="level",
                         most_levels=9)  # fmt: skip
    assert factors[0].levels[0] == ">= 2020-01-01 00:00:00 and < 2020-06-01 00:00:00"
    codes = codes_of(factors, view)[:, 0]
    for level, text in enumerate(factors[0].levels):
        fits = parse_wish(column, text, key="k").fits(table.column(0))
        assert np.array_equal(codes == level, fits)
    assert (codes == 0).sum() > 15


def test_gaps_are_a_level_or_are_not_counted():
    factors, view = made(edges={"age": [0, 18, 65, 80, 120]})
    assert factors[0].levels == ("0..17", "18..64", "65..79", "80..120", "missing")
    assert factors[1].levels == ("f", "m", "x", "missing")
    codes = codes_of(factors, view)
    assert codes[:, 0].tolist() == [0, 1, 1, 3, 3, 4]
    assert codes[:, 1].tolist() == [0, 0, 1, 1, 3, 0]
    factors, view = made(edges={"age": [0, 18, 65, 80, 120]}, gaps="ignore")
    assert [len(f.levels) for f in factors] == [4, 3]
    assert codes_of(factors, view)[[5, 4], [0, 1]].tolist() == [4, 3]
    assert sizes_of(factors).tolist() == [5, 4]


def test_values_for_a_simulator_lie_in_the_level():
    factors, _ = made(edges={"age": [0, 18, 65, 80, 120]})
    assert [factors[0].value(k) for k in range(5)] == [8, 41, 72, 100, None]
    assert [factors[1].value(k) for k in range(4)] == ["f", "m", "x", None]


def test_factors_that_are_not_named_are_categories_and_numbers():
    _, view = made()
    assert offered(view, SCHEMA, most_levels=3) == (
        ["age", "rate", "sex"], {"key": "is an identifier"}
    )  # fmt: skip
    assert offered(view, SCHEMA, most_levels=2)[1] == {
        "sex": "has 3 levels", "key": "is an identifier"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"names": ["key"]}, "'key' is identifier"),
        ({"most_levels": 2}, "'age' has 4 levels, at most most_levels=2"),
        ({"edges": {"age": [3, 3]}}, "ends that rise"),
        ({"edges": {"age": [5]}}, "at least two ends"),
        ({"edges": {"age": [0, "much"]}}, "'much' is not a number"),
        ({"edges": {"age": 0}}, "number of at least 1"),
        ({"edges": {"age": [0, 0.2, 0.7]}}, "no whole number lies"),
        ({"edges": {"sex": [0, 1]}}, "has levels and no bins"),
    ],
)
def test_what_cannot_be_a_factor_is_refused(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        made(**arguments)


def test_tails_are_counted_beyond_quantiles_of_the_reference():
    rng = np.random.default_rng(0)
    columns = (Column("a", "continuous"), Column("b", "continuous"))
    schema = TableSchema(columns)
    there = pa.table({"a": rng.normal(size=1000), "b": rng.normal(size=1000)})
    here = pa.table({"a": np.full(100, 9.0), "b": np.zeros(100)})
    here_view, there_view = table_views([here, there], schema)
    found = {(t.name, t.upper): t for t in tails(here_view, there_view, (0.01, 0.99))}
    assert found["a", True].rows == 100
    assert found["a", True].expected == pytest.approx(100 * found["a", True].share)
    assert found["a", True].share == pytest.approx(0.01)
    assert found["b", False].rows == found["b", True].rows == found["a", False].rows == 0
    both, usual = joint_tail(here_view, there_view, (0.01, 0.99))
    assert both == 0.0
    assert 0.0 <= usual < 0.003
