"""Affine maps of two columns, such as minutes of the day = 60 hours + minutes: proposals.

Which three columns may lie on a plane is read from the correlations of some rows; the factors are
least squares over all rows, cut to few digits. Whether the plane holds is not checked here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

__all__ = ["plane", "triples"]

_APART = 1e-6  # of a squared correlation from 1: below it two columns are as good as one
_EXACT = 1e-9  # share of a column's variance that the others may leave, by rounding of float64
_DIGITS = 6  # significant digits of a factor, at most


def triples(samples: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Columns p < q and j of which the third may be an affine map of the first two.

    With the correlations r of the samples, the variance of j that p and q leave is
    1 - (r_pj^2 + r_qj^2 - 2 r_pj r_qj r_pq) / (1 - r_pq^2). Three columns that are affine maps
    of each other in pairs are left out, and so are columns that do not vary.

    Args:
        samples: rows of all columns, shape (S, K).
    """
    centred = samples - samples.mean(0)
    norms = np.sqrt((centred**2).sum(0))
    varied = norms > 0.0
    centred[:, varied] /= norms[varied]
    r = centred.T @ centred
    alone = (r**2 > 1.0 - _APART) | ~varied | ~varied[:, None]
    for p in range(len(r)):
        for q in range(p + 1, len(r)):
            if alone[p, q]:
                continue
            told = (r[p] ** 2 + r[q] ** 2 - 2.0 * r[p] * r[q] * r[p, q]) / (1.0 - r[p, q] ** 2)
            for j in np.flatnonzero((told > 1.0 - _EXACT) & ~alone[p] & ~alone[q]).tolist():
                if j not in (p, q):
                    yield p, q, j


def plane(y: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[float, float] | None:
    """The factors a and b of y = a first + b second + constant, or None where they need too many
    digits.

    Args:
        y, first, second: columns (N,) without missing values.
    """
    x = np.stack([first - first.mean(), second - second.mean()], axis=1)
    scale = np.abs(x).max(0)
    if not scale.all():
        return None
    solved = np.linalg.lstsq(x / scale, y - y.mean(), rcond=None)[0] / scale
    short = tuple(float(f"{factor:.{_DIGITS}g}") for factor in solved)
    near = np.abs(np.subtract(short, solved)) <= _EXACT * np.abs(solved)
    return (short[0], short[1]) if near.all() and all(short) else None
