"""Train on some rows, test on others, several times: figures with their spread and intervals.

A run k learns on n rows drawn at random without replacement, and chooses the threshold of a
binary prediction on rows of the same data that were not drawn. All runs are tested on the same
rows. What differs between runs is the draw and the learner's own chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from genmodels.metrics.intervals import Interval
from genmodels.metrics.learning.calibration import best_threshold
from genmodels.metrics.learning.learners import Learner, LearnerName, make_learner
from genmodels.metrics.learning.scores import METRICS, scores
from genmodels.metrics.learning.utility import Examples, Task
from genmodels.metrics.tables.trees import TreeFeatures

__all__ = ["Draw", "Fitted", "Outcome", "draw", "fit", "importances", "judge", "pooled", "shares"]

CHECKED = 5000
"""Rows on which a threshold is chosen, at most."""


@dataclass(frozen=True, eq=False)
class Draw:
    """Rows to learn from and rows to choose a threshold on, both with answers."""

    learn: Examples
    check: Examples

    def first(self, n: int) -> Draw:
        """With the first n rows to learn from."""
        return Draw(self.learn.take(np.arange(min(n, len(self.learn)))), self.check)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A learner that has learnt, and from which chance on it says class 1."""

    task: Task
    learner: Learner
    threshold: float

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Chance of class 1 (N,), of each class (N, K), or values (N,)."""
        if self.task.kind == "regression":
            return self.learner.predict(x)
        chances = self.learner.predict_proba(x)
        return chances[:, 1] if self.task.kind == "binary" else chances


@dataclass(frozen=True, eq=False)
class Outcome:
    """One figure over the runs.

    Args:
        each: figure of each run, shape (S,).
        drawn: mean over the runs for each bootstrap sample of the test rows, shape (B,).
        overlap: share f of two draws that is common, n / N, in (0, 1).
        pool: variances of one run, each from S runs of one of the outcomes of `pooled`.
        weight: how many times the mean of `pool` the variance of `value` is.
    """

    each: np.ndarray
    drawn: np.ndarray
    overlap: float
    pool: tuple[float, ...] = ()
    weight: float = 0.0

    @property
    def value(self) -> float:
        return float(self.each.mean())

    @property
    def spread(self) -> float:
        """Standard deviation over the runs, 0 for a single one."""
        return float(self.each.std(ddof=1)) if len(self.each) > 1 else 0.0

    @property
    def tested(self) -> float:
        """Variance by the choice of the test rows."""
        return float(self.drawn.var())

    def one(self) -> Outcome:
        """The first run alone."""
        return Outcome(self.each[:1], self.each[:1], self.overlap)

    def minus(self, other: Outcome) -> Outcome:
        """The difference, paired by run and by bootstrap sample.

        The training rows of two outcomes that were pooled together count as drawn independently.
        """
        overlap = max(self.overlap, other.overlap)
        gaps = self.each - other.each, self.drawn - other.drawn
        if self.pool and self.pool == other.pool:
            return Outcome(*gaps, overlap, self.pool, self.weight + other.weight)
        return Outcome(*gaps, overlap)

    def interval(self, low: float = -math.inf, high: float = math.inf) -> Interval:
        """95 % interval for the mean over newly drawn training and test rows.

        half = t_d sqrt(s_test^2 + (f + (1 - f) / S) v), with v = s^2 / (1 - f) the variance of one
        run over newly drawn rows, s the spread over the runs; after `pooled` the mean v of those
        outcomes. t_d is the 97.5 % quantile of Student's distribution, d by Welch and
        Satterthwaite: (sum of parts)^2 / sum(part^2 / freedom), the test rows with B - 1 and
        each v with S - 1 degrees of freedom.

        Args:
            low: least possible figure.
            high: greatest possible figure.

        References:
            Nadeau and Bengio, Inference for the generalization error, 2003, eq. 9: runs that
            share the part f of their rows correlate by f.
            Satterthwaite, An approximate distribution of estimates of variance components, 1946.
        """
        pool, weight = self.pool or (self._single(),), self.weight or self._weight()
        parts = [(self.tested, len(self.drawn) - 1)]
        parts += [(weight * math.fsum(pool) / len(pool), len(pool) * (len(self.each) - 1))]
        parts = [(variance, freedom) for variance, freedom in parts if variance > 0 and freedom]
        if not parts:
            return max(low, self.value), min(high, self.value)
        total = math.fsum(variance for variance, _ in parts)
        shares = [(variance / total, freedom) for variance, freedom in parts]
        freedom = 1 / math.fsum(share**2 / k for share, k in shares)
        half = float(stdtrit(freedom, 0.975)) * math.sqrt(total)
        return max(low, self.value - half), min(high, self.value + half)

    def _single(self) -> float:
        """Variance of one run over newly drawn rows, s^2 / (1 - f)."""
        return self.spread**2 / (1 - self.overlap)

    def _weight(self) -> float:
        """Variance of the mean of S runs, in variances of one: f + (1 - f) / S."""
        return self.overlap + (1 - self.overlap) / len(self.each)


def pooled(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The same outcomes with one variance by the choice of training rows, their mean.

    The spread of three runs has 2 degrees of freedom, and an interval from it alone reaches 4.3
    standard errors on each side. One learner on as many rows of different data (synthetic, real,
    copies) varies about alike: k of them have 2k degrees, and three reach 2.4. Where one varies
    twice as much as the two others (in variance), its 95 % interval covers in about 91 %.

    Args:
        outcomes: of the same score and learner, each of S runs.
    """
    pool = tuple(outcome._single() for outcome in outcomes)
    return [replace(outcome, pool=pool, weight=outcome._weight()) for outcome in outcomes]


def shares(n: int, size: int) -> float:
    """Overlap of two draws of n out of `size` rows, kept below 1."""
    return min(0.8, n / max(1, size))


def draw(task: Task, rows: Examples, n: int, *, seed: int, run: int) -> Draw:
    """Draw n rows to learn from and up to 5,000 others to choose a threshold on.

    Rows without an answer are dropped after the draw: data that lack answers teach less. Data
    without any answer teach that all classes are alike, or the value 0.
    """
    order = np.random.default_rng([seed, 22, run]).permutation(len(rows))
    learn = rows.take(order[:n]).answered()
    check = rows.take(order[n : n + CHECKED]).answered() if len(rows) > n else learn
    if not len(learn):
        y = np.tile(np.arange(task.size), 100) if task.size else np.zeros(1)
        learn = check = Examples(np.zeros((len(y), rows.x.shape[1])), y)
    return Draw(learn, check)


def fit(task: Task, features: TreeFeatures, name: LearnerName, rows: Draw, seed: int) -> Fitted:
    """Let one learner learn."""
    learner = make_learner(name, task.kind, features, seed % 2**32, classes=task.size or None)
    learner.fit(rows.learn.x, rows.learn.y)
    if task.kind != "binary" or not len(rows.check):
        return Fitted(task, learner, 0.5)
    chance = learner.predict_proba(rows.check.x)[:, 1]
    return Fitted(task, learner, best_threshold(rows.check.y == 1, chance))


def judge(
    models: Sequence[Fitted],
    test: Examples,
    *,
    overlap: float,
    counts: np.ndarray | None = None,
    first: bool = False,
) -> dict[str, Outcome]:
    """Scores of the runs of one learner on the same data.

    Args:
        models: one per run.
        test: rows with answers.
        overlap: of the draws, from `shares`.
        counts: bootstrap samples of the test rows, from `bootstrap_counts`; None without.
        first: whether only the first score is wanted.
    """
    kind = models[0].task.kind
    plain: list[dict[str, np.ndarray]] = []
    drawn: list[dict[str, np.ndarray]] = []
    for model in models:
        predicted, at = model.predict(test.x), model.threshold
        plain.append(scores(kind, test.y, predicted, threshold=at, first=first))
        if counts is not None:
            more = scores(kind, test.y, predicted, weights=counts, threshold=at, first=first)
            drawn.append(more)
    out = {}
    for name in plain[0]:
        each = np.concatenate([found[name] for found in plain])
        many = [found[name] for found in drawn] or [each.mean(keepdims=True)]
        out[name] = Outcome(each, np.mean(many, axis=0), overlap)
    return out


def importances(model: Fitted, test: Examples, *, seed: int) -> np.ndarray:
    """How much the first score falls when one feature is shuffled among the test rows, (F,).

    References:
        Breiman, Random forests, 2001, section 10.
    """
    kind = model.task.kind
    name = METRICS[kind][0].name
    rng = np.random.default_rng([seed, 23])
    full = scores(kind, test.y, model.predict(test.x), first=True)[name][0]
    out = np.zeros(test.x.shape[1])
    for f in range(len(out)):
        broken = test.x.copy()
        broken[:, f] = rng.permutation(broken[:, f])
        out[f] = full - scores(kind, test.y, model.predict(broken), first=True)[name][0]
    return out
