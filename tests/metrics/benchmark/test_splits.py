import numpy as np
import pytest

from genmodels.metrics.benchmark.splits import (
    group_splits,
    nested_order,
    random_splits,
    time_splits,
)
from genmodels.metrics.tables.memorisation import row_hashes
from genmodels.metrics.tables.views import TableView


def view_of(numbers, codes):
    numbers, codes = np.atleast_2d(numbers).T.astype(float), np.atleast_2d(codes).T
    levels = (tuple("abcdefgh"),)
    return TableView(("x",), numbers, ("c",), codes.astype(np.int32), levels)


def apart(split, prints):
    return not set(prints[split.train].tolist()) & set(prints[split.test].tolist())


def test_equal_rows_have_equal_fingerprints_and_others_not():
    view = view_of([0.0, -0.0, np.nan, np.nan, 1.0, 1.0], [1, 1, 2, 2, 1, 2])
    a, b, c, d, e, f = row_hashes(view).tolist()
    assert a == b
    assert c == d
    assert len({a, c, e, f}) == 4


def test_random_splits_have_their_share_of_each_class_and_no_row_on_both_sides():
    prints, y = np.arange(1000, dtype=np.uint64), np.repeat([0, 1], [900, 100])
    for split in random_splits(prints, y, repeats=4, share=0.2, seed=0):
        assert len(split.test) == 200
        assert y[split.test].sum() == 20
        assert sorted([*split.train, *split.test]) == list(range(1000))
        assert split.ratio == 0.25


def test_splits_differ_and_come_again_with_the_seed():
    prints = np.arange(50, dtype=np.uint64)
    first = random_splits(prints, None, repeats=3, share=0.3, seed=1)
    again = random_splits(prints, None, repeats=3, share=0.3, seed=1)
    assert all((a.test == b.test).all() for a, b in zip(first, again, strict=True))
    assert len({tuple(split.test) for split in first}) == 3


def test_equal_rows_stay_on_one_side_without_losing_any():
    rng = np.random.default_rng(0)
    prints = rng.integers(0, 120, 600).astype(np.uint64)
    y = (prints % 2).astype(int)
    for split in random_splits(prints, y, repeats=5, share=0.25, seed=0):
        assert apart(split, prints)
        assert len(split.train) + len(split.test) == 600
        assert len(split.test) == pytest.approx(150, abs=12)


def test_groups_stay_on_one_side_and_training_gives_up_what_a_test_row_repeats():
    groups = np.repeat(np.arange(40), 10)
    prints = np.arange(400, dtype=np.uint64)
    prints[::10] = 1000  # one row of every group is the same
    for split in group_splits(groups, prints, repeats=3, share=0.25, seed=0):
        assert not set(groups[split.train]) & set(groups[split.test])
        assert apart(split, prints)
        assert len(split.test) == 100
        assert len(split.train) == 270


def test_few_groups_are_refused():
    with pytest.raises(ValueError, match="at least 4 groups, found 2"):
        group_splits(np.array([0, 0, 1]), np.arange(3), repeats=3, share=0.3, seed=0)


def test_time_splits_test_on_what_follows():
    times = np.random.default_rng(0).permutation(np.repeat(np.arange(100.0), 3))
    splits = time_splits(times, np.arange(300, dtype=np.uint64), repeats=4, share=0.2)
    cuts = [times[split.test].min() for split in splits]
    assert cuts == [50, 60, 70, 80]
    for split in splits:
        assert times[split.train].max() < times[split.test].min()
        assert len(split.test) == 60


def test_an_unknown_time_is_refused():
    with pytest.raises(ValueError, match="time must be known"):
        time_splits(np.array([1.0, np.nan]), np.arange(2), repeats=3, share=0.5)


def test_a_split_without_training_rows_says_what_to_change():
    with pytest.raises(ValueError, match="0 rows to learn from"):
        time_splits(np.zeros(10), np.arange(10, dtype=np.uint64), repeats=3, share=0.2)


def test_smaller_sizes_are_beginnings_with_the_classes_in_their_shares():
    y = np.repeat([0, 1, 2], [800, 190, 10])
    order = nested_order(y, 1000, [0])
    assert sorted(order) == list(range(1000))
    counts = np.bincount(y[order[:200]])
    assert counts[2] >= 3
    assert counts[0] / 200 == pytest.approx(0.8, abs=0.03)
    assert counts[1] / 200 == pytest.approx(0.19, abs=0.03)


def test_the_proof_tells_other_rows():
    prints = np.arange(100, dtype=np.uint64)
    a, b = random_splits(prints, None, repeats=2, share=0.2, seed=0)
    assert a.proof(prints)[:3] == (1, 80, 20)
    assert a.proof(prints)[3:] != b.proof(prints)[3:]
    assert a.proof(prints) == a.proof(prints.copy())


def test_rows_that_are_nearly_all_equal_are_refused_with_the_reason():
    prints = np.repeat(np.arange(4, dtype=np.uint64), 50)
    with pytest.raises(ValueError, match="equal rows, or one value of split_by"):
        random_splits(prints, prints % 2, repeats=3, share=0.2, seed=0)
