"""Rare categories: whether they occur, and how often compared with real rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genmodels.metrics.groups.representation import share_ratio
from genmodels.metrics.intervals import Interval
from genmodels.metrics.tables.views import TableView

__all__ = ["Least", "Levels", "expected_recall", "least_represented", "level_counts", "rare_levels"]


@dataclass(frozen=True, eq=False)
class Levels:
    """Categories of all discrete columns, one after the other; missing is not one.

    Args:
        columns: discrete column of each of the L categories, shape (L,).
        codes: its code in that column, shape (L,).
    """

    columns: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.columns)

    def counts(self, view: TableView) -> np.ndarray:
        """Rows that have each category, shape (L,), int64."""
        out = np.zeros(len(self), dtype=np.int64)
        for q in np.unique(self.columns):
            here = self.columns == q
            size = max(int(view.sizes()[q]), int(self.codes[here].max()) + 1)
            out[here] = np.bincount(view.codes[:, q], minlength=size)[self.codes[here]]
        return out

    def choose(self, kept: np.ndarray) -> Levels:
        return Levels(self.columns[kept], self.codes[kept])


def level_counts(view: TableView) -> tuple[Levels, np.ndarray]:
    """The categories that occur in a view, and how many rows have each, shape (L,)."""
    columns, codes, counts = [np.zeros(0, int)], [np.zeros(0, int)], [np.zeros(0, int)]
    for q, size in enumerate(view.sizes()):
        found = np.bincount(view.codes[:, q], minlength=size)
        found[0] = 0
        present = np.flatnonzero(found)
        columns.append(np.full(len(present), q))
        codes.append(present)
        counts.append(found[present])
    joined = Levels(np.concatenate(columns), np.concatenate(codes))
    return joined, np.concatenate(counts)


def rare_levels(train: TableView, reference: TableView, *, share: float) -> Levels:
    """Categories that the reference has and fewer than `share` of the training rows have."""
    levels, _ = level_counts(reference)
    return levels.choose(levels.counts(train) < share * len(train))


def expected_recall(counts: np.ndarray, rows: int, n: int) -> float:
    """Share of categories that n rows of the same distribution should have; 1 when there are none.

    mean over categories of 1 - (1 - p)^n, p = count / rows

    Args:
        counts: rows of a large real sample that have each category, shape (L,).
        rows: of that sample.
        n: rows drawn.
    """
    if not len(counts):
        return 1.0
    return float((1.0 - (1.0 - counts / max(1, rows)) ** n).mean())


@dataclass(frozen=True)
class Least:
    """The group of rows that is surely the most under-represented.

    Args:
        at_most: upper end of the interval of its share, relative to real rows, cut at 1: what can
            be said for certain.
        interval: of that ratio, at 95 % for all groups together.
        group: its number.
    """

    at_most: float
    interval: Interval
    group: int


def least_represented(real: np.ndarray, n_real: int, made: np.ndarray, n: int) -> Least:
    """Find the group whose ratio of shares (made / n) / (real / n_real) has the least upper end.

    The upper end, not the ratio: the least of many ratios is small by chance alone, so that no
    real sample would reach 1.

    Args:
        real: real rows in each of G groups, all at least 1, shape (G,).
        n_real: real rows in all.
        made: rows of the other data set in each group, shape (G,).
        n: its rows in all.
    """
    found = [
        share_ratio(int(x), n, int(y), n_real, of=len(real))[1]
        for x, y in zip(made, real, strict=True)
    ]
    worst = min(range(len(found)), key=lambda g: found[g][1])
    low, high = min(1.0, found[worst][0]), min(1.0, found[worst][1])
    return Least(high, (low, high), worst)
