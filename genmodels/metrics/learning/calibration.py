"""Are predicted chances as large as they say, and where should one say yes?"""

from __future__ import annotations

import numpy as np

__all__ = ["best_threshold", "calibration_curve", "calibration_line"]


def calibration_curve(
    positive: np.ndarray, chance: np.ndarray, *, bins: int = 10
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean chance, share of positives and rows of bins that hold the same number of rows.

    Args:
        positive: bool, shape (N,), N at least 1.
        chance: of being positive, in [0, 1], shape (N,).
        bins: at most so many points; equal chances share one.
    """
    edges = np.unique(np.quantile(chance, np.linspace(0, 1, bins + 1)[1:-1]))
    bin_of = np.searchsorted(edges, chance, "right")
    n = np.bincount(bin_of)
    used = n > 0
    said = np.bincount(bin_of, weights=chance)[used] / n[used]
    seen = np.bincount(bin_of, weights=positive)[used] / n[used]
    return said, seen, n[used]


def calibration_line(positive: np.ndarray, chance: np.ndarray) -> tuple[float, float] | None:
    """Slope and intercept of logit P(positive) = a + b logit(chance); 1 and 0 are right.

    A slope below 1 means that the chances are too extreme. None where one class is absent, or
    where chances part the classes so well that no finite line fits.

    Args:
        positive: bool, shape (N,).
        chance: in [0, 1], cut to [1e-6, 1 - 1e-6], shape (N,).

    Returns:
        (b, a), by Newton's method.

    References:
        Cox, Two further applications of a model for binary regression, 1958.
    """
    if not len(positive) or positive.all() or not positive.any():
        return None
    p = np.clip(chance, 1e-6, 1 - 1e-6)
    x = np.stack([np.ones(len(p)), np.log(p / (1 - p))], 1)
    if np.ptp(x[:, 1]) == 0:
        return None
    beta = np.array([0.0, 1.0])
    for _ in range(50):
        fitted = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        curvature = x.T @ (x * (fitted * (1 - fitted))[:, None])
        if np.linalg.cond(curvature) > 1e12:
            return None
        step = np.linalg.solve(curvature, x.T @ (positive - fitted))
        beta = beta + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            return (float(beta[1]), float(beta[0]))
    return None


def best_threshold(positive: np.ndarray, chance: np.ndarray) -> float:
    """The chance from which to say yes so that F1 on these rows is largest; 0.5 if none is best.

    Choose it on rows that were neither learnt from nor tested on.

    Args:
        positive: bool, shape (N,).
        chance: of being positive, shape (N,).
    """
    if not len(positive) or not positive.any():
        return 0.5
    order = np.argsort(-chance, kind="stable")
    ranked, hits = chance[order], np.cumsum(positive[order])
    f1 = 2 * hits / (np.arange(1, len(ranked) + 1) + hits[-1])
    last = np.r_[ranked[1:] != ranked[:-1], True]
    k = int(np.argmax(np.where(last, f1, -1.0)))
    below = ranked[k + 1] if k + 1 < len(ranked) else ranked[k]
    return float((ranked[k] + below) / 2)
