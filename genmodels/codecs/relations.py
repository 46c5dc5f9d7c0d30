"""Which numeric columns are affine maps of several others: totals of parts, 100 hours + minutes.

Relations are read from some rows: they are the null space of the centred columns. The factors are
least squares over all rows, cut to few digits. Whether a relation holds is not checked here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

__all__ = ["factors", "relations"]

_NOTHING = 1e-9  # of a centred column of length 1: what rounding of float64 leaves
_FOUND = 1e-6  # residual of a small system that has a solution
_MOST = 16  # sources of a column
_DIGITS = 6  # significant digits of a factor, at most


def relations(samples: np.ndarray) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Columns j, each with two or more that it may be an affine map of, none of them needless.

    A relation is a vector v with Z v = 0 for the centred, normalised columns Z. With V a basis
    of all of them, v = V a; v_j = -1, and one column after the other is left out (v_i = 0), the
    last first, as long as some a allows it.

    Args:
        samples: rows of all columns, shape (S, K); fewer than 2 K prove nothing.
    """
    centred = samples - samples.mean(0)
    norms = np.sqrt((centred**2).sum(0))
    varied = np.flatnonzero(norms > 0.0)
    if len(samples) < 2 * samples.shape[1] or len(varied) < 3:
        return
    _, sizes, right = np.linalg.svd(centred[:, varied] / norms[varied], full_matrices=False)
    basis = right[sizes <= _NOTHING * np.sqrt(len(varied))].T
    if not basis.size:
        return
    involved = np.flatnonzero(np.abs(basis).max(1) > _FOUND).tolist()
    for j in involved:
        kept = _needed(basis, j, [i for i in involved if i != j])
        if 2 <= len(kept) <= _MOST:
            yield int(varied[j]), tuple(int(varied[i]) for i in kept)


def _needed(basis: np.ndarray, j: int, others: list[int]) -> list[int]:
    """Those of the others that a relation of column j cannot do without, in their order."""
    out: list[int] = []
    for i in reversed(others):
        rows = basis[[j, *out, i]]
        wish = np.zeros(len(rows))
        wish[0] = -1.0
        solved = np.linalg.lstsq(rows, wish, rcond=_FOUND)[0]
        if np.abs(rows @ solved - wish).max() <= _FOUND:
            out.append(i)
    return [i for i in others if i not in out]


def factors(y: np.ndarray, sources: list[np.ndarray]) -> tuple[float, ...] | None:
    """Those of y = sum_i factor_i * source_i + constant, or None where they need too many digits.

    Args:
        y: shape (N,), without missing values, as are the sources.
        sources: shape (N,) each.
    """
    x = np.stack([source - source.mean() for source in sources], axis=1)
    scale = np.abs(x).max(0)
    if not scale.all():
        return None
    solved = np.linalg.lstsq(x / scale, y - y.mean(), rcond=None)[0] / scale
    short = tuple(float(f"{factor:.{_DIGITS}g}") for factor in solved)
    near = np.abs(np.subtract(short, solved)) <= 1e-8 * np.abs(solved)
    return short if near.all() and all(short) else None
