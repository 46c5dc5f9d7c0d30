"""Train on one table, test on real rows: is the synthetic table good for what tables are for?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from genmodels.metrics.intervals import Interval, auc, bootstrap
from genmodels.metrics.trees import TreeFeatures, trainable
from genmodels.metrics.views import TableView

__all__ = ["CLASSES", "Score", "Task", "find_task", "macro_f1", "train_and_test"]

CLASSES = 30
"""A target with more classes is judged on the most frequent ones and one class for the rest."""


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be predicted.

    Args:
        target: column name.
        kind: "binary" and "multiclass" for a discrete column or two numbers, "regression" for a
            numeric column.
        classes: new class by code (discrete); the rarer level is class 1 of a binary task; -1
            marks codes that are left out (missing, or a level that the training rows lack).
        threshold: of a binary task on numbers: class 1 is above it.
    """

    target: str
    kind: Literal["binary", "multiclass", "regression"]
    classes: np.ndarray | None = None
    threshold: float | None = None

    def answers(self, view: TableView) -> np.ndarray:
        """Target of each row: class numbers, or values in the column's unit; -1 or NaN = none."""
        if self.classes is not None:
            return self.classes[view.codes[:, view.discrete.index(self.target)]]
        values = view.numbers[:, view.numeric.index(self.target)]
        if self.threshold is None:
            return values
        return np.where(np.isnan(values), -1, values > self.threshold).astype(np.int64)


@dataclass(frozen=True)
class Score:
    """One figure on the test rows: its name, value, direction, 95 % bootstrap interval."""

    metric: str
    value: float
    better: Literal["higher", "lower"]
    interval: Interval | None


def find_task(view: TableView, target: str) -> Task:
    """Decide the task from the real training rows.

    Raises:
        ValueError: when the column is not there, or has a single value.
    """
    if target in view.numeric:
        return _numeric_task(view.numbers[:, view.numeric.index(target)], target)
    if target not in view.discrete:
        known = ", ".join(map(repr, view.names))
        raise ValueError(f"target={target!r} is not a column to predict; there are {known}")
    q = view.discrete.index(target)
    counts = np.bincount(view.codes[:, q], minlength=len(view.levels[q]) + 1)
    counts[0] = 0
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    if len(order) < 2:
        raise ValueError(f"target {target!r} has a single value in the training rows")
    classes = np.full(len(counts), -1, dtype=np.int64)
    classes[order] = np.minimum(np.arange(len(order)), CLASSES - 1)
    return Task(target, "binary" if len(order) == 2 else "multiclass", classes)


def _numeric_task(values: np.ndarray, target: str) -> Task:
    distinct = np.unique(values[~np.isnan(values)])
    if len(distinct) < 2:
        raise ValueError(f"target {target!r} has a single value in the training rows")
    if len(distinct) == 2:
        return Task(target, "binary", threshold=float(distinct.mean()))
    return Task(target, "regression")


def train_and_test(task: Task, train: TableView, test: TableView, *, seed: int) -> list[Score]:
    """Scores on `test` of gradient boosting learnt on `train`.

    Args:
        task: from `find_task`.
        train: synthetic, real or shuffled rows.
        test: real rows that no generator saw.
        seed: of the learner and the bootstrap.
    """
    features = TreeFeatures.fit(train, without=task.target)
    known, asked = _answered(task, train), _answered(task, test)
    y, truth = task.answers(train)[known], task.answers(test)[asked]
    if not len(y) or not len(truth):
        raise ValueError(f"target {task.target!r}: no row with a value to learn from or test on")
    x, x_test = trainable(features(train)[known]), features(test)[asked]
    if task.kind == "regression":
        return _regression_scores(truth, _predict(features, x, y, x_test, seed), seed)
    if len(np.unique(y)) < 2:
        guess = np.full(len(truth), y[0])
        probability = np.full(len(truth), float(y[0]))
    else:
        model = HistGradientBoostingClassifier(
            categorical_features=features.categorical, random_state=seed
        ).fit(x, y)
        table = model.predict_proba(x_test)
        guess, probability = model.classes_[table.argmax(1)], table[:, -1]
    if task.kind == "binary":
        return [_score("AUC", "higher", truth == 1, probability, auc, seed)]
    return [
        _score("accuracy", "higher", truth, guess, _accuracy, seed),
        _score("macro-F1", "higher", truth, guess, macro_f1, seed),
    ]


def macro_f1(truth: np.ndarray, guess: np.ndarray) -> float:
    """Mean over the classes in `truth` or `guess` of 2 TP / (2 TP + FP + FN)."""
    size = int(max(truth.max(), guess.max())) + 1
    hits = np.bincount(truth[truth == guess], minlength=size)
    total = np.bincount(truth, minlength=size) + np.bincount(guess, minlength=size)
    return float((2 * hits[total > 0] / total[total > 0]).mean())


def _answered(task: Task, view: TableView) -> np.ndarray:
    answers = task.answers(view)
    return ~np.isnan(answers) if task.kind == "regression" else answers >= 0


def _predict(
    features: TreeFeatures, x: np.ndarray, y: np.ndarray, x_test: np.ndarray, seed: int
) -> np.ndarray:
    # Standardised, so that large units do not upset the learner's stopping rule.
    centre, scale = float(y.mean()), float(y.std()) or 1.0
    model = HistGradientBoostingRegressor(
        categorical_features=features.categorical, random_state=seed
    ).fit(x, (y - centre) / scale)
    return model.predict(x_test) * scale + centre


def _regression_scores(truth: np.ndarray, guess: np.ndarray, seed: int) -> list[Score]:
    return [
        _score("RMSE", "lower", truth, guess, _rmse, seed),
        _score("R2", "higher", truth, guess, _r2, seed),
    ]


def _score(
    metric: str,
    better: Literal["higher", "lower"],
    truth: np.ndarray,
    guess: np.ndarray,
    formula: Callable[[np.ndarray, np.ndarray], float],
    seed: int,
) -> Score:
    interval = bootstrap(lambda rows: formula(truth[rows], guess[rows]), len(truth), seed=seed)
    return Score(metric, formula(truth, guess), better, interval)


def _accuracy(truth: np.ndarray, guess: np.ndarray) -> float:
    return float((truth == guess).mean())


def _rmse(truth: np.ndarray, guess: np.ndarray) -> float:
    return float(np.sqrt(((truth - guess) ** 2).mean()))


def _r2(truth: np.ndarray, guess: np.ndarray) -> float:
    residual, total = ((truth - guess) ** 2).sum(), ((truth - truth.mean()) ** 2).sum()
    return float(1 - residual / total) if total > 0 else 0.0
