"""Coverage of combinations against closed forms and brute force."""

from collections import Counter
from itertools import combinations, product

import numpy as np
import pytest

from genmodels.metrics.coverage.counts import Barred, cells_of, cover
from genmodels.metrics.coverage.differences import difference
from genmodels.metrics.tables.combinations import place

SIZES = np.array([3, 4, 3])  # two, three and two levels, and one code that is not counted


def covered(rows, ways=2, barred=(), sizes=SIZES):
    return cover(np.array(rows, np.int64).reshape(-1, len(sizes)), sizes, ways, barred)


def test_the_coverage_of_a_few_rows_is_what_a_hand_count_says():
    # pairs: 2*3 + 2*2 + 3*2 = 16; two rows that differ everywhere have 6 of them
    found = covered([[0, 0, 0], [1, 1, 1]])
    assert (found.total, found.ways) == (16, 2)
    assert found.share == pytest.approx(6 / 16)
    assert found.shares().tolist() == [2 / 6, 2 / 4, 2 / 6]
    assert covered([[0, 0, 0], [1, 1, 1]], ways=3).share == pytest.approx(2 / 12)
    assert covered(list(product(range(2), range(3), range(2)))).share == 1.0


def test_no_rows_cover_nothing():
    found = covered([])
    assert found.share == 0.0
    assert len(found.below(1)) == 16
    assert not found.conspicuous(0.01).any()


def test_counts_and_missing_are_those_of_a_dictionary():
    rng = np.random.default_rng(0)
    rows = np.stack([rng.integers(0, size - 1, 40) for size in SIZES], 1)
    found = covered(rows)
    words = set()
    for cell in found.below(2).tolist():
        factors, codes = place(found.seen, SIZES, cell)
        words.add((tuple(factors.tolist()), tuple(codes)))
    brute = set()
    for pair in combinations(range(3), 2):
        counted = Counter(map(tuple, rows[:, list(pair)].tolist()))
        cells = product(*(range(SIZES[f] - 1) for f in pair))
        brute |= {(pair, cell) for cell in cells if counted[cell] < 2}
    assert words == brute


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(1)
    rows = np.stack([rng.integers(0, size, 500) for size in SIZES], 1)
    found, other = covered(rows, 3), covered(rng.permutation(rows), 3)
    assert np.array_equal(found.seen.counts, other.seen.counts)
    assert np.array_equal(found.below(20), other.below(20))


def test_a_structural_zero_is_neither_possible_nor_missing():
    barred = [Barred((0, 2), np.array([[False, True], [False, False]]))]
    found = covered([[0, 0, 0]], 2, barred)
    assert found.total == 15
    assert found.grid(1).tolist() == [[1, -1], [0, 0]]
    # it takes the triples with it, one per level of the other factor
    assert covered([[0, 0, 0]], 3, barred).total == 9
    assert covered([[0, 0, 1]], 3, barred).share == 0.0


def test_codes_that_are_not_counted_are_no_combination():
    found = covered([[2, 0, 0], [0, 3, 0]])
    assert found.seen.counts.sum() == 2  # (1, 2) of the first row, (0, 2) of the second
    assert found.total == 16


def test_expected_rows_are_those_of_independent_factors():
    rows = [[0, 0, 0]] * 60 + [[1, 1, 1]] * 30 + [[1, 2, 0]] * 10
    found = covered(rows)
    whole = found.expected[: 3 * 4].reshape(3, 4)
    assert whole[0, 0] == pytest.approx(100 * 0.6 * 0.6)
    assert whole[1, 2] == pytest.approx(100 * 0.4 * 0.1)
    # 0.6 * 0.3 of 100 rows: nobody would expect none; 0.4 * 0.1 neither, but it is there
    assert found.chance()[1] == pytest.approx((1 - 0.18) ** 100)
    assert (1 - 0.06) ** 100 > 0.02 / 16 > (1 - 0.18) ** 100
    shown = found.conspicuous(0.02)[: 3 * 4].reshape(3, 4)
    assert shown[0, 1]
    assert not shown[0, 2]  # 0.6 * 0.1: missing, but perhaps by chance
    assert not shown[1, 2]


def test_what_is_most_expected_comes_first():
    rows = [[0, 0, 0]] * 60 + [[1, 1, 1]] * 30 + [[1, 2, 0]] * 10
    found = covered(rows)
    short = (found.expected - found.seen.counts)[found.below(1)]
    assert (np.diff(short) <= 1e-9).all()


def test_a_set_difference_is_that_of_sets_and_has_its_share_by_chance():
    rng = np.random.default_rng(2)
    there = np.stack([rng.integers(0, 2, 300), rng.integers(0, 3, 300), rng.integers(0, 2, 300)], 1)
    here = there[:4]
    reference = covered(there)
    found = difference(reference.seen, covered(here).seen, of_rows=300, drawn=4)
    target, source = (
        {(pair, tuple(row)) for pair in combinations(range(3), 2) for row in rows[:, pair].tolist()}
        for rows in (there, here)
    )
    assert found.share == pytest.approx(len(target - source) / len(target))
    counts = Counter((p, tuple(r)) for p in combinations(range(3), 2) for r in there[:, p].tolist())
    chance = sum((1 - c / 300) ** 4 for c in counts.values()) / len(counts)
    assert found.by_chance == pytest.approx(chance)
    assert difference(reference.seen, reference.seen, of_rows=300, drawn=300).share == 0.0


def test_the_number_of_cells_is_known_beforehand():
    assert cells_of([3, 4, 3], 2) == 12 + 9 + 12
    assert cells_of([5] * 20, 3) == 1140 * 125
    assert len(covered([]).seen.counts) == cells_of(SIZES.tolist(), 2)
