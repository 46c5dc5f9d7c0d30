import numpy as np
import pytest

from genmodels.metrics.intervals import beside, wilson
from genmodels.metrics.tables.memorisation import (
    authentic,
    coincidence,
    copies,
    copy_flags,
    distance_ratio,
    duplicates,
    memorised_rows,
    nearer_share,
    own_radius,
    row_hashes,
    share_interval,
)
from genmodels.metrics.tables.neighbours import gower_scale, neighbours
from genmodels.metrics.tables.views import TableView, shuffled_columns, table_views
from tests.metrics.simulated import SCHEMA, mixed


def line(*values: float) -> TableView:
    """One numeric column."""
    numbers = np.array(values, dtype=float).reshape(-1, 1)
    return TableView(("x",), numbers, (), np.zeros((len(numbers), 0), np.int32), ())


def discrete(codes: np.ndarray) -> TableView:
    """Discrete columns only."""
    names = tuple(f"q{q}" for q in range(codes.shape[1]))
    words = tuple(tuple(map(str, range(9))) for _ in names)
    return TableView((), np.zeros((len(codes), 0)), names, codes.astype(np.int32), words)


def share(rows, train, holdout):
    return nearer_share(rows, train, holdout, gower_scale(train, holdout))


def authenticity(rows, train):
    scale = gower_scale(train)
    distance, index = neighbours(rows, train, scale, 1)
    return authentic(distance[:, 0], own_radius(train, scale, index[:, 0])).mean()


@pytest.fixture(scope="module")
def views():
    return table_views([mixed(1200, 4), mixed(1200, 5), mixed(1200, 6)], SCHEMA)


def test_row_hashes_agree_exactly_where_rows_do():
    (view,) = table_views([mixed(50, 3)], SCHEMA)
    assert len(np.unique(row_hashes(view))) == 50
    twice = view.take(np.repeat(np.arange(50), 2))
    assert duplicates(twice) == 50
    signed = view.take(np.arange(50))
    signed.numbers[:, 0] = 0.0
    negative = signed.take(np.arange(50))
    negative.numbers[:, 0] = -0.0
    np.testing.assert_array_equal(row_hashes(signed), row_hashes(negative))


def test_copies_are_counted(views):
    train, fresh, _ = views
    assert copies(train.take(np.arange(10)), train) == 10
    assert copies(fresh, train) == 0
    assert copy_flags(train.take(np.array([3])), train).tolist() == [True]


def test_the_nearer_share_is_the_formula_on_a_line():
    rows = line(0.1, 0.9, 0.5, 0.4)
    found = share(rows, line(0.0, 0.3), line(1.0, 0.5))
    # d_t = .1 .6 .2 .1, d_h = .4 .1 0 .1: nearer, not, not, a tie
    assert found.wins.tolist() == [1.0, 0.0, 0.0, 0.5]
    assert found.share == pytest.approx(0.375)


def test_a_fresh_sample_is_as_near_to_training_as_to_held_out_rows(views):
    train, holdout, fresh = views
    found = share(fresh, train, holdout)
    assert found.interval[0] < 0.5 < found.interval[1]
    assert found.interval[1] - found.interval[0] < 0.15


def test_a_copier_is_nearer_to_training_rows(views):
    train, holdout, _ = views
    assert share(train, train, holdout).share > 0.99


@pytest.mark.parametrize("levels", [2, 3, 8])
def test_chance_is_one_half_for_unequal_sizes_and_many_ties(levels):
    rng = np.random.default_rng(0)
    draw = lambda n: discrete(rng.integers(1, levels + 1, (n, 3)))  # noqa: E731
    found = [share(draw(400), draw(400), draw(100)).share for _ in range(12)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.035)


def test_discrete_copies_are_not_cleared_by_their_ties():
    rng = np.random.default_rng(1)
    train, holdout = (discrete(rng.integers(1, 9, (400, 6))) for _ in range(2))
    # A strict d_t < d_h per row that counted ties as "not nearer" would give 0 here.
    equal = share(train.take(np.arange(100)), train, train)
    assert equal.share == 0.5
    assert set(equal.wins) == {0.5}
    assert share(train, train, holdout).share > 0.95


def test_the_distance_ratio_has_its_limits():
    distance = np.array([[0.0, 2.0], [1.0, 2.0], [0.0, 0.0], [3.0, np.inf]])
    assert distance_ratio(distance).tolist() == [0.0, 0.5, 1.0, 1.0]


def test_authenticity_is_the_definition_by_a_loop(views):
    train, _, fresh = (view.take(np.arange(150)) for view in views)
    scale = gower_scale(train)
    to_train, _ = neighbours(fresh, train, scale, 150)
    among, order = neighbours(train, train, scale, 150)
    full = np.empty((150, 150))
    np.put_along_axis(full, order, among.astype(float), 1)
    np.fill_diagonal(full, np.inf)
    index = neighbours(fresh, train, scale, 1)[1][:, 0]
    expected = [to_train[i, 0] > full[index[i]].min() for i in range(150)]
    assert authenticity(fresh, train) == np.mean(expected)
    assert 0.3 < np.mean(expected) < 0.7


def test_many_copies_of_ten_training_rows_are_not_authentic(views):
    train = views[0]
    rows = train.take(np.random.default_rng(0).integers(0, 10, 1000))
    assert authenticity(rows, train) == 0.0


def test_a_held_out_sample_is_authentic_half_the_time(views):
    train, _, fresh = views
    assert authenticity(fresh, train) == pytest.approx(0.5, abs=0.06)


def test_a_radius_is_that_of_the_nearest_other_row():
    train = line(0.0, 1.0, 1.0, 4.0)
    scale = gower_scale(train)
    np.testing.assert_allclose(
        own_radius(train, scale, np.array([0, 1, 2, 3, 0])), [0.25, 0, 0, 0.75, 0.25]
    )
    assert np.isinf(own_radius(line(2.0), scale, np.array([0]))).all()


def test_conspicuous_rows_are_the_copies_and_one_in_twenty_of_the_others(views):
    train, holdout, fresh = views
    half = np.arange(600)
    made = TableView(
        fresh.numeric,
        np.concatenate([train.numbers[half], fresh.numbers[half]]),
        fresh.discrete,
        np.concatenate([train.codes[half], fresh.codes[half]]),
        fresh.levels,
    )
    flags, numbers = memorised_rows(made, train, holdout, seed=0, rows=1000)
    assert len(flags) == len(numbers) == 1000
    assert flags[numbers < 600].mean() == 1.0
    assert flags[numbers >= 600].mean() == pytest.approx(0.05, abs=0.04)
    again = memorised_rows(made, train, holdout, seed=0, rows=1000)
    np.testing.assert_array_equal(again[0], flags)


def test_independent_columns_are_not_conspicuous(views):
    train, holdout, _ = views
    assert (
        memorised_rows(shuffled_columns(train, 0), train, holdout, seed=0, rows=500)[0].mean()
        < 0.05
    )


def test_one_leaked_row_of_a_continuous_table_is_suspicious(views):
    train, holdout, _ = views
    assert not coincidence(train, holdout).suspicious
    leaked = holdout.take(np.arange(len(holdout)))
    leaked.numbers[7], leaked.codes[7] = train.numbers[3], train.codes[3]
    found = coincidence(train, leaked)
    assert (found.shared, found.twins) == (1, 0)
    assert found.suspicious


def test_coincidence_is_not_suspicious():
    rng = np.random.default_rng(3)
    train, holdout = (discrete(rng.integers(1, 9, (2000, 4))) for _ in range(2))
    found = coincidence(train, holdout)
    assert found.shared > 100
    assert not found.suspicious
    mixed_up = discrete(np.concatenate([holdout.codes[:1500], train.codes[:500]]))
    assert coincidence(train, mixed_up).suspicious


def test_an_interval_widens_where_rows_lean_on_one_real_row():
    hits = np.repeat([0.0, 1.0], 50)
    alone = share_interval(hits, np.arange(100))
    np.testing.assert_allclose(alone, wilson(50, 100))
    assert share_interval(hits, np.arange(100) // 10) == pytest.approx(wilson(5, 10))
    assert share_interval(np.ones(100), np.arange(100) // 10) == pytest.approx(wilson(10, 10))
    assert share_interval(np.zeros(0), np.zeros(0, int)) == (0.0, 1.0)


def test_the_interval_beside_another_figure_is_newcombes():
    # Newcombe 1998, table II, (a) 56/70 - 48/80: method 10 gives 0.0524 to 0.3339
    low, high = beside(0.8, wilson(56, 70), 0.6, wilson(48, 80))
    assert low - 0.6 == pytest.approx(0.0524, abs=5e-5)
    assert high - 0.6 == pytest.approx(0.3339, abs=5e-5)
