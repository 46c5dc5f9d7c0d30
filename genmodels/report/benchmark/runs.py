"""The runs of a benchmark: on each split of the real rows, every arm with every learner.

The rows are split first. A generator is fitted inside the training side of a split, once per
number of training rows; models are tested on the other side, which nothing has seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np
import pyarrow as pa

from genmodels.metrics.benchmark.arms import training_rows, try_arm
from genmodels.metrics.benchmark.splits import RealSplit
from genmodels.metrics.benchmark.stand_ins import FittedGenerator
from genmodels.metrics.learning.utility import Examples, Task, examples
from genmodels.metrics.tables.trees import TreeFeatures
from genmodels.metrics.tables.views import TableView, table_views
from genmodels.report.benchmark.log import Record, TrialLog
from genmodels.report.benchmark.plan import Trials

__all__ = ["Fit", "run_trials"]

DRAWS = 20
"""Rows drawn for each one wanted, at most, from a generator that cannot be told a class."""
MOST_DRAWN = 200_000


class Fit(Protocol):
    """Fits a generator to training rows."""

    def __call__(self, train: pa.Table, *, seed: int, name: str) -> FittedGenerator:
        """A generator that has seen these rows alone; `name` tells it from the others."""


def run_trials(
    trials: Trials, fit: Fit, log: TrialLog, *, progress: Callable[[str], None]
) -> list[Record]:
    """Do whatever is not in the log yet.

    Args:
        fit: makes the generators.
        log: takes each result as it comes.
        progress: told what is being done, and how long the rest may take.

    Raises:
        ValueError: when a generator cannot be fitted or makes nothing of use, or the log holds
            results without the score that decides.
    """
    if any(trials.primary not in record.scores for record in log.records.values()):
        raise ValueError(
            f"{log.path} holds results without {trials.primary}, the score that decides; choose "
            "another folder with out=, or overwrite=true to start again"
        )
    start, before = time.monotonic(), len(log.records)

    def tell(text: str) -> None:
        done = len(log.records)
        left = ""
        if done > before:
            seconds = (time.monotonic() - start) / (done - before) * (trials.models - done)
            left = f", about {_duration(seconds)} left"
        progress(f"{text} ({done} of {trials.models} models{left})")

    for split in trials.splits:
        for size in trials.plan.sizes:
            _run_one(trials, split, size, fit, log, tell)
    wanted = {(s.number, z) for s in trials.splits for z in trials.plan.sizes}
    return [record for record in log.records.values() if (record.split, record.size) in wanted]


def _run_one(
    trials: Trials,
    split: RealSplit,
    size: int | None,
    fit: Fit,
    log: TrialLog,
    tell: Callable[[str], None],
) -> None:
    """All arms and learners on one split with one number of real training rows."""
    plan = trials.plan
    missing = [
        (arm, learner)
        for arm in trials.arms
        for learner in plan.learners
        if not log.has(split.number, size, arm.name, learner)
    ]
    if not missing:
        return
    rows = trials.training(split, size)
    assert not np.isin(trials.prints[rows], trials.prints[split.test]).any()
    place = f"split {split.number + 1} of {len(trials.splits)}, {len(rows):,} real rows"
    made: tuple[Examples | None, Examples | None] = (None, None)
    features = TreeFeatures.fit(trials.view.take(rows), without=trials.task.target)
    if any(arm.synthetic for arm, _ in missing):
        tell(f"{place}: fitting a generator")
        made = _synthetic(trials, split, size, rows, features, fit)
    real, test = (_pool(trials.task, features, trials.view.take(r)) for r in (rows, split.test))
    seed = _seed(trials, split)
    for arm in dict.fromkeys(arm for arm, _ in missing):
        chosen = training_rows(arm, real, *made, categorical=features.categorical, seed=seed)
        for learner in [name for a, name in missing if a is arm]:
            tell(f"{place}: {arm.name}, {learner}")
            found = try_arm(
                arm, chosen, test, learner=learner, kind=trials.task.kind, features=features,
                classes=trials.task.size, folds=plan.folds, seed=seed,
            )  # fmt: skip
            log.add(Record(split.number, size, arm.name, learner, len(chosen), found))


def _synthetic(
    trials: Trials,
    split: RealSplit,
    size: int | None,
    rows: np.ndarray,
    features: TreeFeatures,
    fit: Fit,
) -> tuple[Examples, Examples]:
    """Rows of a generator that is fitted here: for the hybrids, and to level the classes."""
    seed = _seed(trials, split)
    name = f"split-{split.number + 1}-rows-{'all' if size is None else size}"
    generator = fit(trials.rows.take(pa.array(rows)), seed=seed, name=name)
    # One row more in 20 makes up for rows without a target.
    count = 1 + int(1.05 * max(arm.ratio for arm in trials.arms) * len(rows))
    pool = _pool_of(trials, features, generator.sample(count, seed=seed))
    y = trials.task.answers(trials.view)[rows]
    if trials.task.kind == "regression":
        return pool, pool
    counts = np.bincount(y, minlength=trials.task.size)
    rare = pool.take(np.arange(0))
    for level in np.flatnonzero(counts < counts.max()):
        wanted = int(counts.max() - counts[level])
        rare = rare.joined(_of_class(trials, features, generator, int(level), wanted, seed))
    return pool, rare


def _of_class(
    trials: Trials,
    features: TreeFeatures,
    generator: FittedGenerator,
    level: int,
    wanted: int,
    seed: int,
) -> Examples:
    """Rows of one class: by telling the generator, else by keeping those that it makes.

    Fewer than wanted where the generator hardly ever makes one.
    """
    task, seed = trials.task, seed + 1
    codes = [] if task.classes is None else list(np.flatnonzero(task.classes == level))
    made = None
    if len(codes) == 1:
        text = trials.view.levels[trials.view.discrete.index(task.target)][codes[0] - 1]
        made = generator.of_level(task.target, text, wanted, seed=seed)
    if made is None:
        made = generator.sample(min(MOST_DRAWN, max(1000, DRAWS * wanted)), seed=seed)
    pool = _pool_of(trials, features, made)
    mine = np.flatnonzero(pool.y == level)[:wanted]
    return pool.take(mine)


def _pool_of(trials: Trials, features: TreeFeatures, made: pa.Table) -> Examples:
    """Synthetic rows with the codes that real rows have."""
    _, view = table_views([trials.rows, made], trials.schema)
    return _pool(trials.task, features, view)


def _pool(task: Task, features: TreeFeatures, view: TableView) -> Examples:
    if task.classes is not None:  # levels that real rows lack are no answers
        lacking = len(view.levels[view.discrete.index(task.target)]) + 1 - len(task.classes)
        padded = np.pad(task.classes, (0, max(0, lacking)), constant_values=-1)
        task = replace(task, classes=padded)
    maps = tuple(
        np.pad(m, (0, max(0, len(view.levels[q]) + 1 - len(m))), constant_values=1)
        for q, m in zip(features.discrete, features.maps, strict=True)
    )
    return examples(task, replace(features, maps=maps), view).answered()


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _seed(trials: Trials, split: RealSplit) -> int:
    """Of a split: another for each, and small enough for every library."""
    return (trials.plan.seed * 1000 + split.number) % 2**31
