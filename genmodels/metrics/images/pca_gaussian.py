"""The simplest generator of images: a Gaussian in principal components, one per class.

It takes seconds, and many a trained network does worse: a reference point for the others.
"""

from __future__ import annotations

import numpy as np

from genmodels.types import Images

__all__ = ["pca_gaussian"]

ROWS, VALUES = 3000, 50_000_000  # of one class that a fit looks at
EXACT = 1024  # rows or values up to which all directions are found
PASSES, SPARE = 4, 16  # over the images, and further directions, where the first ones are sought


def pca_gaussian(train: Images, n: int, *, components: int, seed: int) -> Images:
    """Draw images x = m_c + V_c z, z ~ N(0, diag(lambda_c)), rounded and cut to 0 ... 255.

    m_c, V_c and lambda_c are mean, first principal directions and variances of the training
    images of class c (of all images when there are no labels).

    Args:
        train: at least 2 images.
        n: images to draw; classes are drawn as often as they occur.
        components: at most this many directions.
        seed: of the draws.

    Returns:
        n images, labelled like `train`, in random order.
    """
    rng = np.random.default_rng([seed, 703])
    groups = np.zeros(len(train), np.int64) if train.labels is None else train.labels
    drawn = groups[rng.integers(0, len(groups), n)]
    pixels = np.empty((n, *train.pixels.shape[1:]), dtype=np.uint8)
    for label in np.unique(drawn):
        rows = rng.permutation(np.flatnonzero(groups == label))
        rows = rows[: max(2, min(ROWS, VALUES // max(1, train.pixels[0].size)))]
        where = np.flatnonzero(drawn == label)
        made = _draw(train.pixels[rows].reshape(len(rows), -1), len(where), components, rng)
        pixels[where] = made.reshape(len(where), *train.pixels.shape[1:])
    labels = None if train.labels is None else drawn.astype(np.int64)
    return Images(pixels, labels, train.class_names)


def _draw(x: np.ndarray, n: int, components: int, rng: np.random.Generator) -> np.ndarray:
    mean = x.mean(0, dtype=np.float64).astype(np.float32)
    centred = x.astype(np.float32) - mean
    kept = min(components, len(x) - 1, x.shape[1])
    if kept < 1:
        return np.repeat(_levels(mean[None]), n, 0)
    directions = _scaled_directions(centred, kept, rng)
    noise = rng.standard_normal((n, kept)).astype(np.float32)
    return np.concatenate(
        [_levels(noise[i : i + 1024] @ directions + mean) for i in range(0, n, 1024)]
    )


def _scaled_directions(centred: np.ndarray, kept: int, rng: np.random.Generator) -> np.ndarray:
    """Principal directions times their standard deviations, shape (kept, D), float32.

    References:
        Halko, Martinsson, Tropp, "Finding Structure with Randomness", 2011, algorithm 4.4 (where
        there are many images of many values).
    """
    rows, width = centred.shape
    if min(rows, width) > max(EXACT, 4 * kept):
        return _sought(centred, kept, rng) / np.float32((rows - 1) ** 0.5)
    if width <= rows:
        values, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))
        spread = np.sqrt(values[::-1][:kept].clip(0) / (rows - 1))
        return (vectors[:, ::-1][:, :kept] * spread).T.astype(np.float32)
    # Fewer rows than values: X = U S V^T, and S V^T = U^T X.
    _, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    return (vectors[:, ::-1][:, :kept].T.astype(np.float32) @ centred) / (rows - 1) ** 0.5


def _sought(centred: np.ndarray, kept: int, rng: np.random.Generator) -> np.ndarray:
    """S V^T of the largest singular values, (kept, D), by powers of a random range."""
    start = rng.standard_normal((centred.shape[1], kept + SPARE)).astype(np.float32)
    span = np.linalg.qr(centred @ start)[0]
    for _ in range(PASSES):
        span = np.linalg.qr(centred @ np.linalg.qr(centred.T @ span)[0])[0]
    small = span.T @ centred  # the images in the range, (kept + SPARE, D)
    _, vectors = np.linalg.eigh((small @ small.T).astype(np.float64))
    return vectors[:, ::-1][:, :kept].T.astype(np.float32) @ small


def _levels(x: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)
