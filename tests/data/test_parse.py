"""A raw table brought to the types of its schema."""

import logging

import numpy as np
import pyarrow as pa
import pytest

from genmodels.data.infer import infer_schema
from genmodels.data.parse import apply_schema
from genmodels.schema import Column, TableSchema


def mixed(rows=300, seed=0):
    rng = np.random.default_rng(seed)
    numbers = rng.normal(10, 3, rows).round(2)
    return pa.table(
        {
            "amount": [None if i % 17 == 0 else f"{x:.2f}" for i, x in enumerate(numbers)],
            "count": [str(v) if v else "?" for v in rng.integers(0, 90, rows)],
            "code": [str(v) for v in rng.integers(1, 5, rows)],
            "flag": [["no", "yes"][v] for v in rng.integers(0, 2, rows)],
            "name": [f"n{v}" for v in rng.integers(0, 150, rows)],
            "when": [f"2013-01-{v:02d} 10:00:00" for v in rng.integers(1, 29, rows)],
            "id": [f"R{i:05d}" for i in range(rows)],
            "same": ["x"] * rows,
            "none": pa.nulls(rows, pa.string()),
        }
    )


def test_types_are_those_of_the_kinds():
    raw = mixed()
    table = apply_schema(raw, infer_schema(raw))
    level = pa.dictionary(pa.int32(), pa.string())
    number = pa.dictionary(pa.int32(), pa.int64())
    wanted = [
        *(pa.float64(), pa.int64(), number, level, level, pa.timestamp("us")),
        *(pa.string(), pa.string(), pa.null()),
    ]
    assert table.schema.types == wanted
    assert table["count"].null_count == raw["count"].to_pylist().count("?")
    assert table["amount"][1].as_py() == float(raw["amount"][1].as_py())
    assert [str(v) for v in table["code"].to_pylist()] == raw["code"].to_pylist()


def test_applying_twice_changes_nothing():
    raw = mixed()
    schema = infer_schema(raw)
    once = apply_schema(raw, schema)
    assert apply_schema(once, schema).equals(once)


def test_rows_of_text_and_rows_of_the_typed_table_agree():
    raw = mixed()
    schema = infer_schema(raw)
    rows = pa.array([5, 3, 250])
    assert (
        apply_schema(raw.take(rows), schema).to_pydict()
        == apply_schema(raw, schema).take(rows).to_pydict()
    )


def one(kind, values, strict=True, **fields):
    schema = TableSchema((Column("x", kind, nullable=True, **fields),))
    return apply_schema(pa.table({"x": values}), schema, strict=strict)["x"]


def test_closed_levels_refuse_a_stranger_with_its_row_and_what_to_edit():
    with pytest.raises(ValueError, match=r"column 'x', row 3: 'c' does not fit.*levels"):
        one("categorical", ["a", "b", "c"], levels=("a", "b"))


def test_strangers_become_missing_with_one_warning_if_not_strict(caplog):
    with caplog.at_level(logging.WARNING):
        column = one("categorical", ["a", "c", "c"], strict=False, levels=("a", "b"))
    assert column.to_pylist() == ["a", None, None]
    assert len(caplog.records) == 1
    assert "2 values such as 'c'" in caplog.text


def test_open_levels_append_strangers_after_the_listed():
    column = one("categorical", ["z", "a", "z"], levels=("a", "b"), closed=False)
    assert column.chunk(0).dictionary.to_pylist() == ["a", "b", "z"]
    assert column.to_pylist() == ["z", "a", "z"]


def test_dictionary_order_is_that_of_the_schema_whatever_the_data():
    for values in (["b", "a"], ["a"], pa.array(["b", "c"]).dictionary_encode()):
        column = one("categorical", values, levels=("c", "b", "a"))
        assert column.chunk(0).dictionary.to_pylist() == ["c", "b", "a"]


def test_number_levels_match_text_floats_and_numbers():
    for values in (["1", "2"], ["1.0", "2.0"], [1, 2], [1.0, 2.0]):
        assert one("categorical", values, levels=(1, 2)).to_pylist() == [1, 2]


def test_booleans_with_truth_values_are_bool():
    for values in (["True", "false", None], ["yes", "no", ""], [True, False, None], [1, 0, None]):
        column = one("boolean", values, levels=(False, True))
        assert column.type == pa.bool_()
        assert column.to_pylist() == [True, False, None]


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("continuous", ["1", "2", "x"], "row 3: 'x' does not fit: it is no number"),
        ("integer", ["1", "2.5"], "row 2: '2.5' does not fit: it is no whole number"),
        ("integer", [1.0, 2.5], "it is no whole number"),
        ("datetime", ["2013-01-01", "x"], "row 2: 'x' does not fit: it is no date"),
    ],
)
def test_values_without_meaning_are_refused_strict_or_not(kind, values, message):
    for strict in (True, False):
        with pytest.raises(ValueError, match=message):
            one(kind, values, strict=strict)


@pytest.mark.parametrize(
    ("kind", "values", "out"),
    [
        ("continuous", ["1", "2", "x"], [1.0, 2.0, None]),
        ("integer", ["1", "x", "2.5", None], [1, None, None, None]),
        ("integer", [1.0, 2.5], [1, None]),
    ],
)
def test_values_without_meaning_become_missing_when_asked(kind, values, out):
    schema = TableSchema((Column("x", kind, nullable=True),))
    parsed = apply_schema(pa.table({"x": values}), schema, strict=False, meaningless="missing")
    assert parsed["x"].to_pylist() == out


def test_dates_without_meaning_become_missing_when_asked():
    schema = TableSchema((Column("x", "datetime", nullable=True),))
    raw = pa.table({"x": ["x", "2013-01-02", ""]})
    dates = apply_schema(raw, schema, strict=False, meaningless="missing")["x"].to_pylist()
    assert [d and d.day for d in dates] == [None, 2, None]


def test_missing_words_are_null_as_text_and_as_number():
    assert one("continuous", ["1.5", "-200", "?"], missing=("-200", "?")).to_pylist() == [
        1.5,
        None,
        None,
    ]
    assert one("continuous", [1.5, -200.0], missing=("-200",)).to_pylist() == [1.5, None]
    assert one("integer", ["1", "-200.0"], missing=("-200",)).to_pylist() == [1, None]
    assert one("continuous", [1.5, float("inf")], missing=("inf",)).to_pylist() == [1.5, None]


def test_constants():
    assert one("constant", ["5", "5"], value=5).to_pylist() == [5, 5]
    assert one("constant", [None, None]).type == pa.null()
    with pytest.raises(ValueError, match="5 is the only value"):
        one("constant", ["5", "6"], value=5)
    assert one("constant", ["5", "6"], value=5, strict=False).to_pylist() == [5, None]


def test_a_gap_in_a_full_column_is_refused_or_warned_of(caplog):
    schema = TableSchema((Column("x", "continuous"),))
    raw = pa.table({"x": ["1.5", None]})
    with pytest.raises(ValueError, match="no value in row 2"):
        apply_schema(raw, schema)
    with caplog.at_level(logging.WARNING):
        assert apply_schema(raw, schema, strict=False)["x"].null_count == 1
    assert "1 values are missing" in caplog.text


def test_columns_must_be_the_same_and_near_names_are_said():
    schema = TableSchema((Column("age", "continuous"), Column("sex", "continuous")))
    with pytest.raises(ValueError, match="no column 'age'; did you mean 'agee'"):
        apply_schema(pa.table({"agee": [1.0], "sex": [1.0]}), schema)
    with pytest.raises(ValueError, match="columns that the schema does not have: 'more'"):
        apply_schema(pa.table({"age": [1.0], "sex": [1.0], "more": [1.0]}), schema)
    swapped = apply_schema(pa.table({"sex": [1.0], "age": [2.0]}), schema)
    assert swapped.column_names == ["age", "sex"]


def test_bounds_do_not_restrict_other_data():
    assert one("continuous", ["99"], minimum=0.0, maximum=1.0).to_pylist() == [99.0]


def test_identifiers_keep_text_or_numbers():
    assert one("identifier", ["7", "8"], format="integer").type == pa.int64()
    assert one("identifier", ["007", "C8"], format="C{:d}").to_pylist() == ["007", "C8"]
