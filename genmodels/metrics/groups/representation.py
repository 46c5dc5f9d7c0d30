"""How often groups occur, and what share of each has a label, real against synthetic."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from genmodels.metrics.intervals import Interval

__all__ = [
    "Amplification",
    "Means",
    "amplification",
    "group_means",
    "log_share_ratio",
    "quantile",
    "share_ratio",
    "surest",
]


def log_share_ratio(x: int, n: int, x_real: int, n_real: int) -> tuple[float, float]:
    """log((x + 1/2) / (n + 1/2)) - log((x_real + 1/2) / (n_real + 1/2)) and its standard error.

    The variance is 1/(x + 1/2) - 1/(n + 1/2) + 1/(x_real + 1/2) - 1/(n_real + 1/2).

    References:
        Gart and Nam, Approximate interval estimation of the ratio of binomial parameters,
        Biometrics 44, 1988 (Walter's logit form).
    """
    log = math.log((x + 0.5) / (n + 0.5)) - math.log((x_real + 0.5) / (n_real + 0.5))
    variance = 1 / (x + 0.5) - 1 / (n + 0.5) + 1 / (x_real + 0.5) - 1 / (n_real + 0.5)
    return log, math.sqrt(max(variance, 0.0))


def share_ratio(x: int, n: int, x_real: int, n_real: int, *, of: int = 1) -> tuple[float, Interval]:
    """Ratio of two shares, (x / n) / (x_real / n_real), with its two-sided interval.

    The interval is that of `log_share_ratio`, the ratio itself is not corrected; without a row
    in the group the interval starts at 0.

    Args:
        x: rows of the group among n.
        n: rows, at least 1.
        x_real: real rows of the group among n_real, at least 1.
        n_real: real rows.
        of: the interval holds at 95 % for so many ratios at once (Bonferroni).
    """
    log, se = log_share_ratio(x, n, x_real, n_real)
    ratio, half = (x / n) / (x_real / n_real), quantile(of) * se
    low = 0.0 if x == 0 else min(ratio, math.exp(log - half))
    return ratio, (low, max(ratio, math.exp(log + half)))


def surest(off: np.ndarray, reach: np.ndarray) -> int:
    """Number of the group that is off by the most beyond doubt.

    That is the largest off - reach; where none is above 0, the largest off / reach.

    Args:
        off: how far each figure is from where it should be, shape (G,); NaN = unknown.
        reach: how far its interval reaches back towards there, shape (G,).
    """
    sure = np.nan_to_num(off - reach, nan=-np.inf)
    if sure.max() > 0:
        return int(np.argmax(sure))
    return int(np.argmax(np.nan_to_num(off / np.maximum(reach, 1e-12), nan=-np.inf)))


def quantile(of: int) -> float:
    """Normal quantile of a two-sided 95 % interval that is one of several."""
    return float(-ndtri(0.025 / of))


@dataclass(frozen=True, eq=False)
class Means:
    """Mean of a label in each group, shape (G,) each; NaN without rows.

    Args:
        n: rows with a label.
        mean: share of positives, or mean of a number.
        se: standard error of `mean`; of a share from (x + 1/2) / (n + 1), never 0.
    """

    n: np.ndarray
    mean: np.ndarray
    se: np.ndarray

    def gap(self, high: int, low: int) -> tuple[float, float]:
        """mean[high] - mean[low] and its standard error."""
        error = math.hypot(float(self.se[high]), float(self.se[low]))
        return float(self.mean[high] - self.mean[low]), error


def group_means(groups: np.ndarray, y: np.ndarray, size: int, *, share: bool) -> Means:
    """Mean of y in each group.

    Args:
        groups: group of each row in [0, size); -1 leaves the row out; shape (N,).
        y: 0 or 1, or a number; NaN leaves the row out; shape (N,).
        size: number of groups G.
        share: whether y is 0 or 1.
    """
    kept = (groups >= 0) & ~np.isnan(y)
    groups, y = groups[kept], y[kept]
    n = np.bincount(groups, minlength=size)
    divisor = np.where(n > 0, n, np.nan)
    mean = np.bincount(groups, weights=y, minlength=size) / divisor
    if share:
        smooth = (mean * n + 0.5) / (n + 1)
        return Means(n, mean, np.sqrt(smooth * (1 - smooth) / divisor))
    with np.errstate(over="ignore", invalid="ignore"):  # an infinite error says: unusable
        squares = np.bincount(groups, weights=(y - mean[groups]) ** 2, minlength=size)
    freedom = np.where(n > 1, n - 1, np.nan)
    return Means(n, mean, np.sqrt(squares / freedom / divisor))


@dataclass(frozen=True)
class Amplification:
    """How much of a real gap between two groups synthetic rows show.

    Args:
        high: group with the larger mean of the training rows.
        low: group with the smaller one.
        real: gap of the held-out rows, `high` less `low`.
        value: gap of the judged rows by `real`; 1 = as in real data, 0 = gone, below 0 = turned
            round; None where the real gap cannot be told from 0.
        interval: of `value`.
        gap: of the judged rows.
    """

    high: int
    low: int
    real: float
    value: float | None
    interval: Interval | None
    gap: float


def amplification(
    real: Means, other: Means, *, high: int, low: int, of: int, repeats: int, seed: int
) -> Amplification:
    """A = (m_s(high) - m_s(low)) / (m_r(high) - m_r(low)) with a bootstrap interval.

    Resampling the rows of a group gives its mean a normal spread of its standard error, up to
    terms of order 1/n; the resamples are drawn from that.

    Args:
        real: means of held-out rows.
        other: means of the rows to judge.
        high: number of the group that is expected to have the larger mean.
        low: number of the other group.
        of: the interval, and the test of the real gap, hold for so many gaps at once.
        repeats: number of resamples.
        seed: of the resamples.
    """
    gap_real, se_real = real.gap(high, low)
    gap, se = other.gap(high, low)
    if not all(map(math.isfinite, (gap_real, se_real, gap, se))):
        return Amplification(high, low, gap_real, None, None, gap)
    if abs(gap_real) <= quantile(of) * se_real or gap_real == 0:
        return Amplification(high, low, gap_real, None, None, gap)
    rng = np.random.default_rng([seed, 141])
    z = rng.standard_normal((2, repeats))
    drawn = (gap + se * z[0]) / (gap_real + se_real * z[1])
    tail = 2.5 / of
    found = np.percentile(drawn, [tail, 100 - tail])
    value = gap / gap_real
    return Amplification(
        high, low, gap_real, value, (float(min(found[0], value)), float(max(found[1], value))), gap
    )
