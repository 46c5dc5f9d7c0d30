"""How rows with gaps and category codes become the inputs of a learner; fitted on its rows."""

from __future__ import annotations

from typing import Protocol, final

import numpy as np

__all__ = ["Design", "Whole", "Wide"]

LEVELS, RARE = 50, 5
"""One-hot features per category at most, and the rows that a level must have."""

MOST = 250
"""Levels of a category that trees tell apart."""

FAR = 10.0
"""Standardised numbers are cut here: one wild value must not move a linear model."""


class Design(Protocol):
    """Turns rows into a learner's inputs."""

    def fit(self, x: np.ndarray) -> Design:
        """Look at the rows to learn from, shape (N, F)."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Inputs of each row, shape (N, D)."""


@final
class Whole:
    """All features as they are, for trees; those that are missing in every row become 0.

    The rare levels of a category with more than 250 count as missing: histogram gradient boosting
    allows no more than 255.

    Args:
        single: the learner counts in float32, which holds no number beyond 3e38.
        categorical: which features are category codes, bool (F,); None for none that have so many.
    """

    def __init__(self, *, single: bool, categorical: np.ndarray | None = None) -> None:
        self.codes = np.zeros(0, int) if categorical is None else np.flatnonzero(categorical)
        self.limit = 1e37 if single else 1e150

    def fit(self, x: np.ndarray) -> Whole:
        self.empty = np.isnan(x).all(0)
        self.kept: dict[int, np.ndarray] = {}
        for f in self.codes:
            levels, counts = np.unique(x[:, f], return_counts=True)
            if len(levels) > MOST:
                self.kept[int(f)] = levels[np.argsort(-counts, kind="stable")[:MOST]]
        return self

    def __call__(self, x: np.ndarray) -> np.ndarray:
        out = np.clip(x, -self.limit, self.limit)
        out[:, self.empty] = 0.0
        for f, levels in self.kept.items():
            out[~np.isin(x[:, f], levels), f] = np.nan
        return out


@final
class Wide:
    """Standardised numbers, a mark for each missing one, and one-hot frequent categories.

    Rare and unseen categories are 0 in every one-hot feature.

    Args:
        categorical: which features are category codes, bool (F,).
    """

    def __init__(self, categorical: np.ndarray) -> None:
        self.categorical = categorical

    def fit(self, x: np.ndarray) -> Wide:
        numbers = np.clip(x[:, ~self.categorical], -1e150, 1e150)
        present = ~np.isnan(numbers)
        self.gaps = (~present).any(0)
        # Places and sizes of the bulk: the outermost thousandths would set them otherwise.
        width = numbers.shape[1]
        self.low, self.high = np.zeros(width), np.zeros(width)
        self.centre, self.scale = np.zeros(width), np.ones(width)
        for f in np.flatnonzero(present.any(0)):
            known = numbers[present[:, f], f]
            self.low[f], self.high[f] = np.quantile(known, [0.001, 0.999])
            bulk = np.clip(known, self.low[f], self.high[f])
            self.centre[f] = bulk.mean()
            self.scale[f] = bulk.std() or 1.0
        self.levels = [_frequent(codes) for codes in x[:, self.categorical].T]
        return self

    def __call__(self, x: np.ndarray) -> np.ndarray:
        numbers = np.clip(x[:, ~self.categorical], -1e150, 1e150)
        z = np.clip((numbers - self.centre) / self.scale, -FAR, FAR)
        parts = [np.nan_to_num(z, nan=0.0), np.isnan(numbers[:, self.gaps]).astype(np.float64)]
        for codes, levels in zip(x[:, self.categorical].T, self.levels, strict=True):
            parts.append((codes[:, None] == levels).astype(np.float64))
        return np.concatenate(parts, axis=1)


def _frequent(codes: np.ndarray) -> np.ndarray:
    """The commonest codes that are not rare, shape (L,)."""
    levels, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:LEVELS]
    return levels[order[counts[order] >= min(RARE, len(codes))]]
