"""Frechet distance between two sets of feature vectors, at their size and extrapolated to infinity.

It is as good as the features. It is called FID only with those of Inception.
"""

from __future__ import annotations

import numpy as np

from genmodels.metrics.intervals import Z95

__all__ = ["frechet_distance", "frechet_infinity", "frechet_infinity_interval", "least_rows"]

Moments = tuple[np.ndarray, np.ndarray]


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Frechet distance of the Gaussians with the samples' moments.

    |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a^1/2 C_b C_a^1/2)^1/2)

    Args:
        a: shape (N, D), any unit u; the result is in u^2.
        b: shape (M, D).

    References:
        Dowson and Landau, The Frechet distance between multivariate normal distributions, 1982,
        eq. 4; Heusel et al., GANs trained by a two time-scale update rule, NeurIPS 2017.
    """
    return _distance(_moments(a), _moments(b))


def least_rows(width: int) -> int:
    """Rows a side below which a covariance of that width is too poor to be compared."""
    return 2 * width


def frechet_infinity(
    a: np.ndarray, b: np.ndarray, *, seed: int, sizes: int = 15, orders: int = 4
) -> float:
    """Frechet distance without the bias of a finite number of rows.

    The intercept of a straight line through FD(N) against 1/N, N rows of either side, at `sizes`
    equally spaced N from a tenth of the rows (or `least_rows`) to all of them.

    Args:
        a: shape (N, D).
        b: shape (M, D); both with at least `least_rows(D)` rows.
        seed: of the orders in which rows are taken.
        sizes: numbers of rows at which the distance is taken.
        orders: random orders, averaged.

    Returns:
        About 0 for equal distributions, from either side.

    Raises:
        ValueError: with too few rows for the width.

    References:
        Chong and Forsyth, Effectively unbiased FID and Inception score and where to find them,
        CVPR 2020, section 4.
    """
    rng = np.random.default_rng([seed, 701])
    steps = _steps(min(len(a), len(b)), a.shape[1], sizes)
    found = [
        _intercept(a[rng.permutation(len(a))], b[rng.permutation(len(b))], steps)
        for _ in range(orders)
    ]
    return float(np.mean(found))


def frechet_infinity_interval(
    a: np.ndarray, b: np.ndarray, value: float, *, seed: int, sizes: int = 15, repeats: int = 50
) -> tuple[float, float]:
    """95 % interval value -+ 1.96 s of `frechet_infinity`, s from rows drawn with replacement.

    Only the spread is taken from the bootstrap: its mean is off by the bias of another finite
    sample, so that percentiles would miss.

    Args:
        value: from `frechet_infinity`.
        repeats: number of draws.
    """
    rng = np.random.default_rng([seed, 702])
    steps = _steps(min(len(a), len(b)), a.shape[1], sizes)
    drawn = [
        _intercept(a[rng.integers(0, len(a), len(a))], b[rng.integers(0, len(b), len(b))], steps)
        for _ in range(repeats)
    ]
    half = Z95 * float(np.std(drawn, ddof=1))
    return value - half, value + half


def _steps(n: int, width: int, sizes: int) -> np.ndarray:
    least = least_rows(width)
    if n < max(least, 4):
        raise ValueError(
            f"{n} rows are too few for a Frechet distance of {width} features: at least {least} "
            "are needed; reduce the features to fewer principal components"
        )
    return np.unique(np.linspace(max(least, n // 10, 4), n, sizes).round().astype(np.int64))


def _intercept(a: np.ndarray, b: np.ndarray, steps: np.ndarray) -> float:
    """At N = infinity of the line through FD of the first N rows; one pass over the rows."""
    # Around the common centre: sums of squares then keep their digits.
    centre = a.mean(0)
    sides = [_prefixes(x.astype(np.float64) - centre, steps) for x in (a, b)]
    distances = [_distance(x, y) for x, y in zip(*sides, strict=True)]
    if len(steps) < 2:
        return distances[-1]
    design = np.column_stack([np.ones(len(steps)), 1.0 / steps])
    return float(np.linalg.lstsq(design, np.array(distances), rcond=None)[0][0])


def _prefixes(x: np.ndarray, steps: np.ndarray) -> list[Moments]:
    """Mean and covariance of the first N rows for each N."""
    total, square, out, start = np.zeros(x.shape[1]), np.zeros((x.shape[1],) * 2), [], 0
    for stop in steps:
        part = x[start:stop]
        total, square, start = total + part.sum(0), square + part.T @ part, stop
        mean = total / stop
        out.append((mean, (square - stop * np.outer(mean, mean)) / (stop - 1)))
    return out


def _moments(x: np.ndarray) -> Moments:
    x = x.astype(np.float64)
    return x.mean(0), np.atleast_2d(np.cov(x.T))


def _distance(a: Moments, b: Moments) -> float:
    (mean_a, cov_a), (mean_b, cov_b) = a, b
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ cov_b @ root).clip(0)).sum()
    gap = ((mean_a - mean_b) ** 2).sum()
    return float(max(0.0, gap + np.trace(cov_a) + np.trace(cov_b) - 2 * cross))
