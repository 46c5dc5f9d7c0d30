"""Whether synthetic rows are training rows in disguise: copies and nearness.

None of this is a privacy test: data that keeps its distance can still be attacked.
"""

from __future__ import annotations

import numpy as np

from genmodels.metrics.views import TableView

__all__ = ["copies", "duplicates", "nearer_share", "row_hashes"]


def row_hashes(view: TableView) -> np.ndarray:
    """A 64-bit hash of each row over all modelled columns; equal rows, and only they (up to
    collisions of chance 2^-64 a pair), share one. Shape (N,), uint64.
    """
    total = np.zeros(len(view), dtype=np.uint64)
    columns = [view.numbers[:, f] for f in range(len(view.numeric))]
    columns += [view.codes[:, q].astype(np.float64) for q in range(len(view.discrete))]
    for number, values in enumerate(columns):
        # + 0.0 makes -0.0 equal 0.0; one NaN stands for all.
        bits = np.where(np.isnan(values), np.nan, values + 0.0).view(np.uint64)
        total = _mix(total ^ _mix(bits + np.uint64(number + 1)))
    return total


def copies(rows: TableView, training: TableView) -> int:
    """How many of `rows` equal some training row in every modelled column."""
    return int(np.isin(row_hashes(rows), row_hashes(training)).sum())


def duplicates(view: TableView) -> int:
    """How many rows repeat an earlier row of the same table."""
    return len(view) - len(np.unique(row_hashes(view)))


def nearer_share(
    rows: TableView, training: TableView, holdout: TableView
) -> tuple[float, np.ndarray]:
    """Share of rows that lie nearer to training rows than to held-out rows; ties count half.

    s = mean[1(d_t < d_h) + 1/2 1(d_t = d_h)], d the distance to the nearest row: the sum over
    columns of |x - y| / range for numbers and of 1(x != y) for categories and missing values
    (Gower). 0.5 when the rows know nothing of the training set, provided that `training` and
    `holdout` have as many rows.

    Returns:
        The share, and each row's contribution (0, 0.5 or 1), shape (N,).
    """
    low, span = _scale(training, holdout)
    probe, near = _scaled(rows, low, span), []
    for table in (training, holdout):
        near.append(_nearest(probe, rows.codes, _scaled(table, low, span), table.codes))
    scale = 1e-6 * max(1, len(rows.names))  # float32 sums: nearer by less is a tie
    wins = np.where(np.abs(near[0] - near[1]) <= scale, 0.5, near[0] < near[1])
    return float(wins.mean()) if len(wins) else 0.5, wins


def _mix(bits: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser (Steele, Lea and Flood, OOPSLA 2014)."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _scale(a: TableView, b: TableView) -> tuple[np.ndarray, np.ndarray]:
    both = np.concatenate([a.numbers, b.numbers])
    low = np.where(np.isnan(both), np.inf, both).min(0, initial=np.inf)
    high = np.where(np.isnan(both), -np.inf, both).max(0, initial=-np.inf)
    known = high >= low
    low, span = np.where(known, low, 0.0), np.where(known, high - low, 1.0)
    return low, np.where(span > 0, span, 1.0)


def _scaled(view: TableView, low: np.ndarray, span: np.ndarray) -> np.ndarray:
    """Numbers in units of the range, missing far away: it differs by 1 from any value."""
    scaled = np.clip((view.numbers - low) / span, -1.0, 2.0)
    return np.where(np.isnan(scaled), np.nan, scaled).astype(np.float32)


def _nearest(x: np.ndarray, xc: np.ndarray, y: np.ndarray, yc: np.ndarray) -> np.ndarray:
    """Gower distance of each row of (x, xc) to its nearest row of (y, yc), shape (N,)."""
    out = np.empty(len(x), dtype=np.float32)
    block = max(1, 2_000_000 // max(1, len(y)))
    for start in range(0, len(x), block):
        rows = slice(start, start + block)
        distance = np.zeros((len(x[rows]), len(y)), dtype=np.float32)
        for f in range(x.shape[1]):
            gap = np.minimum(np.abs(x[rows, f, None] - y[None, :, f]), 1.0)
            if np.isnan(gap).any():
                both = np.isnan(x[rows, f, None]) & np.isnan(y[None, :, f])
                gap = np.where(both, 0.0, np.where(np.isnan(gap), 1.0, gap))
            distance += gap
        for q in range(xc.shape[1]):
            distance += xc[rows, q, None] != yc[None, :, q]
        out[rows] = distance.min(1)
    return out
