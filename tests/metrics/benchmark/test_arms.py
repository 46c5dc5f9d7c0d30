import numpy as np
import pytest

from genmodels.metrics.benchmark.arms import arms_of, primary_score, training_rows, try_arm
from genmodels.metrics.learning.calibration import best_threshold
from genmodels.metrics.learning.learners import make_learner
from genmodels.metrics.learning.utility import Examples


class Plain:
    categorical = np.zeros(3, bool)


def rows(n, seed, rare=0.1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    y = (x[:, 0] + rng.normal(0, 0.5, n) > np.quantile(x[:, 0], 1 - rare)).astype(int)
    return Examples(x, y)


def arm(name, kind="binary"):
    return next(a for a in arms_of(kind, (0.5, 1.0), uneven=True) if a.name == name)


def score(chosen, train, test, learner="logistic", kind="binary", classes=2, seed=0):
    return try_arm(
        chosen, train, test, learner=learner, kind=kind, features=Plain(), classes=classes,
        folds=3, seed=seed,
    )  # fmt: skip


def test_each_task_has_its_arms():
    binary = [a.name for a in arms_of("binary", (0.5, 1.0), uneven=True)]
    assert binary == [
        "real rows", "class weights", "tuned threshold", "oversampling", "SMOTE",
        "synthetic only", "real + 0.5 synthetic", "real + 1 synthetic", "real + synthetic rare",
    ]  # fmt: skip
    many = [a.name for a in arms_of("multiclass", (), uneven=False)]
    assert many == ["real rows", "class weights", "oversampling", "SMOTE", "synthetic only"]
    numbers = [a.name for a in arms_of("regression", (2.0,), uneven=True)]
    assert numbers == ["real rows", "synthetic only", "real + 2 synthetic"]


def test_simple_arms_need_no_generator():
    simple = [a for a in arms_of("binary", (0.5,), uneven=True) if not a.synthetic]
    assert [a.rule for a in simple] == ["as is", "weights", "threshold", "repeat", "smote"]
    real = rows(200, 0)
    for one in simple:
        made = training_rows(one, real, None, None, categorical=Plain.categorical, seed=0)
        assert (made.x[:200] == real.x).all()


@pytest.mark.parametrize(
    ("name", "count", "from_real"),
    [
        ("synthetic only", 200, 0),
        ("real + 0.5 synthetic", 300, 200),
        ("real + 1 synthetic", 400, 200),
        ("real + synthetic rare", 260, 200),
    ],
)
def test_synthetic_arms_hold_the_rows_that_they_name(name, count, from_real):
    real, synthetic, rare = rows(200, 0), rows(300, 1), rows(60, 2)
    made = training_rows(arm(name), real, synthetic, rare, categorical=Plain.categorical, seed=0)
    assert len(made) == count
    assert (made.x[:from_real] == real.x[:from_real]).all()
    source = rare if "rare" in name else synthetic
    assert (made.x[from_real:] == source.x[: count - from_real]).all()


def test_the_deciding_score_follows_one_rule():
    assert primary_score("binary", 0.05, imbalanced=0.2) == "average precision"
    assert primary_score("binary", 0.2, imbalanced=0.2) == "AUC"
    assert primary_score("multiclass", 0.01, imbalanced=0.2) == "macro-F1"
    assert primary_score("regression", 1.0, imbalanced=0.2) == "R2"


def test_a_tuned_threshold_changes_f1_and_not_the_ranking():
    train, test = rows(600, 3), rows(2000, 4)
    plain, tuned = (score(arm(n), train, test) for n in ("real rows", "tuned threshold"))
    assert plain["threshold"] == 0.5
    assert plain["AUC"] == tuned["AUC"]
    assert tuned["F1"] > plain["F1"] + 0.02


def test_only_a_score_that_the_threshold_changes_tells_the_arms_apart():
    for name in ("AUC", "average precision"):
        apart = [a.name for a in arms_of("binary", (1.0,), uneven=True) if not a.decides(name)]
        assert apart == ["tuned threshold"]
    assert all(a.decides("F1") for a in arms_of("binary", (1.0,), uneven=True))
    assert all(a.decides("AUC") for a in arms_of("multiclass", (1.0,), uneven=True))


def test_the_threshold_does_not_depend_on_the_test_rows():
    train, test = rows(300, 3), rows(500, 4)
    other = Examples(test.x[::-1] * 3, 1 - test.y)
    assert (
        score(arm("tuned threshold"), train, test)["threshold"]
        == score(arm("tuned threshold"), train, other)["threshold"]
    )


def test_the_threshold_comes_from_rows_that_the_model_did_not_learn():
    # A forest knows its own rows by heart: on those the best threshold would lie elsewhere.
    train, test = rows(400, 5), rows(100, 6)
    found = score(arm("tuned threshold"), train, test, learner="boosting")["threshold"]
    model = make_learner("boosting", "binary", Plain(), 0).fit(train.x, train.y)
    inside = best_threshold(train.y == 1, model.predict_proba(train.x)[:, 1])
    assert abs(found - inside) > 0.01


def test_weights_raise_the_chances_of_the_rare_class():
    train, test = rows(600, 7), rows(1000, 8)
    plain, weighted = (score(arm(n), train, test) for n in ("real rows", "class weights"))
    assert weighted["calibration error"] > plain["calibration error"] + 0.05


@pytest.mark.parametrize(("kind", "classes"), [("multiclass", 3), ("regression", 0)])
def test_other_tasks_are_scored_by_their_scores(kind, classes):
    train, test = rows(200, 9), rows(200, 10)
    if kind == "multiclass":
        train, test = (Examples(r.x, np.digitize(r.x[:, 0], [-0.5, 0.5])) for r in (train, test))
    else:
        train, test = (Examples(r.x, 3 * r.x[:, 0]) for r in (train, test))
    found = score(arm("real rows", kind), train, test, kind=kind, classes=classes)
    assert found["macro-F1" if classes else "R2"] > 0.8
    assert "threshold" not in found


def test_a_generator_that_makes_nothing_of_use_is_named():
    with pytest.raises(ValueError, match="synthetic only: the generator made no row"):
        score(arm("synthetic only"), rows(10, 0).take(np.arange(0)), rows(10, 1))
