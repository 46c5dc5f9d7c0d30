import numpy as np
import pytest
import torch

from genmodels.metrics.images.frechet import (
    frechet_distance,
    frechet_infinity,
    frechet_infinity_interval,
    least_rows,
)
from tests.metrics.passing import Through


def whitened(rng, n, width):
    x = rng.normal(size=(n, width))
    return (x - x.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T)).T)


def test_frechet_distance_of_known_gaussians():
    x = whitened(np.random.default_rng(0), 4000, 3)
    y = x * np.array([2.0, 1.0, 3.0]) + np.array([1.0, -2.0, 0.0])
    # |m|^2 + sum (s_a - s_b)^2 for axis-parallel Gaussians
    assert frechet_distance(x, y) == pytest.approx(5 + 1 + 0 + 4, abs=1e-8)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-8)
    assert frechet_distance(x[:, :1], y[:, :1]) == pytest.approx(2, abs=1e-8)


def test_frechet_distance_of_gaussians_that_do_not_commute():
    x = whitened(np.random.default_rng(1), 500, 2)
    a, b = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[1.0, -0.5], [-0.5, 2.0]])
    left, right = (x @ np.linalg.cholesky(c).T for c in (a, b))
    # tr (A B)^1/2 of 2 x 2 matrices: sqrt(tr AB + 2 sqrt det AB)
    cross = np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a @ b)))
    assert frechet_distance(left, right) == pytest.approx(8 - 2 * cross, abs=1e-8)


def test_frechet_distance_is_that_of_torchmetrics():
    from torchmetrics.image.fid import FrechetInceptionDistance

    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(200, 6)), rng.normal(0.3, 1.2, size=(150, 6)) @ rng.normal(size=(6, 6))
    other = FrechetInceptionDistance(feature=Through(6)).set_dtype(torch.float64)
    other.update(torch.from_numpy(x), real=True)
    other.update(torch.from_numpy(y), real=False)
    assert frechet_distance(x, y) == pytest.approx(float(other.compute()), rel=1e-6)


def test_the_extrapolated_distance_loses_the_bias_of_few_rows():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(600, 20)), rng.normal(size=(600, 20))
    # every coordinate is half a unit apart: 20 / 4
    moved = y + 0.5
    assert frechet_distance(x, y) > 0.3
    assert abs(frechet_infinity(x, y, seed=0)) < 0.15
    value = frechet_infinity(x, moved, seed=0)
    assert value == pytest.approx(5, abs=0.5)
    low, high = frechet_infinity_interval(x, moved, value, seed=0)
    assert low < 5 < high
    assert high - low < 3


def test_the_interval_of_the_extrapolated_distance_holds_the_truth():
    hits = 0
    for seed in range(20):
        rng = np.random.default_rng([4, seed])
        x, y = rng.normal(size=(200, 3)), rng.normal(0.4, 1, size=(200, 3))
        value = frechet_infinity(x, y, seed=seed, orders=2)
        low, high = frechet_infinity_interval(x, y, value, seed=seed, repeats=30)
        hits += low <= 3 * 0.16 <= high
    assert hits >= 17


def test_too_few_rows_for_the_width_are_refused():
    x = np.zeros((20, 11))
    assert least_rows(11) == 22
    with pytest.raises(ValueError, match="at least 22"):
        frechet_infinity(x, x, seed=0)
