"""Which levels cannot be together, from the language of constraints."""

import numpy as np
import pytest

from genmodels.sampling.control.exclusions import excluded
from genmodels.schema import Column, TableSchema

SCHEMA = TableSchema(
    (
        Column("age", "integer"),
        Column("sex", "categorical", levels=("f", "m")),
        Column("pregnant", "boolean", levels=(False, True)),
        Column("day", "datetime"),
        Column("rate", "continuous"),
    )
)
INF = float("inf")
DAY = 86400.0
LEVELS = {
    "age": [(0, 17), (18, 64), (65, INF), (None,)],
    "sex": [("f",), ("m",)],
    "pregnant": [("false",), ("true",)],
    "day": [(-INF, 10 * DAY), (11 * DAY, INF)],
}


def cells(text):
    (found,) = excluded([text], SCHEMA, LEVELS)
    return found.names, found.cells.astype(int).tolist()


def test_levels_that_cannot_be_together_are_found():
    names, found = cells("sex = m and pregnant = true")
    assert names == ("sex", "pregnant")
    assert found == [[0, 0], [0, 1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age < 18", [1, 0, 0, 0]),
        ("age < 20", [1, 0, 0, 0]),  # some of 18..64 are not below 20
        ("age >= 18", [0, 1, 1, 0]),
        ("age != 30", [1, 0, 1, 0]),  # 30 lies inside of 18..64
        ("age * 2 > 129", [0, 0, 1, 0]),
        ("age missing", [0, 0, 0, 1]),
        ("0 <= age <= 64", [1, 1, 0, 0]),
    ],
)
def test_a_range_is_excluded_where_all_of_it_is(text, expected):
    assert cells(text) == (("age",), expected)


def test_dates_are_compared():
    assert cells("day < 1970-01-12") == (("day",), [1, 0])
    assert cells("day >= 1970-01-12 and sex = f") == (("sex", "day"), [[0, 1], [0, 0]])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("sex = m => pregnant = false", "name what cannot be"),
        ("sxe = m", "exclude: 'sxe = m'.*'sxe'"),
        ("sex = man", "no level 'man'"),
        ("rate > 1", "speaks of 'rate', which is no factor"),
        ("age <", "ends too early"),
    ],
)
def test_mistakes_are_named(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        excluded([text], SCHEMA, LEVELS)


def test_points_inside_a_range_are_looked_at():
    (found,) = excluded(["rate != 0.5"], SCHEMA, {"rate": [(0.0, 1.0), (1.0, 2.0)]})
    assert np.array_equal(found.cells, [False, True])
