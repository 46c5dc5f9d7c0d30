import numpy as np
import pyarrow as pa
import pytest

from genmodels.metrics.groups.decisions import learn_and_predict, threshold
from genmodels.metrics.groups.outcomes import find_outcome
from genmodels.metrics.tables.views import table_views
from genmodels.schema import Column, TableSchema
from tests.metrics.people import PEOPLE, people, replaced


def view_of(table, schema=PEOPLE):
    return table_views([table], schema)[0]


def test_the_rarer_of_two_levels_is_positive_unless_one_is_named():
    view = view_of(people(400, 1))
    yes = (np.asarray(people(400, 1)["hired"]) == "yes").mean()
    rarer = find_outcome(view, "hired", None)
    assert rarer.positive == ("yes" if yes < 0.5 else "no")
    named = find_outcome(view, "hired", "yes")
    assert named(view).mean() == pytest.approx(yes)
    assert named.label == "hired = yes"


def test_one_level_of_many_stands_against_the_rest_and_missing_stays_missing():
    table = replaced(people(90, 1), "job", ["desk"] * 30 + ["none"] * 59 + [None])
    outcome = find_outcome(view_of(table), "job", "desk")
    y = outcome(view_of(table))
    assert np.nansum(y) == 30
    assert np.isnan(y[-1])


@pytest.mark.parametrize(("positive", "expected"), [(None, 1.0), ("1", 1.0), ("0", 0.0)])
def test_a_number_with_two_values_is_an_outcome(positive, expected):
    schema = TableSchema((Column("x", "integer"), Column("y", "integer")))
    table = pa.table({"x": [1, 2, 3, 4], "y": [0, 0, 0, 1]})
    view = view_of(table, schema)
    assert find_outcome(view, "y", positive)(view)[-1] == expected


def test_a_number_is_itself():
    view = view_of(people(50, 1))
    outcome = find_outcome(view, "age", None)
    assert not outcome.share
    np.testing.assert_array_equal(outcome(view), view.numbers[:, view.numeric.index("age")])


@pytest.mark.parametrize(
    ("target", "positive", "complaint"),
    [
        ("hire", None, "did you mean 'hired'"),
        ("race", None, "positive=<level>: 'a', 'b', 'c'"),
        ("hired", "maybe", "positive=maybe"),
        ("age", "30", "many values"),
    ],
)
def test_what_cannot_be_an_outcome_is_refused(target, positive, complaint):
    with pytest.raises(ValueError, match=complaint):
        find_outcome(view_of(people(200, 1)), target, positive)


def test_a_single_value_is_refused():
    table = replaced(people(20, 1), "hired", ["yes"] * 20)
    with pytest.raises(ValueError, match="single value"):
        find_outcome(view_of(table), "hired", None)


def test_the_threshold_lets_as_many_pass_as_are_positive():
    rng = np.random.default_rng(0)
    score, y = rng.random(1000), (rng.random(1000) < 0.3).astype(float)
    assert (score >= threshold(score, y)).sum() == y.sum()
    assert (score >= threshold(score, np.zeros(1000))).sum() == 0
    assert (score >= threshold(score, np.ones(1000))).all()


def test_the_threshold_does_not_look_at_test_rows():
    train, test = view_of(people(800, 1)), view_of(people(300, 2))
    outcome = find_outcome(train, "hired", "yes")
    whole = learn_and_predict(outcome, train, test, learner="logistic", seed=0)
    part = learn_and_predict(outcome, train, test.take(np.arange(50)), learner="logistic", seed=0)
    assert whole.threshold == part.threshold
    np.testing.assert_array_equal(whole.decided[:50], part.decided)


def test_a_blind_model_does_not_see_the_column():
    train, test = view_of(people(800, 1)), people(300, 2)
    outcome = find_outcome(train, "hired", "yes")
    other = replaced(test, "sex", ["male"] * 300)
    for without, same in ((("sex",), True), ((), False)):
        a, b = (
            learn_and_predict(
                outcome, train, view_of(t), learner="logistic", seed=0, without=without
            ).score
            for t in (test, other)
        )
        assert np.array_equal(a, b) is same


def test_nothing_to_learn_from_is_none():
    view = view_of(people(60, 1))
    blank = view_of(replaced(people(60, 1), "hired", pa.nulls(60, pa.string())))
    outcome = find_outcome(view, "hired", "yes")
    assert learn_and_predict(outcome, blank, view, learner="boosting", seed=0) is None
