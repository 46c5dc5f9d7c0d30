"""What a model may be trained on: the arms of a benchmark of synthetic data.

A *simple* arm needs no generator: real rows as they are, weighted, with a tuned threshold, or
oversampled. A synthetic arm has rows of a generator in it, or nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genmodels.metrics.benchmark.splits import nested_order
from genmodels.metrics.learning.calibration import best_threshold
from genmodels.metrics.learning.learners import Features, Kind, LearnerName, make_learner
from genmodels.metrics.learning.scores import scores
from genmodels.metrics.learning.utility import Examples
from genmodels.oversampling import oversample, smote

__all__ = ["Arm", "arms_of", "primary_score", "training_rows", "try_arm"]

RANKING = ("AUC", "average precision")
"""Scores of the order of the predictions: no threshold changes them."""

Rule = Literal["as is", "weights", "threshold", "repeat", "smote", "synthetic", "fill"]


@dataclass(frozen=True)
class Arm:
    """One way of training.

    Args:
        name: as in the report.
        rule: what is done to the rows.
        text: what it is, in plain words.
        ratio: synthetic rows per real row.
    """

    name: str
    rule: Rule
    text: str
    ratio: float = 0.0

    @property
    def synthetic(self) -> bool:
        """Whether rows of a generator take part."""
        return self.ratio > 0 or self.rule == "fill"

    def decides(self, primary: str) -> bool:
        """Whether this score can tell the arm from another one.

        A tuned threshold leaves the order of the predictions as it is: by a score of the order it
        would be the arm of real rows twice, and each more arm that others are compared with costs
        power.
        """
        return self.rule != "threshold" or primary not in RANKING


SIMPLE = (
    Arm("real rows", "as is", "the real training rows as they are"),
    Arm("class weights", "weights", "real rows, each class weighing the same"),
    Arm("tuned threshold", "threshold", "real rows; the threshold of the decision is chosen on "
        "out-of-fold predictions of the training rows"),
    Arm("oversampling", "repeat", "real rows, rows of the rarer classes repeated at random"),
    Arm("SMOTE", "smote", "real rows, and points between neighbours of the rarer classes"),
)  # fmt: skip


def arms_of(kind: Kind, ratios: Sequence[float], *, uneven: bool) -> tuple[Arm, ...]:
    """The arms that a task allows, simple ones first.

    Args:
        kind: regression has no classes to weigh or to balance; only two classes have a threshold.
        ratios: synthetic rows per real row of the hybrid arms, each above 0.
        uneven: whether levelling the classes adds rows worth speaking of.
    """
    rules = {
        "binary": ("as is", "weights", "threshold", "repeat", "smote"),
        "multiclass": ("as is", "weights", "repeat", "smote"),
        "regression": ("as is",),
    }[kind]
    arms = [arm for arm in SIMPLE if arm.rule in rules]
    text = "as many synthetic rows as there are real ones, and nothing else"
    arms.append(Arm("synthetic only", "synthetic", text, 1.0))
    for ratio in ratios:
        text = f"real rows, and {ratio:g} synthetic rows for each of them"
        arms.append(Arm(f"real + {ratio:g} synthetic", "as is", text, ratio))
    if uneven and kind != "regression":
        text = "real rows, and synthetic rows of the rarer classes until all classes are level"
        arms.append(Arm("real + synthetic rare", "fill", text))
    return tuple(arms)


def primary_score(kind: Kind, rarest: float, *, imbalanced: float) -> str:
    """The one score that decides, fixed before any result is known; more is better.

    Average precision for two classes of which the rarer has less than `imbalanced` of the rows,
    else AUC; macro-F1 for more classes; R2 for numbers.

    Args:
        rarest: share of the rarest class in the real rows.
    """
    if kind == "binary":
        return "average precision" if rarest < imbalanced else "AUC"
    return "macro-F1" if kind == "multiclass" else "R2"


def training_rows(
    arm: Arm,
    real: Examples,
    synthetic: Examples | None,
    rare: Examples | None,
    *,
    categorical: np.ndarray,
    seed: int,
) -> Examples:
    """The rows that an arm learns from.

    Args:
        arm: which.
        real: real training rows.
        synthetic: rows of the generator, as many as the largest ratio asks for; None: not asked.
        rare: synthetic rows that level the classes; None: not asked.
        categorical: which features are category codes, bool (F,).
        seed: of the draws.
    """
    if arm.rule == "repeat":
        return Examples(*oversample(real.x, real.y, seed=seed))
    if arm.rule == "smote":
        return Examples(*smote(real.x, real.y, categorical=categorical, seed=seed))
    if arm.rule == "fill":
        assert rare is not None
        return real.joined(rare)
    if not arm.synthetic:
        return real
    assert synthetic is not None
    chosen = synthetic.take(np.arange(min(len(synthetic), round(arm.ratio * len(real)))))
    return chosen if arm.rule == "synthetic" else real.joined(chosen)


def try_arm(
    arm: Arm,
    rows: Examples,
    test: Examples,
    *,
    learner: LearnerName,
    kind: Kind,
    features: Features,
    classes: int,
    folds: int,
    seed: int,
) -> dict[str, float]:
    """Learn from the rows of an arm, and score on real test rows.

    Args:
        arm: says whether classes are weighted and the threshold is tuned.
        rows: from `training_rows`.
        test: real rows that neither the generator nor the arm has seen.
        learner, kind, features: see `make_learner`.
        classes: number of classes.
        folds: of the out-of-fold predictions that choose a threshold.
        seed: of the learner and the folds.

    Returns:
        All scores of the task by name; "threshold" too for two classes.

    Raises:
        ValueError: when there is no row to learn from.
    """
    if not len(rows):
        raise ValueError(f"{arm.name}: the generator made no row with a value of the target")
    weights: Literal["none", "balanced"] = "balanced" if arm.rule == "weights" else "none"

    def predictions(train: Examples, x: np.ndarray) -> np.ndarray:
        model = make_learner(learner, kind, features, seed, weights, classes)
        model.fit(train.x, train.y)
        return model.predict(x) if kind == "regression" else model.predict_proba(x)

    predicted = predictions(rows, test.x)
    if kind != "binary":
        return _plain(scores(kind, test.y, predicted))
    threshold = 0.5
    if arm.rule == "threshold":
        chance = np.zeros(len(rows))
        fold = np.empty(len(rows), np.int64)
        fold[nested_order(rows.y, len(rows), [seed, 45])] = np.arange(len(rows)) % folds
        for k in range(folds):
            kept, out = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            if len(kept) and len(out):
                chance[out] = predictions(rows.take(kept), rows.x[out])[:, 1]
        threshold = best_threshold(rows.y == 1, chance)
    found = scores(kind, test.y, predicted[:, 1], threshold=threshold)
    return _plain(found) | {"threshold": threshold}


def _plain(found: dict[str, np.ndarray]) -> dict[str, float]:
    return {name: float(values[0]) for name, values in found.items()}
