"""A monotone piecewise-linear map from a column's values to normal scores in [-1, 1].

The knots are interpolated quantiles with several rows behind each, and the edges of values that
several rows share, so that these come back with their whole mass; no value of a single row is
kept but the extremes. Every value between the smallest and the largest has its own score, also
where no data lie.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
import torch

__all__ = ["Knots"]

_LINEAR = 0.01  # share of the score that is linear in the value: bounds the slope of the inverse
_ROWS = 8  # rows behind a quantile, at least
_FURTHEST = 4.0  # scores are cut at so many standard deviations
_BUCKETS = 4096  # of the inverse's look-up table


class Knots:
    """Scores `z` (M,), strictly increasing from -1 to 1, at offsets `x` (M,), never decreasing.

    With F the distribution function of the data (ties spread over one step of the column, if
    it has one) and e = the probability beyond the last score,

        z(x) = 0.99 Phi^-1(e + (1 - 2 e) F(x)) / Phi^-1(1 - e)
               + 0.01 (2 (x - x_1) / (x_M - x_1) - 1).

    The linear term keeps |dx/dz| below 50 ranges, so that a float32 score determines its value
    to 1.5e-6 of the range or better even inside a gap.

    Args:
        x: offsets.
        z: scores.
        furthest: how many standard deviations the score 1 stands for, Phi^-1(1 - e).
    """

    def __init__(self, *, x: np.ndarray, z: np.ndarray, furthest: float = _FURTHEST) -> None:
        self.x = x
        self.z = z
        self.furthest = furthest

    @classmethod
    def fit(cls, values: np.ndarray, counts: np.ndarray, *, step: float, most: int) -> Knots:
        """Knots of distinct ascending `values` (V,) that occur `counts` (V,) times.

        Args:
            values: offsets; may be empty.
            counts: rows of each.
            step: width over which the rows of one value are spread; 0 for full precision.
            most: at most this many knots, at least 16.
        """
        if len(values) == 0:
            values, counts = np.zeros(1), np.ones(1, np.int64)
        rows = float(counts.sum())
        edges = np.repeat(values, 2)
        edges[0::2] -= step / 2
        edges[1::2] += step / 2
        after = np.cumsum(counts) / rows
        mass = np.repeat(np.append(0.0, after), 2)[1:-1]
        shares = _shares(rows, most // 2)
        common = _common(counts, (most - len(shares)) // 2)
        kept = np.repeat(2 * common, 2) + np.tile([0, 1], len(common))
        shares = _apart(shares, mass[2 * common], mass[2 * common + 1], _ROWS / rows)
        x, p = np.append(_inverse(edges, mass, shares), edges[kept]), np.append(shares, mass[kept])
        order = np.lexsort((x, p))
        return cls._scored(x[order], p[order], rows)

    @classmethod
    def _scored(cls, x: np.ndarray, p: np.ndarray, rows: float) -> Knots:
        beyond = min(max(0.5 / rows, _normal_cdf(-_FURTHEST)), _normal_cdf(-1.0))
        score = _normal_quantile(beyond + (1.0 - 2.0 * beyond) * p)
        z = score / score[-1]
        if x[-1] > x[0]:
            z = (1.0 - _LINEAR) * z + _LINEAR * (2.0 * (x - x[0]) / (x[-1] - x[0]) - 1.0)
        z[0], z[-1] = -1.0, 1.0
        fresh = np.append(True, z[1:] > np.maximum.accumulate(z)[:-1])
        return cls(x=x[fresh], z=z[fresh], furthest=float(score[-1]))

    @property
    def error(self) -> float:
        """Largest error of an offset whose score is kept in float32."""
        furthest = np.maximum(np.abs(self.z[1:]), np.abs(self.z[:-1]))
        rounding = np.spacing(np.nextafter(furthest.astype(np.float32), np.float32(0.0))) / 2
        return float((np.diff(self.x) / np.diff(self.z) * rounding).max())

    def scores(self, x: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Scores float64 (N,) of offsets (N,); tied offsets get one of their scores at random.

        Args:
            x: offsets; beyond the knots they score -1 or 1.
            uniform: random numbers in [0, 1), shape (N,).
        """
        z = np.interp(x, self.x, self.z)
        flat = self.x[1:][np.diff(self.x) == 0.0]
        if len(flat):
            tied = np.flatnonzero(flat[np.minimum(np.searchsorted(flat, x), len(flat) - 1)] == x)
            first = np.searchsorted(self.x, x[tied], "left")
            last = np.searchsorted(self.x, x[tied], "right") - 1
            place = first + uniform[tied] * (last - first)
            z[tied] = np.interp(place, np.arange(len(self.z)), self.z)
        return z

    def offsets(self, z: np.ndarray) -> np.ndarray:
        """Offsets float64 (N,) of scores (N,), any finite values."""
        z = z.astype(np.float64)
        first, widths, inner, origin, slope = self._table
        place = np.add(z, 1.0)
        place *= _BUCKETS / 2
        j = first.take(place.astype(np.intp), mode="clip")
        for width in widths:
            passed = inner.take(j + width, mode="clip") <= z
            j += passed if width == 1 else passed * width
        x = slope.take(j)
        x *= z
        x += origin.take(j)
        return x

    def places(self, number: int) -> tuple[float, ...]:
        """Offsets at so many evenly spaced scores from -1 to 1, standardised.

        Mean and variance are those of the distribution that is even between the knots,

            sum_i p_i (x_i + x_{i+1}) / 2   and   sum_i p_i (x_i^2 + x_i x_{i+1} + x_{i+1}^2) / 3

        with p_i the probability between the knots i and i + 1; all are 0 where there is one
        value only.
        """
        span = self.x[-1] - self.x[0]
        if not span > 0.0:
            return (0.0,) * number
        x = (self.x - self.x[0]) / span
        normal = (self.z - _LINEAR * (2.0 * x - 1.0)) / (1.0 - _LINEAR)
        below = torch.special.ndtr(torch.from_numpy(normal * self.furthest)).numpy()
        p = np.maximum(np.diff(below), 0.0)
        p /= p.sum()
        low, high = x[:-1], x[1:]
        x = x - p @ (low + high) / 2
        low, high = x[:-1], x[1:]
        deviation = np.sqrt(p @ (low * low + low * high + high * high) / 3)
        at = np.interp(np.linspace(-1.0, 1.0, number), self.z, x)
        return tuple((at / deviation).tolist())

    @cached_property
    def _table(self) -> tuple[np.ndarray, tuple[int, ...], np.ndarray, np.ndarray, np.ndarray]:
        """First segment of each bucket of scores, widths of the search, its keys, the lines."""
        edges = np.arange(_BUCKETS + 1) * (2.0 / _BUCKETS) - 1.0
        last = len(self.z) - 2
        first = np.clip(np.searchsorted(self.z, edges, "right") - 1, 0, max(last, 0))
        inside = int(np.diff(first).max())
        widths = tuple(1 << k for k in reversed(range(inside.bit_length())))
        slope = np.diff(self.x) / np.diff(self.z)
        # the last knot ends the last segment and never starts one
        keys = np.append(self.z[:-1], np.inf)
        return first[:-1].astype(np.intp), widths, keys, self.x[:-1] - slope * self.z[:-1], slope


def _shares(rows: float, most: int) -> np.ndarray:
    """Shares of rows at the knots: half of them even, half denser in the tails."""
    closest = _ROWS / rows
    number = max(2, min(most, int(1.0 / closest) + 1)) // 2 + 1
    even = np.linspace(0.0, 1.0, number)
    furthest = min(_FURTHEST, float(-_normal_quantile(np.array([min(closest, 0.5)]))[0]))
    scores = torch.linspace(-furthest, furthest, number, dtype=torch.float64)
    both = np.union1d(even, torch.special.ndtr(scores).numpy())
    inner, previous = [], 0.0
    for share in both:
        if share - previous >= closest * 0.999 and 1.0 - share >= closest * 0.999:
            inner.append(share)
            previous = share
    # between two rows, so that the quantile is the middle of two values and not one of them
    return np.unique(np.rint(np.array([0.0, *inner, 1.0]) * rows) / rows)


def _common(counts: np.ndarray, most: int) -> np.ndarray:
    """Positions of the values that several rows share, ascending; the most frequent ones."""
    heaviest = np.argsort(-counts, kind="stable")[:most]
    return np.sort(heaviest[counts[heaviest] >= _ROWS])


def _apart(shares: np.ndarray, low: np.ndarray, high: np.ndarray, closest: float) -> np.ndarray:
    """The shares that leave several rows to the common values, or lie within one.

    Args:
        shares: ascending from 0 to 1; these two stay.
        low: shares of the rows below each common value, ascending (C,).
        high: and up to it (C,).
        closest: the least share of rows between a quantile and the edge of a common value.
    """
    passed = np.searchsorted(high, shares, "right")
    below, above = np.append(0.0, high)[passed], np.append(low, 1.0)[passed]
    apart = np.minimum(shares - below, above - shares) >= closest * 0.999
    apart |= above < shares
    apart[[0, -1]] = True
    return shares[apart]


def _inverse(edges: np.ndarray, mass: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The quantile function at `shares`; in the middle of a gap where no mass lies."""
    upper = np.interp(shares, mass, edges)
    lower = -np.interp(-shares, -mass[::-1], -edges[::-1])
    middle = lower / 2 + upper / 2
    middle[0], middle[-1] = edges[0], edges[-1]
    return middle


def _normal_quantile(p: np.ndarray) -> np.ndarray:
    return torch.special.ndtri(torch.from_numpy(p)).numpy()


def _normal_cdf(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))
