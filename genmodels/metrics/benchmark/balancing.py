"""Rows of the rarer classes made more: copies of them, or SMOTE's points between neighbours.

The real rows come first and unchanged, what is added comes after them.
"""

from __future__ import annotations

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
    x: np.ndarray, y: np.ndarray, *, categorical: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Add points between neighbours of each class until it has as many as the largest.

    imbalanced-learn's SMOTE for numbers, SMOTENC where some features are categories, SMOTEN where
    all are. Numbers are standardised for the search of neighbours, as a careful user would;
    missing ones count as the median there, and the real rows get their gaps back. Classes
    of one row are repeated, as a point has no neighbour in them.

    Args:
        x: shape (N, F); NaN is missing.
        y: class numbers, shape (N,).
        categorical: which features are category codes, bool (F,).
        seed: of the draws.

    References:
        Chawla, Bowyer, Hall and Kegelmeyer, SMOTE: Synthetic minority over-sampling technique,
        2002, sections 4.2 and 6.1.
    """
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2 or not x.shape[1]:
        return oversample(x, y, seed=seed)
    filled, centre, scale = _filled(x, categorical)
    lone = np.isin(y, classes[counts < 2])
    goal = {int(c): int(counts.max()) for c in classes[counts >= 2]}
    fewest = min(n for n in counts if n >= 2) if goal else 0
    new_x, new_y = x[:0], y[:0]
    if goal and min(counts[counts >= 2]) < counts.max():
        sampler = _sampler(categorical, goal, min(NEIGHBOURS, fewest - 1), seed)
        made_x, made_y = sampler.fit_resample((filled - centre) / scale, y)
        new_x, new_y = made_x[len(y) :] * scale + centre, made_y[len(y) :]
    again = np.resize(np.flatnonzero(lone), 0)
    for c in classes[counts < 2]:
        again = np.concatenate([again, np.repeat(np.flatnonzero(y == c), counts.max() - 1)])
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
