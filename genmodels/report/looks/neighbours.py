"""Made images beside the training images that are nearest to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from genmodels.metrics.images.nearness import Bank, pixel_vectors
from genmodels.report.looks.sheet import draw_grid

__all__ = ["neighbour_sheet", "pixel_neighbours"]

CELL = 48  # pixels
USUAL = 100  # training images whose own nearest neighbour says what is near


def neighbour_sheet(
    made: np.ndarray,
    training: np.ndarray,
    index: np.ndarray,
    distance: np.ndarray,
    names: Sequence[str] = (),
    *,
    foot: str = "",
) -> Image.Image:
    """One made image a row, and on its right the nearest training images with their distances.

    Args:
        made: (N, C, H, W) uint8.
        training: (M, C, H, W) uint8.
        index: of the nearest training images, the nearest first, shape (N, k).
        distance: of these, shape (N, k).
        names: of the rows, or none.
        foot: a line below everything, or nothing.
    """
    rows = np.concatenate([made[:, None], training[index]], axis=1)
    below = [text for line in distance for text in ("", *(f"{x:#.3g}" for x in line))]
    above = ("made", *(_ordinal(k + 1) for k in range(index.shape[1])))
    flat = rows.reshape(-1, *made.shape[1:])
    return draw_grid(
        flat, len(made), names, above=above, below=below, foot=foot, smallest=CELL, first=1
    )


def _ordinal(k: int) -> str:
    return f"{k}{('st', 'nd', 'rd')[k - 1] if k <= 3 else 'th'}"


def pixel_neighbours(
    made: np.ndarray, training: np.ndarray, *, nearest: int, bank: int, side: int, seed: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """The nearest training images by the root mean squared difference of pixels, 0 ... 255.

    Args:
        made: (N, C, H, W) uint8.
        training: (M, C, H, W) uint8, M at least 2.
        nearest: of each.
        bank: training images that are searched, at most: a seeded choice.
        side: images are shrunk to at most so many pixels before they are compared.
        seed: of the choice.

    Returns:
        Numbers and distances of the nearest ones, both (N, k), and the median distance of a
        training image to the nearest other one.
    """
    chosen = np.arange(len(training))
    if len(training) > bank:
        rng = np.random.default_rng([seed, 707])
        chosen = np.sort(rng.choice(len(training), bank, replace=False))
    embed = pixel_vectors(side)
    known = Bank(training[chosen], embed)
    probes = embed(made)
    unit = 127.5 / probes.shape[1] ** 0.5
    index, distance = known.nearest_few(probes, nearest)
    own = np.arange(min(USUAL, len(chosen)))
    usual = known.nearest(embed(training[chosen[own]]), but=own)[:, 1]
    return chosen[index], unit * distance, float(unit * np.median(usual))
