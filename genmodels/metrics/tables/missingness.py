"""Missing values: whether a value is missing often depends on the rest of the row.

A generator that blanks values at random has the right shares and loses that dependence. The
shares themselves are compared in `marginals`.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from genmodels.metrics.tables.views import TableView

__all__ = ["association_errors", "coarse_codes", "missing_columns", "profiles"]

BINS = 5
LEVELS = 12
LEAST = 10
"""Rows with a missing value, and rows without one, that a column needs to be looked at."""


def missing_columns(view: TableView) -> np.ndarray:
    """Positions in `names` of the columns that are missing in some rows, but not in all."""
    absent = np.round(view.missing() * len(view))
    return np.flatnonzero((absent >= LEAST) & (len(view) - absent >= LEAST))


def coarse_codes(reference: TableView, other: TableView) -> tuple[np.ndarray, int]:
    """A few groups per column, decided by `reference`: 0 is missing.

    Numbers fall into fifths of the reference, categories keep the twelve most frequent levels
    and share the last code.

    Returns:
        Codes of `other`, shape (N, F + Q), and the number of codes that a column may have.
    """
    out = []
    for f in range(len(reference.numeric)):
        values, known = other.numbers[:, f], reference.numbers[:, f]
        known = known[~np.isnan(known)]
        inner = np.linspace(0, 1, BINS + 1)[1:-1]
        # A value that occurs, not a mean of two: identical rows then fall into one group.
        edges = np.unique(np.quantile(known, inner, method="lower")) if len(known) else known
        codes = np.searchsorted(edges, values, side="left") + 1
        out.append(np.where(np.isnan(values), 0, codes))
    for q, size in enumerate(reference.sizes()):
        counts = np.bincount(reference.codes[:, q], minlength=size)[1:]
        kept = np.argsort(-counts, kind="stable")[:LEVELS]
        mapping = np.full(size, LEVELS + 1)
        mapping[0] = 0
        mapping[kept + 1] = np.arange(len(kept)) + 1
        out.append(mapping[other.codes[:, q]])
    return np.array(out, dtype=np.int64).reshape(len(out), len(other)).T, LEVELS + 2


def profiles(absent: np.ndarray, codes: np.ndarray, size: int) -> np.ndarray:
    """How "is missing" goes together with each code of each column.

    a_k = (p_mk - p_m p_k) / sqrt(p_m (1 - p_m) p_k), with p_m the share missing, p_k the share
    of code k and p_mk that of both: the length of a over the codes of one column is Cramér's V
    of the two, its signs say which codes go with missing.

    Args:
        absent: bool, shape (N, I).
        codes: shape (N, C), in [0, size).
        size: number of codes K.

    Returns:
        Shape (I, C, K); 0 where a share is 0 or 1.
    """
    n, c = codes.shape
    columns = (codes + size * np.arange(c)).ravel()
    rows = np.arange(0, n * c + 1, c)
    onehot = sparse.csr_matrix((np.ones(n * c), columns, rows), shape=(n, size * c))
    together = (onehot.T @ absent.astype(np.float64)).T / max(n, 1)
    share = absent.mean(0) if n else np.zeros(absent.shape[1])
    of_code = np.bincount(columns, minlength=size * c) / max(n, 1)
    scale = np.sqrt((share * (1 - share))[:, None] * of_code)
    gap = together - share[:, None] * of_code
    a = np.where(scale > 0, gap / np.where(scale > 0, scale, 1.0), 0.0)
    return a.reshape(absent.shape[1], c, size)


def association_errors(reference: TableView, other: TableView, columns: np.ndarray) -> np.ndarray:
    """Error of the association of "is missing" with each other column, |a - b| / 2 (`profiles`).

    Args:
        reference: the real table; decides the groups.
        other: the table to judge.
        columns: positions of the columns whose gaps are looked at.

    Returns:
        In [0, 1], shape (I, F + Q): gaps of columns[i] with the values and the gaps of column j;
        NaN for a column with itself.
    """
    found = []
    for view in (reference, other):
        codes, size = coarse_codes(reference, view)
        found.append(profiles(codes[:, columns] == 0, codes, size))
    errors = 0.5 * np.sqrt(((found[0] - found[1]) ** 2).sum(2))
    errors[np.arange(len(columns)), columns] = np.nan
    return errors
