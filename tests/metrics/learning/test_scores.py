import numpy as np
import pytest
from sklearn import metrics as sk

from genmodels.metrics.learning.calibration import (
    best_threshold,
    calibration_curve,
    calibration_line,
)
from genmodels.metrics.learning.scores import (
    METRICS,
    average_precision,
    bootstrap_counts,
    roc_area,
    scores,
)

ONE = np.ones((1, 500))


@pytest.fixture(scope="module")
def binary():
    rng = np.random.default_rng(0)
    positive = rng.random(500) < 0.3
    chance = np.clip(np.round(0.3 * rng.random(500) + 0.3 * positive, 2), 0, 1)  # with ties
    return positive, chance


@pytest.fixture(scope="module")
def several():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 500)
    chances = rng.random((500, 4)) + 1.5 * np.eye(4)[truth] * rng.random((500, 1))
    return truth, chances / chances.sum(1, keepdims=True)


def test_areas_equal_scikit_learns_with_ties_and_with_weights(binary):
    positive, chance = binary
    weights = np.random.default_rng(2).integers(0, 4, (3, 500)).astype(float)
    area = roc_area(positive, chance, np.r_[ONE, weights])
    precision = average_precision(positive, chance, np.r_[ONE, weights])
    for k, w in enumerate([ONE[0], *weights]):
        assert area[k] == pytest.approx(
            sk.roc_auc_score(positive, chance, sample_weight=w), abs=1e-12
        )
        known = sk.average_precision_score(positive, chance, sample_weight=w)
        assert precision[k] == pytest.approx(known, abs=1e-12)


def test_binary_scores_equal_scikit_learns(binary):
    positive, chance = binary
    found = scores("binary", positive.astype(int), chance, threshold=0.4)
    assert list(found) == [m.name for m in METRICS["binary"]]
    assert found["F1"][0] == pytest.approx(sk.f1_score(positive, chance >= 0.4), abs=1e-12)
    known = sk.brier_score_loss(positive, chance)
    assert found["Brier score"][0] == pytest.approx(known, abs=1e-12)


def test_multiclass_scores_equal_scikit_learns(several):
    truth, chances = several
    found = scores("multiclass", truth, chances)
    guess = chances.argmax(1)
    assert list(found) == [m.name for m in METRICS["multiclass"]]
    assert found["accuracy"][0] == pytest.approx(sk.accuracy_score(truth, guess), abs=1e-12)
    assert found["macro-F1"][0] == pytest.approx(
        sk.f1_score(truth, guess, average="macro"), abs=1e-12
    )
    known = sk.roc_auc_score(truth, chances, multi_class="ovr")
    assert found["macro AUC"][0] == pytest.approx(known, abs=1e-12)
    known = ((chances - np.eye(4)[truth]) ** 2).sum(1).mean()
    assert found["Brier score"][0] == pytest.approx(known, abs=1e-12)


@pytest.mark.parametrize("unit", [1.0, 1e200])
def test_regression_scores_equal_scikit_learns_in_any_unit(unit):
    rng = np.random.default_rng(3)
    truth = rng.normal(5, 2, 300)
    guess = truth + rng.normal(0, 1, 300)
    found = scores("regression", truth * unit, guess * unit)
    assert list(found) == [m.name for m in METRICS["regression"]]
    assert found["R2"][0] == pytest.approx(sk.r2_score(truth, guess), abs=1e-12)
    assert found["RMSE"][0] / unit == pytest.approx(sk.root_mean_squared_error(truth, guess))
    assert found["MAE"][0] / unit == pytest.approx(sk.mean_absolute_error(truth, guess))


def test_weights_count_rows_several_times(binary, several):
    counts = bootstrap_counts(500, seed=0, repeats=1).astype(np.float64)
    rows = np.repeat(np.arange(500), counts[0].astype(int))
    for kind, (truth, predicted) in {"binary": binary, "multiclass": several}.items():
        weighted = scores(kind, truth, predicted, weights=counts)
        repeated = scores(kind, truth[rows], predicted[rows])
        brief = scores(kind, truth, predicted, weights=counts.astype(np.float32), first=True)
        (first,) = brief
        assert brief[first][0] == pytest.approx(weighted[first][0], abs=1e-5)
        for name in weighted.keys() - {"calibration error"}:  # its bins are those of the rows given
            assert weighted[name][0] == pytest.approx(repeated[name][0], abs=1e-9)
    values = np.random.default_rng(4).normal(size=(2, 500))
    weighted = scores("regression", *values, weights=counts)
    repeated = scores("regression", *values[:, rows])
    for name in weighted:
        assert weighted[name][0] == pytest.approx(repeated[name][0], abs=1e-9)


def test_calibration_error_of_known_gaps():
    chance = np.repeat([0.2, 0.7], 100)
    positive = np.r_[np.arange(100) < 30, np.arange(100) < 50]  # 0.1 too low, 0.2 too high
    assert scores("binary", positive, chance)["calibration error"][0] == pytest.approx(0.15)
    said, seen, n = calibration_curve(positive, chance)
    assert said == pytest.approx([0.2, 0.7])
    assert seen == pytest.approx([0.3, 0.5])
    assert n.tolist() == [100, 100]


def test_one_class_no_positive_and_one_row_have_scores():
    ones = scores("binary", np.ones(3, int), np.array([0.1, 0.2, 0.2]))
    assert ones["AUC"][0] == 0.5
    assert ones["average precision"][0] == 1
    none = scores("binary", np.zeros(3, int), np.array([0.1, 0.2, 0.6]))
    assert (none["AUC"][0], none["average precision"][0], none["F1"][0]) == (0.5, 0, 0)
    assert scores("multiclass", np.array([1]), np.array([[0.5, 0.2, 0.3]]))["macro AUC"][0] == 0.5
    assert scores("regression", np.array([2.0]), np.array([2.5]))["R2"][0] == 0


def test_the_calibration_line_finds_what_bent_the_chances():
    rng = np.random.default_rng(5)
    logit = rng.normal(0, 1.5, 40_000)
    positive = rng.random(40_000) < 1 / (1 + np.exp(-logit))
    bent = 1 / (1 + np.exp(-(2 * logit + 1)))
    slope, intercept = calibration_line(positive, bent)
    assert slope == pytest.approx(0.5, abs=0.02)
    assert intercept == pytest.approx(-0.5, abs=0.03)
    assert calibration_line(np.array([True, False]), np.array([0.9, 0.1])) is None
    assert calibration_line(np.ones(3, bool), np.full(3, 0.4)) is None


def test_the_best_threshold_is_the_best_of_all(binary):
    positive, chance = binary
    best = sk.f1_score(positive, chance >= best_threshold(positive, chance))
    assert best == max(sk.f1_score(positive, chance >= t) for t in np.unique(chance))
    assert best_threshold(np.zeros(4, bool), np.arange(4.0)) == 0.5


def test_bootstrap_counts_keep_strata_and_cover_the_truth():
    strata = np.arange(90) % 3
    counts = bootstrap_counts(90, seed=1, repeats=50, strata=strata)
    assert (counts @ np.eye(3)[strata] == 30).all()
    assert np.array_equal(counts, bootstrap_counts(90, seed=1, repeats=50, strata=strata))
    rng, hits = np.random.default_rng(6), 0
    for k in range(200):
        y = np.arange(200) < 80
        s = rng.normal(0, 1, 200) + y
        draws = bootstrap_counts(200, seed=k, repeats=100, strata=y.astype(int))
        low, high = np.percentile(roc_area(y, s, draws), [2.5, 97.5])
        hits += low <= 0.7602499389 <= high  # Phi(1 / sqrt 2)
    assert 0.89 <= hits / 200 <= 0.99
