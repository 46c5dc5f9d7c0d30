import numpy as np
import pytest

from genmodels.metrics.intervals import auc, auc_interval, bootstrap, mean_interval, wilson


def test_auc_is_the_chance_that_a_positive_scores_higher():
    rng = np.random.default_rng(0)
    score, positive = rng.integers(0, 5, 60).astype(float), rng.random(60) < 0.4
    a, b = score[positive][:, None], score[~positive][None, :]
    assert auc(positive, score) == pytest.approx(((a > b) + 0.5 * (a == b)).mean(), abs=1e-12)


def test_auc_of_one_class_is_chance():
    assert auc(np.ones(4, bool), np.arange(4.0)) == 0.5


def test_delong_interval_covers_the_truth_about_as_often_as_it_says():
    rng, hits = np.random.default_rng(1), 0
    for _ in range(300):
        score = np.concatenate([rng.normal(1, 1, 60), rng.normal(0, 1, 90)])
        low, high = auc_interval(np.arange(150) < 60, score)
        hits += low <= 0.7602499389 <= high  # Phi(1 / sqrt 2)
    assert 0.91 <= hits / 300 <= 0.985


def test_wilson_matches_the_textbook_case():
    low, high = wilson(7, 10)
    assert (low, high) == pytest.approx((0.396778, 0.892209), abs=1e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_mean_interval_is_students():
    low, high = mean_interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5), abs=1e-5)
    assert mean_interval([1.0, 2.0]) is None


def test_bootstrap_brackets_a_mean_and_repeats_itself():
    values = np.random.default_rng(2).normal(5, 1, 400)
    first = bootstrap(lambda rows: float(values[rows].mean()), 400, seed=0)
    assert first == bootstrap(lambda rows: float(values[rows].mean()), 400, seed=0)
    assert first[0] < values.mean() < first[1]
    assert first[1] - first[0] == pytest.approx(2 * 1.96 / 20, rel=0.25)
