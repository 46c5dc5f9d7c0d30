import numpy as np
import pytest

from genmodels.metrics.domain_cnn import DomainCNN, fit_cnn
from genmodels.metrics.images import Copies, copy_share, exact_copies, principal, shuffled_pixels
from genmodels.metrics.kernels import (
    density_and_coverage,
    frechet_distance,
    kernel_distance,
    nearest,
)
from genmodels.metrics.random_features import random_features, shrink
from tests.metrics.bars import bars


def test_frechet_distance_of_known_gaussians():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 3))
    x = (x - x.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T)).T)
    y = x * np.array([2.0, 1.0, 3.0]) + np.array([1.0, -2.0, 0.0])
    # |m|^2 + sum (s_a - s_b)^2 for axis-parallel Gaussians
    assert frechet_distance(x, y) == pytest.approx(5 + 1 + 0 + 4, abs=1e-8)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-8)
    assert frechet_distance(x[:, :1], y[:, :1]) == pytest.approx(2, abs=1e-8)


def test_kernel_distance_is_the_unbiased_estimate():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(6, 2)), rng.normal(size=(5, 2))

    def k(u, v):
        return (u @ v / 2 + 1) ** 3

    xx = np.mean([k(x[i], x[j]) for i in range(6) for j in range(6) if i != j])
    yy = np.mean([k(y[i], y[j]) for i in range(5) for j in range(5) if i != j])
    xy = np.mean([k(a, b) for a in x for b in y])
    assert kernel_distance(x, y) == pytest.approx(xx + yy - 2 * xy, abs=1e-9)


def test_density_and_coverage_of_a_known_case():
    x = np.array([[0.0], [1.0], [10.0], [11.0]])
    # balls with k=1 have radius 1 round each point
    density, covered = density_and_coverage(x, np.array([[0.5], [0.6]]), k=1)
    assert (density, covered) == (2.0, 0.5)


def test_density_and_coverage_are_near_their_expectation_for_equal_distributions():
    rng = np.random.default_rng(2)
    density, covered = density_and_coverage(rng.normal(size=(800, 5)), rng.normal(size=(800, 5)))
    assert density == pytest.approx(1, abs=0.08)
    assert covered == pytest.approx(1 - 0.5**5, abs=0.04)


def test_nearest_finds_copies_exactly_and_reads_in_blocks():
    rng = np.random.default_rng(3)
    bank = rng.normal(size=(300, 20)) * 100
    found = nearest(bank[[5, 250]] + [[0.0], [1e-3]], bank, block=64)
    assert found[:, 0].tolist() == [5, 250]
    assert found[:, 1] == pytest.approx([0, 1e-3 * 20**0.5], rel=1e-3)


def test_copies_of_images_are_found():
    train, fresh = bars(300, 0), bars(100, 1)
    near = Copies.find(train.pixels, train.pixels, count=50, side=32, seed=0)
    assert (near.distance == 0).all()
    assert (train.pixels[near.index] == train.pixels[near.rows]).all()
    real = Copies.find(fresh.pixels, train.pixels, count=50, side=32, seed=0)
    usual = float(np.median(real.distance))
    assert copy_share(near, usual) == (50, 50)
    assert copy_share(real, usual)[0] < 10
    assert exact_copies(train.pixels[:7], train.pixels) == 7
    assert exact_copies(fresh.pixels, train.pixels) == 0


def test_shuffled_pixels_keep_each_position():
    pixels = bars(60, 0).pixels
    mixed = shuffled_pixels(pixels, 0)
    np.testing.assert_array_equal(np.sort(mixed, axis=0), np.sort(pixels, axis=0))
    assert (mixed != pixels).any()


def test_principal_directions_are_orthonormal_and_ordered():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(500, 3)) * [1, 10, 3]
    basis = principal(x, 2)
    np.testing.assert_allclose(basis.T @ basis, np.eye(2), atol=1e-9)
    assert abs(basis[1, 0]) > 0.99


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 40), (4, 64, 64), (1, 1, 1)])
def test_features_take_any_shape(shape):
    pixels = np.random.default_rng(5).integers(0, 256, (6, *shape), dtype=np.uint8)
    features = random_features(pixels)
    assert features.shape == (6, 16 * shape[0] + 384)
    np.testing.assert_array_equal(features, random_features(pixels))
    assert max(shrink(pixels, 32).shape[-2:]) <= 32


def test_the_classifier_learns_and_repeats_itself():
    train, test = bars(400, 0), bars(100, 1)
    first, second = (fit_cnn(train.pixels, train.labels, 2, seed=0, steps=40) for _ in range(2))
    guess = first.predict(test.pixels)
    assert (guess == test.labels).mean() > 0.95
    np.testing.assert_array_equal(first.features(test.pixels), second.features(test.pixels))
    assert first.features(test.pixels[:0]).shape == (0, 64)


def test_the_classifier_has_the_shapes_that_it_says():
    import torch

    network = DomainCNN(channels=3, classes=7, small=False)
    assert network(torch.zeros(2, 3, 20, 12)).shape == (2, 7)
    assert network.features(torch.zeros(2, 3, 20, 12)).shape == (2, 64)
