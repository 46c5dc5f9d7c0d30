"""Values that are outcomes of their own, such as the zeros of a capital gain.

A point mass holds at least `share` of the rows (and at least `rows` rows) and more than
`factor` times the 90th percentile of the counts of its neighbours among the distinct values,
so that the peaks of a lattice, where all values are common, are not taken for point masses.
"""

from __future__ import annotations

import numpy as np

__all__ = ["point_masses"]


def point_masses(
    counts: np.ndarray,
    *,
    rows: int = 30,
    share: float = 0.005,
    factor: float = 3.0,
    neighbours: int = 16,
    most: int = 64,
) -> np.ndarray:
    """Positions of the point masses among the distinct values, ascending, int64.

    Args:
        counts: rows of each distinct value, in the order of the values, shape (M,).
        rows: a point mass has more rows than this.
        share: and more than this share of all rows.
        factor: and more than this many times its neighbours.
        neighbours: how many distinct values on either side are looked at.
        most: at most this many point masses, the heaviest.
    """
    common = np.flatnonzero(counts > max(rows, share * counts.sum()))
    kept = []
    for i in common:
        around = np.concatenate([counts[max(0, i - neighbours) : i], counts[i + 1 :][:neighbours]])
        if len(around) == 0 or counts[i] > factor * np.percentile(around, 90):
            kept.append(i)
    found = np.array(kept, dtype=np.int64)
    heaviest = found[np.argsort(-counts[found], kind="stable")[:most]]
    return np.sort(heaviest)
