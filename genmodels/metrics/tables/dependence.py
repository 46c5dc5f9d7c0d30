"""How far the dependence between two columns is off, for every pair of columns at once.

All contingency tables of a table are one sparse product Z'Z of its one-hot matrix Z, so the cost
is rows x columns^2 whatever the number of levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from genmodels.metrics.tables.views import TableView

__all__ = ["PairErrors", "code_pairs", "correlation", "numeric_codes", "pair_errors"]

BINS = 10


@dataclass(frozen=True, eq=False)
class PairErrors:
    """Error of each pair of columns; `matrix` is symmetric with a NaN diagonal, shape (C, C)."""

    names: tuple[str, ...]
    matrix: np.ndarray

    def mean(self) -> float:
        """Mean over all pairs that are defined; 0 when there is none."""
        upper = self.matrix[np.triu_indices(len(self.names), 1)]
        return float(np.nanmean(upper)) if np.isfinite(upper).any() else 0.0

    def count(self) -> int:
        return int(np.isfinite(self.matrix[np.triu_indices(len(self.names), 1)]).sum())

    def worst(self, count: int) -> list[tuple[str, str, float]]:
        i, j = np.triu_indices(len(self.names), 1)
        values = np.nan_to_num(self.matrix[i, j], nan=-1.0)
        order = np.argsort(-values, kind="stable")[:count]
        return [
            (self.names[i[k]], self.names[j[k]], float(values[k])) for k in order if values[k] >= 0
        ]


def correlation(numbers: np.ndarray) -> np.ndarray:
    """Pearson correlation of each pair of columns over the rows where both are present.

    Args:
        numbers: shape (N, F); NaN = missing.

    Returns:
        Shape (F, F); NaN where fewer than two complete rows or no variance.
    """
    # Centring and scaling first leaves the correlation as it is and keeps float64 exact enough.
    present = ~np.isnan(numbers)
    count = np.maximum(present.sum(0), 1)
    x = np.where(present, numbers, 0.0)
    x = np.where(present, x - x.sum(0) / count, 0.0)
    largest = np.abs(x).max(0, initial=0.0)
    x = x / np.where(largest > 0, largest, 1.0)  # squares of 1e300 overflow
    deviation = np.sqrt((x**2).sum(0) / count)
    x = x / np.where(deviation > 0, deviation, 1.0)
    m = present.astype(np.float64)
    n = m.T @ m
    sums = x.T @ m
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = x.T @ x / n - sums * sums.T / n**2
        variance = (x**2).T @ m / n - (sums / n) ** 2
        variance = np.where(variance > 1e-12, variance, np.nan)
        return np.clip(covariance / np.sqrt(variance * variance.T), -1.0, 1.0)


def numeric_codes(values: np.ndarray, edges_from: np.ndarray) -> np.ndarray:
    """Ten equal-width bins of the range of `edges_from`; 12 is the code of missing.

    Codes 0 and 11 lie below and at or above the range: as published, the maximum itself gets a
    bin of its own.
    """
    known = edges_from[~np.isnan(edges_from)]
    if len(known):
        edges = np.histogram_bin_edges(known, bins=BINS)
        codes = np.digitize(np.nan_to_num(values), edges)
    else:
        codes = np.zeros(len(values), dtype=np.int64)
    return np.where(np.isnan(values), BINS + 2, codes)


def code_pairs(a: np.ndarray, b: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Total variation distance of the two-way contingency tables of all pairs of columns.

    Args:
        a: codes, shape (N, C), column c in [0, sizes[c]).
        b: codes, shape (M, C).
        sizes: number of codes per column, shape (C,).

    Returns:
        Shape (C, C), in [0, 1]; the diagonal holds the columns' own distances.
    """
    if not len(a) or not len(b):
        return np.full((len(sizes), len(sizes)), 0.0 if len(a) == len(b) else 1.0)
    gap = abs(_joint(a, sizes) - _joint(b, sizes)).tocoo()
    owner = np.repeat(np.arange(len(sizes)), sizes)
    cell = owner[gap.row] * len(sizes) + owner[gap.col]
    total = np.bincount(cell, weights=gap.data, minlength=len(sizes) ** 2)
    return 0.5 * total.reshape(len(sizes), len(sizes))


def pair_errors(
    reference: TableView, other: TableView, bins: Literal["shared", "own"]
) -> PairErrors:
    """Pair trend error of every pair of columns.

    |r_a - r_b| / 2 with Pearson's r for two numeric columns; else the total variation distance
    of the contingency table, numbers in ten equal-width bins.

    Args:
        reference: the real table.
        other: the table to judge.
        bins: "own" takes each table's own range for its bins, as behind the published figures:
            one missed extreme then shifts every bin, and gaps in numbers share the bin of the
            maximum. "shared" takes the range of `reference`, gaps have a bin of their own.

    References:
        Column Pair Trends of SDMetrics 0.11.1 ("own"), as used by Zhang et al., Mixed-type tabular
        data synthesis with score-based diffusion in latent space, ICLR 2024.
    """
    f = len(reference.numeric)
    sizes = np.concatenate([np.full(f, BINS + 3), reference.sizes()]).astype(np.int64)
    edges = other if bins == "own" else reference
    codes = [_codes(reference, reference), _codes(other, edges)]
    if bins == "own":
        codes = [np.concatenate([np.minimum(c[:, :f], BINS + 1), c[:, f:]], 1) for c in codes]
    matrix = code_pairs(codes[0], codes[1], sizes)
    real, fake = correlation(reference.numbers), correlation(other.numbers)
    # A column that collapsed to a constant has lost its correlations: that counts as 0, not as
    # a pair that nobody can judge.
    undefined = np.isnan(real) & np.isnan(fake)
    gap = np.abs(np.nan_to_num(real) - np.nan_to_num(fake)) / 2
    matrix[:f, :f] = np.where(undefined, np.nan, gap)
    np.fill_diagonal(matrix, np.nan)
    return PairErrors(reference.names, matrix)


def _codes(view: TableView, edges: TableView) -> np.ndarray:
    binned = [
        numeric_codes(view.numbers[:, f], edges.numbers[:, f]) for f in range(len(view.numeric))
    ]
    return np.concatenate([np.array(binned).reshape(-1, len(view)).T, view.codes], 1).astype(int)


def _joint(codes: np.ndarray, sizes: np.ndarray) -> sparse.csr_matrix:
    """Shares of all pairs of codes: (total, total) with total = sum of sizes."""
    n, c = codes.shape
    start = np.cumsum(sizes) - sizes
    columns = (codes + start).ravel()
    rows = np.arange(0, n * c + 1, c)
    onehot = sparse.csr_matrix((np.ones(n * c), columns, rows), shape=(n, int(sizes.sum())))
    return onehot.T @ onehot / n
