"""How far each column's own distribution is off, whatever the other columns do.

Shape errors are the complements of the published "column shapes": the Kolmogorov-Smirnov
statistic for numbers, the total variation distance for categories. Blind to dependence.
"""

from __future__ import annotations

import numpy as np

from genmodels.metrics.tables.views import TableView

__all__ = ["ks_statistic", "level_coverage", "missing_errors", "shape_errors", "total_variation"]


def ks_statistic(a: np.ndarray, b: np.ndarray) -> float:
    """Two-sample Kolmogorov-Smirnov statistic, sup_x |F_a(x) - F_b(x)|; NaNs are left out.

    Args:
        a: shape (N,), any unit.
        b: shape (M,), the same unit.

    Returns:
        In [0, 1]; 0 when both samples are empty, 1 when exactly one is.
    """
    a, b = np.sort(a[~np.isnan(a)]), np.sort(b[~np.isnan(b)])
    if not len(a) or not len(b):
        return 0.0 if len(a) == len(b) else 1.0
    points = np.concatenate([a, b])
    below_a = np.searchsorted(a, points, side="right") / len(a)
    below_b = np.searchsorted(b, points, side="right") / len(b)
    return float(np.abs(below_a - below_b).max())


def total_variation(a: np.ndarray, b: np.ndarray, size: int) -> float:
    """Total variation distance of two samples of codes, 1/2 sum_k |p_k - q_k|.

    Args:
        a: codes in [0, size), shape (N,).
        b: codes in [0, size), shape (M,).
        size: number of codes.

    Returns:
        In [0, 1]; 0 when both samples are empty, 1 when exactly one is.
    """
    if not len(a) or not len(b):
        return 0.0 if len(a) == len(b) else 1.0
    p = np.bincount(a, minlength=size) / len(a)
    q = np.bincount(b, minlength=size) / len(b)
    return float(0.5 * np.abs(p - q).sum())


def shape_errors(a: TableView, b: TableView) -> np.ndarray:
    """Shape error of each column in the order of `names`; missing is one of the categories.

    Returns:
        In [0, 1], 0 is best; shape (F + Q,).
    """
    numbers = [ks_statistic(a.numbers[:, f], b.numbers[:, f]) for f in range(len(a.numeric))]
    sizes = a.sizes()
    codes = [total_variation(a.codes[:, q], b.codes[:, q], sizes[q]) for q in range(len(sizes))]
    return np.array(numbers + codes)


def missing_errors(a: TableView, b: TableView) -> np.ndarray:
    """|difference of the share of missing values| of each column; shape (F + Q,)."""
    return np.abs(a.missing() - b.missing())


def level_coverage(reference: TableView, other: TableView) -> tuple[float, int]:
    """Share of the categories of `reference` that occur in `other`, and how many there are.

    All discrete columns are pooled, missing is not a category.
    """
    found = total = 0
    for q in range(len(reference.discrete)):
        wanted = np.setdiff1d(np.unique(reference.codes[:, q]), [0])
        total += len(wanted)
        found += int(np.isin(wanted, other.codes[:, q]).sum())
    return (found / total if total else 1.0), total
