"""Classifier two-sample test: can a strong classifier tell two tables apart?

AUC 0.5 means that it cannot. The area is out-of-fold, and equal rows always share a fold: a
synthetic row that copies a real one would otherwise pull the area below one half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from genmodels.metrics.intervals import Interval, auc, auc_interval
from genmodels.metrics.memorisation import row_hashes
from genmodels.metrics.trees import TreeFeatures, trainable
from genmodels.metrics.views import TableView

__all__ = ["Detection", "Giveaway", "c2st", "single_column_auc"]


@dataclass(frozen=True)
class Giveaway:
    """What one column contributes.

    Args:
        column: its name.
        alone: AUC of a classifier that sees this column only, in [0.5, 1] up to noise.
        drop: AUC lost when the column is shuffled in the test fold.
    """

    column: str
    alone: float
    drop: float


@dataclass(frozen=True)
class Detection:
    """Result of a two-sample test: out-of-fold AUC, its 95 % interval, rows per side."""

    auc: float
    interval: Interval
    n: int
    giveaways: tuple[Giveaway, ...] = ()


def c2st(
    reference: TableView, other: TableView, *, seed: int, folds: int = 5, explain: bool = False
) -> Detection:
    """Out-of-fold AUC of histogram gradient boosting between two tables of one vocabulary.

    Args:
        reference: real rows.
        other: rows to tell apart from them; both sides are cut to the shorter one.
        seed: of the folds and the classifier.
        folds: number of folds.
        explain: also say which columns give the difference away.

    References:
        Lopez-Paz and Oquab, Revisiting classifier two-sample tests, ICLR 2017.
    """
    n = min(len(reference), len(other))
    if n < 2 * folds or not reference.names:
        return Detection(0.5, (0.0, 1.0), n)
    reference, other = reference.take(np.arange(n)), other.take(np.arange(n))
    x, features = _features(reference, other)
    positive = np.arange(2 * n) >= n
    fold = _folds(np.concatenate([row_hashes(reference), row_hashes(other)]), folds, seed)
    score, drops = np.zeros(2 * n), np.zeros(x.shape[1])
    for k in range(folds):
        held = fold == k
        if len(np.unique(positive[~held])) < 2:
            score[held] = 0.5
            continue
        model = HistGradientBoostingClassifier(
            categorical_features=features.categorical, early_stopping=False, random_state=seed
        ).fit(trainable(x[~held]), positive[~held])
        score[held] = model.predict_proba(x[held])[:, 1]
        if explain and k == 0:
            drops = _drops(model, x[held], positive[held], seed)
    giveaways = _giveaways(features.names(reference), features, x, positive, fold, drops)
    return Detection(
        auc(positive, score), auc_interval(positive, score), n, giveaways if explain else ()
    )


def single_column_auc(
    values: np.ndarray, positive: np.ndarray, held: np.ndarray, categorical: bool
) -> float:
    """AUC of the share of positives per bin (64 quantile bins or levels), learnt on the others.

    Args:
        values: one feature, shape (N,); NaN is a bin of its own.
        positive: bool, shape (N,).
        held: rows to score; the others are learnt from; bool, shape (N,).
        categorical: whether values are codes.
    """
    if categorical:
        bins = values.astype(np.int64)
    else:
        known = values[~np.isnan(values)]
        inner = np.linspace(0, 1, 65)[1:-1]
        edges = np.unique(np.quantile(known, inner)) if len(known) else np.zeros(0)
        # Single values that carry much mass are bins of their own: point masses give data away.
        bins = np.searchsorted(edges, values, "left") + np.searchsorted(edges, values, "right")
        bins = np.where(np.isnan(values), 2 * len(edges) + 1, bins)
    size = int(bins.max()) + 1
    total = np.bincount(bins[~held], minlength=size)
    hits = np.bincount(bins[~held], weights=positive[~held], minlength=size)
    share = (hits + 0.5) / (total + 1.0)
    return auc(positive[held], share[bins[held]])


def _features(reference: TableView, other: TableView) -> tuple[np.ndarray, TreeFeatures]:
    pooled = TableView(
        reference.numeric,
        np.concatenate([reference.numbers, other.numbers]),
        reference.discrete,
        np.concatenate([reference.codes, other.codes]),
        reference.levels,
    )
    features = TreeFeatures.fit(pooled)
    return features(pooled), features


def _folds(hashes: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Fold of each row; equal rows share one."""
    _, group = np.unique(hashes, return_inverse=True)
    order = np.random.default_rng([seed, 3]).permutation(int(group.max()) + 1)
    return order[group] % folds


def _drops(
    model: HistGradientBoostingClassifier, x: np.ndarray, positive: np.ndarray, seed: int
) -> np.ndarray:
    """AUC lost when one feature is shuffled, per feature."""
    rng = np.random.default_rng([seed, 4])
    full, out = auc(positive, model.predict_proba(x)[:, 1]), []
    for f in range(x.shape[1]):
        broken = x.copy()
        broken[:, f] = rng.permutation(x[:, f])
        out.append(full - auc(positive, model.predict_proba(broken)[:, 1]))
    return np.array(out)


def _giveaways(
    names: list[str],
    features: TreeFeatures,
    x: np.ndarray,
    positive: np.ndarray,
    fold: np.ndarray,
    drops: np.ndarray,
) -> tuple[Giveaway, ...]:
    """All columns, the most telling first."""
    held = fold % 2 == 0
    alone = [
        single_column_auc(x[:, f], positive, held, bool(features.categorical[f]))
        for f in range(len(names))
    ]
    found = [Giveaway(n, a, float(d)) for n, a, d in zip(names, alone, drops, strict=True)]
    return tuple(sorted(found, key=lambda g: (-max(g.alone - 0.5, g.drop), g.column)))
