"""How numbers are written: decimals, round values and values that occur again and again.

People round, instruments have a finest step, and zero often means "none". A smooth generator
loses all of that, and any tree sees it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genmodels.metrics.tables.marginals import total_variation

__all__ = ["DIGITS", "Grid", "decimal_digits", "find_grid", "grid_share", "point_mass_error"]

DIGITS = 8
"""More decimals than this count as full precision."""
STEPS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 10_000, 100_000)
EXACT = 1e15
"""Beyond it the spacing of float64 makes the question of decimals pointless."""


def decimal_digits(values: np.ndarray) -> np.ndarray:
    """Decimals that each value needs, at most `DIGITS`: 3.25 needs two.

    Rounding errors of float64 arithmetic are forgiven: 0.1 + 0.2 needs one.

    Args:
        values: shape (N,); NaN values are left out.

    Returns:
        Shape (M,), M <= N.
    """
    known = np.abs(values[~np.isnan(values)])
    out = np.full(len(known), DIGITS)
    open_rows = np.arange(len(known))
    for digits in range(DIGITS):
        x = np.where(known[open_rows] < EXACT, known[open_rows], 0.0) * 10.0**digits
        done = np.abs(x - np.rint(x)) <= 1e-12 + 1e-14 * x
        out[open_rows[done]] = digits
        open_rows = open_rows[~done]
    return out


@dataclass(frozen=True)
class Grid:
    """Round values of a column: multiples of `step` are `excess` more frequent than chance."""

    step: float
    excess: float


def find_grid(values: np.ndarray, *, least: float = 0.1) -> Grid | None:
    """The step whose multiples are most over-represented among real values, or None.

    Chance is the share that multiples of `step` have among the multiples of the finest step
    that 95 % of the values obey: step 5 on whole numbers expects one in five. Zeros are left
    out: they are multiples of everything.

    Args:
        values: real ones, shape (N,); NaN values are left out.
        least: smallest excess that counts.
    """
    known = values[~np.isnan(values) & (values != 0)]
    if len(np.unique(known)) < 10:
        return None
    finest = 10.0 ** -float(np.quantile(decimal_digits(known), 0.95, method="lower"))
    span = float(known.max()) - float(known.min())
    best: Grid | None = None
    for step in STEPS:
        # Fewer than five multiples in the range are point masses, not a grid.
        if step <= finest * 1.5 or span < 5 * step:
            continue
        excess = grid_share(known, step) - finest / step
        if excess >= least and (best is None or excess > best.excess):
            best = Grid(step, excess)
    return best


def grid_share(values: np.ndarray, step: float) -> float:
    """Share of multiples of `step` among the present values but zeros; 0 when there is none."""
    x = np.abs(values[~np.isnan(values) & (values != 0)])
    if not len(x):
        return 0.0
    x = np.where(x < EXACT * step, x / step, 0.5)
    return float((np.abs(x - np.rint(x)) <= 1e-9 + 1e-14 * x).mean())


def point_mass_error(
    reference: np.ndarray, other: np.ndarray, *, top: int = 20, least: float = 0.01
) -> float | None:
    """Total variation distance over the most frequent exact values, all others being one class.

    Args:
        reference: real values, shape (N,); NaN values are left out.
        other: values to judge, shape (M,).
        top: at most this many values of each side are looked at.
        least: share that a value needs on its side.

    Returns:
        In [0, 1], 0 is best; None where neither side has a value that frequent.
    """
    a, b = reference[~np.isnan(reference)], other[~np.isnan(other)]
    frequent = np.union1d(_frequent(a, top, least), _frequent(b, top, least))
    if not len(frequent):
        return None
    return total_variation(_place(a, frequent), _place(b, frequent), len(frequent) + 1)


def _frequent(values: np.ndarray, top: int, least: float) -> np.ndarray:
    found, counts = np.unique(values, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:top]
    return found[order[counts[order] >= max(least * len(values), 3)]]


def _place(values: np.ndarray, frequent: np.ndarray) -> np.ndarray:
    """Position of each value among the frequent ones, or their number."""
    at = np.minimum(np.searchsorted(frequent, values), len(frequent) - 1)
    return np.where(frequent[at] == values, at, len(frequent)).astype(np.int64)
