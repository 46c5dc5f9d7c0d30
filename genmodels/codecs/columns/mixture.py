"""A variational Gaussian mixture in one dimension with a Dirichlet process over its weights.

The points are weighted, so that a column of any length is fitted on a few thousand points;
encoding with the fitted modes is in `mode_specific.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

__all__ = ["Mixture", "Points", "compress", "fit_mixture"]

_FLOOR = 1e-6  # added to each variance, in units of the column's own variance


@dataclass(frozen=True)
class Points:
    """Weighted points: centres (M,), rows behind each (M,), variance within each (M,)."""

    centres: np.ndarray
    counts: np.ndarray
    variances: np.ndarray


@dataclass(frozen=True)
class Mixture:
    """Weights, means and standard deviations of K modes, float64 (K,) each."""

    weights: np.ndarray
    means: np.ndarray
    deviations: np.ndarray


def compress(values: np.ndarray, counts: np.ndarray, most: int) -> Points:
    """Distinct values and their counts -> at most `most` points of about equal weight."""
    counts = counts.astype(np.float64)
    if len(values) <= most:
        return Points(values, counts, np.zeros(len(values)))
    middle = np.cumsum(counts) - counts / 2
    bins = (middle * (most / counts.sum())).astype(np.int64)
    total = np.bincount(bins, counts)
    full = total > 0
    centres = np.bincount(bins, counts * values)[full] / total[full]
    offset = values - centres[(np.cumsum(full) - 1)[bins]]
    variances = np.bincount(bins, counts * offset**2)[full] / total[full]
    return Points(centres, total[full], variances)


def fit_mixture(
    points: Points,
    *,
    modes: int,
    rng: np.random.Generator,
    concentration: float = 0.001,
    iterations: int = 100,
    tolerance: float = 1e-8,
) -> Mixture:
    """Fit by coordinate ascent on the variational bound, from a k-means++ start.

    The prior of a mode is Normal-Gamma with the mean and variance of the data, one pseudo-count
    each; the prior of the weights is a stick-breaking process of the given concentration.

    Args:
        points: what to fit.
        modes: the truncation K, at least 1.
        rng: for the start.
        concentration: of the Dirichlet process; small values empty the modes not needed.
        iterations: at most so many updates.
        tolerance: stop when the mean log-density gains less than this.

    References:
        Pattern Recognition and Machine Learning, C. M. Bishop, 2006, equations 10.46-10.71;
        Variational inference for Dirichlet process mixtures, D. Blei and M. Jordan, 2006.
    """
    total = points.counts.sum()
    centre = points.counts @ points.centres / total
    spread = points.counts @ ((points.centres - centre) ** 2 + points.variances) / total
    scale = math.sqrt(spread)
    if scale == 0.0:
        return Mixture(np.ones(1), np.array([centre]), np.zeros(1))
    x = (points.centres - centre) / scale
    counts, variances = points.counts, points.variances / spread
    modes = min(modes, len(x))
    shares = _start(x, counts, modes, rng)
    previous = -np.inf
    for _ in range(iterations):
        posterior = _update(x, counts, variances, shares, concentration)
        log_density = posterior.log_weights + posterior.log_density(x)
        top = log_density.max(axis=0)
        shares = np.exp(log_density - top)
        normaliser = shares.sum(axis=0)
        shares /= normaliser
        bound = counts @ (np.log(normaliser) + top) / total
        if abs(bound - previous) < tolerance:
            break
        previous = bound
    means, deviations = posterior.means, np.sqrt(posterior.variances)
    return Mixture(posterior.weights, means * scale + centre, deviations * scale)


@dataclass(frozen=True)
class _Posterior:
    weights: np.ndarray
    log_weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    pseudo_counts: np.ndarray
    log_precisions: np.ndarray

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """E[log N(x | mode)] without its constant, shape (K, M); equations 10.64 and 10.65."""
        square = (x - self.means[:, None]) ** 2
        square *= (-0.5 / self.variances)[:, None]
        square += (0.5 * self.log_precisions - 0.5 / self.pseudo_counts)[:, None]
        return square


def _update(
    x: np.ndarray,
    counts: np.ndarray,
    variances: np.ndarray,
    shares: np.ndarray,
    concentration: float,
) -> _Posterior:
    """Posterior of all modes given the shares (K, M) of the points; data of variance 1."""
    mass = shares * counts
    rows = mass.sum(axis=1) + 10 * np.finfo(np.float64).eps
    means = mass @ x / rows
    # shifted second moment: x is centred and scaled, so this loses no digits that matter
    within = np.maximum(mass @ (x**2 + variances) / rows - means**2, 0.0) + _FLOOR
    pseudo_counts = 1.0 + rows
    freedom = 1.0 + rows
    scatter = 1.0 + rows * within + rows / pseudo_counts * means**2
    log_precisions = _digamma(freedom / 2) + math.log(2.0) - np.log(scatter)
    stick = 1.0 + rows
    rest = concentration + np.append(np.cumsum(rows[::-1])[-2::-1], 0.0)
    both = _digamma(stick + rest)
    log_rest = np.cumsum(_digamma(rest) - both)
    log_weights = _digamma(stick) - both + np.append(0.0, log_rest[:-1])
    broken = np.append(1.0, np.cumprod(rest / (stick + rest))[:-1])
    weights = stick / (stick + rest) * broken
    return _Posterior(
        weights / weights.sum(),
        log_weights[:, None],
        rows * means / pseudo_counts,
        scatter / freedom,
        pseudo_counts,
        log_precisions,
    )


def _digamma(x: np.ndarray) -> np.ndarray:
    return torch.special.digamma(torch.from_numpy(np.asarray(x, np.float64))).numpy()


def _start(x: np.ndarray, counts: np.ndarray, modes: int, rng: np.random.Generator) -> np.ndarray:
    """Hard shares (K, M) of a weighted k-means with a k-means++ start."""
    centres = np.empty(modes)
    distance = np.ones_like(x)
    for k in range(modes):
        cumulative = np.cumsum(distance * counts)
        drawn = np.searchsorted(cumulative, rng.random() * cumulative[-1], "right")
        centres[k] = x[min(int(drawn), len(x) - 1)]  # past the end where every value is a centre
        square = (x - centres[k]) ** 2
        distance = square if k == 0 else np.minimum(distance, square)
    for _ in range(50):
        centres = np.sort(centres)
        nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, x)
        total = np.bincount(nearest, counts, modes)
        moved = np.where(
            total > 0, np.bincount(nearest, counts * x, modes) / np.maximum(total, 1e-300), centres
        )
        if np.array_equal(moved, centres):
            break
        centres = moved
    return (nearest == np.arange(modes)[:, None]).astype(np.float64)
