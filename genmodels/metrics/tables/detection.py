"""Classifier two-sample test: can a classifier tell two tables apart?

AUC 0.5 means that it cannot. The area is out-of-fold. Where more rows of the two tables equal each
other than chance explains, such rows share a fold: a copy would otherwise be learnt with the label
of the row that it copies. Rows that repeat rows of their own table are spread over the folds, so
that a table of few distinct rows is recognised by them, up to the few repeats that drawing with
replacement gives: those are counted elsewhere, and training rows so drawn should look real.

The boosted learner also sees how many decimals a number has, which its bins would hide. The linear
learner is the one behind many published figures; it sees no interactions, so that independent
columns pass it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from genmodels.metrics.intervals import Interval, auc, auc_interval, wilson
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
SURE = 3.0
"""Standard deviations from which on equal rows are no coincidence."""
TOGETHER = 4
"""Equal rows of one side that share a fold; drawing with replacement seldom gives more."""


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
    """DeLong's interval, widened, and never narrower than Wilson's of a share of 0 or 1."""
    area, (low, high) = auc(positive, score), auc_interval(positive, score)
    half = max(area - low, high - area, wilson(0, len(score) // 2)[1])
    half *= (1 + folds / (folds - 1)) ** 0.5
    return max(0.0, area - half), min(1.0, area + half)


def _folds(hashes: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Fold of each row, shape (2n,).

    Of m equal rows, a are on one side and b on the other. If chance alone chose the sides,
    (a - b)^2 would be m on average, with variance 2 m (m - 1); then all rows are spread. Sides
    that repeat each other have less: equal rows of both sides share a fold. A side that repeats
    itself has more: its repeats are spread, `TOGETHER` at a time.
    """
    rng = np.random.default_rng([seed, 3])
    n = len(hashes) // 2
    fold = np.concatenate([rng.permutation(n), rng.permutation(n)]) % folds
    _, group = np.unique(hashes, return_inverse=True)
    size = int(group.max()) + 1
    a, b = (np.bincount(side, minlength=size).astype(np.float64) for side in (group[:n], group[n:]))
    m = a + b
    missing = float((m - (a - b) ** 2).sum())
    if abs(missing) <= SURE * float((2 * m * (m - 1)).sum()) ** 0.5:
        return fold
    both = ((a > 0) & (b > 0))[group]
    batch = np.where(both, 0, _ranks(group) // TOGETHER)
    _, unit = np.unique(group + size * batch, return_inverse=True)
    together = (rng.permutation(int(unit.max()) + 1) % folds)[unit]
    return np.where(both, fold, together) if missing < 0 else together


def _ranks(group: np.ndarray) -> np.ndarray:
    """How many earlier rows have the same group, shape (N,)."""
    order = np.argsort(group, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(group))[:-1]])
    ranks = np.empty(len(group), dtype=np.int64)
    ranks[order] = np.arange(len(group)) - starts[group[order]]
    return ranks


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
