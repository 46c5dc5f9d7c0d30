from collections import Counter
from itertools import combinations
from math import log

import numpy as np
import pytest

from genmodels.metrics.tables.combinations import (
    factor_sets,
    fit_factors,
    place,
    rarity,
    row_means,
    seen,
    unseen,
)
from genmodels.metrics.tables.views import TableView, table_views
from tests.metrics.simulated import SCHEMA, mixed

NAN = float("nan")


def one(values):
    numbers = np.array(values, dtype=float)[:, None]
    return TableView(("x",), numbers, (), np.zeros((len(values), 0), np.int32), ())


def random_codes(n, seed, sizes=(3, 4, 2)):
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(0, s, n) for s in sizes], 1), np.array(sizes)


def test_combinations_are_counted_as_a_dictionary_would():
    codes, sizes = random_codes(200, 0)
    sets = factor_sets(3, 2, limit=10, seed=0)
    found = seen(codes, sizes, sets)
    for s, (a, b) in enumerate(combinations(range(3), 2)):
        counted = Counter(map(tuple, codes[:, [a, b]].tolist()))
        part = found.counts[found.start[s] : found.start[s + 1]]
        assert part.tolist() == [counted[i, j] for i in range(sizes[a]) for j in range(sizes[b])]


def test_coverage_differences_are_set_differences():
    sizes, sets = np.array([6, 6]), np.array([[0, 1]])
    rng = np.random.default_rng(1)
    draws = [rng.integers(0, 6, (12, 2)) for _ in range(3)]
    a, b, c = (seen(x, sizes, sets) for x in draws)
    x, y, z = (set(map(tuple, d.tolist())) for d in draws)
    assert a.recall(b) == pytest.approx(len(x & y) / len(x))
    assert a.missing_from(b) == pytest.approx(len(x - y) / len(x))
    assert a.missing_from(b, c) == pytest.approx(len(x - y - z) / len(x))
    assert int(unseen(b, c).sum()) == 36 - len(y | z)


def test_a_combination_is_kept_from_half_its_count_on():
    sizes, sets = np.array([3]), np.array([[0]])
    a = seen(np.repeat([[0], [1], [2]], [10, 10, 3], axis=0), sizes, sets)
    b = seen(np.repeat([[0], [1], [2]], [5, 4, 9], axis=0), sizes, sets)
    assert a.kept(b, a.counts >= 10) == 0.5
    assert a.kept(b, a.counts >= 100) == 1.0


def test_bins_are_cut_at_quantiles_and_never_part_a_mass_point():
    factors = fit_factors(one([*range(1, 101), NAN]))
    codes = factors(one([NAN, 1, 1.5, 5, 5.5, 50, 99, 99.5, 1e9, -1e9]))[:, 0]
    assert codes.tolist() == [0, 1, 2, 2, 3, 4, 7, 8, 8, 1]
    zeros = fit_factors(one([0.0] * 90 + [1.0, 2.0] * 5))
    assert len(zeros.edges[0]) == 2
    codes = zeros(one([0.0, 0.5, 1.0, 2.0]))[:, 0]
    assert codes[0] != codes[1] == codes[2] != codes[3]


def test_constant_and_missing_columns_have_one_bin():
    for values in ([7.0] * 5, [NAN] * 5):
        factors = fit_factors(one(values))
        assert factors.sizes.tolist() == [2]
        assert set(factors(one([7.0, NAN]))[:, 0].tolist()) == {0, 1}


def test_infrequent_and_new_levels_share_a_code():
    levels = (("a", "b", "c", "d", "e"),)
    codes = np.array([1] * 5 + [2] * 4 + [3, 4], dtype=np.int32)[:, None]
    rows = TableView((), np.zeros((11, 0)), ("k",), codes, levels)
    factors = fit_factors(rows, max_levels=2)
    every = TableView((), np.zeros((6, 0)), ("k",), np.arange(6, dtype=np.int32)[:, None], levels)
    assert factors(every)[:, 0].tolist() == [0, 1, 2, 3, 3, 3]
    assert [factors.label(0, k, levels) for k in range(4)] == ["missing", "a", "b", "another"]


def test_factor_sets_are_all_or_a_seeded_sample_without_repeats():
    assert len(factor_sets(15, 2, limit=200, seed=0)) == 105
    for count, ways in ((30, 3), (500, 3)):
        sample = factor_sets(count, ways, limit=200, seed=4)
        assert len({tuple(x) for x in sample.tolist()}) == 200
        assert (np.diff(sample, axis=1) > 0).all()
        assert (sample == factor_sets(count, ways, limit=200, seed=4)).all()
        assert (sample != factor_sets(count, ways, limit=200, seed=5)).any()
    assert factor_sets(1, 2, limit=200, seed=0).shape == (0, 2)


def test_rarity_is_the_mean_log_of_how_few_share_a_combination():
    codes, sizes = random_codes(50, 2)
    sets = factor_sets(3, 2, limit=10, seed=0)
    found = rarity(codes[:1], sizes, seen(codes, sizes, sets))
    shared = [(codes[:, s] == codes[0, s]).all(1).sum() for s in sets]
    assert found[0] == pytest.approx(np.mean([log(51 / (k + 1)) for k in shared]))


def test_a_cell_is_told_in_the_codes_that_made_it():
    codes, sizes = random_codes(1, 3)
    sets = factor_sets(3, 3, limit=10, seed=0)
    found = seen(codes, sizes, sets)
    factors, values = place(found, sizes, int(np.flatnonzero(found.counts)[0]))
    assert factors.tolist() == [0, 1, 2]
    assert values == codes[0].tolist()


def test_labels_of_bins_name_their_edges():
    factors = fit_factors(one(range(1, 101)))
    assert factors.label(0, 1, ()) == "<= 1"
    assert factors.label(0, 2, ()) == "1 < x <= 5"
    assert factors.label(0, 8, ()) == "> 99"


def test_independent_columns_invent_combinations_and_thin_out_real_ones():
    real, other, fake = table_views([mixed(2000, 1), mixed(2000, 2), mixed(2000, 3)], SCHEMA)
    rng = np.random.default_rng(0)
    alone = TableView(
        fake.numeric,
        rng.permuted(fake.numbers, axis=0),
        fake.discrete,
        rng.permuted(fake.codes, axis=0),
        fake.levels,
    )
    factors = fit_factors(real)
    for ways in (2, 3):
        sets = factor_sets(len(factors.names), ways, limit=50, seed=0)
        a, b, c, d = (seen(factors(v), factors.sizes, sets) for v in (real, other, fake, alone))
        common = a.counts >= 10
        assert a.kept(c, common) > 0.95
        assert a.kept(d, common) < 0.85
        new = unseen(a, b).astype(float)
        fresh, shuffled = (
            row_means(factors(v), factors.sizes, a, new).mean() for v in (fake, alone)
        )
        assert fresh < 0.02
        assert shuffled > 5 * fresh
