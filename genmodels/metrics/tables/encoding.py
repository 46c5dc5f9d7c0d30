"""Rows of mixed columns as points in Euclidean space, for metrics that compare many distances.

Squared distances of such points are one matrix product, which makes full distance matrices of a
few thousand rows a matter of tenths of a second. Whoever needs exact nearest rows of a large
table, copies above all, takes `neighbours` instead: here numbers are replaced by their ranks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genmodels.metrics.tables.views import TableView

__all__ = ["RowEncoding", "fit_encoding"]

# E(x - y)^2 = 1/6 for two uniform numbers: times 6 a continuous column weighs as much as two
# categories that always differ.
RANK_SCALE = 6.0**0.5
MISMATCH = 0.5**0.5
MAX_LEVELS = 60


@dataclass(frozen=True, eq=False)
class RowEncoding:
    """Numbers become sqrt(6) times their rank, categories one-hot codes that differ by 1.

    Ranks lie in [0, 1] (midranks among the rows of the fit), so that one heavy tail does not
    drown the other columns; missing is the middle rank and an indicator, half a mismatch away from
    every value and half more for the rank on average.

    Args:
        known: sorted values of each numeric column, present ones only.
        lookups: of each discrete column, the place of each code among its indicators.
        width: number of indicators of all discrete columns together.
    """

    known: tuple[np.ndarray, ...]
    lookups: tuple[np.ndarray, ...]
    width: int

    def __call__(self, view: TableView) -> np.ndarray:
        """Points, shape (N, 2 F + width), float32."""
        f = len(self.known)
        out = np.zeros((len(view), 2 * f + self.width), dtype=np.float32)
        for c, known in enumerate(self.known):
            x = view.numbers[:, c]
            gone = np.isnan(x)
            low = np.searchsorted(known, x, side="left")
            rank = (low + np.searchsorted(known, x, side="right")) / (2 * max(1, len(known)))
            out[:, c] = RANK_SCALE * np.where(gone, 0.5, rank)
            out[:, f + c] = MISMATCH * gone
        rows = np.arange(len(view))
        for q, lookup in enumerate(self.lookups):
            # A level that was met after the fit shares the indicator of the infrequent ones.
            padded = np.append(lookup, lookup.max(initial=0))
            place = padded[np.minimum(view.codes[:, q], len(lookup))]
            out[rows, 2 * f + place] = MISMATCH
        return out


def fit_encoding(view: TableView, *, max_levels: int = MAX_LEVELS) -> RowEncoding:
    """Ranks and frequent levels of the given (training) rows.

    Args:
        view: rows to rank among.
        max_levels: levels of a column that get an indicator of their own; the others share one.
    """
    known = tuple(
        np.sort(view.numbers[:, f][~np.isnan(view.numbers[:, f])]) for f in range(len(view.numeric))
    )
    lookups, offset = [], 0
    for q, size in enumerate(view.sizes()):
        counts = np.bincount(view.codes[:, q], minlength=size)
        counts[0] = 0
        order = np.argsort(-counts, kind="stable")
        kept = order[: min(max_levels, int((counts > 0).sum()))]
        lookup = np.full(size, offset + len(kept) + 1, dtype=np.int64)
        lookup[kept] = offset + 1 + np.arange(len(kept))
        lookup[0] = offset
        lookups.append(lookup)
        offset += len(kept) + 2
    return RowEncoding(known, tuple(lookups), offset)
