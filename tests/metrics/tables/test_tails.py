from math import log

import numpy as np
import pytest

from genmodels.metrics.tables.levels import (
    expected_recall,
    least_represented,
    level_counts,
    rare_levels,
)
from genmodels.metrics.tables.tails import fit_tails, log_ratios, range_shares
from genmodels.metrics.tables.views import TableView

NAN = float("nan")


def numbers(*columns):
    values = np.array(columns, dtype=float).T
    names = tuple(f"x{k}" for k in range(len(columns)))
    return TableView(names, values, (), np.zeros((len(values), 0), np.int32), ())


def categories(*columns, size=5):
    codes = np.array(columns, dtype=np.int32).T
    names = tuple(f"k{c}" for c in range(len(columns)))
    levels = tuple(tuple("abcdefgh"[:size]) for _ in columns)
    return TableView((), np.zeros((len(codes), 0)), names, codes, levels)


def normal(n, seed, columns=2):
    return numbers(*np.random.default_rng(seed).normal(size=(columns, n)))


def test_thresholds_are_observed_quantiles_and_exceedances_are_strict():
    rows = numbers(np.arange(1, 1001))
    tails = fit_tails(rows, 1000, min_expected=1)
    assert tails.thresholds.tolist() == [5, 10, 990, 995]
    assert tails.upper.tolist() == [False, False, True, True]
    assert tails.counts(rows).tolist() == [4, 9, 10, 5]
    assert tails.shares == pytest.approx([0.004, 0.009, 0.01, 0.005])


def test_log_ratios_have_half_a_row_added():
    tails = fit_tails(numbers(np.arange(1, 1001)), 1000, levels=(0.99,))
    twice = numbers(np.concatenate([np.arange(1, 981), np.full(20, 5000.0)]))
    never = numbers(np.arange(1, 991))
    real = numbers(np.arange(1, 1001))
    assert log_ratios(tails, real, twice) == pytest.approx([log(20.5 / 10.5)])
    assert log_ratios(tails, real, never) == pytest.approx([log(0.5 / 991) - log(10.5 / 1001)])


def test_fresh_rows_keep_their_tails_and_clipped_rows_lose_them():
    train, real, fresh = (normal(4000, k) for k in range(3))
    tails = fit_tails(train, 4000)
    low, high = np.quantile(train.numbers, [0.02, 0.98], axis=0)
    clipped = numbers(*np.clip(fresh.numbers, low, high).T)
    assert len(tails) == 8
    assert np.abs(log_ratios(tails, real, fresh)).mean() < 0.4
    assert (log_ratios(tails, real, clipped) < -2).all()


def test_tails_that_hold_too_few_rows_are_left_out():
    mass = numbers([0.0] * 999 + [1.0], np.arange(1000), [NAN] * 1000)
    tails = fit_tails(mass, 1000)
    assert set(tails.columns.tolist()) == {1}
    assert len(fit_tails(mass, 5)) == 0
    assert fit_tails(mass, 5).counts(mass).shape == (0,)


def test_rows_extreme_in_two_columns_are_counted_once_a_column():
    train = normal(1000, 0)
    tails = fit_tails(train, 1000, levels=(0.01, 0.99), min_expected=1)
    rows = numbers([9, 9, 0, NAN, -9], [-9, 0, 0, -9, 9])
    assert tails.extreme(rows, 2).tolist() == [True, False, False, False, True]
    assert tails.extreme(rows, 1).tolist() == [True, True, False, True, True]


def test_range_share_is_the_common_part_of_the_reference_range():
    real = numbers([0, 10], [0, 10], [0, 10], [5, 5], [0, 10], [-1e308, 1e308])
    other = numbers([2, 7], [-5, 50], [20, 30], [0, 1], [NAN, NAN], [0, 1e308])
    found = range_shares(real, other)
    assert found[[0, 1, 2, 4, 5]] == pytest.approx([0.5, 1, 0, 0, 0.5])
    assert np.isnan(found[3])


def test_rare_levels_are_those_of_the_reference_with_a_small_training_share():
    train = categories([1] * 950 + [2] * 45 + [3] * 5)
    real = categories([1, 2, 3, 4, 0])
    rare = rare_levels(train, real, share=0.01)
    assert rare.codes.tolist() == [3, 4]
    assert rare.counts(train).tolist() == [5, 0]
    levels, counts = level_counts(train)
    assert levels.codes.tolist() == [1, 2, 3]
    assert counts.tolist() == [950, 45, 5]


def test_expected_recall_is_the_chance_to_meet_each_level():
    expected = np.mean([1 - 0.9**7, 1 - 0.5**7])
    assert expected_recall(np.array([10, 50]), 100, 7) == pytest.approx(expected, abs=1e-15)
    counts, rng = np.array([2, 5, 20]), np.random.default_rng(0)
    p = np.append(counts / 1000, 1 - counts.sum() / 1000)
    met = np.mean([(rng.multinomial(100, p)[:3] > 0).mean() for _ in range(4000)])
    assert expected_recall(counts, 1000, 100) == pytest.approx(met, abs=0.01)


def test_a_lost_group_is_named_and_chance_alone_names_none():
    rng, p = np.random.default_rng(0), np.array([0.05, 0.05, 0.1, 0.3, 0.5])
    sure = 0
    for _ in range(40):
        real, made = rng.multinomial(2000, p), rng.multinomial(2000, p)
        sure += least_represented(real, 2000, made, 2000).at_most < 1
        made[1] = 0
        lost = least_represented(real, 2000, made, 2000)
        assert lost.group == 1
        assert lost.at_most < 0.3
        assert lost.interval[0] == 0
    assert sure <= 3
