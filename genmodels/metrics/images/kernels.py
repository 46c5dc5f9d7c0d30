"""Kernel distance between two sets of feature vectors, and nearest vectors.

The distance is as good as the features. It is called KID only with those of Inception.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from genmodels.metrics.intervals import Interval, jackknife, mean_interval
from genmodels.metrics.manifold import squared_distances

__all__ = ["kernel_distance", "kernel_distance_interval", "kernel_distances", "nearest"]


def kernel_distance(
    a: np.ndarray, b: np.ndarray, *, subset: int = 1000, repeats: int = 100, seed: int = 0
) -> float:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / D + 1)^3.

    Args:
        a: shape (N, D), N at least 2.
        b: shape (M, D), M at least 2.
        subset: rows a side of one estimate.
        repeats: number of estimates, averaged; one is enough when everything fits in it.
        seed: of the subsets.

    Returns:
        About 0 (it may be slightly negative) for equal distributions.

    References:
        Binkowski et al., Demystifying MMD GANs, ICLR 2018, eq. 4 and section 4.
    """
    return kernel_distances(a, [b], subset=subset, repeats=repeats, seed=seed)[0]


def kernel_distances(
    a: np.ndarray,
    others: Sequence[np.ndarray],
    *,
    subset: int = 1000,
    repeats: int = 100,
    seed: int = 0,
) -> list[float]:
    """`kernel_distance` of several sets from one, which costs less than one by one.

    Args:
        a: shape (N, D).
        others: each (M, D).
        subset: see `kernel_distance`; so are repeats and seed.
    """
    rng = np.random.default_rng([seed, 7])
    if max(len(a), *map(len, others)) <= subset:
        repeats = 1
    found = np.empty((repeats, len(others)))
    for line in found:
        x = a[rng.permutation(len(a))[:subset]].astype(np.float64)
        within = _within(x)
        for k, b in enumerate(others):
            y = b[rng.permutation(len(b))[:subset]].astype(np.float64)
            line[k] = within + _within(y) - 2 * float(_kernel(x, y).mean())
    return found.mean(0).tolist()


def kernel_distance_interval(
    a: np.ndarray, b: np.ndarray, value: float, *, blocks: int = 10, subset: int = 1000
) -> Interval | None:
    """95 % interval of `kernel_distance`.

    Up to twice `subset` rows by the delete-a-group jackknife; beyond from disjoint, hence
    independent, blocks of rows: value -+ t_{B-1} s / sqrt(B), s the deviation of the distances of
    B blocks, which is on the safe side, since subsets that overlap use the rows better.

    Args:
        a: shape (N, D), in random order.
        b: shape (M, D), in random order.
        value: from `kernel_distance`.
        blocks: B, or more so that none has more than `subset` rows; groups of the jackknife.
        subset: rows of one estimate.

    Returns:
        None with fewer than 10 rows a side.

    References:
        Zaremba, Gretton and Blaschko, B-tests: low variance kernel two-sample tests, NeurIPS
        2013, section 3.
    """
    n = min(len(a), len(b))
    if n < 10:
        return None
    if n <= 2 * subset:
        return jackknife(
            value, lambda kept: _discrepancy(a[kept], b[kept]), n, groups=blocks, low=-math.inf
        )
    blocks = max(blocks, -(-n // subset))
    found = [_discrepancy(a[k:n:blocks], b[k:n:blocks]) for k in range(blocks)]
    low, high = mean_interval(found) or (0.0, 0.0)
    return value - (high - low) / 2, value + (high - low) / 2


def _discrepancy(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x.astype(np.float64), y.astype(np.float64)
    return _within(x) + _within(y) - 2 * float(_kernel(x, y).mean())


def _within(x: np.ndarray) -> float:
    """Mean of the kernel over pairs of different rows."""
    values = _kernel(x, x)
    return float(values.sum() - np.trace(values)) / (len(x) * (len(x) - 1))


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    inner = x @ y.T
    inner /= x.shape[1]
    inner += 1.0
    cubed = inner * inner
    cubed *= inner
    return cubed


def nearest(
    rows: np.ndarray, bank: np.ndarray, *, but: np.ndarray | None = None, block: int = 4096
) -> np.ndarray:
    """Index of the nearest row of `bank` and the distance to it.

    Args:
        rows: shape (N, D).
        bank: shape (M, D), any dtype; read in blocks.
        but: number in the bank that each row may not have, shape (N,); outside of it means none.
        block: rows of the bank at a time.

    Returns:
        Shape (N, 2): index and Euclidean distance.
    """
    best = np.full((len(rows), 2), np.inf)
    mine = rows.astype(np.float32)
    size = (mine**2).sum(1)
    for start in range(0, len(bank), block):
        part = bank[start : start + block]
        distance = squared_distances(mine, part.astype(np.float32))
        if but is not None:
            here = np.flatnonzero((but >= start) & (but < start + len(part)))
            distance[here, but[here] - start] = np.inf
        index = distance.argmin(1)
        value = distance[np.arange(len(rows)), index]
        # The fast formula loses digits near 0, where copies are told from neighbours.
        near = np.flatnonzero((value < 1e-2 * size) & (value < best[:, 1] + 1e-3 * size))
        gap = rows[near].astype(np.float64) - part[index[near]].astype(np.float64)
        value = value.astype(np.float64)
        value[near] = (gap**2).sum(1)
        closer = value < best[:, 1]
        best[closer] = np.column_stack([index + start, value])[closer]
    best[:, 1] = np.sqrt(best[:, 1])
    return best
