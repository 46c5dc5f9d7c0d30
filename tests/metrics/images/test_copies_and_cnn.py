import numpy as np
import pytest

from genmodels.metrics.images.copies import drawn_copies, exact_copies, principal, shuffled_pixels
from genmodels.metrics.images.domain_cnn import DomainCNN, fit_cnn
from genmodels.metrics.images.random_features import random_features, shrink, width_of
from tests.metrics.bars import bars


def test_exact_copies_are_counted():
    train, fresh = bars(300, 0), bars(100, 1)
    assert exact_copies(train.pixels[:7], train.pixels) == 7
    assert exact_copies(fresh.pixels, train.pixels) == 0
    copied = drawn_copies(train, 500, 0)
    assert exact_copies(copied.pixels, train.pixels) == 500
    assert len({image.tobytes() for image in copied.pixels}) < 300


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
    assert features.shape == (6, width_of(shape[0]))
    np.testing.assert_array_equal(features, random_features(pixels))
    assert random_features(pixels[:0]).shape == (0, width_of(shape[0]))
    assert max(shrink(pixels, 32).shape[-2:]) <= 32


def test_the_classifier_learns_and_repeats_itself():
    train, test = bars(400, 0), bars(100, 1)
    first, second = (fit_cnn(train.pixels, train.labels, 2, seed=0, steps=40) for _ in range(2))
    guess = first.predict(test.pixels)
    assert (guess == test.labels).mean() > 0.95
    np.testing.assert_array_equal(first.features(test.pixels), second.features(test.pixels))
    assert first.features(test.pixels[:0]).shape == (0, first.width)


def test_the_classifier_has_the_shapes_that_it_says():
    import torch

    network = DomainCNN(channels=3, classes=7, small=False)
    assert network(torch.zeros(2, 3, 20, 12)).shape == (2, 7)
    assert network.features(torch.zeros(2, 3, 20, 12)).shape == (2, 64)
