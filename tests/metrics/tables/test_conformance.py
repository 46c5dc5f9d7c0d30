import json

import numpy as np
import pyarrow as pa
import pytest

from genmodels.metrics.tables.conformance import check_schema
from genmodels.schema import UNFIT, Column, TableSchema

SCHEMA = TableSchema(
    (
        Column("age", "integer", minimum=0, maximum=120),
        Column("price", "continuous", decimals=2, nullable=True),
        Column("day", "datetime", minimum="2020-01-01", maximum="2020-12-31"),
        Column("colour", "categorical", levels=("red", "green")),
        Column("note", "categorical", levels=("a",), closed=False, nullable=True),
        Column("id", "identifier", format="C{:04d}"),
        Column("unit", "constant", value="EUR"),
    )
)


def good(n=6):
    return {
        "age": [float(k) for k in range(n)],
        "price": [1.25, None, 0.1, 3.0, 2.5, 7.99][:n],
        "day": np.datetime64("2020-03-01", "us") + np.arange(n).astype("timedelta64[D]"),
        "colour": ["red", "green"] * (n // 2),
        "note": ["a", None, "new", "a", "a", "a"][:n],
        "id": [f"C{k:04d}" for k in range(n)],
        "unit": ["EUR"] * n,
    }


def check(**changes):
    return check_schema(pa.table(good() | changes), SCHEMA, unique=("id",))


def test_rows_that_obey_are_not_counted():
    found = check()
    assert (found.rows, found.broken, found.counts, found.share) == (6, 0, {}, 0.0)


@pytest.mark.parametrize(
    ("column", "values", "what", "count"),
    [
        ("age", [-1, 121, 5, 5, 5, 5], "below the minimum", 1),
        ("age", [-1, 121, 5, 5, 5, 122], "above the maximum", 2),
        ("age", [1.5, 2.0, 3.0, 4.0, 5.0, 6.0], "not whole", 1),
        ("age", [None, 1, 1, 1, 1, 1], "missing", 1),
        ("age", ["x", "1", "2", "3", "4", "5"], "does not fit the kind, taken as missing", 1),
        ("price", [1.255, 1.0, 1.0, 1.0, None, 0.12345], "more than 2 decimals", 2),
        ("day", ["2019-12-31"] * 2 + ["2020-06-01"] * 4, "below the minimum", 2),
        ("colour", ["blue", "red", "blue", "red", "red", "red"], "not a category of the schema", 2),
        ("colour", [None, "red", "red", "red", "red", "red"], "missing", 1),
        ("id", ["C0001", "C0001", "C0002", "C0003", "C0004", "C0001"], "repeats an earlier one", 2),
        ("id", ["D0001", "C12", "C0002", "C0003", "C0004", "C12345"], "of another form", 2),
        ("unit", ["EUR", "USD", "EUR", "EUR", "EUR", "EUR"], "another value than the constant", 1),
    ],
)
def test_each_offence_is_counted(column, values, what, count):
    found = check(**{column: values})
    assert found.counts[column, what] == count
    assert found.broken >= 1


def test_a_row_with_two_offences_counts_once():
    found = check(age=[-1, 1, 1, 1, 1, 1], colour=["blue"] + ["red"] * 5)
    assert sum(found.counts.values()) == 2
    assert found.broken == 1


def test_an_open_set_of_levels_forbids_nothing_and_identifiers_may_repeat_unless_told():
    assert check(note=["new"] * 6).broken == 0
    table = pa.table(good() | {"id": ["C0001"] * 6})
    assert check_schema(table, SCHEMA).broken == 0


def test_absent_columns_are_named_and_earlier_misfits_remembered():
    table = pa.table(good()).drop_columns(["id"])
    table = table.replace_schema_metadata({UNFIT: json.dumps({"price": 3}).encode()})
    found = check_schema(table, SCHEMA)
    assert found.absent == ("id",)
    assert found.counts == {("price", "does not fit the kind, taken as missing"): 3}


def test_numbers_and_uuids_as_identifiers_and_unknown_formats():
    for form, values, bad in (
        ("integer", ["1", "-2", "x"], 1),
        ("uuid", ["123e4567-e89b-12d3-a456-426614174000", "1234", "5"], 2),
        ("whatever", ["1", "?", ""], 0),
    ):
        schema = TableSchema((Column("id", "identifier", format=form, nullable=True),))
        assert check_schema(pa.table({"id": values}), schema).broken == bad


def test_no_rows_break_nothing():
    found = check_schema(pa.table(good()).slice(0, 0), SCHEMA, unique=("id",))
    assert (found.rows, found.share) == (0, 0.0)
