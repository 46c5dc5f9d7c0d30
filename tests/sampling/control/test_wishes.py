import datetime
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from genmodels.sampling.control.wishes import parse_wish, parse_wishes
from genmodels.schema import Column, TableSchema
from genmodels.wishes import Wish

AGE = Column("age", "integer", nullable=True)
RATE = Column("rate", "continuous", decimals=1)
JOB = Column("job", "categorical", levels=(">50K", "a", "missing", "not b", "b"), nullable=True)
GRADE = Column("grade", "categorical", levels=(1, 2, 3, 4))
OPEN = Column("city", "categorical", levels=("oslo",), closed=False)
FLAG = Column("flag", "boolean", levels=(False, True))
DAY = Column("day", "datetime", format="%d/%m/%Y")
ZONED = Column("at", "datetime", timezone="Europe/Paris")
KEY = Column("key", "identifier")
ONE = Column("one", "constant", value="x")
ZONES = ("Midtown Center", "East Midtown", *(f"Zone {i}" for i in range(30)))
ZONE = Column("zone", "categorical", levels=ZONES)
SCHEMA = TableSchema((AGE, RATE, JOB, GRADE, OPEN, FLAG, DAY, ZONED, KEY, ONE, ZONE))


def wish(column, value):
    return parse_wish(column, value, key=f"given.{column.name}")


def fitting(column, value, values):
    fits = wish(column, value).fits(pa.array(values))
    return [v for v, good in zip(values, fits, strict=True) if good]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (30, [30]),
        ("30", [30]),
        ("> 80", [81]),
        (">80", [81]),
        (">= 80", [80, 81]),
        ("< 30", [29]),
        ("<=30", [29, 30]),
        ("30..80", [30, 80]),
        ("not 30", [29, 80, 81]),
        ("!= 30", [29, 80, 81]),
        ([29, "> 80"], [29, 81]),
        (["missing", "<30"], [29, None]),
        ("missing", [None]),
        (None, [None]),
        ("not missing", [29, 30, 80, 81]),
        ("-5..29", [29]),
        ("1e1..2.95e1", [29]),
        (">= 30 and < 81", [30, 80]),
        ("<= 80 and > 29", [30, 80]),
        ([">= 30 and < 80", 81], [30, 81]),
    ],
)
def test_numbers_are_asked_for_by_value_range_set_and_gap(value, expected):
    assert fitting(AGE, value, [29, 30, 80, 81, None]) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (">50K", [">50K"]),
        ("missing", ["missing"]),
        (None, [None]),
        ("not b", ["not b"]),
        ("not a", [">50K", "missing", "not b", "b"]),
        (["a", "b"], ["a", "b"]),
        (["a", None], ["a", None]),
        ("not missing", [">50K", "a", "missing", "not b", "b"]),
    ],
)
def test_a_text_that_names_a_level_means_that_level(value, expected):
    values = [">50K", "a", "missing", "not b", "b", None]
    assert fitting(JOB, value, values) == expected
    fits = wish(JOB, value).fits(pa.array(values).dictionary_encode())
    assert [v for v, good in zip(values, fits, strict=True) if good] == expected


def test_levels_that_are_numbers_have_ranges_and_booleans_have_words():
    assert fitting(GRADE, ">= 3", [1, 2, 3, 4]) == [3, 4]
    assert fitting(GRADE, "2..3", [1, 2, 3, 4]) == [2, 3]
    assert fitting(GRADE, 2, [1, 2, 3, 4]) == [2]
    for value in (True, "true", "True"):
        assert fitting(FLAG, value, [True, False]) == [True]


def test_open_sets_may_be_asked_for_levels_that_the_schema_does_not_list():
    assert wish(OPEN, "rome").levels == ("rome",)


def instants(*texts, zone=None):
    naive = [datetime.datetime.fromisoformat(t) for t in texts]
    array = pa.array(naive, pa.timestamp("us"))
    return array if zone is None else pa.compute.assume_timezone(array, zone)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2020-01-31", [1, 2]),
        ("31/01/2020", [1, 2]),
        (datetime.date(2020, 1, 31), [1, 2]),
        ("2020-01-31 12:00", [2]),
        ("> 2020-01-31", [3]),
        (">= 2020-01-31", [1, 2, 3]),
        ("< 2020-01-31", [0]),
        ("<= 2020-01-31", [0, 1, 2]),
        ("2020-01-30..2020-01-31", [0, 1, 2]),
        ("2020-01-30 00:00..2020-01-31 00:00", [0, 1]),
        ("not 2020-01-31", [0, 3]),
        (["2020-01-30", "> 2020-01-31"], [0, 3]),
    ],
)
def test_a_date_alone_means_its_whole_day(value, expected):
    texts = ("2020-01-30T23:59:59", "2020-01-31", "2020-01-31T12:00", "2020-02-01")
    assert np.flatnonzero(wish(DAY, value).fits(instants(*texts))).tolist() == expected


def test_a_day_has_23_hours_when_summer_time_begins():
    (day,) = wish(ZONED, "2024-03-31").ranges
    assert day.high - day.low == 23 * 3600 * 10**6
    texts = ("2024-03-31T00:00", "2024-03-31T23:59", "2024-04-01T00:00")
    fits = wish(ZONED, "2024-03-31").fits(instants(*texts, zone="Europe/Paris"))
    assert fits.tolist() == [True, True, False]


def test_wishes_with_one_outcome_are_exact():
    exact = [wish(AGE, 30), wish(AGE, None), wish(JOB, "a"), wish(RATE, 0.3), wish(ONE, "x")]
    assert all(one.exact for one in exact)
    loose = [
        wish(AGE, [30, 31]),
        wish(JOB, "not a"),
        wish(AGE, [30, None]),
        wish(DAY, "2020-01-31"),
    ]
    assert not any(one.exact for one in loose)


def test_large_whole_numbers_keep_their_digits():
    assert fitting(AGE, str(2**53 + 1), [2**53, 2**53 + 1, 2**53 + 2]) == [2**53 + 1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"agee": 3}, r"given\.agee: there is no column 'agee'; did you mean 'age'\?"),
        ({"job": ">50k"}, r"given\.job: .* no level '>50k'; did you mean '>50K'\?"),
        ({"job": "not c"}, "no level 'c'"),
        ({"grade": "5"}, "no level '5'; there are '1', '2', '3', '4'$"),
        ({"job": "Maybe"}, "no level 'Maybe'; there are '>50K', 'a', 'missing', 'not b', 'b'$"),
        ({"zone": "midtown"}, "did you mean 'Midtown Center' or 'East Midtown'"),
        ({"zone": "Zone 25x"}, "did you mean 'Zone 25'"),
        ({"zone": "Bronx"}, "there are 'Midtown Center', .*, ...$"),
        ({"job": "[a"}, r"given\.job=\[a: the bracket of the list is not closed; write \[a\]"),
        ({"age": "[30"}, "the bracket of the list is not closed"),
        ({"city": "[oslo, rome"}, r"write \[oslo, rome\]"),
        ({"age": "old"}, r"given\.age: 'old' is no number; give a value, '> 80'"),
        ({"age": "30..20"}, "the lower end comes first"),
        ({"age": 30.5}, "whole numbers"),
        ({"age": "nan"}, "no number"),
        ({"age": "> 3 and > 5"}, "one lower and one upper end"),
        ({"age": "> 5 and < 3"}, "no value is both"),
        ({"age": ">= 5 and < 5"}, "no value is both"),
        ({"age": []}, "empty list"),
        ({"job": ["a", "not b x"]}, "no level 'b x'"),
        ({"job": ["b", "!= a"]}, "'not' stands alone"),
        ({"grade": "> 4"}, "no level of column 'grade' lies there"),
        ({"day": "yesterday"}, r"no date; write 2020-01-31 .*%d/%m/%Y"),
        ({"key": 5}, "made anew"),
        ({"one": "y"}, "had the one value 'x'"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_key(given, message):
    with pytest.raises(ValueError, match=message):
        parse_wishes(given, SCHEMA, key="given")


def test_a_level_may_begin_with_a_bracket_and_a_tuple_is_neither_range_nor_list():
    odd = replace(JOB, levels=("[a", "b"))
    assert wish(odd, "[a").levels == ("[a",)
    with pytest.raises(TypeError, match=r"given.age is a tuple.*\[20, 30\].*'20\.\.30'"):
        wish(AGE, (20, 30))


def test_two_levels_are_both_named_where_neither_is_much_like_the_word():
    with pytest.raises(ValueError, match=r"no level 'Maybe'; there are 'No', 'Yes'$"):
        wish(replace(JOB, levels=("No", "Yes")), "Maybe")
    with pytest.raises(ValueError, match=r"did you mean 'Yes'\? There are 'No', 'Yes'$"):
        wish(replace(JOB, levels=("No", "Yes")), "yes")


def test_a_wish_for_nothing_is_an_error():
    with pytest.raises(ValueError, match="nothing is left"):
        Wish("a", "nothing", present=False)
    assert str(replace(wish(AGE, "> 3"), text="> 3")) == "age: > 3"
