"""What is to be predicted, and the rows that know it: the input of `metrics.learning.trials`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genmodels.metrics.learning.learners import Kind
from genmodels.metrics.tables.trees import TreeFeatures
from genmodels.metrics.tables.views import TableView

__all__ = ["CLASSES", "Examples", "Task", "examples", "find_task"]

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
    kind: Kind
    classes: np.ndarray | None = None
    threshold: float | None = None

    @property
    def size(self) -> int:
        """Number of classes, 0 for regression."""
        if self.kind == "regression":
            return 0
        return 2 if self.classes is None else int(self.classes.max()) + 1

    def answers(self, view: TableView) -> np.ndarray:
        """Target of each row: class numbers, or values in the column's unit; -1 or NaN = none."""
        if self.classes is not None:
            return self.classes[view.codes[:, view.discrete.index(self.target)]]
        values = view.numbers[:, view.numeric.index(self.target)]
        if self.threshold is None:
            return values
        return np.where(np.isnan(values), -1, values > self.threshold).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Examples:
    """Features (N, F) and answers (N,) of some rows; answers may be missing, see `Task.answers`."""

    x: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: np.ndarray) -> Examples:
        return Examples(self.x[rows], self.y[rows])

    def answered(self) -> Examples:
        """Those rows that have an answer."""
        known = self.y >= 0 if self.y.dtype.kind == "i" else ~np.isnan(self.y)
        return self if known.all() else self.take(np.flatnonzero(known))

    def joined(self, other: Examples) -> Examples:
        """These rows and then the others."""
        return Examples(np.concatenate([self.x, other.x]), np.concatenate([self.y, other.y]))


def examples(task: Task, features: TreeFeatures, view: TableView) -> Examples:
    """Features and answers of each row of a view."""
    return Examples(features(view), task.answers(view))


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
        raise ValueError(_single(target))
    classes = np.full(len(counts), -1, dtype=np.int64)
    classes[order] = np.minimum(np.arange(len(order)), CLASSES - 1)
    return Task(target, "binary" if len(order) == 2 else "multiclass", classes)


def _numeric_task(values: np.ndarray, target: str) -> Task:
    distinct = np.unique(values[~np.isnan(values)])
    if len(distinct) < 2:
        raise ValueError(_single(target))
    if len(distinct) == 2:
        return Task(target, "binary", threshold=float(distinct[0] / 2 + distinct[1] / 2))
    return Task(target, "regression")


def _single(target: str) -> str:
    return (
        f"target {target!r} has a single value in the training rows: there is nothing to predict; "
        "name another column with target=<column>"
    )
