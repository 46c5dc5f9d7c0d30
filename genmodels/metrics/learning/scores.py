"""How well predictions fit the truth, for one or for many weightings of the rows at once.

Every score takes `weights` of shape (B, N) and returns B values: a row of ones gives the figure,
rows of bootstrap counts its spread. Calibration curves and thresholds, which need no spread,
stand in `metrics.learning.calibration`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genmodels.metrics.learning.learners import Kind

__all__ = [
    "METRICS",
    "Metric",
    "average_precision",
    "bootstrap_counts",
    "roc_area",
    "scores",
]

BINS = 10
"""Of the expected calibration error; each holds the same share of the rows."""

CELLS = 100_000
"""Weights that are ranked at a time: a block that stays in a processor's cache."""

TINY = 1e-30


@dataclass(frozen=True)
class Metric:
    """A score.

    Args:
        name: as in a report.
        better: direction.
        scale: a difference this large is entirely bad; 0 where that depends on the unit.
        low: least possible value.
        high: greatest possible value.
    """

    name: str
    better: Literal["higher", "lower"]
    scale: float
    low: float = 0.0
    high: float = 1.0


METRICS: dict[Kind, tuple[Metric, ...]] = {
    "binary": (
        Metric("AUC", "higher", 0.5),
        Metric("average precision", "higher", 1.0),
        Metric("F1", "higher", 1.0),
        Metric("Brier score", "lower", 0.25),
        Metric("calibration error", "lower", 0.25),
    ),
    "multiclass": (
        Metric("macro AUC", "higher", 0.5),
        Metric("accuracy", "higher", 1.0),
        Metric("macro-F1", "higher", 1.0),
        Metric("Brier score", "lower", 1.0, 0.0, 2.0),
    ),
    "regression": (
        Metric("R2", "higher", 1.0, -math.inf, 1.0),
        Metric("RMSE", "lower", 0.0, 0.0, math.inf),
        Metric("MAE", "lower", 0.0, 0.0, math.inf),
    ),
}
"""The scores of each kind of task, the one to speak of first."""


def scores(
    kind: Kind,
    truth: np.ndarray,
    predicted: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    threshold: float = 0.5,
    first: bool = False,
) -> dict[str, np.ndarray]:
    """All scores of a task, or the first one alone.

    Args:
        kind: of the task.
        truth: class numbers or values, shape (N,), N at least 1.
        predicted: chance of class 1 (N,), of each class (N, K), or values (N,).
        weights: of the rows, shape (B, N); None for one row of ones.
        threshold: from which chance on a binary prediction says class 1.
        first: whether only the first of METRICS is wanted.

    Returns:
        B values by name, in the order of METRICS.
    """
    w = np.ones((1, len(truth))) if weights is None else weights
    if first and kind == "binary":
        return {"AUC": roc_area(truth == 1, predicted, w)}
    if first and kind == "multiclass":
        return {"macro AUC": _macro_area(truth, predicted, w)}
    if kind == "binary":
        return _binary(truth == 1, predicted, w, threshold)
    if kind == "multiclass":
        return _multiclass(truth, predicted, w)
    return _regression(truth, predicted, w)


def roc_area(positive: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve, ties counted half; 0.5 when one class is absent.

    A = sum_g P_g (N_<g + N_g / 2) / (P N), over groups g of equal scores in rising order

    Args:
        positive: bool, shape (N,).
        score: larger means more likely positive, shape (N,).
        weights: of the rows, shape (B, N).

    Returns:
        B areas.
    """
    return _areas(positive, score, weights, precise=False)[0]


def average_precision(positive: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the steps of the precision-recall curve; 0 without a positive row.

    AP = sum_g (R_g - R_(g-1)) precision_g, over groups g of equal scores in falling order

    Arguments and result have the shapes of `roc_area`.
    """
    return _areas(positive, score, weights)[1]


def bootstrap_counts(
    n: int, *, seed: int, repeats: int, strata: np.ndarray | None = None
) -> np.ndarray:
    """How often each row is drawn in each bootstrap sample, float32 (repeats, n).

    Args:
        n: rows.
        seed: of the draws; the same one pairs the intervals of two models.
        repeats: samples.
        strata: whole numbers from 0, shape (n,); the number of rows of each is kept.
    """
    rng = np.random.default_rng([seed, 20])
    group = np.zeros(n, dtype=np.int64) if strata is None else strata
    members = [np.flatnonzero(group == g) for g in np.unique(group)]
    out = np.empty((repeats, n), dtype=np.float32)
    for b in range(repeats):
        drawn = [rows[rng.integers(0, len(rows), len(rows))] for rows in members]
        out[b] = np.bincount(np.concatenate(drawn), minlength=n)
    return out


def _areas(
    positive: np.ndarray, score: np.ndarray, weights: np.ndarray, *, precise: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """ROC area and, if asked for, average precision, B each."""
    order = np.argsort(-score, kind="stable")
    ranked, up = score[order], positive[order].astype(weights.dtype)
    tied = np.r_[ranked[1:] != ranked[:-1], True]
    ends = slice(None) if tied.all() else np.flatnonzero(tied)
    roc, precision = np.full(len(weights), 0.5), np.zeros(len(weights))
    step = max(1, CELLS // len(score))
    for start in range(0, len(weights), step):
        w = weights[start : start + step, order]
        hits = np.cumsum(w * up, axis=1)[:, ends]
        called = np.cumsum(w, axis=1)[:, ends]
        ups = np.diff(hits, axis=1, prepend=0)
        m, misses = hits[:, -1:], called - hits
        n = misses[:, -1:]
        # Rows of the other class below each group of equal scores, half of those within it.
        below = n - misses + np.diff(misses, axis=1, prepend=0) / 2
        out = slice(start, start + step)
        total, pairs = m[:, 0], (m * n)[:, 0]
        np.divide((ups * below).sum(1), pairs, out=roc[out], where=pairs > 0)
        if precise:
            right = (ups * hits / np.maximum(called, TINY)).sum(1)
            np.divide(right, total, out=precision[out], where=total > 0)
    return roc, precision


def _binary(
    positive: np.ndarray, chance: np.ndarray, w: np.ndarray, threshold: float
) -> dict[str, np.ndarray]:
    called, total = chance >= threshold, w.sum(1)
    means = _dot(w, np.stack([positive & called, called, positive, (chance - positive) ** 2], 1))
    hits, calls, ups, squares = means.T
    both = calls + ups
    roc, precision = _areas(positive, chance, w)
    gaps = _equal_mass(chance)[:, None] == np.arange(BINS)
    error = np.abs(_dot(w, gaps * (chance - positive)[:, None])).sum(1)
    return {
        "AUC": roc,
        "average precision": precision,
        "F1": np.divide(2 * hits, both, out=np.zeros_like(both), where=both > 0),
        "Brier score": squares / total,
        "calibration error": error / total,
    }


def _multiclass(truth: np.ndarray, chances: np.ndarray, w: np.ndarray) -> dict[str, np.ndarray]:
    classes = np.arange(chances.shape[1])
    of, guess = truth[:, None] == classes, chances.argmax(1)[:, None] == classes
    total = w.sum(1)
    hits, sizes = _dot(w, of & guess), _dot(w, of) + _dot(w, guess)
    # A class that neither side names says nothing.
    each = np.divide(2 * hits, sizes, out=np.full_like(sizes, np.nan), where=sizes > 0)
    squares = ((chances - of) ** 2).sum(1)
    return {
        "macro AUC": _macro_area(truth, chances, w),
        "accuracy": hits.sum(1) / total,
        "macro-F1": np.nanmean(each, axis=1),
        "Brier score": _dot(w, squares[:, None])[:, 0] / total,
    }


def _macro_area(truth: np.ndarray, chances: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Mean area of each class against all others, over the classes that `truth` has."""
    present = [k for k in np.unique(truth) if not (truth == k).all()]
    areas = [roc_area(truth == k, chances[:, k], w) for k in present]
    return np.mean(areas, axis=0) if areas else np.full(len(w), 0.5)


def _regression(truth: np.ndarray, guess: np.ndarray, w: np.ndarray) -> dict[str, np.ndarray]:
    # Divided by the largest value first: squares of large numbers would overflow.
    unit = float(max(np.abs(truth).max(), np.abs(guess).max())) or 1.0
    y, error = truth / unit, (truth - guess) / unit
    y = y - y.mean()
    total = w.sum(1)
    square, size, first, second = (_dot(w, np.stack([error**2, np.abs(error), y, y**2], 1))).T
    spread = second - first**2 / total
    known = spread > 1e-12 * np.maximum(second, 1e-300)
    share = np.divide(square, spread, out=np.ones(len(w)), where=known)
    return {
        "R2": 1 - share,
        "RMSE": np.sqrt(square / total) * unit,
        "MAE": size / total * unit,
    }


def _dot(w: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Weighted sums, (B, N) @ (N, M), as float64; added up in the precision of the weights."""
    return (w @ values.astype(w.dtype)).astype(np.float64)


def _equal_mass(chance: np.ndarray) -> np.ndarray:
    """Bin of each row, 0 to BINS - 1; equal chances share one."""
    edges = np.quantile(chance, np.linspace(0, 1, BINS + 1)[1:-1])
    return np.searchsorted(np.unique(edges), chance, "right")
