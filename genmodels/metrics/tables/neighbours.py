"""Exact nearest neighbours of rows under Gower's distance, in blocks of bounded memory.

What a distance means is not decided here, and none of it says anything about privacy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genmodels.metrics.tables.views import TableView

__all__ = ["Scale", "count_within", "gower_scale", "neighbours", "tie"]

FAR, MISSING = 1e6, 4e6  # beyond a range; any two of them and a value in it differ by more than 1
ONE_HOT = 40  # a category with more shared levels is cheaper to compare than to multiply
ROWS, BANK = 256, 2048  # of one block of distances: it should stay in the cache


@dataclass(frozen=True, eq=False)
class Scale:
    """What a unit of each numeric column is.

    Args:
        low: smallest value of each numeric column, shape (F,), float64.
        high: largest value, shape (F,).
    """

    low: np.ndarray
    high: np.ndarray

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers (N, F) in units of the range, float32; missing lies far from every value."""
        # Halves, so that a range from -1e308 to 1e308 does not overflow.
        span = self.high / 2 - self.low / 2
        with np.errstate(over="ignore"):
            scaled = (numbers / 2 - self.low / 2) / np.where(span > 0, span, 0.5)
        return np.where(np.isnan(scaled), MISSING, np.clip(scaled, -FAR, FAR)).astype(np.float32)


def gower_scale(*views: TableView) -> Scale:
    """The range of each numeric column over all rows of the given views."""
    both = np.concatenate([view.numbers for view in views])
    low = np.where(np.isnan(both), np.inf, both).min(0, initial=np.inf)
    high = np.where(np.isnan(both), -np.inf, both).max(0, initial=-np.inf)
    known = high >= low
    return Scale(np.where(known, low, 0.0), np.where(known, high, 0.0))


def tie(view: TableView) -> float:
    """Distances that differ by no more than this are equal: float32 sums are not exact."""
    return 1e-6 * max(1, len(view.names))


def neighbours(
    rows: TableView, bank: TableView, scale: Scale, k: int, *, exclude_self: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The k rows of `bank` that are nearest to each of `rows`.

    d(x, y) = sum over numbers of min(1, |x - y| / range) + sum over categories of 1(x != y), where
    missing against missing is 0 and missing against a value is 1.

    Args:
        rows: N rows.
        bank: M rows of the same columns and vocabulary.
        scale: from `gower_scale`.
        k: neighbours, at least 1.
        exclude_self: leave the row of the same number out; for `rows` that are the bank. Equal
            rows of other numbers stay.

    Returns:
        Distances, shape (N, k), float32, ascending, and row numbers in the bank, shape (N, k),
        int64. Among equal distances the lower number comes first. Where the bank has fewer than
        k rows to offer, the rest is inf and -1.

    References:
        Gower, A general coefficient of similarity and some of its properties, Biometrics 1971.
    """
    assert k >= 1
    best = np.full((len(rows), k), np.inf, dtype=np.float32)
    index = np.full((len(rows), k), -1, dtype=np.int64)
    mine, theirs, joined = _encoded(rows, bank, scale)
    for start in range(0, len(bank), BANK):
        stop = min(start + BANK, len(bank))
        hot = _one_hot(bank.codes[start:stop], joined)
        part = theirs[:, start:stop]
        for first in range(0, len(rows), ROWS):
            block = slice(first, min(first + ROWS, len(rows)))
            distance = _distances(
                mine[:, block], _one_hot(rows.codes[block], joined), part, hot, len(joined)
            )
            if exclude_self:
                same = np.arange(max(start, first), min(stop, block.stop))
                distance[same - first, same - start] = np.inf
            _merge(best[block], index[block], distance, start)
    return best, index


def _encoded(
    rows: TableView, bank: TableView, scale: Scale
) -> tuple[np.ndarray, np.ndarray, list[tuple[int, np.ndarray]]]:
    """Columns to compare one by one, (F', N) and (F', M), and those to multiply as one-hot codes.

    The latter are (column, place of each code), place -1 for what only one side has: it matches
    nothing.
    """
    mine, theirs, joined, offset = [], [], [], 0
    for q, size in enumerate(rows.sizes()):
        sides = [np.bincount(v.codes[:, q], minlength=size) > 0 for v in (rows, bank)]
        shared = np.flatnonzero(sides[0] & sides[1])
        if len(shared) > ONE_HOT:
            # Codes differ by at least 1, and the clipped difference is then the mismatch.
            mine.append(rows.codes[:, q].astype(np.float32))
            theirs.append(bank.codes[:, q].astype(np.float32))
            continue
        place = np.full(size, -1)
        place[shared] = offset + np.arange(len(shared))
        offset += len(shared)
        joined.append((q, place))
    # Mismatches come first: sums of whole numbers are exact whatever the way to count them.
    columns = [*mine, *scale(rows.numbers).T], [*theirs, *scale(bank.numbers).T]
    count, kind = len(columns[0]), np.float32
    numbers = np.array(columns[0], dtype=kind).reshape(count, len(rows))
    return numbers, np.array(columns[1], dtype=kind).reshape(count, len(bank)), joined


def _one_hot(codes: np.ndarray, joined: list[tuple[int, np.ndarray]]) -> np.ndarray:
    """Float32 indicators, shape (N, K), of the shared levels."""
    width = 1 + max((int(place.max(initial=-1)) for _, place in joined), default=-1)
    out = np.zeros((len(codes), width + 1), dtype=np.float32)  # the last one takes what is -1
    for q, place in joined:
        out[np.arange(len(codes)), place[codes[:, q]]] = 1.0
    return out[:, :width]


def _distances(
    mine: np.ndarray, my_hot: np.ndarray, theirs: np.ndarray, their_hot: np.ndarray, count: int
) -> np.ndarray:
    """Gower distances (n, m), float32, of columns (F, n), (F, m) and `count` one-hot others."""
    total = my_hot @ their_hot.T
    np.subtract(np.float32(count), total, out=total)
    gap = np.empty_like(total)
    for x, y in zip(mine, theirs, strict=True):
        np.subtract(x[:, None], y[None, :], out=gap)
        np.abs(gap, out=gap)
        low, high = min(x.min(), y.min()), max(x.max(), y.max())
        if high - low > 1.0:
            np.minimum(gap, np.float32(1.0), out=gap)
        total += gap
    return total


def _merge(best: np.ndarray, index: np.ndarray, distance: np.ndarray, start: int) -> None:
    """Put the k smallest of a block into the k smallest so far, in place; spoils `distance`."""
    k, m = best.shape[1], distance.shape[1]
    near = distance.min(1) < best[:, -1]
    if not near.any():
        return
    rows = np.flatnonzero(near)
    if k <= 8:
        found, value = _by_minima(distance, rows, min(k, m))
    else:
        found, value = _by_sorting(distance[rows], min(k, m))
    values = np.concatenate([best[rows], value], 1)
    numbers = np.concatenate([index[rows], np.where(np.isinf(value), -1, found + start)], 1)
    order = np.argsort(values, 1, kind="stable")[:, :k]  # what came earlier wins a tie
    best[rows] = np.take_along_axis(values, order, 1)
    index[rows] = np.take_along_axis(numbers, order, 1)


def _by_minima(distance: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Places and values (n, k) of the smallest entries of some rows, one after the other."""
    if len(rows) < len(distance):
        distance = distance[rows]
    lines = np.arange(len(distance))
    found, value = np.empty((len(rows), k), np.int64), np.empty((len(rows), k), np.float32)
    for j in range(k):
        found[:, j] = distance.argmin(1)
        value[:, j] = distance[lines, found[:, j]]
        distance[lines, found[:, j]] = np.inf
    return found, value


def _by_sorting(distance: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The same for many neighbours: everything up to the k-th value, sorted with its place."""
    limit = np.partition(distance, k - 1, axis=1)[:, k - 1, None]
    line, place = np.nonzero(distance <= limit)
    value = distance[line, place]
    order = np.lexsort((place, value, line))
    line, place, value = line[order], place[order], value[order]
    first = np.searchsorted(line, np.arange(len(distance)))
    chosen = first[:, None] + np.arange(k)
    return place[chosen], value[chosen]


def count_within(rows: TableView, bank: TableView, scale: Scale, radius: np.ndarray) -> np.ndarray:
    """How many rows of `bank` lie within a distance of each of `rows`.

    Args:
        rows: N rows.
        bank: M rows.
        scale: from `gower_scale`.
        radius: greatest distance that counts, shape (N,).

    Returns:
        Counts, shape (N,), int64.
    """
    out = np.zeros(len(rows), dtype=np.int64)
    mine, theirs, joined = _encoded(rows, bank, scale)
    for start in range(0, len(bank), BANK):
        hot = _one_hot(bank.codes[start : start + BANK], joined)
        part = theirs[:, start : start + BANK]
        for first in range(0, len(rows), ROWS):
            block = slice(first, first + ROWS)
            probe = _one_hot(rows.codes[block], joined)
            distance = _distances(mine[:, block], probe, part, hot, len(joined))
            out[block] += (distance <= radius[block, None]).sum(1)
    return out
