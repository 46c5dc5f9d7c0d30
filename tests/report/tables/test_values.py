import numpy as np
import pyarrow as pa
import pytest

from genmodels.report.page.summary import verdict
from genmodels.report.tables.detection import detection
from genmodels.report.tables.parts import Parts
from genmodels.report.tables.validity import rules, validity
from genmodels.report.tables.values import dates, missing, rounding
from genmodels.schema import Column, TableSchema

LEVEL = "level with held-out real data"
NAME = '<script>"👻' * 20
SCHEMA = TableSchema(
    (
        Column("opened", "datetime"),
        Column("paid", "continuous", decimals=2, nullable=True),
        Column("age", "integer"),
        Column("kind", "categorical", levels=("a", "b", "c"), nullable=True),
        Column("open", "boolean", levels=(False, True)),
    )
)


def shops(n, seed):
    """Open on working days at whole hours; half of the prices are whole; gaps go with kind c."""
    rng = np.random.default_rng(seed)
    days = rng.integers(0, 1000, 2 * n)
    days = days[(days + 3) % 7 < 5][:n]
    opened = days * 86_400 + rng.integers(8, 18, n) * 3600
    paid = np.round(rng.gamma(2, 20, n), 2)
    paid = np.where(rng.random(n) < 0.5, np.rint(paid), paid)
    paid = np.where(rng.random(n) < 0.3, 0.0, paid)
    kind = rng.integers(0, 3, n)
    age = rng.integers(18, 90, n)
    return pa.table(
        {
            "opened": pa.array(opened * 1_000_000, pa.timestamp("us")),
            "paid": pa.array(paid, mask=(kind == 2) & (rng.random(n) < 0.8)),
            "age": np.where(rng.random(n) < 0.4, 5 * (age // 5), age),
            "kind": pa.array(np.array(["a", "b", "c"])[kind], mask=rng.random(n) < 0.1),
            "open": rng.random(n) < 0.5,
        }
    )


def parts_of(synthetic, train=None, holdout=None, schema=SCHEMA):
    train = shops(1500, 1) if train is None else train
    holdout = shops(1500, 2) if holdout is None else holdout
    return Parts.prepare(train, holdout, synthetic, schema, rows=5000, seed=0)


def figures(section):
    return {row.metric.split(",")[0]: row for row in section.rows}


@pytest.fixture(scope="module")
def smooth():
    """Right ranges, but any day, any second, any decimals, and gaps at random."""
    rng = np.random.default_rng(5)
    table, n = shops(1500, 3), 1500
    paid = np.nan_to_num(table["paid"].to_numpy()) + rng.random(n)
    columns = {
        "opened": pa.array(rng.integers(0, 1000 * 86_400_000_000, n), pa.timestamp("us")),
        "paid": pa.array(paid, mask=rng.permutation(np.asarray(table["paid"].is_null()))),
        "age": rng.integers(18, 90, n),
        "kind": table["kind"],
        "open": table["open"],
    }
    return parts_of(pa.table(columns))


def test_fresh_rows_are_level_everywhere():
    parts = parts_of(shops(1500, 3))
    for section in (missing(parts, worst=5), dates(parts), rounding(parts)):
        assert section is not None
        for row in section.rows:
            assert verdict(row) == LEVEL, row.metric
            assert row.interval is not None
            assert None not in (row.ceiling, row.independent, row.copies)


def test_gaps_at_random_have_the_right_share_and_the_wrong_company(smooth):
    section = missing(smooth, worst=5)
    found = figures(section)
    assert verdict(found["missing share error"]) == LEVEL
    wrong = found["association of missing values"]
    assert wrong.interval[0] > wrong.ceiling
    assert verdict(wrong) != LEVEL
    assert section.details[1].lines[0][:2] == ("paid", "kind")


def test_one_column_with_gaps_is_one_column():
    schema = TableSchema((Column("a", "integer", nullable=True), Column("b", "integer")))
    data = pa.table({"a": [1, 2, None, 4] * 50, "b": range(200)})
    found = missing(parts_of(data, data, data, schema), worst=5)
    assert found.rows[0].note == "Over the one column with missing values."


def test_shops_that_open_on_sundays_at_any_second_are_seen(smooth):
    section = dates(smooth)
    assert section.rows[0].value > 5 * section.rows[0].ceiling
    (detail,) = section.details
    figures = {line[1]: line for line in detail.lines}
    assert figures["time of day written"][2] == 1.0
    assert figures["weekday"][2] == pytest.approx(2 / 7, abs=0.05)


def test_lost_zeros_decimals_and_round_values_are_seen(smooth):
    section = rounding(smooth)
    found = figures(section)
    for row in found.values():
        assert row.value > 0.2
        assert row.interval[0] > row.ceiling
    assert found["repeated values"].headline
    assert not found["decimals"].headline
    lines = {(line[0], line[1]): line[2] for line in section.details[0].lines}
    assert lines["paid", "decimals"] > 0.9
    assert lines["age", "round values"] == pytest.approx(0.32, abs=0.06)


def test_without_gaps_dates_or_numbers_there_is_no_section():
    schema = TableSchema((Column("k", "categorical", levels=("a", "b")),))
    table = pa.table({"k": ["a", "b"] * 20})
    parts = parts_of(table, table, table, schema)
    assert missing(parts, worst=5) is None
    assert dates(parts) is None
    assert rounding(parts) is None


@pytest.mark.parametrize("n", [1, 5, 40])
def test_few_rows_missing_columns_huge_values_and_wild_names_do_no_harm(n):
    schema = TableSchema(
        (
            Column(NAME, "continuous", nullable=True),
            Column("none", "continuous", nullable=True),
            Column("when", "datetime", nullable=True, timezone="Europe/Berlin"),
            Column("same", "integer"),
        )
    )
    table = pa.table(
        {
            NAME: [1e300, None, -1e300, 0.5, 2.0] * 8,
            "none": pa.nulls(40, pa.float64()),
            "when": pa.array([None, 0, 1, 2, 10**17] * 8, pa.timestamp("us")),
            "same": [3] * 40,
        }
    ).slice(0, n)
    parts = parts_of(table, table, table, schema)
    sections = [missing(parts, worst=5), dates(parts), rounding(parts), validity(parts)]
    sections += [detection(parts, rows=40, folds=3, remarks=[]), rules(parts, rows=40, shown=5)]
    for section in sections:
        for row in () if section is None else section.rows:
            assert 0 <= row.value <= 1
