"""What columns of text are taken for."""

import uuid

import pyarrow as pa
import pytest

from genmodels.data.infer import infer_schema


def decide(values, name="x", **options):
    return infer_schema(pa.table({name: values}), **options)[name]


def test_question_marks_stay_a_level_of_text_and_are_pointed_out():
    column = decide(["a", "b", "?", "a"] * 10)
    assert (column.kind, column.levels, column.nullable) == ("categorical", ("?", "a", "b"), False)
    assert "'?' kept as a level" in column.note
    told = decide(["a", "b", "?", "a"] * 10, overrides={"x": {"missing": ["?"]}})
    assert (told.levels, told.nullable) == (("a", "b"), True)


@pytest.mark.parametrize(
    "pair", [("no", "yes"), ("N", "Y"), ("False", "True"), ("f", "t"), ("OFF", "ON")]
)
def test_booleans_are_false_then_true_as_written(pair):
    column = decide([pair[1], pair[0], pair[1], None])
    assert (column.kind, column.levels, column.nullable) == ("boolean", pair, True)


def test_native_booleans():
    column = decide([True, False, None])
    assert (column.kind, column.levels, column.nullable) == ("boolean", (False, True), True)
    assert decide([True, True]).value is True


def test_two_other_words_are_categories():
    assert decide(["M", "F", "M"]).kind == "categorical"
    assert decide(["yes", "Yes", "no"]).kind == "categorical"
    assert "case or spaces" in decide(["yes", "Yes", "no"]).note
    forced = decide(["M", "F", "M"], overrides={"x": {"kind": "boolean"}})
    assert forced.levels == ("F", "M")


def test_open_sets_above_the_limit_list_the_frequent_levels():
    values = [f"v{i % 300}x" for i in range(1000)] + ["v7x"] * 5
    column = decide(values, max_levels=100, max_listed=50)
    assert (column.kind, column.closed) == ("categorical", False)
    assert len(column.levels) == 50
    assert column.levels[0] == "v7x"


@pytest.mark.parametrize(
    ("values", "format"),
    [
        ([str(uuid.UUID(int=i * 7919)) for i in range(50)], "uuid"),
        ([f"C{i:06d}" for i in range(50)], "C{:06d}"),
        ([f"user-{i}" for i in range(5, 55)], "user-{:d}"),
        ([f"{i:04d}-{chr(65 + i % 26)}{i}Z" for i in range(50)], "x_{:06d}"),
    ],
)
def test_unique_texts_are_keys_with_a_pattern(values, format):
    column = decide(values)
    assert (column.kind, column.format) == ("identifier", format)


def test_a_pattern_never_holds_stray_braces():
    assert decide([f"{{{i}}}a" for i in range(50)]).format == "x_{:06d}"


def test_constant_text_and_declared_categories():
    assert decide(["a", "a"]).value == "a"
    assert decide(["a", None]).kind == "categorical"
    declared = pa.DictionaryArray.from_arrays([1, 0, 1, 2], ["3", "1", "2"])
    column = decide(declared)
    assert (column.kind, column.levels) == ("categorical", ("3", "1", "2"))


def test_units_are_pointed_out():
    assert "with a unit" in decide([f"${i % 40}.5" for i in range(200)]).note
    assert "with a unit" in decide([f"{i % 40} %" for i in range(200)]).note


def test_roles_and_wishes_are_checked():
    table = pa.table({"age": [1.5, 2.5], "sex": ["M", "F"]})
    schema = infer_schema(table, target="age", sensitive=["sex"])
    assert schema.target.name == "age"
    assert schema["sex"].role == "sensitive"
    with pytest.raises(ValueError, match="target: there is no column 'agee'; did you mean 'age'"):
        infer_schema(table, target="agee")
    with pytest.raises(ValueError, match="unknown key 'kinds'; did you mean 'kind'"):
        infer_schema(table, overrides={"age": {"kinds": "integer"}})
    with pytest.raises(ValueError, match="kind 'float' is not one of"):
        infer_schema(table, overrides={"age": {"kind": "float"}})


def test_a_demanded_kind_that_the_data_contradict_is_refused_with_the_place():
    with pytest.raises(ValueError, match=r"declared integer, but 'x' \(row 3\)"):
        decide(["1", "2", "x"], overrides={"x": {"kind": "integer"}})
    with pytest.raises(ValueError, match=r"declared datetime, but 'x' \(row 2\)"):
        decide(["2013-01-01", "x"], overrides={"x": {"kind": "datetime"}})
    with pytest.raises(ValueError, match="declared boolean"):
        decide(["a", "b", "c"], overrides={"x": {"kind": "boolean"}})


def test_a_demanded_kind_has_all_else_decided_for_it():
    numbers = [str(i % 5) for i in range(200)]
    assert decide(numbers, overrides={"x": {"kind": "integer"}}).maximum == 4
    assert decide(numbers, overrides={"x": {"kind": "continuous"}}).kind == "continuous"
    assert decide(numbers, overrides={"x": {"kind": "categorical"}}).levels is not None
    assert decide(["a", "b"], identifiers=["x"]).kind == "identifier"


def test_columns_that_are_not_plain_are_refused_by_name():
    with pytest.raises(ValueError, match=r"column 'x' holds list<.*> values"):
        decide([[1], [2]])
