import math

import numpy as np
import pytest
from scipy.stats import t as student

from genmodels.metrics.learning.scores import METRICS, bootstrap_counts, scores
from genmodels.metrics.learning.trials import (
    Outcome,
    draw,
    fit,
    importances,
    judge,
    pooled,
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


def welch(*parts):
    """Half-width from (variance, degrees of freedom)."""
    total = sum(variance for variance, _ in parts)
    freedom = total**2 / sum(variance**2 / k for variance, k in parts)
    return student.ppf(0.975, freedom) * math.sqrt(total)


def test_an_interval_adds_test_rows_and_training_rows_with_students_quantile():
    drawn = np.array([0.6, 0.8] * 50)
    found = Outcome(np.array([0.6, 0.7, 0.8]), drawn, 0.5)
    half = welch((0.1**2, 99), (0.1**2 * (1 / 3 + 1), 2))
    assert found.value == pytest.approx(0.7)
    assert found.interval() == pytest.approx((0.7 - half, 0.7 + half))
    assert found.interval(0.6, 0.75) == (0.6, 0.75)
    same = found.minus(found)
    assert same.interval() == (0, 0)
    assert shares(50, 50) == 0.8


def test_pooled_outcomes_share_the_variance_of_a_run_over_new_rows():
    drawn = np.full(5, 0.5)
    wild = Outcome(np.array([0.2, 0.5, 0.8]), drawn, 0.8)
    calm = Outcome(np.array([0.49, 0.5, 0.51]), drawn, 0.5)
    a, b = pooled([wild, calm])
    single = (0.3**2 / 0.2 + 0.01**2 / 0.5) / 2
    half = welch((single * (0.8 + 0.2 / 3), 4))
    assert a.interval() == pytest.approx((0.5 - half, 0.5 + half))
    both = welch((single * (0.8 + 0.2 / 3 + 0.5 + 0.5 / 3), 4))
    assert a.minus(b).interval() == pytest.approx((-both, both))


def test_intervals_cover_the_mean_of_a_linear_score_over_new_rows():
    rng, hits = np.random.default_rng(0), {"alone": 0, "pooled": 0, "difference": 0}
    for _ in range(1500):
        arms = []
        noise = rng.normal(size=200) / 8  # test rows, all arms are tested on the same
        counts = rng.multinomial(200, np.full(200, 1 / 200), size=60) @ noise / 200
        for _ in range(3):
            rows = rng.normal(size=50)
            each = np.array([rng.permutation(rows)[:40].mean() for _ in range(3)])
            arms.append(Outcome(each + noise.mean(), each.mean() + counts, 0.8))
        made, real, _ = pooled(arms)
        for name, found in (("alone", arms[0]), ("pooled", made), ("difference", real.minus(made))):
            low, high = found.interval()
            hits[name] += low <= 0 <= high
    assert all(0.93 <= hit / 1500 <= 0.98 for hit in hits.values()), hits


def test_intervals_cover_the_expected_score_of_models_from_newly_drawn_training_rows():
    task, features = Task("y", "regression"), TreeFeatures((0, 1, 2), (), ())
    rng = np.random.default_rng(0)

    def make(n):
        x = rng.normal(size=(n, 3))
        return Examples(x, x.sum(1) + rng.normal(size=n))

    def learn(rows, k, runs):
        draws = [draw(task, rows, 32, seed=k, run=r) for r in range(runs)]
        return [fit(task, features, "logistic", rows, 0) for rows in draws]

    far = make(4000)
    again = [learn(make(40), k, 1)[0] for k in range(400)]
    truth = np.mean([scores("regression", far.y, m.predict(far.x))["MAE"][0] for m in again])
    hits = 0
    for k in range(200):
        test = make(300)
        counts = bootstrap_counts(300, seed=k, repeats=60)
        arms = [
            judge(learn(make(40), k, 3), test, overlap=shares(32, 40), counts=counts)["MAE"]
            for _ in range(3)
        ]
        low, high = pooled(arms)[0].interval()
        hits += low <= truth <= high
    assert 0.93 <= hits / 200 < 1, hits


def test_the_feature_that_decides_is_the_important_one(views):
    _, models, asked = outcome(views, "cost")
    names = TreeFeatures.fit(views[0], without="cost").names(views[0])
    falls = importances(models[0], asked, seed=0)
    assert names[int(falls.argmax())] == "size"
    assert falls.max() > 0.2
