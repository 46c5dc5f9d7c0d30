from functools import partial

import numpy as np
import pyarrow as pa
import pytest

from genmodels.data.parse import apply_schema
from genmodels.report.page.summary import verdict
from genmodels.report.reading import read_alike
from genmodels.report.tables.parts import Parts
from genmodels.report.tables.validity import rules, validity
from genmodels.schema import Column, TableSchema
from tests.metrics.simulated import SCHEMA, mixed

LEVEL = "level with held-out real data"
STAYS = TableSchema(
    (
        Column("arrival", "datetime"),
        Column("departure", "datetime"),
        Column("city", "categorical", levels=tuple("abcdef")),
        Column("land", "categorical", levels=("x", "y", "z")),
    )
)


def stays(n, seed):
    """Arrival before departure, and each city lies in one land."""
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 10**8, n)
    city = rng.integers(0, 6, n)
    return pa.table(
        {
            "arrival": pa.array(start * 1_000_000, pa.timestamp("us")),
            "departure": pa.array(
                (start + rng.integers(1, 10**6, n)) * 1_000_000, pa.timestamp("us")
            ),
            "city": np.array(list("abcdef"))[city],
            "land": np.array(list("xyz"))[city // 2],
        }
    )


def prepare(synthetic, schema=STAYS, train=None, holdout=None):
    train = stays(1200, 1) if train is None else train
    holdout = stays(1200, 2) if holdout is None else holdout
    return Parts.prepare(train, holdout, synthetic, schema, rows=1000, seed=0)


def test_fresh_rows_keep_the_rules_of_the_training_rows():
    section = rules(prepare(stays(800, 3)), rows=1000, shown=10)
    (row,) = section.rows
    assert (row.value, row.ceiling, row.copies) == (0.0, 0.0, 0.0)
    assert row.independent > 0.8
    assert verdict(row) == LEVEL
    texts = [line[0] for line in section.details[0].lines]
    assert texts == ["'arrival' <= 'departure'", "'city' determines 'land'"]


def test_rows_that_break_a_rule_are_counted_once():
    table = stays(800, 3)
    city = table["land"].to_pylist()
    broken = ["z" if k < 80 and land != "z" else land for k, land in enumerate(city)]
    count = sum(a != b for a, b in zip(city, broken, strict=True))
    made = table.set_column(3, "land", pa.array(broken))
    section = rules(prepare(made), rows=1000, shown=10)
    (row,) = section.rows
    assert row.value == pytest.approx(count / 800)
    assert row.interval[0] > row.ceiling
    assert verdict(row) != LEVEL
    assert section.details[0].lines[0][0] == "'city' determines 'land'"


def test_without_rules_there_is_no_section():
    parts = Parts.prepare(*(mixed(400, k) for k in (1, 2, 3)), SCHEMA, rows=400, seed=0)
    assert rules(parts, rows=400, shown=5) is None
    few = prepare(stays(5, 3), train=stays(5, 1), holdout=stays(5, 2))
    assert rules(few, rows=5, shown=5) is None


def test_rows_that_the_schema_forbids_are_counted_beside_held_out_ones():
    schema = TableSchema(
        (
            Column("size", "continuous", decimals=1, minimum=0.0, maximum=9.9),
            Column("id", "identifier"),
        )
    )
    rng = np.random.default_rng(0)

    def rows(n):
        return pa.table({"size": np.round(rng.uniform(0, 9.9, n), 1), "id": np.arange(n)})

    bad = rows(100).set_column(0, "size", pa.array([-1.0, 99.0, 1.23] + [1.0] * 97))
    bad = bad.set_column(1, "id", pa.array([0] * 5 + list(range(5, 100))))
    section = validity(prepare(bad, schema, rows(300), rows(300)))
    (row,) = [r for r in section.rows if "schema forbids" in r.metric]
    assert row.value == pytest.approx(0.03)
    assert row.ceiling == 0.0
    assert not row.headline
    detail = next(d for d in section.details if d.title == "Values that the schema forbids")
    assert set(detail.lines) == {
        ("size", "above the maximum", 1, 0),
        ("size", "below the minimum", 1, 0),
        ("size", "more than 1 decimals", 1, 0),
    }


def test_identifiers_that_are_made_up_in_another_form_break_no_schema():
    schema = TableSchema(
        (Column("size", "continuous"), Column("id", "identifier", format="C{:04d}"))
    )
    size = np.random.default_rng(0).uniform(0, 9, 300)
    real = pa.table({"size": size, "id": [f"{k:04d}-XYZ" for k in range(300)]})
    made = pa.table({"size": size[::-1], "id": [f"C{k:04d}" for k in range(300)]})
    section = validity(prepare(made, schema, real, real))
    (row,) = [r for r in section.rows if "schema forbids" in r.metric]
    assert (row.value, row.ceiling, row.independent, row.copies) == (0.0, 0.0, 0.0, 0.0)
    assert "Identifiers are left out" in row.note
    assert not any(d.title == "Values that the schema forbids" for d in section.details)


def test_what_could_not_be_read_on_the_way_is_still_counted():
    schema = TableSchema((Column("size", "continuous", minimum=0.0), Column("visits", "integer")))
    parse = partial(apply_schema, strict=False, meaningless="missing")
    raw = pa.table(
        {"size": ["1.5", "large", "2"] * 50, "visits": ["1", "2", "many"] * 50, "more": [0] * 150}
    )
    typed = read_alike(raw, schema, parse, what="synthetic")
    real = pa.table({"size": [1.0, 2.0] * 50, "visits": [1, 2] * 50})
    section = validity(prepare(typed, schema, real, real))
    (row,) = [r for r in section.rows if "schema forbids" in r.metric]
    assert row.value == pytest.approx(2 / 3, abs=1e-4)
    lines = {line for d in section.details for line in d.lines}
    assert ("size", "does not fit the kind, taken as missing", 50, 0) in lines
    assert ("visits", "does not fit the kind, taken as missing", 50, 0) in lines


def found_in(parts, start):
    (row,) = [r for r in validity(parts).rows if r.metric.startswith(start)]
    return row


def test_repeats_of_few_rows_are_bad_and_fresh_rows_level():
    fresh = mixed(1000, 3)
    parts = [
        Parts.prepare(mixed(1000, 1), mixed(1000, 2), made, SCHEMA, rows=1000, seed=0)
        for made in (fresh, fresh.take(np.resize(np.arange(50), 1000)))
    ]
    good, bad = (found_in(p, "rows that repeat") for p in parts)
    assert good.headline
    assert verdict(good) == LEVEL
    assert bad.value == pytest.approx(0.95)
    assert verdict(bad) == "bad"
    assert "50 of 1,000 rows are distinct" in bad.note


def test_rows_of_a_discrete_table_may_repeat_as_often_as_training_rows():
    schema = TableSchema(tuple(Column(c, "categorical", levels=tuple("abc")) for c in "kl"))

    def rows(seed):
        rng = np.random.default_rng(seed)
        return pa.table({c: rng.choice(list("abc"), 900) for c in "kl"})

    row = found_in(prepare(rows(3), schema, rows(1), rows(2)), "rows that repeat")
    assert row.value > 0.9
    assert verdict(row) == LEVEL


def test_a_row_with_two_values_outside_counts_once():
    schema = TableSchema(tuple(Column(c, "continuous") for c in "xy"))
    rng = np.random.default_rng(0)

    def rows(n):
        return pa.table({c: np.concatenate([[0.0, 1.0], rng.uniform(0, 1, n - 2)]) for c in "xy"})

    made = pa.table({c: [5.0] * 30 + [0.5] * 270 for c in "xy"})
    row = found_in(prepare(made, schema, rows(300), rows(300)), "rows with a value outside")
    assert row.value == pytest.approx(0.1)
    assert 0.06 < row.interval[0] < 0.1 < row.interval[1] < 0.15


def test_an_absent_identifier_is_told():
    parts = Parts.prepare(
        mixed(200, 1), mixed(200, 2), mixed(200, 3).drop_columns(["id"]), SCHEMA, rows=200, seed=0
    )
    details = validity(parts).details
    lines = {line[:2] for d in details for line in d.lines}
    assert ("id", "is absent") in lines
