import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from genmodels.sampling.control.constraints import parse_constraints
from genmodels.sampling.control.expressions import Compare, Literal, Name, Operation, parse
from genmodels.schema import Column, TableSchema
from genmodels.wishes import Cells

SCHEMA = TableSchema(
    (
        Column("a", "continuous", decimals=1, nullable=True),
        Column("b", "continuous", decimals=1),
        Column("net-pay", "continuous", minimum=0.0, maximum=100.0),
        Column("hours per week", "integer"),
        Column("total", "integer", nullable=True),
        Column("married", "categorical", levels=("yes", "no"), nullable=True),
        Column("city", "categorical", levels=("oslo", "rome", "new york")),
        Column("grade", "categorical", levels=(1, 2, 3)),
        Column("spouse", "continuous", nullable=True),
        Column("start", "datetime"),
        Column("end", "datetime", nullable=True),
        Column("ok", "boolean", levels=(False, True)),
    )
)
TABLE = pa.table(
    {
        "a": [1.0, 0.1, None, 3.0],
        "b": [2.0, 0.2, 1.0, -3.0],
        "net-pay": [10.0, 20.0, 99.0, 0.0],
        "hours per week": [10, 40, 41, 0],
        "total": [3, 0, None, 7],
        "married": ["yes", "no", None, "no"],
        "city": pa.array(["oslo", "rome", "new york", "rome"]).dictionary_encode(),
        "grade": [1, 2, 3, 1],
        "spouse": [5.0, None, 1.0, 2.0],
        "start": pa.array([0, 10**6, 2, 3], pa.timestamp("us")),
        "end": pa.array([1, 10**6 - 1, None, 3], pa.timestamp("us")),
        "ok": [True, False, True, False],
    }
)


def broken(*texts, table=TABLE):
    found = parse_constraints(texts, SCHEMA).broken(table)
    assert list(found) == list(texts)
    return [np.flatnonzero(found[text]).tolist() for text in texts]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a <= b", [3]),
        ("a < b", [3]),
        ("b >= a", [3]),
        ("a != b", []),
        ("0 <= net-pay <= 50", [2]),
        ("0 < net-pay and hours per week < 41", [2, 3]),
        ("`hours per week` <= 40", [2]),
        ("a + b * 2 <= 5", []),
        ("(a + b) * 2 <= 5", [0]),
        ("-a <= -1", [1]),
        ("a / b > 0", [3]),
        ("start <= end", [1]),
        ("start < end", [1, 3]),
        ("start >= 1970-01-01", []),
        ("start < 1970-01-01 00:00:01", [1]),
        ("married = no => spouse missing", [3]),
        ("married = no => spouse is not missing", [1]),
        ("spouse not missing", [1]),
        ("city = rome => b < 0 and grade = 1", [1]),
        ("city = 'new york' => grade > 2", []),
        ("city != rome", [1, 3]),
        ("grade >= 2 => a <= 0", [1]),
        ("ok = true => grade = 1", [2]),
        ("a = b", None),
        ("married = city", [0, 1, 3]),
    ],
)
def test_rows_that_break_a_rule_are_found_and_gaps_break_nothing(text, rows):
    if rows is None:
        assert parse_constraints([text], SCHEMA).computed == ("a",)
    else:
        assert broken(text) == [rows]


def test_signs_bind_as_in_arithmetic():
    parsed = parse("x = a + b * c - d", ["a", "b", "c", "d", "x"])
    product = Operation("*", Name("b"), Name("c"))
    right = Operation("-", Operation("+", Name("a"), product), Name("d"))
    assert parsed.then == (Compare("=", Name("x"), right),)
    assert parse("a < 2 - 1", ["a"]).then[0].right == Operation(
        "-", Literal("2", True), Literal("1", True)
    )


def test_the_longest_name_is_meant_and_backquotes_make_it_sure():
    names = ["net", "net-pay", "pay"]
    assert parse("net-pay < 1", names).then[0].left == Name("net-pay")
    assert parse("net - pay < 1", names).then[0].left == Operation("-", Name("net"), Name("pay"))
    assert parse("`net`-`pay` < 1", names).then[0].left == Operation("-", Name("net"), Name("pay"))
    with pytest.raises(ValueError, match="no column 'nett'"):
        parse("`nett` < 1", names)


def test_a_formula_is_computed_rounded_and_then_holds():
    constraints = parse_constraints(["total = a + b * 10"], SCHEMA)
    out = constraints.compute(TABLE, {})
    assert out["total"].to_pylist() == [21, 2, None, -27]
    assert not constraints.broken(out)["total = a + b * 10"].any()
    assert constraints.broken(TABLE)["total = a + b * 10"].tolist() == [True, True, False, True]
    assert out.drop_columns("total").equals(TABLE.drop_columns("total"))


def test_given_cells_of_a_formula_stay_and_are_looked_at():
    constraints = parse_constraints(["total = a + b"], SCHEMA)
    known = np.array([True, True, False, False])
    out = constraints.compute(TABLE, {"total": Cells(TABLE["total"].combine_chunks(), known)})
    assert out["total"].to_pylist() == [3, 0, None, 0]
    assert not constraints.broken(out)["total = a + b"].any()
    wrong = TABLE.set_column(4, "total", pa.array([4, 0, None, 0]))
    assert constraints.broken(wrong)["total = a + b"].tolist() == [True, False, False, False]


def test_results_out_of_bounds_or_without_inputs_are_broken():
    constraints = parse_constraints(["net-pay = a * 50"], SCHEMA)
    out = constraints.compute(TABLE, {})
    assert out["net-pay"].to_pylist() == [50.0, 5.0, 99.0, 0.0]
    assert constraints.broken(out)["net-pay = a * 50"].tolist() == [False, False, True, True]
    divided = parse_constraints(["net-pay = b / hours per week"], SCHEMA)
    out = divided.compute(TABLE, {})
    assert divided.broken(out)["net-pay = b / hours per week"].tolist() == [False] * 3 + [True]


def test_formulas_are_computed_after_what_they_need():
    texts = ["total = b + hours per week", "b = a * 2"]
    constraints = parse_constraints(texts, SCHEMA)
    assert constraints.computed == ("b", "total")
    out = constraints.compute(TABLE, {})
    assert out["total"].to_pylist()[0] == 12
    assert not constraints.broken(out)[texts[0]][:2].any()


def test_combinations_come_from_a_file(tmp_path):
    path = tmp_path / "combos.csv"
    pyarrow.csv.write_csv(
        pa.table({"grade": [1, 2, 9], "x": [0, 0, 0], "city": ["oslo", "rome", "rome"]}), path
    )
    text = f"city, grade in {path}"
    assert broken(text) == [[2, 3]]
    with pytest.raises(ValueError, match=r"has no column 'ok'; did you mean|has no column 'ok'"):
        parse_constraints([f"city, ok in {path}"], SCHEMA)
    with pytest.raises(ValueError, match="no column 'town'"):
        parse_constraints([f"town, ok in {path}"], SCHEMA)
    with pytest.raises(ValueError, match="nowhere"):
        parse_constraints(["city, ok in nowhere.csv"], SCHEMA)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a <= c", "'c' is neither a column nor a number"),
        ("a <= hour", "did you mean 'hours per week'"),
        ("a <", "ends too early"),
        ("a", "a comparison such as"),
        ("(a < b", "closing bracket"),
        ("a < b)", "not expected"),
        ("a < b c", "not expected"),
        ("a ? b", "cannot be read|neither"),
        ("married = maybe", "no level 'maybe'"),
        ("city = rom", "did you mean 'rome'"),
        ("city < rome", "in no order"),
        ("start < a", "a date is needed"),
        ("start < 5", "'5' is no date"),
        ("start + 1 < end", "not be added"),
        ("start = end + 1", "not be added"),
        ("a not b", "`missing` must follow"),
        ("city + 1 < 2", "a number is needed"),
        ("", "must be texts"),
        (5, "must be texts"),
    ],
)
def test_what_cannot_be_read_or_compared_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        parse_constraints([text], SCHEMA)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a = b + 1", "a = b + 2"], "two formulas"),
        (["a = b + 1", "b = a + 2"], "in a circle"),
    ],
)
def test_formulas_that_contradict_each_other_are_refused(texts, message):
    with pytest.raises(ValueError, match=message):
        parse_constraints(texts, SCHEMA)
