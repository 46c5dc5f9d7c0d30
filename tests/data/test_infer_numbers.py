"""What columns of numbers are taken for."""

import numpy as np
import pyarrow as pa
import pytest

from genmodels.data.infer import infer_schema
from genmodels.data.numbers import decimals_of, parse_numbers
from genmodels.data.sources.csv_options import DECIMAL


def decide(values, name="x", **options):
    return infer_schema(pa.table({name: values}), **options)[name]


def texts(values):
    return [None if v is None else str(v) for v in values]


@pytest.mark.parametrize("native", [True, False])
def test_kinds_of_plain_numbers(native):
    rng = np.random.default_rng(0)
    make = list if native else texts
    assert decide(make(rng.normal(size=300).tolist())).kind == "continuous"
    money = decide(make(rng.normal(50, 9, 300).round(2).tolist()))
    assert (money.kind, money.decimals) == ("continuous", 2)
    assert decide(make(rng.integers(0, 1000, 300).tolist())).kind == "integer"
    codes = decide(make(rng.integers(1, 6, 300).tolist()))
    assert (codes.kind, codes.levels) == ("categorical", (1, 2, 3, 4, 5))
    flags = decide(make(rng.integers(0, 2, 300).tolist()))
    assert (flags.kind, flags.levels) == ("boolean", (0, 1))
    assert decide(make([7] * 300)).kind == "constant"
    assert decide(make([7] * 300)).value == 7


def test_few_rows_do_not_make_codes():
    assert decide(texts([1, 2, 3, 2, 1] * 10)).kind == "integer"
    assert decide(texts([1, 2, 3, 2, 1] * 10), min_rows=50).kind == "categorical"


def test_whole_numbers_written_with_a_point_are_whole():
    column = decide(["1.0", "0.0", "1.0", "0.0"])
    assert (column.kind, column.levels) == ("boolean", (0, 1))
    assert decide([1.0, float("nan"), 30.0, 12.0]).kind == "integer"
    assert decide([1.0, float("nan"), 30.0, 12.0]).nullable


@pytest.mark.parametrize("word", ["?", "NA", "N/A", "-", " ", "null", "#DIV/0!"])
def test_words_among_numbers_mean_missing_visibly(word):
    column = decide([*texts(range(100, 400)), word])
    assert (column.kind, column.nullable) == ("integer", True)
    assert column.missing == (() if word == " " else (word,))
    assert word == " " or repr(word) in column.note


def test_one_mistake_makes_text_and_is_named():
    column = decide([*texts(range(100, 400)), "12O"])
    assert column.kind == "identifier" or "'12O' (row 301)" in column.note
    column = decide([*texts([*range(100, 300), *range(100, 300)]), "12O"])
    assert column.kind == "categorical"
    assert "numbers, but not '12O' (row 401)" in column.note


@pytest.mark.parametrize(
    ("values", "first"),
    [
        (["1,234", "12", "1,234,567.5"], 1234.0),
        (["1,5", "2,25", "1.234,5"], 1.5),
        (["+1", "-.5", "1e3"], 1.0),
        ([" 12 ", "3", "4"], 12.0),
    ],
)
def test_styles_of_numbers(values, first):
    parsed = parse_numbers(pa.array(values))
    assert np.isfinite(parsed).all()
    assert parsed[0] == first


def test_the_decimal_mark_of_the_file_decides_what_three_digits_mean():
    assert parse_numbers(pa.array(["1.234", "5"]))[0] == 1.234
    assert parse_numbers(pa.array(["1.234", "5"]), decimal=",")[0] == 1234
    assert parse_numbers(pa.array(["1,234", "5"]))[0] == 1234
    assert parse_numbers(pa.array(["1,234", "5"]), decimal=",")[0] == 1.234
    table = pa.table({"x": ["1.234", "5"]}).replace_schema_metadata({DECIMAL: b","})
    assert infer_schema(table)["x"].maximum == 1234


def test_leading_zeros_and_very_long_digits_stay_text():
    zips = decide(["02134", "10001", "02134", "90210"] * 30)
    assert (zips.kind, zips.levels) == ("categorical", ("02134", "10001", "90210"))
    assert "leading zeros" in zips.note
    assert decide(["12345678901234567890", "1"] * 30).kind == "categorical"


def test_large_whole_numbers_are_exact():
    column = decide(["9007199254740993", "9007199254740995", "5"])
    assert column.maximum == 9007199254740995


@pytest.mark.parametrize("native", [True, False])
def test_sentinels_are_pointed_out_and_kept(native):
    values = [*np.random.default_rng(1).normal(20, 4, 500).round(1).tolist(), *[-200.0] * 20]
    column = decide(values if native else texts(values))
    assert column.minimum == -200
    assert "-200" in column.note
    assert not column.nullable
    told = decide(values if native else texts(values), overrides={"x": {"missing": ["-200"]}})
    assert told.minimum > 0
    assert told.nullable


def test_ordinary_extremes_are_not_called_sentinels():
    values = [*range(-30, 100), -1, -1, 99, 99]
    assert "may mean missing" not in decide(values).note


def test_keys_of_rows():
    assert decide(list(range(5000, 5300))).kind == "identifier"
    assert decide(texts(range(1, 301))).format == "integer"
    shuffled = np.random.default_rng(0).permutation(10_000)[:300].tolist()
    assert decide(shuffled, name="volume").kind == "integer"
    assert decide(shuffled, name="customerID").kind == "identifier"
    assert decide([*shuffled, shuffled[0]], name="id").kind == "identifier"
    assert decide([*texts(range(300)), None], name="steps").kind == "integer"
    assert decide(sorted(shuffled), name="timestamp").kind == "integer"
    assert decide(list(range(1850, 2000)), name="x").kind == "integer"


def test_continuous_numbers_are_never_keys():
    values = np.sort(np.random.default_rng(0).normal(size=500)).tolist()
    assert decide(values, name="id").kind == "continuous"


def test_postcodes_are_names_not_sizes():
    values = np.random.default_rng(0).integers(98001, 98071, 400).tolist()
    assert decide(values, name="zipcode").kind == "categorical"
    assert decide(values, name="price").kind == "integer"


def test_infinite_values_count_as_missing_visibly():
    column = decide([1.5, float("inf"), 2.5, 3.25])
    assert column.nullable
    assert column.missing == ("inf",)
    assert column.maximum == 3.25


@pytest.mark.parametrize("native", [True, False])
def test_all_missing(native):
    column = decide([None] * 5 if native else ["", " ", None])
    assert (column.kind, column.value, column.nullable) == ("constant", None, True)


@pytest.mark.parametrize(
    ("values", "digits"),
    [
        ([1.0, 2.0], 0),
        ([0.5, 1.25], 2),
        ([0.1 + 0.2, 0.7], 1),
        ([1 / 3], None),
        ([1e-11, 1.0], None),
    ],
)
def test_decimals(values, digits):
    assert decimals_of(np.array(values)) == digits


def test_float32_has_the_decimals_it_shows():
    column = decide(pa.array([0.1, 0.25, 3.7], pa.float32()))
    assert column.decimals == 2
    assert column.minimum == 0.1
