"""Covering arrays: every possible combination is there, nothing impossible, few rows."""

from itertools import combinations, product

import pytest

from genmodels.covering import covering_array, merged_rows


def grid(factors, levels):
    return {f"f{i}": [f"{i}:{k}" for k in range(levels)] for i in range(factors)}


def held(rows, names):
    return {tuple(row[name] for name in names) for row in rows}


def breaks(row, forbidden):
    return any(rule.items() <= row.items() for rule in forbidden)


def missing(rows, levels, strength, forbidden=()):
    """Combinations that some allowed whole row has and `rows` lack, by brute force."""
    whole = [dict(zip(levels, values, strict=True)) for values in product(*levels.values())]
    allowed = [row for row in whole if not breaks(row, forbidden)]
    return {
        (names, cell)
        for names in combinations(levels, strength)
        for cell in held(allowed, names) - held(rows, names)
    }


@pytest.mark.parametrize(
    ("factors", "levels", "strength", "least", "most"),
    [(4, 3, 2, 9, 12), (10, 2, 2, 6, 10), (4, 2, 3, 8, 10), (3, 4, 3, 64, 64), (5, 3, 1, 3, 3)],
)
def test_every_combination_is_covered_in_few_rows(factors, levels, strength, least, most):
    given = grid(factors, levels)
    rows = covering_array(given, strength, 1)
    assert missing(rows, given, strength) == set()
    assert least <= len(rows) <= most


def test_factors_of_different_sizes_need_at_least_the_product_of_the_largest():
    given = {"a": range(7), "b": "xyz", "c": [True, False], "d": [None, 1, 2, 3]}
    rows = covering_array(given, 2, 0)
    assert missing(rows, given, 2) == set()
    assert 28 <= len(rows) <= 31


def test_the_same_seed_makes_the_same_rows_and_others_others():
    given = grid(5, 3)
    assert covering_array(given, 2, 4) == covering_array(given, 2, 4)
    assert len({str(covering_array(given, 2, seed)) for seed in range(4)}) > 1


FORBIDDEN = [
    {"weather": "snow", "season": "summer"},
    {"weather": "snow", "time": "noon", "density": "high"},
    {"season": "winter", "time": "night"},
    {"density": "none"},
]
SCENES = {
    "weather": ["sun", "rain", "snow"],
    "time": ["noon", "night"],
    "season": ["summer", "winter"],
    "density": ["low", "high", "none"],
}


@pytest.mark.parametrize("strength", [1, 2, 3])
def test_what_is_forbidden_never_occurs_and_all_else_does(strength):
    rows = covering_array(SCENES, strength, 0, FORBIDDEN)
    assert not any(breaks(row, FORBIDDEN) for row in rows)
    assert missing(rows, SCENES, strength, FORBIDDEN) == set()


def test_what_two_rules_together_exclude_is_not_waited_for():
    # with a=1 there is no level of b left that goes with c=1
    levels = {"a": [0, 1], "b": [0, 1], "c": [0, 1]}
    rules = [{"a": 1, "b": 0}, {"b": 1, "c": 1}]
    rows = covering_array(levels, 2, 0, rules)
    assert (1, 1) not in held(rows, ("a", "c"))
    assert missing(rows, levels, 2, rules) == set()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (({},), "at least one factor"),
        (({"a": [1, 1]},), "distinct"),
        (({"a": [1, 2]}, 2), "from 1 to 1"),
        (({"a": [1, 2]}, 1, 0, [{"b": 1}]), "no factor 'b'"),
        (({"a": [1, 2]}, 1, 0, [{"a": 3}]), "no level 3"),
        (({"a": [1, 2]}, 1, 0, [{"a": 1}, {"a": 2}]), "no row at all"),
        (({"a": [1, 2]}, 1, 0, [{}]), "every row"),
        ((grid(40, 20), 3), "at most 2,000,000"),
    ],
)
def test_what_cannot_be_is_refused(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        covering_array(*arguments)


def test_one_partial_row_serves_several_combinations():
    rows = merged_rows([({"a": 1, "b": 1}, 1), ({"b": 1, "c": 2}, 1), ({"a": 2, "b": 1}, 1)])
    assert rows == [{"a": 1, "b": 1, "c": 2}, {"a": 2, "b": 1}]


def test_each_combination_has_as_many_rows_as_it_needs():
    wanted = [({"a": 1, "b": 1}, 3), ({"a": 1, "c": 0}, 2), ({"b": 0, "c": 0}, 2), ({"a": 1}, 3)]
    rows = merged_rows(wanted)
    for combination, times in wanted:
        assert sum(combination.items() <= row.items() for row in rows) >= times
    assert len(rows) == 5


def test_what_is_forbidden_is_not_merged():
    wanted = [({"a": 1, "b": 1}, 1), ({"c": 1}, 1)]
    assert merged_rows(wanted) == [{"a": 1, "b": 1, "c": 1}]
    assert merged_rows(wanted, [{"a": 1, "c": 1}]) == [{"a": 1, "b": 1}, {"c": 1}]
