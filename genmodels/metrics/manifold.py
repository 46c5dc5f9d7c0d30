"""Fidelity and coverage of point sets by balls round nearest neighbours.

The ball of a point reaches its k-th nearest other point of the same set. Works on any features
(encoded rows, features of images); what distances mean is the caller's business. Full distance
matrices: a few thousand points a side.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import betabinom

from genmodels.metrics.intervals import Interval, wilson

__all__ = ["Manifold", "Prdc", "calibrated_coverage", "prdc", "squared_distances"]

GROUPS = 10
STUDENT = 2.262157  # 97.5 % quantile with GROUPS - 1 degrees of freedom


@dataclass(frozen=True, eq=False)
class Prdc:
    """Precision, recall, density, coverage and the clipped pair of one set of points at one k.

    Args:
        k: neighbours that make a ball.
        precision: share of other points in some reference ball.
        recall: share of reference points in some ball of another point.
        density: reference balls that hold another point, per k; about 1 for equal distributions.
        coverage: share of reference balls that hold another point.
        clipped_density: see `prdc`, in [0, 1].
        clipped_coverage: see `prdc`, in [0, 1].
        held: other points in the ball of each reference point, by ten groups of the other
            points one after the other; shape (N, 10), fewer groups when there are fewer points.
        balls: reference balls that hold each other point, shape (M,).
        recalled: of each reference point, whether some ball of another point holds it, (N,).
    """

    k: int
    precision: float
    recall: float
    density: float
    coverage: float
    clipped_density: float
    clipped_coverage: float
    held: np.ndarray
    balls: np.ndarray
    recalled: np.ndarray

    @property
    def covered(self) -> np.ndarray:
        """Of each reference point, whether its ball holds another point, bool, shape (N,)."""
        return self.held.sum(1) > 0

    def coverage_of(self, chosen: np.ndarray) -> tuple[float, Interval]:
        """Coverage of some of the reference points, and its interval.

        The chance of the reference points enters by Wilson's interval, that of the other points
        by the delete-a-group jackknife; the two are independent and add in squares.

        Args:
            chosen: numbers of the reference points, or a mask; at least one.
        """
        held = self.held[chosen]
        share = float((held.sum(1) > 0).mean())
        low, high = wilson(int((held.sum(1) > 0).sum()), len(held))
        spread = STUDENT * _spread(lambda kept: float((kept > 0).mean()), held)
        return share, (
            max(0.0, share - math.hypot(share - low, spread)),
            min(1.0, share + math.hypot(high - share, spread)),
        )

    def clipped_coverage_interval(self) -> Interval:
        """The same for clipped coverage: made for the raw figure, then calibrated."""
        n, m = len(self.held), len(self.balls)
        raw = np.minimum(self.held.sum(1) / self.k, 1.0)
        spread = _spread(lambda kept: float(np.minimum(kept / self.k, 1.0).mean()), self.held)
        half = STUDENT * math.hypot(float(raw.std()) / math.sqrt(n), spread)
        ends = (float(raw.mean()) - half, float(raw.mean()) + half)
        return (
            calibrated_coverage(max(0.0, ends[0]), self.k, n, m),
            calibrated_coverage(min(1.0, ends[1]), self.k, n, m),
        )

    def density_interval(self) -> Interval:
        """The same for density, a mean over pairs of a reference and another point."""
        n, m = len(self.held), len(self.balls)
        of_balls = float((self.held.sum(1) * (n / (m * self.k))).std()) / math.sqrt(n)
        half = STUDENT * math.hypot(of_balls, float((self.balls / self.k).std()) / math.sqrt(m))
        return max(0.0, self.density - half), self.density + half


@dataclass(frozen=True, eq=False)
class Manifold:
    """A set of points and the balls round them.

    Args:
        points: shape (N, D), float32.
        order: squared distances to the nearest other points, ascending, shape (N, K), K < N.
        slack: squared distances that differ by less are equal.
    """

    points: np.ndarray
    order: np.ndarray
    slack: float

    @classmethod
    def of(cls, points: np.ndarray, k: int) -> Manifold:
        """Find the k nearest other points of each point (all others when there are fewer)."""
        points = np.asarray(points, dtype=np.float32)
        within = squared_distances(points, points)
        np.fill_diagonal(within, np.inf)
        k = min(k, len(points) - 1)
        if k < 1:
            return cls(points, np.zeros((len(points), 1), dtype=np.float32), 0.0)
        within = np.sort(np.partition(within, k - 1, axis=1)[:, :k], axis=1)
        return cls(points, within, 1e-6 * (1.0 + float((points**2).sum(1).max())))

    def radius(self, k: int) -> np.ndarray:
        """Squared radius of each ball, slack added; shape (N,)."""
        return self.order[:, min(k, self.order.shape[1]) - 1] + np.float32(self.slack)

    def choose(self, kept: np.ndarray) -> Manifold:
        """Some of the points, with the balls that they have among all."""
        return Manifold(self.points[kept], self.order[kept], self.slack)


def prdc(reference: Manifold, other: Manifold, ks: tuple[int, ...]) -> list[Prdc]:
    """Judge `other` against `reference` at several k.

    With B_i the ball round reference point x_i that reaches its k-th nearest other reference
    point, and y_j the M other points:
    precision = 1/M sum_j 1(y_j in some B_i); recall the same with the roles exchanged;
    density = 1/(k M) sum_j sum_i 1(y_j in B_i); coverage = 1/N sum_i 1(some y_j in B_i);
    clipped density = 1/M sum_j min(1, 1/k sum_i 1(y_j in B'_i)), B'_i with its radius clipped to
    the median one, divided by what the reference points score themselves and clipped to 1;
    clipped coverage = `calibrated_coverage` of 1/N sum_i min(1, 1/k sum_j 1(y_j in B_i)).
    A point on the edge of a ball is in it: equal rows of tables lie exactly there.

    Args:
        reference: of real points; made with at least max(ks) neighbours.
        other: of the points to judge.
        ks: neighbours; each at least 1. More than there are points means all of them.

    References:
        Kynkaanniemi et al., Improved precision and recall metric for assessing generative models,
        NeurIPS 2019, eq. 1-2; Naeem et al., Reliable fidelity and diversity metrics for generative
        models, ICML 2020, eq. 3-4; Salvy, Talbot and Thirion, Enhanced generative model
        evaluation with clipped density and coverage, arXiv 2507.01761, 2025.
    """
    cross = squared_distances(reference.points, other.points)
    own = squared_distances(reference.points, reference.points)
    np.fill_diagonal(own, np.inf)
    return [_at(reference, other, cross, own, k) for k in ks]


def calibrated_coverage(raw: float, k: int, n: int, m: int) -> float:
    """The share of good points that explains a raw clipped coverage.

    A share a of m good points puts Binomial(a m, p) of them into a ball of probability
    p ~ Beta(k, n - k), the law of the k-th nearest of n - 1 neighbours. The expected raw figure
    f(a) = E min(1, count / k) is inverted by bisection over the number of good points.

    Args:
        raw: 1/N sum_i min(1, 1/k sum_j 1(y_j in B_i)), in [0, 1].
        k: neighbours.
        n: reference points.
        m: other points.

    Returns:
        In [0, 1]: 0 = none of the points is where real ones are, 1 = as many as real ones.
    """
    if n <= k or m < 1:
        return float(raw > 0)
    counts = np.arange(k)

    def expected(good: int) -> float:
        weights = betabinom.pmf(counts, good, k, n - k)
        return float(1.0 - ((1.0 - counts / k) * weights).sum())

    if raw >= expected(m):
        return 1.0
    low, high = 0, m  # expected(low) <= raw < expected(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if expected(middle) <= raw else (low, middle)
    below, above = expected(low), expected(high)
    return (low + (raw - below) / (above - below)) / m


def squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances (N, M), float32, of float32 points (N, D) and (M, D)."""
    cross = x @ y.T
    cross *= -2.0
    cross += (x**2).sum(1)[:, None]
    cross += (y**2).sum(1)[None, :]
    return np.maximum(cross, 0.0, out=cross)


def _at(reference: Manifold, other: Manifold, cross: np.ndarray, own: np.ndarray, k: int) -> Prdc:
    n, m = cross.shape
    k = max(1, min(k, n - 1))
    inside = cross <= reference.radius(k)[:, None]
    per_ball, per_point = inside.sum(1), inside.sum(0)
    recalled = np.asarray((cross <= other.radius(k)[None, :]).any(1))
    starts = np.linspace(0, m, min(GROUPS, m) + 1).astype(int)[:-1]
    return Prdc(
        k,
        float((per_point > 0).mean()),
        float(recalled.mean()),
        float(per_point.mean() / k),
        float((per_ball > 0).mean()),
        _clipped_density(reference.radius(k), cross, own, k),
        calibrated_coverage(float(np.minimum(per_ball / k, 1.0).mean()), k, n, m),
        np.add.reduceat(inside, starts, axis=1, dtype=np.int32),
        per_point,
        recalled,
    )


def _clipped_density(radius: np.ndarray, cross: np.ndarray, own: np.ndarray, k: int) -> float:
    radius = np.minimum(radius, np.median(radius))[:, None]
    raw, best = (
        float(np.minimum((distance <= radius).sum(0) / k, 1.0).mean()) for distance in (cross, own)
    )
    return min(1.0, raw / best) if best > 0 else 0.0


def _spread(statistic: Callable[[np.ndarray], float], held: np.ndarray) -> float:
    """Standard deviation by leaving out one group of other points at a time.

    s^2 = (G - 1) / G sum_g (x_g - mean x)^2

    Args:
        statistic: a function of the other points in each ball, shape (N,).
        held: as in `Prdc`, shape (N, G).
    """
    total = held.sum(1)
    found = np.array([statistic(total - held[:, g]) for g in range(held.shape[1])])
    return math.sqrt((len(found) - 1) * float(found.var()))
