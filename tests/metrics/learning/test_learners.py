from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from genmodels.metrics.learning.designs import LEVELS, Whole, Wide
from genmodels.metrics.learning.learners import LEARNERS, make_learner

FEATURES = SimpleNamespace(categorical=np.array([False, False, True, True]))
KINDS = ("binary", "multiclass", "regression")


def rows(n, seed):
    """Numbers with gaps, a feature without values, five categories, many categories."""
    rng = np.random.default_rng(seed)
    x = np.column_stack(
        [rng.normal(size=n), np.full(n, np.nan), rng.integers(1, 6, n), rng.integers(1, 300, n)]
    )
    score = x[:, 0] + np.array([0, -2, 1, 3, -1, 0])[x[:, 2].astype(int)] + rng.normal(0, 0.3, n)
    x[rng.random(n) < 0.1, 0] = np.nan
    answers = {
        "binary": score > 0.5,
        "multiclass": np.digitize(score, [-1, 1]),
        "regression": score,
    }
    return x, answers


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_learns_numbers_and_categories(name):
    (x, y), (x_test, truth) = rows(800, 0), rows(800, 1)
    chance = make_learner(name, "binary", FEATURES, 0).fit(x, y["binary"]).predict_proba(x_test)
    assert roc_auc_score(truth["binary"], chance[:, 1]) > 0.9
    several = make_learner(name, "multiclass", FEATURES, 0).fit(x, y["multiclass"])
    assert (several.predict(x_test) == truth["multiclass"]).mean() > 0.75
    assert several.predict_proba(x_test).sum(1) == pytest.approx(1)
    guess = make_learner(name, "regression", FEATURES, 0).fit(x, y["regression"]).predict(x_test)
    assert np.corrcoef(guess, truth["regression"])[0, 1] > 0.9


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 5, 40, 230])
def test_few_rows_huge_numbers_and_unseen_values_do_no_harm(name, kind, n):
    x, answers = rows(n, 2)
    x[0, 0] = 1e300
    x_test, _ = rows(30, 3)
    x_test[:, 1], x_test[:5, 3], x_test[0, 0] = 7.0, 999, -1e300
    y = answers[kind] * (1e300 if kind == "regression" else 1)
    model = make_learner(name, kind, FEATURES, 0).fit(x, y)
    assert np.isfinite(model.predict(x_test)).all()
    if kind != "regression":
        assert model.predict_proba(x_test).sum(1) == pytest.approx(1)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_constant_target_is_learnt(name):
    x, _ = rows(50, 4)
    one = make_learner(name, "binary", FEATURES, 0).fit(x, np.ones(50, int))
    assert one.predict_proba(x)[:, 1].tolist() == [1.0] * 50
    third = make_learner(name, "multiclass", FEATURES, 0, classes=4).fit(x, np.full(50, 2))
    assert third.predict_proba(x).shape == (50, 4)
    assert set(third.predict(x)) == {2}
    same = make_learner(name, "regression", FEATURES, 0).fit(x, np.full(50, -3.5))
    assert same.predict(x) == pytest.approx(-3.5)


def test_classes_that_were_not_learnt_get_no_chance():
    x, answers = rows(300, 5)
    y = answers["multiclass"] * 2
    model = make_learner("boosting", "multiclass", FEATURES, 0, classes=6)
    chances = model.fit(x, y).predict_proba(x)
    assert chances.shape == (300, 6)
    assert (chances[:, [1, 3, 5]] == 0).all()


@pytest.mark.parametrize("name", LEARNERS)
def test_balanced_weights_call_the_rare_class_more_often(name):
    rng = np.random.default_rng(6)
    x = np.column_stack([rng.normal(size=900), np.zeros(900), np.ones(900), np.ones(900)])
    y = rng.random(900) < 0.08 * np.exp(x[:, 0])
    plain = make_learner(name, "binary", FEATURES, 0).fit(x, y)
    even = make_learner(name, "binary", FEATURES, 0, "balanced").fit(x, y)
    assert even.predict(x).sum() > plain.predict(x).sum() + 50


@pytest.mark.parametrize("name", LEARNERS)
def test_rows_of_no_weight_teach_nothing(name):
    x, answers = rows(400, 7)
    y = answers["binary"].astype(int)
    wrong = np.r_[y, 1 - y]
    weight = np.r_[np.ones(400), np.zeros(400)]
    model = make_learner(name, "binary", FEATURES, 0).fit(np.r_[x, x], wrong, weight)
    assert (model.predict(x) == y).mean() > 0.85


def test_the_same_seed_gives_the_same_model():
    x, answers = rows(400, 8)
    for name in LEARNERS:
        a, b = (make_learner(name, "binary", FEATURES, 3).fit(x, answers["binary"]) for _ in "ab")
        assert np.array_equal(a.predict_proba(x), b.predict_proba(x))


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="'svm' is not known"):
        make_learner("svm", "binary", FEATURES, 0)
    with pytest.raises(ValueError, match="'ordinal' is not"):
        make_learner("forest", "ordinal", FEATURES, 0)
    with pytest.raises(ValueError, match="a regression has none"):
        make_learner("forest", "regression", FEATURES, 0, "balanced")
    with pytest.raises(ValueError, match="as many answers as rows"):
        make_learner("forest", "binary", FEATURES, 0).fit(np.zeros((0, 4)), np.zeros(0))
    with pytest.raises(ValueError, match="no classes"):
        make_learner("forest", "regression", FEATURES, 0).predict_proba(np.zeros((1, 4)))


def test_wide_inputs_are_standard_scores_marks_and_one_hot_levels():
    x = np.array([[1.0, 2], [3.0, 2], [np.nan, 5], [2.0, 2], [2.0, 2], [2.0, 2]])
    wide = Wide(np.array([False, True])).fit(x)
    found = wide(x)
    known = x[[0, 1, 3, 4, 5], 0]
    bulk = np.clip(known, *np.quantile(known, [0.001, 0.999]))
    assert found.shape == (6, 3)  # the level 5 is rare
    assert found[1, 0] == pytest.approx((bulk[1] - bulk.mean()) / bulk.std(), abs=0.01)
    assert found[:, 1].tolist() == [0, 0, 1, 0, 0, 0]
    assert found[:, 2].tolist() == [1, 1, 0, 1, 1, 1]
    assert (wide(np.array([[1e300, 9]])) == [[10, 0, 0]]).all()
    many = np.repeat(np.arange(80.0), 6)[:, None]
    assert Wide(np.array([True])).fit(many)(many).shape == (480, LEVELS)


def test_whole_inputs_have_no_empty_feature():
    x = np.array([[np.nan, 1.0], [np.nan, np.nan]])
    found = Whole(single=True).fit(x)(np.array([[4.0, 1e300]]))
    assert found.tolist() == [[0.0, 1e37]]


def test_trees_take_the_rare_ones_of_very_many_categories_for_missing():
    codes = np.r_[np.repeat(np.arange(250.0), 2), 300:400][:, None]
    whole = Whole(single=False, categorical=np.array([True])).fit(codes)
    assert np.array_equal(whole(np.array([[3.0], [350.0]])), [[3.0], [np.nan]], equal_nan=True)
