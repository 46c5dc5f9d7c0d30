"""The worlds of the self-test: fresh real data with their schema, and what to plant in them."""

from __future__ import annotations

from collections.abc import Sequence

from genmodels.data.images import infer_image_schema
from genmodels.data.sources.digits import Digits
from genmodels.metrics.planted import FAILURES, SCHEMA, Failure, World, table_world
from genmodels.metrics.planted_images import IMAGE_FAILURES, image_world
from genmodels.schema import Schema

__all__ = ["digit_worlds", "table_worlds"]

Worlds = tuple[Sequence[World], Schema, Sequence[Failure]]


def table_worlds(*, rows: int, count: int, seed: int) -> Worlds:
    """Simulated customers.

    Args:
        rows: of training, of held-out and of synthetic data.
        count: independent worlds.
        seed: of the first one.
    """
    return [table_world(rows, seed + k) for k in range(count)], SCHEMA, FAILURES


def digit_worlds(*, count: int, seed: int) -> Worlds:
    """The 1,797 digits of scikit-learn, cut in three at random."""
    images = Digits().load()
    worlds = [image_world(images, seed + k) for k in range(count)]
    return worlds, infer_image_schema(images), IMAGE_FAILURES
