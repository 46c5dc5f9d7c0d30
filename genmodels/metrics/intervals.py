"""Confidence intervals for the figures of a report; each returns (low, high) at 95 %."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

__all__ = [
    "Z95",
    "auc",
    "auc_interval",
    "beside",
    "bootstrap",
    "clipped",
    "jackknife",
    "mean_interval",
    "midranks",
    "wilson",
]

Interval = tuple[float, float]
Z95 = 1.959963984540054


def wilson(successes: float, n: float) -> Interval:
    """Wilson score interval of a share.

    centre = (p + z^2 / 2n) / (1 + z^2 / n), half-width = z sqrt(p (1 - p) / n + z^2 / 4n^2) / (1 + z^2 / n)

    References:
        Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """  # noqa: E501
    if n == 0:
        return 0.0, 1.0
    p, z2 = successes / n, Z95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def beside(value: float, own: Interval, other: float, others: Interval) -> Interval:
    """Interval of a figure that allows for the chance in the figure it is compared with.

    low = v - sqrt((v - l)^2 + (u' - v')^2), high = v + sqrt((u - v)^2 + (v' - l')^2): it holds v'
    when, and only when, the interval of the difference holds 0.

    Args:
        value: v, of the one data set.
        own: (l, u), the interval of v by itself.
        other: v', the same figure of another, independent data set.
        others: (l', u'), its interval.

    References:
        Newcombe, Interval estimation for the difference between independent proportions, 1998,
        method 10.
    """
    low = value - math.hypot(value - own[0], others[1] - other)
    return low, value + math.hypot(own[1] - value, other - others[0])


def clipped(interval: Interval) -> Interval:
    """The part of an interval of a share that shares can have, [0, 1]."""
    return max(0.0, interval[0]), min(1.0, interval[1])


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Student interval of a mean over repeats, None with fewer than three of them."""
    if len(values) < 3:
        return None
    from scipy.stats import t

    mean, sd = float(np.mean(values)), float(np.std(values, ddof=1))
    half = float(t.ppf(0.975, len(values) - 1)) * sd / math.sqrt(len(values))
    return mean - half, mean + half


def bootstrap(
    statistic: Callable[[np.ndarray], float], n: int, *, seed: int, repeats: int = 200
) -> Interval | None:
    """Percentile bootstrap over the rows of a test set.

    Args:
        statistic: the figure as a function of row numbers (n,), drawn with replacement.
        n: number of rows.
        seed: of the draws.
        repeats: number of draws.
    """
    if n < 2:
        return None
    rng = np.random.default_rng([seed, 2])
    drawn = [statistic(rng.integers(0, n, n)) for _ in range(repeats)]
    finite = [x for x in drawn if math.isfinite(x)]
    if len(finite) < repeats // 2:
        return None
    low, high = np.percentile(finite, [2.5, 97.5])
    return float(low), float(high)


def jackknife(
    value: float,
    statistic: Callable[[np.ndarray], float],
    n: int,
    *,
    groups: int = 10,
    low: float = 0.0,
    high: float = math.inf,
) -> Interval | None:
    """Delete-a-group jackknife: value -+ t_{G-1} s, s^2 = (G - 1) / G sum_g (x_g - mean x)^2.

    Unlike the bootstrap it draws no row twice, which would itself look like an error of shape.

    Args:
        value: the figure on all rows.
        statistic: the figure as a function of the row numbers that are kept, increasing.
        n: number of rows, in random order.
        groups: G.
        low: least value that the figure can take.
        high: greatest value that it can take.

    References:
        Shao and Wu, A general theory for jackknife variance estimation, 1989.
    """
    groups = min(groups, n)
    if groups < 5:
        return None
    from scipy.stats import t

    rows = np.arange(n)
    found = np.array([statistic(rows[rows % groups != g]) for g in range(groups)])
    if not np.isfinite(found).all():
        return None
    sd = math.sqrt((groups - 1) / groups * float(((found - found.mean()) ** 2).sum()))
    half = float(t.ppf(0.975, groups - 1)) * sd
    return max(low, value - half), min(high, value + half)


def auc(positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve, ties counted half; 0.5 when one class is absent.

    Args:
        positive: bool, shape (N,).
        score: larger means more likely positive, shape (N,).
    """
    m, n = int(positive.sum()), int((~positive).sum())
    if m == 0 or n == 0:
        return 0.5
    ranks = midranks(score)
    return float((ranks[positive].sum() - m * (m + 1) / 2) / (m * n))


def auc_interval(positive: np.ndarray, score: np.ndarray) -> Interval:
    """DeLong's interval of an AUC, clipped to [0, 1].

    References:
        DeLong, DeLong and Clarke-Pearson, Comparing the areas under two or more correlated ROC
        curves, 1988; Sun and Xu, Fast implementation of DeLong's algorithm, 2014, eq. 7-10.
    """
    x, y = score[positive], score[~positive]
    m, n = len(x), len(y)
    if m < 2 or n < 2:
        return 0.0, 1.0
    ranks = midranks(np.concatenate([x, y]))
    of_positives = (ranks[:m] - midranks(x)) / n
    of_negatives = 1 - (ranks[m:] - midranks(y)) / m
    area = float(of_positives.mean())
    sd = math.sqrt(of_positives.var(ddof=1) / m + of_negatives.var(ddof=1) / n)
    return max(0.0, area - Z95 * sd), min(1.0, area + Z95 * sd)


def midranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, ties sharing the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]
