"""Whether synthetic rows are training rows in disguise: copies, nearness, authenticity.

None of this is a privacy test: data that keeps its distance can still be attacked. The test of
Meehan et al. by regions is in `copying.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genmodels.metrics.intervals import Interval, wilson
from genmodels.metrics.tables.neighbours import Scale, count_within, gower_scale, neighbours, tie
from genmodels.metrics.tables.views import TableView

__all__ = [
    "Coincidence",
    "NearerShare",
    "authentic",
    "coincidence",
    "copies",
    "copy_flags",
    "distance_ratio",
    "duplicates",
    "memorised_rows",
    "nearer_share",
    "own_radius",
    "row_hashes",
    "share_interval",
]

SUSPICIOUS = 0.05  # share of held-out rows that `memorised_rows` would call memorised


def memorised_rows(
    synthetic: TableView,
    train: TableView,
    holdout: TableView,
    *,
    seed: int,
    rows: int,
    bank: int = 50_000,
) -> tuple[np.ndarray, np.ndarray]:
    """Which synthetic rows lie conspicuously near to one training row.

    A row counts when d_1 / d_2, its distances to the nearest and the second nearest training row,
    is no larger than the 5 % quantile of the same ratio over held-out rows. Fresh real rows thus
    count in 5 % of cases (more where coincidence makes real rows equal a training row) in dense
    and in sparse groups; call it with held-out rows as `synthetic` for the exact reference.

    Args:
        synthetic: rows to judge.
        train: rows that the generator saw.
        holdout: real rows that it did not see.
        seed: of the choice of rows.
        rows: at most so many synthetic, and so many held-out rows are looked at.
        bank: at most so many training rows are searched.

    Returns:
        flags, shape (n,), bool, and the numbers of the rows in `synthetic`, shape (n,), int64,
        increasing.
    """
    rng = np.random.default_rng([seed, 31])
    numbers, held, seen = (
        np.sort(rng.permutation(len(view))[:most])
        for view, most in ((synthetic, rows), (holdout, rows), (train, bank))
    )
    known = train.take(seen)
    scale = gower_scale(train, holdout)
    ratio, usual = (
        distance_ratio(neighbours(view.take(chosen), known, scale, 2)[0], tie(train))
        for view, chosen in ((synthetic, numbers), (holdout, held))
    )
    limit = float(np.quantile(usual, SUSPICIOUS, method="lower")) if len(usual) else 0.0
    return ratio <= min(limit, 1.0 - 1e-6), numbers


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


def copy_flags(rows: TableView, training: TableView) -> np.ndarray:
    """Which of `rows` equal some training row in every modelled column; shape (N,), bool."""
    return np.isin(row_hashes(rows), row_hashes(training))


def copies(rows: TableView, training: TableView) -> int:
    """How many of `rows` equal some training row in every modelled column."""
    return int(copy_flags(rows, training).sum())


def duplicates(view: TableView) -> int:
    """How many rows repeat an earlier row of the same table."""
    return len(view) - len(np.unique(row_hashes(view)))


@dataclass(frozen=True)
class Coincidence:
    """How often held-out rows equal a training row, and how often coincidence does that.

    Args:
        shared: held-out rows that equal some training row.
        held: held-out rows.
        twins: training rows that equal another training row.
        trained: training rows.
    """

    shared: int
    held: int
    twins: int
    trained: int

    @property
    def suspicious(self) -> bool:
        """Whether held-out rows recur clearly more often than training rows among themselves."""
        if not self.twins:
            return self.shared > 0
        return wilson(self.shared, self.held)[0] > wilson(self.twins, self.trained)[1]


def coincidence(train: TableView, holdout: TableView) -> Coincidence:
    """Count held-out rows that are training rows, and training rows with a twin."""
    seen = row_hashes(train)
    values, counts = np.unique(seen, return_counts=True)
    shared = int(np.isin(row_hashes(holdout), values).sum())
    return Coincidence(shared, len(holdout), int(counts[counts > 1].sum()), len(train))


@dataclass(frozen=True, eq=False)
class NearerShare:
    """Result of `nearer_share`.

    Args:
        share: in [0, 1]; 0.5 is chance.
        interval: its 95 % interval.
        wins: share of training rows among each row's nearest real rows, shape (N,).
    """

    share: float
    interval: Interval
    wins: np.ndarray


def nearer_share(
    rows: TableView,
    training: TableView,
    holdout: TableView,
    scale: Scale,
    *,
    found: tuple[np.ndarray, np.ndarray] | None = None,
) -> NearerShare:
    """Share of rows that lie nearer to training rows than to held-out rows, ties split.

    a = mean over rows of the share of training rows among the row's nearest real rows: 1 where
    d_t < d_h, 0 where d_t > d_h, 1/2 where one of each is equally near. Labels of rows that
    the generator does not know are exchangeable, so that a is n_t / (n_t + n_h) whatever the ties.
    s = (a / n_t) / (a / n_t + (1 - a) / n_h) is then 0.5 for any sizes, is a itself for equal
    ones, and 1 for copies of training rows that no held-out row equals.

    Args:
        rows: N rows to judge; neither training nor held-out rows may be among them.
        training: n_t rows.
        holdout: n_h rows.
        scale: from `gower_scale`.
        found: `neighbours(rows, training, ...)` where it is known already.
    """
    if not len(rows) or not len(training) or not len(holdout):
        return NearerShare(0.5, (0.0, 1.0), np.zeros(0))
    near, place = neighbours(rows, training, scale, 1) if found is None else found
    other, there = neighbours(rows, holdout, scale, 1)
    slack = tie(training)
    wins = (near[:, 0] < other[:, 0]).astype(np.float64)
    tied = np.flatnonzero(np.abs(near[:, 0] - other[:, 0]) <= slack)
    if len(tied):
        reach = np.minimum(near[tied, 0], other[tied, 0]) + np.float32(slack)
        probe = rows.take(tied)
        count, rest = (count_within(probe, bank, scale, reach) for bank in (training, holdout))
        wins[tied] = count / (count + rest)
    nearest = np.where(near[:, 0] <= other[:, 0], place[:, 0], len(training) + there[:, 0])
    low, high = share_interval(wins, nearest)
    sizes = len(training), len(holdout)
    interval = _levelled(low, *sizes), _levelled(high, *sizes)
    return NearerShare(_levelled(float(wins.mean()), *sizes), interval, wins)


def distance_ratio(distance: np.ndarray, slack: float = 0.0) -> np.ndarray:
    """Nearest neighbour distance ratio d_1 / d_2; 1 where both are 0 or there is no second.

    Args:
        distance: to the nearest and second nearest training row, shape (N, 2).
        slack: distances up to this are 0.

    Returns:
        Shape (N,), in [0, 1]; near 0 where a row belongs to one training row and to no other.
    """
    first, second = np.where(distance <= slack, 0.0, distance).T.astype(np.float64)
    usable = (second > 0) & np.isfinite(second)
    return np.where(usable, first / np.where(usable, second, 1.0), 1.0)


def own_radius(train: TableView, scale: Scale, rows: np.ndarray) -> np.ndarray:
    """Distance of some training rows to the nearest other one, inf for a lonely row.

    Args:
        train: the bank.
        scale: from `gower_scale`.
        rows: row numbers, any shape.

    Returns:
        Of the shape of `rows`, float32.
    """
    asked, back = np.unique(rows, return_inverse=True)
    # The row itself is one of the two at distance 0, so the second is the nearest other one.
    distance, _ = neighbours(train.take(asked), train, scale, 2)
    return distance[:, 1][back].reshape(rows.shape)


def authentic(nearest: np.ndarray, radius: np.ndarray, slack: float = 0.0) -> np.ndarray:
    """Whether each row is further from its nearest training row than that one from the others.

    A_s = 1(d(s, x_i*) > min_{j != i*} d(x_i*, x_j)) with i* = argmin_i d(s, x_i)

    Args:
        nearest: d(s, x_i*), shape (N,).
        radius: `own_radius` of the rows i*, shape (N,).
        slack: distances that differ by no more are equal.

    Returns:
        Shape (N,), bool; false for every copy of a training row, true about half the time for
        fresh real rows of a continuous table.

    References:
        Alaa et al., How faithful is your synthetic data? Sample-level metrics for evaluating and
        auditing generative models, ICML 2022, section 4.3.
    """
    return nearest > radius + np.float32(slack)


def share_interval(hits: np.ndarray, cluster: np.ndarray) -> Interval:
    """Wilson interval of a mean of values in [0, 1], rows of one cluster counting as dependent.

    The number of rows is replaced by p (1 - p) / V, V = sum_c (sum_{i in c} (h_i - p))^2 / N^2,
    but by no less than N^2 / sum_c N_c^2 (Kish): rows that lean on the same real row stand or
    fall together.

    Args:
        hits: h, shape (N,), in [0, 1].
        cluster: label of each row, integers, shape (N,).
    """
    if not len(hits):
        return 0.0, 1.0
    n, p = len(hits), float(hits.mean())
    _, place, sizes = np.unique(cluster, return_inverse=True, return_counts=True)
    variance = float((np.bincount(place, hits - p) ** 2).sum()) / n**2
    least = n**2 / float((sizes.astype(np.float64) ** 2).sum())
    spread = p * (1.0 - p)
    effective = least if min(variance, spread) <= 0 else spread / variance
    effective = min(float(n), max(least, effective))
    return wilson(p * effective, effective)


def _levelled(a: float, trained: int, held: int) -> float:
    mine, theirs = a / trained, (1.0 - a) / held
    return mine / (mine + theirs)


def _mix(bits: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser (Steele, Lea and Flood, OOPSLA 2014)."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
