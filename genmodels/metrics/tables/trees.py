"""Table views as inputs of scikit-learn's histogram gradient boosting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genmodels.metrics.tables.views import TableView

__all__ = ["TreeFeatures"]

LEVELS = 250
"""Levels kept per category; histogram gradient boosting allows 255."""


@dataclass(frozen=True, eq=False)
class TreeFeatures:
    """Numbers as they are, categories as codes: frequent levels keep one, rare ones share one.

    Args:
        numeric: positions of the numeric columns used.
        discrete: positions of the discrete columns used.
        maps: new code by old code, one per column in `discrete`.
    """

    numeric: tuple[int, ...]
    discrete: tuple[int, ...]
    maps: tuple[np.ndarray, ...]

    @classmethod
    def fit(cls, view: TableView, *, without: str | None = None) -> TreeFeatures:
        """Choose the columns and the frequent levels.

        Args:
            view: rows that decide which levels are frequent.
            without: a column to leave out (the target).
        """
        numeric = tuple(i for i, name in enumerate(view.numeric) if name != without)
        discrete = tuple(i for i, name in enumerate(view.discrete) if name != without)
        sizes = view.sizes()
        maps = tuple(_frequent(view.codes[:, q], int(sizes[q])) for q in discrete)
        return cls(numeric, discrete, maps)

    @property
    def categorical(self) -> np.ndarray:
        """Which features are categories, bool (F,)."""
        return np.array([False] * len(self.numeric) + [True] * len(self.discrete), dtype=bool)

    def names(self, view: TableView) -> list[str]:
        return [view.numeric[i] for i in self.numeric] + [view.discrete[q] for q in self.discrete]

    def __call__(self, view: TableView) -> np.ndarray:
        """Features of each row, float64 (N, F)."""
        codes = [m[view.codes[:, q]] for q, m in zip(self.discrete, self.maps, strict=True)]
        return np.column_stack(
            [view.numbers[:, list(self.numeric)], *[c.astype(np.float64) for c in codes]]
        )


def _frequent(codes: np.ndarray, size: int) -> np.ndarray:
    """Old code -> new code below LEVELS + 2: missing keeps 0, rare levels share 1."""
    counts = np.bincount(codes, minlength=size)
    counts[0] = 0
    kept = np.argsort(-counts, kind="stable")[:LEVELS]
    kept = np.sort(kept[counts[kept] > 0])
    out = np.ones(size, dtype=np.int64)
    out[0] = 0
    out[kept] = np.arange(len(kept)) + 2
    return out
