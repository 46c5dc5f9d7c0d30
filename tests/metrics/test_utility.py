import numpy as np
import pyarrow as pa
import pytest

from genmodels.metrics.trees import LEVELS, TreeFeatures
from genmodels.metrics.utility import find_task, macro_f1, train_and_test
from genmodels.metrics.views import shuffled_columns, table_views
from genmodels.schema import Column, TableSchema
from tests.metrics.simulated import SCHEMA, mixed


@pytest.fixture(scope="module")
def views():
    return table_views([mixed(1500, 1), mixed(1500, 2)], SCHEMA)


def test_macro_f1_of_a_known_case():
    truth, guess = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0])
    assert macro_f1(truth, guess) == pytest.approx((0.5 + 0.8 + 0) / 3)


@pytest.mark.parametrize(
    ("target", "kind", "metrics"),
    [
        ("sold", "binary", ["AUC"]),
        ("colour", "multiclass", ["accuracy", "macro-F1"]),
        ("cost", "regression", ["RMSE", "R2"]),
        ("day", "regression", ["RMSE", "R2"]),
    ],
)
def test_real_rows_teach_and_shuffled_rows_do_not(views, target, kind, metrics):
    train, test = views
    task = find_task(train, target)
    assert task.kind == kind
    good = train_and_test(task, train, test, seed=0)
    bad = train_and_test(task, shuffled_columns(train, 0), test, seed=0)
    assert [s.metric for s in good] == metrics
    for a, b in zip(good, bad, strict=True):
        better = a.value - b.value if a.better == "higher" else b.value - a.value
        assert better > 0.1
        assert a.interval[0] <= a.value <= a.interval[1]


def test_the_rarer_level_is_the_positive_one(views):
    task = find_task(views[0], "sold")
    answers = task.answers(views[0])
    assert set(answers) == {0, 1}
    assert (answers == 1).mean() <= 0.5


def test_two_numbers_are_a_binary_task():
    schema = TableSchema((Column("x", "continuous"), Column("y", "integer")))
    x = np.arange(200.0)
    (view,) = table_views([pa.table({"x": x, "y": (x > 99).astype(int)})], schema)
    task = find_task(view, "y")
    assert task.kind == "binary"
    assert train_and_test(task, view, view, seed=0)[0].value > 0.99


def test_synthetic_rows_of_one_class_teach_nothing(views):
    train, test = views
    task = find_task(train, "sold")
    only = train.take(np.flatnonzero(task.answers(train) == 1))
    assert train_and_test(task, only, test, seed=0)[0].value == 0.5


def test_a_constant_or_unknown_target_is_refused(views):
    q = views[0].discrete.index("sold")
    same = views[0].take(np.flatnonzero(views[0].codes[:, q] == 1))
    with pytest.raises(ValueError, match="single value"):
        find_task(same, "sold")
    with pytest.raises(ValueError, match="not a column to predict"):
        find_task(same, "nothing")


def test_a_feature_without_any_value_does_no_harm():
    schema = TableSchema((Column("x", "continuous"), Column("y", "categorical", levels=("a", "b"))))
    gaps = pa.table({"x": pa.nulls(40, pa.float64()), "y": ["a", "b", "b", "b"] * 10})
    known = gaps.set_column(0, "x", [np.arange(40.0)])
    train, test = table_views([gaps, known], schema)
    assert train_and_test(find_task(train, "y"), train, test, seed=0)[0].value == 0.5


def test_thousands_of_levels_fit_the_learner():
    schema = TableSchema(
        (Column("k", "categorical", levels=("a",)), Column("y", "categorical", levels=("a", "b")))
    )
    texts = [f"k{i}" for i in range(3000)]
    (view,) = table_views([pa.table({"k": texts, "y": ["a", "b"] * 1500})], schema)
    features = TreeFeatures.fit(view, without="y")
    assert features(view).max() <= LEVELS + 1
    assert train_and_test(find_task(view, "y"), view, view, seed=0)[0].value <= 1
