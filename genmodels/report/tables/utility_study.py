"""The experiment behind the section on utility: who learns on what, and is tested on what.

Each arm is a data set to learn from: synthetic rows, real training rows, and the two reference
points. All arms draw the same number of rows n, and all runs test on the same held-out rows.
Mixes are all real rows and others, against all real rows alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genmodels.metrics.learning.learners import LearnerName
from genmodels.metrics.learning.scores import bootstrap_counts
from genmodels.metrics.learning.trials import (
    CHECKED,
    Draw,
    Fitted,
    Outcome,
    draw,
    fit,
    judge,
    shares,
)
from genmodels.metrics.learning.utility import Examples, Task, examples
from genmodels.metrics.tables.trees import TreeFeatures
from genmodels.report.tables.parts import Parts, head

__all__ = ["ARMS", "LABELS", "Arm", "Spread", "Study"]

ARMS = ("synthetic", "real", "independent", "copies")
"""In the order of `rows.Points`."""

LABELS = {
    "synthetic": "synthetic rows",
    "real": "real rows",
    "independent": "independent columns",
    "copies": "copies of real rows",
}

SHARE = 0.8
"""Part of the smallest data set that a run draws: the rest shows what other rows would teach."""

CELLS = 20_000_000
"""Bootstrap counts of a test row for each class, at most: 200 samples of 50,000 rows, 2 classes."""

Outcomes = dict[str, Outcome]
Spread = Literal["all", "first", "none"]
"""Which scores get the chance of the test rows, for intervals."""


@dataclass(frozen=True, eq=False)
class Arm:
    """Models of one learner on one data set, one per run, and their scores on held-out rows."""

    models: list[Fitted]
    outcomes: Outcomes
    rows: int


@dataclass(frozen=True, eq=False)
class Study:
    """What all arms share.

    Args:
        task, features: what is predicted, and from what.
        draws: per arm, one draw per run.
        pools: rows of each arm that the draws are taken from.
        test: held-out rows with answers.
        counts: bootstrap samples of `test`.
        n: rows of a draw.
        most: real rows that others are added to, at most.
        seed: of every random choice.
    """

    task: Task
    features: TreeFeatures
    draws: dict[str, list[Draw]]
    pools: dict[str, Examples]
    test: Examples
    counts: np.ndarray
    n: int
    most: int
    seed: int

    @classmethod
    def prepare(
        cls,
        parts: Parts,
        task: Task,
        *,
        rows: int,
        runs: int,
    ) -> Study:
        """Draw the rows of all runs.

        Args:
            parts: the data.
            task: what is predicted.
            rows: at most so many rows to learn from, and to test on.
            runs: S.
        """
        limit = runs * rows + CHECKED
        real = head(parts.train, limit)
        features = TreeFeatures.fit(real, without=task.target)
        views = (parts.synthetic, real, parts.independent, parts.copies)
        pools = {
            arm: examples(task, features, head(view, limit))
            for arm, view in zip(ARMS, views, strict=True)
        }
        n = max(1, min(rows, int(SHARE * min(map(len, pools.values())))))
        draws = {
            arm: [draw(task, pool, n, seed=parts.seed, run=k) for k in range(runs)]
            for arm, pool in pools.items()
        }
        test = examples(task, features, parts.holdout).answered()
        test = test.take(np.arange(min(rows, len(test))))
        counts = _resampled(task, test, parts.seed)
        return cls(task, features, draws, pools, test, counts, n, rows, parts.seed)

    def overlap(self, arm: str, n: int) -> float:
        return shares(n, len(self.pools[arm]))

    def learn(self, name: LearnerName, arm: str, n: int, *, spread: Spread) -> Arm:
        """Learn on n rows of an arm.

        Args:
            name: the learner.
            arm: one of ARMS.
            n: rows, at most those of a draw.
            spread: which scores get intervals; "first" computes no others.
        """
        draws = [x.first(n) for x in self.draws[arm]]
        return self._judged(name, draws, n, self.overlap(arm, n), spread)

    def mixed(self, name: LearnerName, arm: str, ratio: float, *, runs: int) -> Arm:
        """Learn on all real rows and `ratio` times as many others, for the first score.

        All of them: a generator that saw more real rows than its rival would win by those. Of the
        others at most the part SHARE, or runs would not differ by the choice of rows.

        Args:
            name: the learner.
            arm: one of ARMS; of as many of its rows as it has.
            ratio: 0 for real rows alone.
            runs: at most those of the study.
        """
        real = self.pools["real"].take(np.arange(min(self.most, len(self.pools["real"]))))
        added = min(int(ratio * len(real)), max(1, int(SHARE * len(self.pools[arm]))))
        draws = []
        for run in range(runs):
            order = np.random.default_rng([self.seed, 24, run]).permutation(len(self.pools[arm]))
            rows = real.joined(self.pools[arm].take(order[:added])).answered()
            draws.append(Draw(rows, rows.take(np.arange(0))))
        return self._judged(name, draws, len(real) + added, self.overlap(arm, added), "first")

    def tested_on(self, models: Sequence[Fitted], arm: str, n: int) -> tuple[Outcomes, Examples]:
        """First score of models on n rows of an arm, and those of the rows with an answer."""
        rows = self.pools[arm].take(np.arange(min(n, len(self.pools[arm])))).answered()
        if not len(rows):
            return {}, rows
        counts = _resampled(self.task, rows, self.seed) if arm == "synthetic" else None
        overlap = self.overlap("real", self.n)
        return judge(models, rows, overlap=overlap, counts=counts, first=True), rows

    def _judged(
        self, name: LearnerName, draws: list[Draw], n: int, overlap: float, spread: Spread
    ) -> Arm:
        models = [
            fit(self.task, self.features, name, rows, self.seed + k) for k, rows in enumerate(draws)
        ]
        counts = None if spread == "none" else self.counts
        found = judge(models, self.test, overlap=overlap, counts=counts, first=spread == "first")
        return Arm(models, found, n)


def _resampled(task: Task, rows: Examples, seed: int) -> np.ndarray:
    """200 bootstrap samples, down to 50 of them with many classes."""
    repeats = int(np.clip(CELLS // (len(rows) * max(1, task.size)), 50, 200))
    strata = rows.y if task.size else None
    return bootstrap_counts(len(rows), seed=seed, repeats=repeats, strata=strata)
