import math

import numpy as np
import pytest

from genmodels.metrics.learning.scores import METRICS, bootstrap_counts, scores
from genmodels.metrics.learning.trials import (
    CHECKED,
    Outcome,
    draw,
    fit,
    importances,
    judge,
    shares,
)
from genmodels.metrics.learning.utility import Examples, Task, examples, find_task
from genmodels.metrics.tables.trees import TreeFeatures
from genmodels.metrics.tables.views import shuffled_columns, table_views
from tests.metrics.simulated import SCHEMA, mixed


@pytest.fixture(scope="module")
def views():
    return table_views([mixed(1500, 1), mixed(1500, 2)], SCHEMA)


def outcome(views, target, seed=0, learner="boosting", learn=None):
    train, test = views
    task, features = find_task(train, target), TreeFeatures.fit(train, without=target)
    rows = examples(task, features, train if learn is None else learn)
    asked = examples(task, features, test).answered()
    models = [
        fit(task, features, learner, draw(task, rows, 1000, seed=seed, run=k), seed + k)
        for k in range(2)
    ]
    counts = bootstrap_counts(len(asked), seed=seed, repeats=50)
    return judge(models, asked, overlap=shares(1000, len(rows)), counts=counts), models, asked


@pytest.mark.parametrize("target", ["sold", "colour", "cost", "day"])
def test_real_rows_teach_and_shuffled_rows_do_not(views, target):
    good, models, _ = outcome(views, target)
    bad, _, _ = outcome(views, target, learn=shuffled_columns(views[0], 0))
    for metric in METRICS[models[0].task.kind]:
        a, b = good[metric.name], bad[metric.name]
        if metric.name != "calibration error":  # who knows nothing can say so
            assert (b.value < a.value) == (metric.better == "higher")
        low, high = a.interval(metric.low, metric.high)
        assert metric.low <= low <= a.value <= high <= metric.high


def test_a_run_draws_without_replacement_and_checks_on_the_rest():
    rows = Examples(np.arange(100.0)[:, None], np.arange(100) % 2)
    task = Task("y", "binary", np.array([-1, 0, 1]))
    made = draw(task, rows, 70, seed=0, run=1)
    seen = np.concatenate([made.learn.x, made.check.x])[:, 0]
    assert sorted(seen) == list(range(100))
    assert len(made.check) == 30
    assert not np.array_equal(made.learn.x, draw(task, rows, 70, seed=0, run=2).learn.x)
    assert len(draw(task, rows, 100, seed=0, run=1).check) == 100
    assert CHECKED > 30


def test_rows_without_any_answer_teach_that_all_classes_are_alike(views):
    train, _ = views
    task, features = find_task(train, "colour"), TreeFeatures.fit(train, without="colour")
    rows = Examples(features(train), np.full(len(train), -1))
    for learner in ("logistic", "forest", "boosting"):
        model = fit(task, features, learner, draw(task, rows, 900, seed=0, run=0), 0)
        assert model.predict(rows.x[:5]) == pytest.approx(np.full((5, 3), 1 / 3), abs=0.02)


def test_synthetic_rows_of_one_class_teach_nothing(views):
    train, _ = views
    only = train.take(np.flatnonzero(find_task(train, "sold").answers(train) == 1))
    found, _, _ = outcome(views, "sold", learn=only)
    assert found["AUC"].value == 0.5


def test_the_threshold_is_chosen_on_rows_that_were_not_learnt(views):
    _, models, asked = outcome(views, "sold")
    assert models[0].threshold != 0.5
    chance = models[0].predict(asked.x)
    at = {t: scores("binary", asked.y, chance, threshold=t)["F1"][0] for t in (0.02, 0.98)}
    chosen = scores("binary", asked.y, chance, threshold=models[0].threshold)["F1"][0]
    assert chosen > max(at.values())


def test_an_interval_adds_test_rows_and_training_rows_in_quadrature():
    drawn = np.array([0.6, 0.8] * 50)
    found = Outcome(np.array([0.6, 0.7, 0.8]), drawn, 0.5)
    half = 1.959963984540054 * math.sqrt(0.1**2 + 0.1**2 * (1 / 3 + 1))
    assert found.value == pytest.approx(0.7)
    assert found.interval() == pytest.approx((0.7 - half, 0.7 + half))
    assert found.interval(0.6, 0.75) == (0.6, 0.75)
    same = found.minus(found)
    assert same.interval() == (0, 0)
    assert shares(50, 50) == 0.8


def test_what_the_choice_of_rows_matters_can_be_taken_from_steadier_models():
    wild = Outcome(np.array([0.2, 0.5, 0.8]), np.full(5, 0.5), 0.8)
    calm = Outcome(np.array([0.8, 0.81, 0.82]), np.full(5, 0.81), 0.8)
    assert wild.sampled == pytest.approx(4 * 0.3**2)
    lent = wild.like(calm, calm)
    half = 1.959963984540054 * math.sqrt(0.3**2 / 3 + 4 * 0.01**2)
    assert lent.interval() == pytest.approx((0.5 - half, 0.5 + half))
    assert lent.minus(calm.like(calm)).sampled == pytest.approx(8 * 0.01**2)


def test_the_interval_covers_what_the_next_sample_of_rows_scores():
    task = Task("y", "regression")
    features = TreeFeatures((0,), (), ())
    make = lambda rng, n: (lambda x: Examples(x, x[:, 0] + rng.normal(0, 1, n)))(  # noqa: E731
        rng.normal(size=(n, 1))
    )
    rng, hits = np.random.default_rng(0), 0
    far = make(rng, 100_000)
    for k in range(60):
        rows, test = make(rng, 60), make(rng, 200)
        models = [
            fit(task, features, "logistic", draw(task, rows, 48, seed=k, run=r), r)
            for r in range(3)
        ]
        counts = bootstrap_counts(200, seed=k, repeats=60)
        found = judge(models, test, overlap=shares(48, 60), counts=counts)["RMSE"]
        low, high = found.interval()
        truth = np.mean([scores("regression", far.y, m.predict(far.x))["RMSE"][0] for m in models])
        hits += low <= truth <= high
    assert hits / 60 >= 0.9


def test_the_feature_that_decides_is_the_important_one(views):
    _, models, asked = outcome(views, "cost")
    names = TreeFeatures.fit(views[0], without="cost").names(views[0])
    falls = importances(models[0], asked, seed=0)
    assert names[int(falls.argmax())] == "size"
    assert falls.max() > 0.2
