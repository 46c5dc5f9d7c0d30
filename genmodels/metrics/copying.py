"""The three-sample test of data copying: is synthetic data nearer to training rows than held-out
data is, in one region of the data after the other?

Regions are k-means cells: a model that copies in one place and under-fits in another would pass
a test over all rows at once. Not a test of privacy.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from genmodels.metrics.intervals import Z95, Interval, midranks
from genmodels.metrics.tables.neighbours import Scale
from genmodels.metrics.tables.views import TableView

__all__ = ["Cells", "CopyingTest", "copying_test", "mann_whitney"]

LEVELS = 20  # commonest levels of a category that cells can tell apart
LEAST = 20  # rows a side without which a cell is left out


@dataclass(frozen=True)
class CopyingTest:
    """C_T.

    Args:
        z: below -3: copying; above 3: under-fitting; about 0 for fresh real rows.
        interval: 95 % interval of z.
        cells: cells that had enough rows on both sides.
        n: synthetic rows in them.
    """

    z: float
    interval: Interval
    cells: int
    n: int


def mann_whitney(a: np.ndarray, b: np.ndarray) -> float:
    """Standardised U of Mann and Whitney, negative where `a` tends to be smaller.

    z = (U_a - n m / 2) / sd, sd^2 = n m / 12 (N + 1 - sum (t^3 - t) / (N (N - 1))), N = n + m,
    t the sizes of groups of ties.

    Args:
        a: shape (n,).
        b: shape (m,).

    Returns:
        z; 0 where all values are equal, or a side has none.

    References:
        Mann and Whitney, On a test of whether one of two random variables is stochastically
        larger than the other, 1947.
    """
    n, m = len(a), len(b)
    if not n or not m:
        return 0.0
    both = np.concatenate([a, b])
    u = float(midranks(both)[:n].sum()) - n * (n + 1) / 2
    ties = np.unique(both, return_counts=True)[1]
    total, t = n + m, ties.astype(np.float64)
    variance = n * m / 12 * (total + 1 - float((t**3 - t).sum()) / (total * (total - 1)))
    return (u - n * m / 2) / math.sqrt(variance) if variance > 1e-9 else 0.0


def copying_test(
    made: np.ndarray, held: np.ndarray, made_cells: np.ndarray, held_cells: np.ndarray
) -> CopyingTest | None:
    """C_T: Mann-Whitney z of distances to the training rows per cell, weighted by held-out rows.

    C_T = sum_c P(c) Z_c / sum_c P(c), P(c) the share of held-out rows in cell c, over the cells
    with at least 20 rows a side.

    Args:
        made: distance of each synthetic row to its nearest training row, shape (N,).
        held: the same of held-out rows, shape (M,).
        made_cells: cell of each synthetic row, shape (N,).
        held_cells: cell of each held-out row, shape (M,).

    Returns:
        None where no cell has enough rows.

    References:
        Meehan, Chaudhuri and Dasgupta, A non-parametric test to detect data-copying in generative
        models, AISTATS 2020, section 3.
    """
    found = []
    for cell in np.unique(held_cells):
        a, b = made[made_cells == cell], held[held_cells == cell]
        if min(len(a), len(b)) >= LEAST:
            found.append((len(b), mann_whitney(a, b), len(a)))
    if not found:
        return None
    weight, z, sizes = np.array(found, dtype=np.float64).T
    weight = weight / weight.sum()
    value, half = float(weight @ z), Z95 * float(np.sqrt((weight**2).sum()))
    return CopyingTest(value, (value - half, value + half), len(z), int(sizes.sum()))


class Cells:
    """k-means cells of training rows, on numbers in units of their range and indicators.

    Args:
        train: rows that make the cells.
        scale: from `gower_scale`.
        count: number of cells.
        seed: of k-means.
    """

    def __init__(self, train: TableView, scale: Scale, *, count: int, seed: int) -> None:
        from sklearn.cluster import KMeans
        from sklearn.exceptions import ConvergenceWarning

        self.scale = scale
        self.kept = [
            _commonest(train.codes[:, q], size) for q, size in enumerate(train.sizes().tolist())
        ]
        features = self._features(train)
        count = max(1, min(count, len(np.unique(features, axis=0))))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # equal rows make fewer cells
            self.means = KMeans(count, n_init=1, random_state=seed).fit(features)

    def __call__(self, view: TableView) -> np.ndarray:
        """Cell of each row, shape (N,)."""
        return self.means.predict(self._features(view))

    def _features(self, view: TableView) -> np.ndarray:
        """Float32, shape (N, F + 1 + indicators); a missing number lies in the middle."""
        numbers = np.clip(self.scale(view.numbers), 0.0, 1.0)
        numbers = np.where(np.isnan(view.numbers), np.float32(0.5), numbers)
        # 0.7^2 + 0.7^2 is about 1: another level is as far as the whole range of a number.
        blocks = [
            np.float32(0.7) * (view.codes[:, q, None] == levels)
            for q, levels in enumerate(self.kept)
        ]
        return np.concatenate([numbers, np.zeros((len(view), 1), np.float32), *blocks], axis=1)


def _commonest(codes: np.ndarray, size: int) -> np.ndarray:
    counts = np.bincount(codes, minlength=size)
    return np.argsort(-counts, kind="stable")[: min(LEVELS, int((counts > 0).sum()))]
