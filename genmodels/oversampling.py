"""Rows of the rarer classes made more: copies of them, or SMOTE's points between neighbours.

The real rows come first and unchanged, what is added comes after them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["oversample", "smote"]

NEIGHBOURS = 5


def oversample(x: np.ndarray, y: np.ndarray, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Repeat random rows of each class until it has as many as the largest.

    Args:
        x: shape (N, F); NaN is allowed.
        y: class numbers, shape (N,).
        seed: of the draws.
    """
    from imblearn.over_sampling import RandomOverSampler

    if len(np.unique(y)) < 2:
        return x, y
    sampler = RandomOverSampler(random_state=seed)
    sampler.fit_resample(np.arange(len(y), dtype=np.float64)[:, None], y)
    rows = sampler.sample_indices_
    return x[rows], y[rows]


def smote(
    x: np.ndarray,
    y: np.ndarray,
    *,
    categorical: np.ndarray,
    seed: int,
    goal: Mapping[int, int] | None = None,
    neighbours: int = NEIGHBOURS,
    standardise: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Add points between neighbours of each class until it has as many as it should.

    imbalanced-learn's SMOTE for numbers, SMOTENC where some features are categories, SMOTEN where
    all are. Missing numbers count as the median, and the real rows get their gaps back. Classes
    of one row are repeated, as a point has no neighbour in them.

    Args:
        x: shape (N, F); NaN is missing.
        y: class numbers, shape (N,).
        categorical: which features are category codes, bool (F,).
        seed: of the draws.
        goal: how many rows of a class there shall be; None: as many as of the largest.
        neighbours: a point lies between a row and one of so many of its class that are nearest.
        standardise: numbers are standardised for the search, as a careful user would; False: as
            they are.

    References:
        Chawla, Bowyer, Hall and Kegelmeyer, SMOTE: Synthetic minority over-sampling technique,
        2002, sections 4.2 and 6.1.
    """
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2 or not x.shape[1]:
        return oversample(x, y, seed=seed)
    sizes = {int(c): int(n) for c, n in zip(classes, counts, strict=True)}
    wanted = {c: max(n, max(sizes.values()) if goal is None else goal.get(c, 0))
              for c, n in sizes.items()}  # fmt: skip
    lone = [c for c in sizes if sizes[c] < 2]
    new_x, new_y = x[:0], y[:0]
    more = {c: n for c, n in wanted.items() if c not in lone}
    if any(n > sizes[c] for c, n in more.items()):
        filled, centre, scale = _filled(x, categorical)
        if not standardise:
            centre, scale = np.zeros_like(centre), np.ones_like(scale)
        fewest = min(sizes[c] for c, n in more.items() if n > sizes[c])
        sampler = _sampler(categorical, more, min(neighbours, fewest - 1), seed)
        made_x, made_y = sampler.fit_resample((filled - centre) / scale, y)
        new_x, new_y = made_x[len(y) :] * scale + centre, made_y[len(y) :]
    again = np.zeros(0, np.int64)
    for c in lone:
        again = np.concatenate([again, np.repeat(np.flatnonzero(y == c), wanted[c] - 1)])
    return np.concatenate([x, new_x, x[again]]), np.concatenate([y, new_y, y[again]])


def _sampler(categorical: np.ndarray, goal: dict[int, int], k: int, seed: int) -> Any:
    from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC

    common = {"sampling_strategy": goal, "k_neighbors": k, "random_state": seed}
    if categorical.all():
        return SMOTEN(**common)
    if categorical.any():
        return SMOTENC(categorical_features=np.flatnonzero(categorical).tolist(), **common)
    return SMOTE(**common)


def _filled(x: np.ndarray, categorical: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows without gaps, and the centre and scale of each feature (0 and 1 for categories)."""
    filled = np.clip(x, -1e100, 1e100)
    width = x.shape[1]
    centre, scale = np.zeros(width), np.ones(width)
    for f in np.flatnonzero(~categorical):
        known = filled[~np.isnan(filled[:, f]), f]
        filled[np.isnan(filled[:, f]), f] = np.median(known) if len(known) else 0.0
        unit = float(np.abs(filled[:, f]).max()) or 1.0
        centre[f] = (filled[:, f] / unit).mean() * unit
        spread = float((filled[:, f] / unit).std()) * unit
        scale[f] = spread if spread > 1e-9 * unit else 1.0
    return filled, centre, scale
