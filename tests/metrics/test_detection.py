import numpy as np
import pytest

from genmodels.metrics.detection import c2st, single_column_auc
from genmodels.metrics.memorisation import copies, duplicates, nearer_share, row_hashes
from genmodels.metrics.views import shuffled_columns, table_views
from tests.metrics.simulated import SCHEMA, mixed


@pytest.fixture(scope="module")
def views():
    return table_views([mixed(1500, 1), mixed(1500, 2)], SCHEMA)


def test_two_samples_of_one_simulator_cannot_be_told_apart(views):
    found = c2st(*views, seed=0, explain=True)
    assert found.auc == pytest.approx(0.5, abs=0.05)
    assert found.n == 1500
    assert len(found.giveaways) == 6


def test_disjoint_samples_are_told_apart_by_the_column_that_differs(views):
    real, other = views
    moved = other.take(np.arange(len(other)))
    moved.numbers[:, 2] += 1000
    found = c2st(real, moved, seed=0, explain=True)
    assert found.auc > 0.999
    assert found.giveaways[0].column == real.numeric[2]


def test_shuffled_columns_are_told_apart_though_no_single_column_differs(views):
    found = c2st(views[0], shuffled_columns(views[1], 0), seed=0, explain=True)
    assert found.auc > 0.85
    assert max(g.alone for g in found.giveaways) < 0.56


def test_copies_of_the_reference_look_like_chance_not_below_it(views):
    real = views[0]
    again = real.take(np.random.default_rng(0).permutation(len(real)))
    assert c2st(real, again, seed=0).auc == pytest.approx(0.5, abs=0.05)


def test_too_few_rows_give_no_verdict(views):
    few = views[0].take(np.arange(4))
    assert c2st(few, few, seed=0).interval == (0.0, 1.0)


def test_a_point_mass_gives_a_column_away():
    rng = np.random.default_rng(0)
    values = np.concatenate(
        [rng.random(1000), np.where(rng.random(1000) < 0.5, 0.5, rng.random(1000))]
    )
    positive = np.arange(2000) >= 1000
    assert single_column_auc(values, positive, rng.random(2000) < 0.5, False) > 0.7


def test_row_hashes_agree_exactly_where_rows_do():
    table = mixed(50, 3)
    (view,) = table_views([table], SCHEMA)
    assert len(np.unique(row_hashes(view))) == 50
    twice = view.take(np.repeat(np.arange(50), 2))
    assert duplicates(twice) == 50
    signed = view.take(np.arange(50))
    signed.numbers[:, 0] = 0.0
    negative = signed.take(np.arange(50))
    negative.numbers[:, 0] = -0.0
    np.testing.assert_array_equal(row_hashes(signed), row_hashes(negative))


def test_copies_are_counted(views):
    train, fresh = views
    assert copies(train.take(np.arange(10)), train) == 10
    assert copies(fresh, train) == 0


def test_a_copier_is_nearer_to_training_and_a_fresh_sample_is_not():
    train, holdout, fresh = table_views([mixed(600, 4), mixed(600, 5), mixed(600, 6)], SCHEMA)
    assert nearer_share(fresh, train, holdout)[0] == pytest.approx(0.5, abs=0.07)
    assert nearer_share(train, train, holdout)[0] > 0.95


def test_ties_count_half_so_that_discrete_copies_are_not_cleared(views):
    train = views[0]
    share, wins = nearer_share(train.take(np.arange(100)), train, train)
    assert share == 0.5
    assert set(wins) == {0.5}
