import numpy as np
import pytest

from genmodels.metrics.tables.rules import breaking, broken_share, find_rules
from genmodels.metrics.tables.views import TableView, shuffled_columns

CITIES = tuple("abcdefgh")
LAND = np.array([0, 1, 1, 2, 2, 2, 3, 3, 3])  # land of city code k; 0 = missing


def shop(n, seed):
    """start <= end, net + tax = gross, cents = 100 euros, city -> land, gaps that go together."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 1e6, n)
    end = start + rng.exponential(1e5, n)
    net = np.round(rng.gamma(2, 30, n), 2)
    tax = np.round(net * rng.choice([0.07, 0.19], n), 2)
    euros = np.round(rng.uniform(1, 50, n), 2)
    first, second = rng.normal(size=(2, n))
    gone = rng.random(n) < 0.2
    first[gone] = second[gone] = np.nan
    numbers = np.column_stack([start, end, net, tax, net + tax, euros, 100 * euros, first, second])
    city = rng.integers(1, 9, n)
    codes = np.column_stack([city, LAND[city], rng.integers(1, 3, n)]).astype(np.int32)
    names = ("start", "end", "net", "tax", "gross", "euros", "cents", "first", "second")
    levels = (CITIES, ("x", "y", "z"), ("no", "yes"))
    return TableView(names, numbers, ("city", "land", "coin"), codes, levels)


@pytest.fixture(scope="module")
def train():
    return shop(3000, 1)


@pytest.fixture(scope="module")
def rules(train):
    return find_rules(train, shuffled_columns(train, 0), shop(1500, 2), ("start", "end"))


def test_the_planted_rules_are_found_and_nothing_else(rules):
    assert {r.text for r in rules} == {
        "'start' <= 'end'",
        "'net' + 'tax' = 'gross'",
        "'net' <= 'gross'",
        "'tax' <= 'net'",
        "'cents' = 100 x 'euros'",
        "'city' determines 'land'",
        "'first', 'second' are missing together",
    }


def test_fresh_rows_keep_the_rules_and_shuffled_rows_do_not(rules):
    fresh = shop(2000, 3)
    assert not breaking(rules, fresh).any()
    assert breaking(rules, shuffled_columns(fresh, 1)).mean() > 0.99


@pytest.mark.parametrize(
    ("name", "column", "change"),
    [
        ("'start' <= 'end'", 1, lambda x: x - 1e7),
        ("'net' + 'tax' = 'gross'", 4, lambda x: x + 0.05),
        ("'cents' = 100 x 'euros'", 6, lambda x: x + 1),
        ("'first', 'second' are missing together", 7, lambda x: np.nan),
    ],
)
def test_each_broken_row_is_counted_once(train, rules, name, column, change):
    view = train.take(np.flatnonzero(~np.isnan(train.numbers).any(1))[:100])
    view.numbers[:7, column] = change(view.numbers[:7, column])
    (rule,) = [r for r in rules if r.text == name]
    judged, bad = rule.judge(view)
    assert bad[:7].all()
    assert bad.sum() == 7
    assert broken_share(rule, view) == pytest.approx(7 / judged.sum())


def test_a_wrong_land_breaks_the_function_and_an_unknown_city_is_not_judged(rules):
    (rule,) = [r for r in rules if r.text == "'city' determines 'land'"]
    view = shop(50, 4)
    view.codes[0, 1] = view.codes[0, 1] % 3 + 1
    view.codes[1, 0] = 99
    view.codes[2, 1] = 0
    judged, bad = rule.judge(view)
    assert list(np.flatnonzero(bad)) == [0]
    assert list(np.flatnonzero(~judged)) == [1, 2]


def test_a_rule_that_held_out_rows_break_is_none(train):
    holdout = shop(1500, 2)
    holdout.numbers[:10, 1] = -1.0
    found = find_rules(train, shuffled_columns(train, 0), holdout, ("start", "end"))
    assert "'start' <= 'end'" not in {r.text for r in found}


def test_what_shuffled_rows_keep_as_well_is_no_rule():
    rng = np.random.default_rng(0)
    numbers = np.column_stack([rng.uniform(0, 1, 2000), rng.uniform(2, 3, 2000)])
    view = TableView(("small", "large"), numbers, (), np.zeros((2000, 0), np.int32), ())
    assert find_rules(view, shuffled_columns(view, 0), view) == []


def test_two_names_of_one_thing_are_told_once_and_chains_are_not_closed():
    rng = np.random.default_rng(1)
    low = rng.normal(size=2000)
    middle, high = low + rng.exponential(1, 2000), low + rng.exponential(1, 2000) + 3
    high = np.maximum(high, middle)
    grade = rng.integers(1, 6, 2000)
    numbers = np.column_stack([low, middle, high, low])
    codes = np.column_stack([grade, grade % 5 + 1]).astype(np.int32)
    levels = (tuple("abcde"),) * 2
    view = TableView(("low", "middle", "high", "again"), numbers, ("k", "l"), codes, levels)
    found = {r.text for r in find_rules(view, shuffled_columns(view, 0), view)}
    assert found == {
        "'low' <= 'middle'",
        "'middle' <= 'high'",
        "'again' = 'low'",
        "'k' determines 'l' and back",
    }


def test_few_rows_missing_and_huge_values_give_no_rules_and_no_trouble():
    numbers = np.array([[np.nan, 1e300, 5.0], [np.nan, -1e300, 5.0]] * 150)
    view = TableView(("a", "b", "c"), numbers, (), np.zeros((300, 0), np.int32), ())
    assert find_rules(view, shuffled_columns(view, 0), view) == []
    assert find_rules(view.take(np.arange(5)), view, view) == []
    assert find_rules(view.take(np.arange(0)), view, view) == []
    assert not breaking([], view).any()
