"""Whether rows are extreme as often, as far and in as many columns at once as real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genmodels.metrics.tables.views import TableView

__all__ = ["TAILS", "Tails", "fit_tails", "log_ratios", "range_shares"]

TAILS = (0.005, 0.01, 0.99, 0.995)
MIN_EXPECTED = 5


@dataclass(frozen=True, eq=False)
class Tails:
    """Thresholds beyond which a value is extreme.

    Args:
        columns: numeric column of each of the T tails, shape (T,).
        upper: whether the tail lies above its threshold, shape (T,).
        levels: probability of the quantile that is the threshold, shape (T,).
        thresholds: shape (T,), in the unit of the column.
        shares: share of the present training values beyond it, shape (T,).
    """

    columns: np.ndarray
    upper: np.ndarray
    levels: np.ndarray
    thresholds: np.ndarray
    shares: np.ndarray

    def __len__(self) -> int:
        return len(self.columns)

    def beyond(self, view: TableView) -> np.ndarray:
        """Whether each value lies beyond each threshold, bool, shape (N, T); missing never does."""
        values = view.numbers[:, self.columns]
        return np.where(self.upper, values > self.thresholds, values < self.thresholds)

    def counts(self, view: TableView) -> np.ndarray:
        """Rows beyond each threshold, shape (T,)."""
        return self.beyond(view).sum(0)

    def choose(self, kept: np.ndarray) -> Tails:
        return Tails(
            self.columns[kept],
            self.upper[kept],
            self.levels[kept],
            self.thresholds[kept],
            self.shares[kept],
        )

    def extreme(self, view: TableView, columns: int) -> np.ndarray:
        """Whether each row is beyond a threshold in at least so many columns, bool, shape (N,)."""
        beyond = self.beyond(view)
        hit = np.zeros((len(view), int(self.columns.max(initial=-1)) + 1), dtype=bool)
        for t, c in enumerate(self.columns):
            hit[:, c] |= beyond[:, t]
        return hit.sum(1) >= columns


def fit_tails(
    view: TableView, n: int, *, levels: Sequence[float] = TAILS, min_expected: float = MIN_EXPECTED
) -> Tails:
    """Thresholds at quantiles of the given (training) rows.

    A tail that fewer than `min_expected` of n training rows would lie in is left out: nothing can
    be said about it, and where a mass point is the quantile there may be nothing beyond it.

    Args:
        view: rows to take quantiles of.
        n: rows that will be counted.
        levels: probabilities; above 1/2 the tail is the upper one.
        min_expected: rows that must be expected beyond the threshold.
    """
    found = []
    for f in range(len(view.numeric)):
        known = view.numbers[:, f]
        known = known[~np.isnan(known)]
        if not len(known):
            continue
        for level in levels:
            threshold = float(np.quantile(known, level, method="inverted_cdf"))
            upper = level > 0.5
            share = float(((known > threshold) if upper else (known < threshold)).mean())
            expected = share * n * len(known) / len(view)
            if expected >= min_expected:
                found.append((f, upper, level, threshold, share))
    columns = list(zip(*found, strict=True)) if found else [()] * 5
    kinds = (np.int64, bool, np.float64, np.float64, np.float64)
    return Tails(*(np.array(c, dtype=k) for c, k in zip(columns, kinds, strict=True)))


def log_ratios(tails: Tails, reference: TableView, other: TableView) -> np.ndarray:
    """Logarithm of how much oftener `other` is beyond each threshold than `reference`; shape (T,).

    log[(a + 1/2) / (n + 1)] - log[(b + 1/2) / (m + 1)], a of n rows and b of m rows beyond. The
    half keeps an empty tail finite; its bias cancels where n = m.

    References:
        Haldane, The estimation and significance of the logarithm of a ratio of frequencies,
        Annals of Human Genetics 1956.
    """
    shares = [np.log((tails.counts(v) + 0.5) / (len(v) + 1)) for v in (other, reference)]
    return shares[0] - shares[1]


def range_shares(reference: TableView, other: TableView) -> np.ndarray:
    """Share of each numeric column's reference range that the range of `other` covers; shape (F,).

    |[min x, max x] and [min y, max y]| / (max x - min x). NaN where the reference has fewer than
    two values, 0 where `other` has none.
    """
    out = np.full(len(reference.numeric), np.nan)
    for f in range(len(out)):
        sides = [v.numbers[:, f][~np.isnan(v.numbers[:, f])] for v in (reference, other)]
        if not len(sides[0]) or sides[0].min() == sides[0].max():
            continue
        # Halves, so that a range from -1e308 to 1e308 does not overflow.
        low, high = float(sides[0].min()) / 2, float(sides[0].max()) / 2
        if not len(sides[1]):
            out[f] = 0.0
            continue
        inner = min(high, float(sides[1].max()) / 2) - max(low, float(sides[1].min()) / 2)
        out[f] = max(0.0, inner / (high - low))
    return out
