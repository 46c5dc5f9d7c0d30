"""Decisions of a model that learnt from some rows about real test rows.

The threshold is chosen on the training side: no test row takes part in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genmodels.metrics.groups.outcomes import Outcome
from genmodels.metrics.learning.learners import LearnerName, make_learner
from genmodels.metrics.tables.memorisation import row_hashes
from genmodels.metrics.tables.trees import TreeFeatures
from genmodels.metrics.tables.views import TableView

__all__ = ["Predictions", "learn_and_predict", "threshold"]

ASIDE = 5
"""One row in so many of the training side is set aside to choose the threshold."""
LEAST = 10
"""With fewer rows set aside they cannot choose a threshold; all rows do."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says about test rows.

    Args:
        score: chance of the positive outcome, or the number, shape (N,).
        decided: whether the score reaches the threshold, bool, shape (N,).
        threshold: chosen on the training side; NaN for a number.
    """

    score: np.ndarray
    decided: np.ndarray
    threshold: float


def learn_and_predict(
    outcome: Outcome,
    train: TableView,
    test: TableView,
    *,
    learner: LearnerName,
    seed: int,
    without: tuple[str, ...] = (),
) -> Predictions | None:
    """Learn the outcome from some rows and predict it for real test rows.

    A fifth of `train` is set aside, equal rows together; the threshold is the score that as many
    of them reach as have the positive outcome. No test row takes part in that.

    Args:
        outcome: what to predict.
        train: rows to learn from.
        test: real rows that no generator saw.
        learner: see `learners.make_learner`.
        seed: of the learner.
        without: columns that the model does not see, besides the target.

    Returns:
        None when no row of `train` has a known outcome.
    """
    y = outcome(train)
    known = np.flatnonzero(~np.isnan(y))
    if not len(known):
        return None
    rows, y = train.take(known), y[known]
    features = _Seen(TreeFeatures.fit(rows, without=outcome.target), rows, without)
    x, aside = features(rows), row_hashes(rows) % np.uint64(ASIDE) == 0
    if aside.sum() < LEAST or aside.all() or not outcome.share:
        aside[:] = False
    kind = "binary" if outcome.share else "regression"
    model = make_learner(learner, kind, features, seed).fit(x[~aside], y[~aside])  # type: ignore[arg-type]
    if not outcome.share:
        score = model.predict(features(test))
        return Predictions(score, np.zeros(len(test), dtype=bool), float("nan"))
    score = model.predict_proba(features(test))[:, 1]
    chosen = aside if aside.any() else ~aside
    cut = threshold(model.predict_proba(x[chosen])[:, 1], y[chosen])
    return Predictions(score, score >= cut, cut)


def threshold(score: np.ndarray, y: np.ndarray) -> float:
    """The score that as many rows reach as have y = 1, up to ties; shape (N,) each."""
    count = round(float(y.sum()))
    ordered = np.sort(score)[::-1]
    if count == 0:
        return float(np.nextafter(ordered[0], np.inf))
    low = ordered[count - 1]
    # Halfway to the next lower score: the cut should not hang on one row.
    return float(low if count == len(y) else (low + ordered[count]) / 2)


class _Seen:
    """The features of `TreeFeatures` less some columns."""

    def __init__(self, base: TreeFeatures, view: TableView, without: tuple[str, ...]) -> None:
        self.base = base
        self.kept = np.array([name not in without for name in base.names(view)], dtype=bool)

    @property
    def categorical(self) -> np.ndarray:
        return self.base.categorical[self.kept]

    def __call__(self, view: TableView) -> np.ndarray:
        return self.base(view)[:, self.kept]
