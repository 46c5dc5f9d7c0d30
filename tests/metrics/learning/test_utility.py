import numpy as np
import pyarrow as pa
import pytest

from genmodels.metrics.learning.utility import CLASSES, Examples, examples, find_task
from genmodels.metrics.tables.trees import LEVELS, TreeFeatures
from genmodels.metrics.tables.views import table_views
from genmodels.schema import Column, TableSchema
from tests.metrics.simulated import SCHEMA, mixed


@pytest.fixture(scope="module")
def view():
    return table_views([mixed(600, 1)], SCHEMA)[0]


@pytest.mark.parametrize(
    ("target", "kind", "size"),
    [("sold", "binary", 2), ("colour", "multiclass", 3), ("cost", "regression", 0)],
)
def test_the_kind_of_task_follows_from_the_column(view, target, kind, size):
    task = find_task(view, target)
    assert (task.kind, task.size) == (kind, size)


def test_the_rarer_level_is_the_positive_one(view):
    answers = find_task(view, "sold").answers(view)
    assert set(answers) == {0, 1}
    assert (answers == 1).mean() <= 0.5


def test_two_numbers_are_a_binary_task_even_if_huge():
    schema = TableSchema((Column("x", "continuous"), Column("y", "continuous", nullable=True)))
    y = pa.array([-1.7e308, 1.7e308, None, 1.7e308])
    (view,) = table_views([pa.table({"x": np.arange(4.0), "y": y})], schema)
    task = find_task(view, "y")
    assert task.kind == "binary"
    assert task.answers(view).tolist() == [0, 1, -1, 1]


def test_a_constant_or_unknown_target_is_refused(view):
    q = view.discrete.index("sold")
    same = view.take(np.flatnonzero(view.codes[:, q] == 1))
    with pytest.raises(ValueError, match="single value"):
        find_task(same, "sold")
    with pytest.raises(ValueError, match="not a column to predict"):
        find_task(same, "nothing")


def test_many_classes_keep_the_frequent_ones_and_share_the_last():
    schema = TableSchema((Column("x", "continuous"), Column("y", "categorical", levels=("k0",))))
    y = [f"k{i}" for i in range(50) for _ in range(60 - i)]
    (view,) = table_views([pa.table({"x": np.arange(float(len(y))), "y": y})], schema)
    task = find_task(view, "y")
    answers = task.answers(view)
    assert task.size == CLASSES
    assert (answers == 0).sum() == 60
    assert (answers == CLASSES - 1).sum() == sum(60 - i for i in range(CLASSES - 1, 50))


def test_rows_without_an_answer_are_left_out(view):
    known = examples(find_task(view, "cost"), TreeFeatures.fit(view, without="cost"), view)
    gaps = np.isnan(view.numbers[:, view.numeric.index("cost")])
    assert 0 < gaps.sum() == len(known) - len(known.answered())
    assert len(known.joined(known)) == 2 * len(known)
    assert Examples(np.zeros((3, 1)), np.array([0, -1, 1])).answered().y.tolist() == [0, 1]


def test_the_target_is_no_feature(view):
    features = TreeFeatures.fit(view, without="sold")
    assert "sold" not in features.names(view)
    assert features(view).shape == (600, 5)
    assert features.categorical.tolist() == [False] * 4 + [True]


def test_thousands_of_levels_fit_the_learner():
    schema = TableSchema((Column("k", "categorical", levels=("a",)), Column("y", "integer")))
    texts = [f"k{i}" for i in range(3000)]
    (view,) = table_views([pa.table({"k": texts, "y": range(3000)})], schema)
    assert TreeFeatures.fit(view, without="y")(view).max() <= LEVELS + 1
