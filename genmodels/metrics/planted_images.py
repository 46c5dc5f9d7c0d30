"""Labelled images with a planted failure: what the figures of a report must see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from genmodels.metrics.images.copies import shuffled_pixels
from genmodels.metrics.planted import Failure, World
from genmodels.types import Images

__all__ = ["IMAGE_FAILURES", "image_world"]


def image_world(images: Images, seed: int) -> World:
    """Labelled images cut at random into training, held-out and fresh ones."""
    order = np.random.default_rng([seed, 80]).permutation(len(images))
    return World(*(images.take(np.sort(rows)) for rows in np.array_split(order, 3)))


def _of(change: Callable[[Images, World, np.random.Generator], Images]) -> Callable:
    def plant(world: World, seed: int) -> World:
        rng = np.random.default_rng([seed, 81])
        return replace(world, synthetic=change(world.synthetic, world, rng))

    return plant


def _shuffled(made: Images, world: World, rng: np.random.Generator) -> Images:
    return replace(made, pixels=shuffled_pixels(made.pixels, int(rng.integers(1000))))


def _copies(made: Images, world: World, rng: np.random.Generator) -> Images:
    return world.train.take(rng.integers(0, len(world.train), len(made)))


def _without_a_class(made: Images, world: World, rng: np.random.Generator) -> Images:
    assert made.labels is not None
    kept = np.flatnonzero(made.labels != 3)
    return made.take(np.concatenate([kept, rng.choice(kept, len(made) - len(kept))]))


def _flipped_labels(made: Images, world: World, rng: np.random.Generator) -> Images:
    assert made.labels is not None
    classes = int(made.labels.max()) + 1
    flip = rng.random(len(made)) < 0.4
    return replace(made, labels=np.where(flip, rng.integers(0, classes, len(made)), made.labels))


def _noise(made: Images, world: World, rng: np.random.Generator) -> Images:
    noisy = made.pixels + rng.normal(0, 0.25 * 255, made.pixels.shape)
    return replace(made, pixels=np.clip(noisy, 0, 255).astype(np.uint8))


def _collapsed(made: Images, world: World, rng: np.random.Generator) -> Images:
    """Few distinct images of each class, with faint noise."""
    few = made.take(rng.integers(0, max(1, len(made) // 25), len(made)))
    faint = few.pixels + rng.normal(0, 4, few.pixels.shape)
    return replace(few, pixels=np.clip(faint, 0, 255).astype(np.uint8))


IMAGE_FAILURES: tuple[Failure, ...] = (
    Failure("shuffled pixels", _of(_shuffled), ("FD", "accuracy, trained on synthetic")),
    Failure("copies of the training images", _of(_copies), ("exact copies", "near copies")),
    Failure("a dropped class", _of(_without_a_class), ("classes found",)),
    Failure("flipped labels", _of(_flipped_labels), ("class agreement",)),
    Failure("added noise", _of(_noise), ("FD",)),
    Failure("collapse to few images", _of(_collapsed), ("coverage",)),
)
