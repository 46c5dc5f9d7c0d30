import numpy as np
import pytest

from genmodels.metrics.images.pca_gaussian import pca_gaussian
from genmodels.types import Images
from tests.metrics.bars import bars


def test_moments_of_each_class_are_those_of_training():
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(4, 4))
    labels = rng.integers(0, 2, 4000)
    centre = np.array([[90.0, 120, 150, 100], [160, 100, 120, 140]])[labels]
    values = centre + 8 * rng.normal(size=(4000, 4)) @ mix.T
    train = Images(np.clip(values, 0, 255).round().astype(np.uint8).reshape(-1, 1, 2, 2), labels)
    made = pca_gaussian(train, 4000, components=64, seed=0)
    assert made.labels is not None
    for label in (0, 1):
        x, y = (i.pixels[i.labels == label].reshape(-1, 4).astype(float) for i in (train, made))
        np.testing.assert_allclose(y.mean(0), x.mean(0), atol=2.0)
        np.testing.assert_allclose(np.cov(y.T), np.cov(x.T), atol=0.12 * np.cov(x.T).max())


def test_only_so_many_components_vary():
    pixels = np.random.default_rng(1).integers(60, 190, (400, 1, 5, 4), dtype=np.uint8)
    made = pca_gaussian(Images(pixels), 300, components=2, seed=0)
    values = np.linalg.eigvalsh(np.cov(made.pixels.reshape(300, -1).T))
    assert values[-2] > 20 * values[-3]
    assert made.labels is None


def test_fewer_images_than_pixels_give_the_same_spread():
    rng = np.random.default_rng(2)
    # one direction with variance 30^2, spread over 400 pixels
    flat = 120 + 30 * rng.normal(size=(100, 1)) @ np.full((1, 400), 0.5)
    train = Images(np.clip(flat, 0, 255).astype(np.uint8).reshape(100, 1, 20, 20))
    made = pca_gaussian(train, 500, components=64, seed=0)
    real, fake = (x.pixels.mean((1, 2, 3)).std() for x in (train, made))
    assert fake == pytest.approx(real, rel=0.15)


def test_directions_that_are_sought_are_those_of_the_covariance():
    rng = np.random.default_rng(3)
    spread = 40.0 / np.arange(1, 9)
    basis = np.linalg.qr(rng.normal(size=(1200, 8)))[0]
    x = (rng.normal(size=(1100, 8)) * spread) @ basis.T + 0.01 * rng.normal(size=(1100, 1200))
    train = Images(np.clip(x * 20 + 128, 0, 255).astype(np.uint8).reshape(1100, 3, 20, 20))
    made = pca_gaussian(train, 4000, components=8, seed=0)
    real, fake = (np.cov(i.pixels.reshape(len(i), -1).T.astype(float)) for i in (train, made))
    first = np.linalg.eigh(real)[1][:, ::-1][:, :3]
    ratio = np.diag(first.T @ fake @ first) / np.diag(first.T @ real @ first)
    np.testing.assert_allclose(ratio, 1.0, atol=0.1)


@pytest.mark.parametrize("n", [1, 7])
def test_constant_images_and_lonely_classes_work(n):
    train = Images(np.full((12, 3, 4, 6), 9, np.uint8), np.arange(12) // 11)
    made = pca_gaussian(train, n, components=64, seed=0)
    assert (made.pixels == 9).all()
    assert made.pixels.shape == (n, 3, 4, 6)


def test_the_same_seed_draws_the_same():
    train = bars(50, 0)
    a, b, c = (pca_gaussian(train, 20, components=8, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.pixels, b.pixels)
    assert (a.pixels != c.pixels).any()
