import numpy as np
import pytest

from genmodels.metrics.tables.detection import c2st
from genmodels.metrics.tables.giveaways import single_column_auc
from genmodels.metrics.tables.views import TableView, shuffled_columns, table_views
from tests.metrics.simulated import SCHEMA, mixed


@pytest.fixture(scope="module")
def views():
    return table_views([mixed(1500, 1), mixed(1500, 2)], SCHEMA)


def test_two_samples_of_one_simulator_cannot_be_told_apart(views):
    found = c2st(*views, seed=0, explain=True)
    assert found.auc == pytest.approx(0.5, abs=0.05)
    assert found.n == 1500
    columns = {g.column for g in found.giveaways}
    assert columns == {*views[0].names, "size (decimals)", "cost (decimals)"}


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


def test_the_logistic_test_sees_a_shift_and_not_a_lost_dependence(views):
    real, other = views
    moved = other.take(np.arange(len(other)))
    moved.numbers[:, 0] += 1
    assert c2st(real, moved, seed=0, learner="logistic").auc > 0.6
    low, high = c2st(real, shuffled_columns(other, 0), seed=0, learner="logistic").interval
    assert low <= 0.5 <= high


def test_few_distinct_rows_repeated_are_told_apart(views):
    real, other = views
    rng = np.random.default_rng(0)
    for distinct, made in ((150, other), (10, other), (150, real)):
        rows = rng.permutation(np.resize(np.arange(distinct), 1500))
        assert c2st(real, made.take(rows), seed=0).interval[0] > 0.6


@pytest.mark.parametrize("source", [0, 1])
def test_rows_drawn_with_replacement_look_like_chance(views, source):
    drawn = views[source].take(np.random.default_rng(1).integers(0, 1500, 1500))
    found = c2st(views[0], drawn, seed=0)
    assert found.interval[0] <= 0.5 <= found.interval[1]


def test_some_copies_of_the_reference_do_not_pull_the_area_below_chance(views):
    real, other = views
    made = other.take(np.arange(1500))
    made.numbers[:500], made.codes[:500] = real.numbers[:500], real.codes[:500]
    found = c2st(real, made, seed=0)
    assert found.interval[0] <= 0.5 <= found.interval[1]


@pytest.mark.parametrize(("levels", "columns"), [(2, 2), (4, 4), (6, 5)])
def test_intervals_cover_one_half_for_discrete_rows_that_repeat_by_nature(levels, columns):
    covered, areas = 0, []
    words = (tuple("abcdef"[:levels]),) * columns
    for seed in range(6):
        rng = np.random.default_rng([seed, levels])
        shares = rng.dirichlet(np.ones(levels), columns)
        codes = np.column_stack([rng.choice(levels, 2400, p=p) + 1 for p in shares])
        view = TableView(
            (), np.zeros((2400, 0)), tuple("abcde"[:columns]), codes.astype(np.int32), words
        )
        real, made = view.take(np.arange(1200)), view.take(np.arange(1200, 2400))
        found = c2st(real, made, seed=seed)
        areas.append(found.auc)
        covered += found.interval[0] <= 0.5 <= found.interval[1]
    assert covered >= 5
    assert np.mean(areas) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("learner", ["boosting", "logistic"])
def test_intervals_cover_one_half_for_samples_of_one_source(learner):
    found = []
    for seed in range(16):
        rng = np.random.default_rng(seed)
        sides = [
            TableView(
                tuple("abcd"), rng.normal(size=(150, 4)), (), np.zeros((150, 0), np.int32), ()
            )
            for _ in range(2)
        ]
        found.append(c2st(*sides, seed=seed, folds=3, learner=learner))
    assert np.mean([f.auc for f in found]) == pytest.approx(0.5, abs=0.03)
    assert sum(f.interval[0] <= 0.5 <= f.interval[1] for f in found) >= 14


def test_a_dropped_cell_of_discrete_rows_is_seen_though_equal_rows_abound():
    rng = np.random.default_rng(3)
    codes = rng.integers(1, 4, (3000, 2)).astype(np.int32)
    levels = (tuple("abc"),) * 2
    view = TableView((), np.zeros((3000, 0)), ("k", "l"), codes, levels)
    real, made = view.take(np.arange(1500)), view.take(np.arange(1500, 3000))
    assert c2st(real, made, seed=0).auc == pytest.approx(0.5, abs=0.04)
    kept = ~((made.codes[:, 0] == 1) & (made.codes[:, 1] == 1))
    assert c2st(real, made.take(np.flatnonzero(kept)), seed=0).interval[0] > 0.5


def test_decimals_alone_give_a_column_away():
    rng = np.random.default_rng(0)
    fine = rng.normal(40, 9, 2000)
    codes = np.zeros((1000, 0), np.int32)
    real = TableView(("x",), np.rint(fine[:1000])[:, None], (), codes, ())
    made = TableView(("x",), fine[1000:, None], (), codes, ())
    found = c2st(real, made, seed=0, explain=True)
    assert found.auc > 0.99
    assert found.giveaways[0].column == "x (decimals)"


@pytest.mark.parametrize("learner", ["boosting", "logistic"])
def test_gaps_in_one_fold_only_huge_values_and_constants_do_no_harm(learner):
    rng = np.random.default_rng(1)
    numbers = np.column_stack([np.full(60, np.nan), rng.choice([1e300, -1e300], 60), np.ones(60)])
    numbers[7, 0] = 1.0
    view = TableView(tuple("abc"), numbers, (), np.zeros((60, 0), np.int32), ())
    again = view.take(rng.permutation(60))
    assert 0 <= c2st(view, again, seed=0, learner=learner, explain=True).auc <= 1


def test_many_columns_make_the_linear_learner_take_fewer_rows():
    rng = np.random.default_rng(2)
    codes = rng.integers(1, 51, (2000, 40)).astype(np.int32)
    names = tuple(f"k{k}" for k in range(40))
    view = TableView((), np.zeros((2000, 0)), names, codes, (tuple(map(str, range(50))),) * 40)
    assert c2st(view, view, seed=0, folds=2, learner="logistic").n < 1500


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
