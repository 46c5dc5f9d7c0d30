"""Classifier two-sample test: can a classifier tell two tables apart?

AUC 0.5 means that it cannot. The area is out-of-fold, and equal rows share a fold: a copy
would otherwise be learnt with the label of the row that it copies. Only where rows of the reference
repeat each other anyway, as those of a few categories do, are they spread over the folds. The
boosted learner also sees how many decimals a number has, which its bins would hide. The linear
learner is the one behind many published figures; it sees no interactions, so that independent
columns pass it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from genmodels.metrics.intervals import Interval, auc, auc_interval
from genmodels.metrics.learning.designs import Whole, Wide
from genmodels.metrics.learning.learners import make_learner
from genmodels.metrics.tables.giveaways import Giveaway, Model, giveaways, shuffled_drops
from genmodels.metrics.tables.memorisation import row_hashes
from genmodels.metrics.tables.roundness import decimal_digits
from genmodels.metrics.tables.trees import TreeFeatures
from genmodels.metrics.tables.views import TableView

__all__ = ["Detection", "Learner", "c2st"]

Learner = Literal["boosting", "logistic"]

CELLS = 4_000_000
"""Rows x inputs that the linear learner is given at most."""
COMMON = 0.2
"""Share of reference rows with an equal from which on equal rows are coincidence."""


@dataclass(frozen=True)
class Detection:
    """Result of a two-sample test: out-of-fold AUC, its 95 % interval, rows per side."""

    auc: float
    interval: Interval
    n: int
    giveaways: tuple[Giveaway, ...] = ()


def c2st(
    reference: TableView,
    other: TableView,
    *,
    seed: int,
    folds: int = 5,
    learner: Learner = "boosting",
    explain: bool = False,
) -> Detection:
    """Out-of-fold AUC of a classifier between two tables of one vocabulary.

    Args:
        reference: real rows.
        other: rows to tell apart from them; both sides are cut to the shorter one.
        seed: of the folds and the classifier.
        folds: number of folds.
        learner: histogram gradient boosting, or logistic regression on standardised numbers,
            indicators of missing and one-hot levels.
        explain: also say which columns give the difference away (boosting only).

    Returns:
        The area with DeLong's interval, widened by sqrt(1 + K / (K - 1)) because the K models
        share rows to learn from.

    References:
        Lopez-Paz and Oquab, Revisiting classifier two-sample tests, ICLR 2017; Nadeau and Bengio,
        Inference for the generalization error, Machine Learning 2003, section 3.
    """
    n = min(len(reference), len(other))
    if n < 2 * folds or not reference.names:
        return Detection(0.5, (0.0, 1.0), n)
    reference, other = reference.take(np.arange(n)), other.take(np.arange(n))
    pooled, positive = _pooled(reference, other), np.arange(2 * n) >= n
    fold = _folds(row_hashes(pooled), folds, seed)
    if learner == "boosting":
        pooled = _with_decimals(pooled)
    features = TreeFeatures.fit(pooled)
    x = _bounded(features(pooled))
    if learner == "logistic":
        width = Wide(features.categorical).fit(x)(x[:1]).shape[1]
        fewer = np.arange(max(500, CELLS // (2 * max(1, width))))
        if len(fewer) < n:
            reference, other = reference.take(fewer), other.take(fewer)
            return c2st(reference, other, seed=seed, folds=folds, learner=learner)
    score, first = _out_of_fold(x, positive, fold, learner, features, seed)
    found: tuple[Giveaway, ...] = ()
    if explain and learner == "boosting":
        held = fold == 0
        drops = np.zeros(x.shape[1])
        if first is not None:
            drops = shuffled_drops(first, x[held], positive[held], seed)
        found = giveaways(features.names(pooled), features, x, positive, fold, drops)
    return Detection(auc(positive, score), _interval(positive, score, folds), n, found)


def _pooled(a: TableView, b: TableView) -> TableView:
    numbers, codes = np.concatenate([a.numbers, b.numbers]), np.concatenate([a.codes, b.codes])
    return TableView(a.numeric, numbers, a.discrete, codes, a.levels)


def _bounded(x: np.ndarray) -> np.ndarray:
    """Features without a value set to 0, sizes kept where sums of two stay finite."""
    return Whole(single=False).fit(x)(x)


def _out_of_fold(
    x: np.ndarray,
    positive: np.ndarray,
    fold: np.ndarray,
    learner: Learner,
    features: TreeFeatures,
    seed: int,
) -> tuple[np.ndarray, Model | None]:
    """Probability of `positive` for each row by a model that did not see it; the first model."""
    score, first = np.full(len(x), 0.5), None
    for k in range(int(fold.max()) + 1):
        held = fold == k
        learnt = _balanced(np.flatnonzero(~held), positive)
        if not held.any() or not len(learnt) or not x.shape[1]:
            continue
        model = _fitted(x[learnt], positive[learnt], learner, features, seed)
        score[held] = model.predict_proba(x[held])[:, 1]
        first = model if k == 0 else first
    return score, first


def _balanced(rows: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """As many of `rows` from both sides.

    A fold with more of one side leaves fewer of it to learn from; the scores of that fold would
    all lean to the other side and pull the area below one half.
    """
    a, b = rows[positive[rows]], rows[~positive[rows]]
    n = min(len(a), len(b))
    return np.concatenate([a[:n], b[:n]])


def _fitted(
    x: np.ndarray, positive: np.ndarray, learner: Learner, features: TreeFeatures, seed: int
) -> Model:
    if learner == "logistic":
        return make_learner("logistic", "binary", features, seed).fit(x, positive)
    model: Model = HistGradientBoostingClassifier(
        categorical_features=features.categorical,
        early_stopping=False,
        random_state=seed,
    )
    # A feature may have no value in a fold though it has some elsewhere.
    return model.fit(_bounded(x), positive)


def _interval(positive: np.ndarray, score: np.ndarray, folds: int) -> Interval:
    area, (low, high) = auc(positive, score), auc_interval(positive, score)
    half = max(area - low, high - area) * (1 + folds / (folds - 1)) ** 0.5
    return max(0.0, area - half), min(1.0, area + half)


def _folds(hashes: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Fold of each row, shape (2n,).

    Equal rows share one, unless `COMMON` of the reference rows have an equal and the sides have
    no more equal pairs between them than within them, as two independent samples do.
    """
    rng = np.random.default_rng([seed, 3])
    n = len(hashes) // 2
    _, group = np.unique(hashes, return_inverse=True)
    size = int(group.max()) + 1
    a, b = (np.bincount(side, minlength=size).astype(np.float64) for side in (group[:n], group[n:]))
    within = (a * (a - 1) + b * (b - 1)).sum() / 2
    if a[a > 1].sum() >= COMMON * n and (a * b).sum() <= 2 * within:
        return np.concatenate([rng.permutation(n), rng.permutation(n)]) % folds
    return rng.permutation(size)[group] % folds


def _with_decimals(view: TableView) -> TableView:
    """Further numbers: the decimals of each number for which they vary."""
    names, extra = [], []
    for f, name in enumerate(view.numeric):
        known = ~np.isnan(view.numbers[:, f])
        digits = np.full(len(view), np.nan)
        digits[known] = decimal_digits(view.numbers[:, f])
        if len(np.unique(digits[known])) > 1:
            names.append(f"{name} (decimals)")
            extra.append(digits)
    numbers = np.column_stack([view.numbers, *extra])
    return TableView((*view.numeric, *names), numbers, view.discrete, view.codes, view.levels)
