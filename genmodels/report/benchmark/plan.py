"""What a benchmark tries, and how the real rows are split for it, before anything is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from genmodels.metrics.benchmark.arms import Arm, arms_of, primary_score
from genmodels.metrics.benchmark.splits import (
    RealSplit,
    group_splits,
    nested_order,
    random_splits,
    time_splits,
)
from genmodels.metrics.learning.learners import LEARNERS, LearnerName
from genmodels.metrics.learning.utility import Task, find_task
from genmodels.metrics.tables.memorisation import row_hashes
from genmodels.metrics.tables.views import TableView, column_text, table_views
from genmodels.schema import TableSchema

__all__ = ["Plan", "Trials", "known_answers"]

UNEVEN = 0.5
"""Classes are levelled with synthetic rows when the smallest has less than this of the largest."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is tried.

    Args:
        repeats: splits, at least 3.
        test_share: of the rows to test on, in (0, 1).
        split_by: column whose groups stay on one side, or None.
        time: column by which tests follow training in time, or None.
        learners: names, see `make_learner`.
        ratios: synthetic rows per real row of the hybrid arms.
        sizes: numbers of real training rows, ascending; None stands for all.
        folds: of the predictions that choose a threshold.
        imbalanced: below this share of the rarer class average precision decides.
        alpha: chance of any wrong verdict.
        seed: of every random choice.
    """

    repeats: int
    test_share: float
    split_by: str | None
    time: str | None
    learners: tuple[LearnerName, ...]
    ratios: tuple[float, ...]
    sizes: tuple[int | None, ...]
    folds: int
    imbalanced: float
    alpha: float
    seed: int

    def __post_init__(self) -> None:
        _at_least("repeats", self.repeats, 3)
        _at_least("folds", self.folds, 2)
        for key in ("test_share", "alpha"):
            if not 0 < getattr(self, key) < 1:
                raise ValueError(f"{key} must be between 0 and 1, got {getattr(self, key)!r}")
        if self.split_by is not None and self.time is not None:
            raise ValueError("give split_by or time, not both")
        unknown = [name for name in self.learners if name not in LEARNERS]
        if unknown or not self.learners:
            known = ", ".join(LEARNERS)
            raise ValueError(f"learners must be some of {known}, got {list(self.learners)}")
        if any(not ratio > 0 for ratio in self.ratios):
            raise ValueError(f"ratios must be above 0, got {list(self.ratios)}")
        for size in self.sizes:
            _at_least("learning_curve", size or 10, 10)


@dataclass(frozen=True, eq=False)
class Trials:
    """All that is decided before anything is fitted.

    Args:
        plan: what is tried.
        rows: real rows with a known target.
        schema: of the rows.
        view: the same rows as arrays.
        task: what is predicted.
        splits: of the rows.
        prints: fingerprint of each row.
        arms: ways of training, simple ones first.
        primary: the score that decides.
        remarks: what was left out, for the reader.
    """

    plan: Plan
    rows: pa.Table
    schema: TableSchema
    view: TableView
    task: Task
    splits: tuple[RealSplit, ...]
    prints: np.ndarray
    arms: tuple[Arm, ...]
    primary: str
    remarks: tuple[str, ...]

    @classmethod
    def prepare(cls, rows: pa.Table, schema: TableSchema, target: str, plan: Plan) -> Trials:
        """Decide the task and split the rows.

        Args:
            rows: real, typed as the schema says.
            target: name of the column to predict.

        Raises:
            ValueError: when the target, or a column of the plan, cannot be used.
        """
        if not rows.num_rows:
            raise ValueError("the data have no rows: there is nothing to learn from")
        (view,) = table_views([rows], schema)
        task = find_task(view, target)
        known = np.flatnonzero(known_answers(task, view))
        remarks = []
        if len(known) < len(view):
            remarks.append(f"{len(view) - len(known):,} rows without a value of the target are "
                           "left out.")  # fmt: skip
            rows, view = rows.take(pa.array(known)), view.take(known)
        prints = row_hashes(view)
        if extra := len(prints) - len(np.unique(prints)):
            remarks.append(f"{extra:,} rows repeat another row; equal rows are kept on one side "
                           "of each split.")  # fmt: skip
        y = task.answers(view)
        splits = _splits(plan, rows, view, prints, None if task.kind == "regression" else y)
        if task.kind != "regression":
            _check_classes(splits, y)
        else:
            remarks.append("The target is a number: class weights, a tuned threshold and "
                           "oversampling have no place here.")  # fmt: skip
        counts = np.ones(1) if task.kind == "regression" else np.bincount(y)
        rarest = float(counts.min() / counts.sum())
        primary = primary_score(task.kind, rarest, imbalanced=plan.imbalanced)
        fewest = min(len(split.train) for split in splits)
        plan, more = _possible_sizes(plan, fewest)
        arms = arms_of(task.kind, plan.ratios, uneven=bool(counts.min() < UNEVEN * counts.max()))
        return cls(plan, rows, schema, view, task, tuple(splits), prints, arms, primary,
                   (*remarks, *more))  # fmt: skip

    @property
    def ratio(self) -> float:
        """Mean n_test / n_train; of the whole splits also where fewer rows are learnt from.

        Splits then share fewer training rows than the correction supposes: it errs on the safe
        side.
        """
        return float(np.mean([split.ratio for split in self.splits]))

    @property
    def models(self) -> int:
        plan = self.plan
        return len(self.splits) * len(plan.sizes) * len(self.arms) * len(plan.learners)

    def training(self, split: RealSplit, size: int | None) -> np.ndarray:
        """Row numbers to learn from; those of a smaller size are among those of a larger one."""
        if size is None:
            return split.train
        y = None if self.task.kind == "regression" else self.task.answers(self.view)[split.train]
        order = nested_order(y, len(split.train), [self.plan.seed, 46, split.number])
        return np.sort(split.train[order[:size]])


def known_answers(task: Task, view: TableView) -> np.ndarray:
    """Which rows have a target that can be learnt, bool (N,)."""
    answers = task.answers(view)
    return ~np.isnan(answers) if task.kind == "regression" else answers >= 0


def _splits(
    plan: Plan, rows: pa.Table, view: TableView, prints: np.ndarray, y: np.ndarray | None
) -> list[RealSplit]:
    common = {"repeats": plan.repeats, "share": plan.test_share}
    if plan.time is not None:
        if plan.time not in view.numeric:
            raise ValueError(
                f"time={plan.time!r} must name a date or a number; there are "
                f"{', '.join(map(repr, view.numeric)) or 'none'}"
            )
        times = view.numbers[:, view.numeric.index(plan.time)]
        return time_splits(times, prints, **common)  # type: ignore[arg-type]
    if plan.split_by is None:
        return random_splits(prints, y, seed=plan.seed, **common)  # type: ignore[arg-type]
    if plan.split_by not in rows.column_names:
        known = ", ".join(map(repr, rows.column_names[:20]))
        raise ValueError(f"split_by={plan.split_by!r} is not in the data; there are {known}")
    text = column_text(rows[plan.split_by])
    groups = np.zeros(len(view), np.int64)
    groups[text.index.to_numpy()] = 1 + np.unique(text.to_numpy(str), return_inverse=True)[1]
    return group_splits(groups, prints, seed=plan.seed, **common)  # type: ignore[arg-type]


def _check_classes(splits: Sequence[RealSplit], y: np.ndarray) -> None:
    for split in splits:
        for side, part in (("learn from", split.train), ("test on", split.test)):
            if len(np.unique(y[part])) < 2:
                raise ValueError(
                    f"split {split.number + 1} has rows of one class only to {side}; the data "
                    "have too few of the rarer class, or split_by or time parts the classes"
                )


def _possible_sizes(plan: Plan, fewest: int) -> tuple[Plan, list[str]]:
    """Without sizes that no split has the rows for."""
    kept = tuple(size for size in plan.sizes if size is None or size < fewest)
    if kept == plan.sizes:
        return plan, []
    text = f"Sizes of the learning curve from {fewest:,} rows on are left out: no split has more."
    return replace(plan, sizes=kept or (None,)), [text]


def _at_least(key: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{key} must be a whole number of at least {least}, got {value!r}")
