"""What images need besides distances: copies, shuffled pixels and features of a sensible width."""

from __future__ import annotations

import numpy as np

from genmodels.types import Images

__all__ = ["drawn_copies", "exact_copies", "principal", "shuffled_pixels"]


def exact_copies(pixels: np.ndarray, training: np.ndarray) -> int:
    """How many images equal some training image in every value."""
    known = {image.tobytes() for image in np.ascontiguousarray(training)}
    return sum(image.tobytes() in known for image in np.ascontiguousarray(pixels))


def shuffled_pixels(pixels: np.ndarray, seed: int) -> np.ndarray:
    """Each position permuted over the images on its own: right marginals, no dependence."""
    rng = np.random.default_rng([seed, 9])
    flat = np.ascontiguousarray(pixels).reshape(len(pixels), -1)
    return rng.permuted(flat, axis=0).reshape(pixels.shape)


def drawn_copies(train: Images, n: int, seed: int) -> Images:
    """Training images drawn with replacement: what a generator that memorised them returns."""
    return train.take(np.random.default_rng([seed, 704]).integers(0, len(train), n))


def principal(reference: np.ndarray, width: int) -> np.ndarray:
    """Directions (D, width) of the largest variance of `reference` (N, D)."""
    centred = reference - reference.mean(0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return vectors[:, ::-1][:, :width]
