"""Fifty images of one class for each of two others: balanced batches make all recognisable."""

import numpy as np
import pytest
import torch

from genmodels.data.batching import Batches, Rows, Shuffled
from genmodels.layout import Condition, ConditionGroup, ImageLayout
from tests.algorithms.test_image_updates import gan, optimizers

COUNTS = (500, 10, 10)
UPDATES = 400


def shapes():
    """Lying bars, standing bars and squares at random places, with noise."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), COUNTS)
    grey = np.zeros((len(labels), 1, 8, 8))
    for image, label in zip(grey[:, 0], labels, strict=True):
        i, j = rng.integers(2, 5, 2)
        rows = (slice(i, i + 2), slice(None), slice(i - 1, i + 3))[label]
        across = (slice(None), slice(j, j + 2), slice(j - 1, j + 3))[label]
        image[rows, across] = 200.0
    return np.clip(grey + rng.normal(0, 15, grey.shape), 0, 255).astype(np.uint8), labels


def recognised(balance):
    """Share of what is made of each class that lies nearest to the mean real image of it."""
    pixels, labels = shapes()
    shares = tuple(count / sum(COUNTS) for count in COUNTS)
    condition = Condition((ConditionGroup("label", shares),))
    encoded = {"pixels": torch.from_numpy(pixels)}
    rows = Rows.of(encoded, labels[:, None], condition, ImageLayout(1, 8, 8))
    torch.manual_seed(0)
    model = gan(condition=condition)
    steps = optimizers(model)
    batching = Shuffled(
        batch_size=32, updates_per_step=1, updates_per_epoch=UPDATES, balance=balance
    )
    for (batch,) in Batches(rows=rows, batching=batching, seed=0):
        model.update(batch, steps, measure=False)
        model.num_samples += 32
    told = torch.eye(3).repeat_interleave(100, 0)
    made = model.sample(torch.randn(300, 6), told, torch.empty(300, 0))["pixels"]
    middles = np.stack([pixels[labels == k].reshape(-1, 64).mean(0) for k in range(3)])
    distances = np.square(made.double().flatten(1).numpy()[:, None] - middles).sum(2)
    return [(distances.argmin(1)[told[:, k] == 1] == k).mean() for k in range(3)]


@pytest.mark.slow
def test_a_class_with_a_fiftieth_of_the_images_is_learned_from_balanced_batches_alone():
    assert min(recognised(True)) > 0.8
    assert min(recognised(False)) < 0.6
