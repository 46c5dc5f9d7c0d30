"""Particulars of the section on utility: every learner, mixes, calibration, features used."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from genmodels.metrics.learning.calibration import calibration_line
from genmodels.metrics.learning.learners import LearnerName
from genmodels.metrics.learning.scores import METRICS
from genmodels.metrics.learning.trials import Outcome, importances, pooled
from genmodels.report.rows import Cell, Detail
from genmodels.report.tables.parts import Parts
from genmodels.report.tables.utility_study import ARMS, LABELS, Arm, Study

__all__ = ["STRONG", "calibration_lines", "every_learner", "features_used", "mixes", "span"]

STRONG: LearnerName = "boosting"
"""The learner whose figures become rows: the strongest one finds most of what data lack."""

MIXED: tuple[LearnerName, ...] = ("logistic", "boosting")
RATIOS = (0.5, 1.0)
SHOWN_CELLS, MOST_FEATURES, LISTED = 40_000, 60, 15


def every_learner(study: Study, learners: Mapping[LearnerName, dict[str, Arm]]) -> Detail:
    """Mean and spread of all scores, per learner and data set."""
    metrics = METRICS[study.task.kind]
    lines: list[tuple[Cell, ...]] = []
    for name, arms in learners.items():
        for arm in ARMS:
            found = [_spread(arms[arm].outcomes[metric.name]) for metric in metrics]
            lines.append((name, LABELS[arm], arms[arm].rows, *found))
    runs = len(study.draws["real"])
    return Detail(
        f"Every learner, tested on held-out rows: mean and standard deviation of {runs} runs "
        "(a forest is slower and gets fewer rows)",
        ("learner", "learnt on", "rows", *(metric.name for metric in metrics)),
        tuple(lines),
    )


def mixes(study: Study) -> tuple[dict[str, Outcome], int, Detail]:
    """Learn on all real rows and others together.

    Returns:
        Change of the first score of boosting by each other data set (as many rows as real ones,
        if it has them; the reference points from a single run); the number of synthetic rows that
        were added; all changes by synthetic rows.
    """
    first = METRICS[study.task.kind][0].name
    runs = len(study.draws["real"])
    changes: dict[str, Outcome] = {}
    lines: list[tuple[Cell, ...]] = []
    most = 0
    for name in MIXED:
        alone = study.mixed(name, "synthetic", 0.0, runs=runs)
        base = alone.outcomes[first]
        mixed = [study.mixed(name, "synthetic", ratio, runs=runs) for ratio in RATIOS]
        found = pooled([both.outcomes[first].minus(base) for both in mixed])
        for both, change in zip(mixed, found, strict=True):
            most = both.rows - alone.rows
            lines.append((name, alone.rows, most, base.value, change.value, *span(change)))
        if name == STRONG:
            changes["synthetic"] = found[-1]
            for arm in ("independent", "copies"):
                both = study.mixed(name, arm, 1.0, runs=1)
                changes[arm] = both.outcomes[first].minus(base.one())
    headers = (
        "learner", "real rows", "synthetic rows added", f"{first}, real alone", "change",
        "95 % from", "to",
    )  # fmt: skip
    title = f"Real and synthetic rows together: change of {first} against the same real rows alone"
    return changes, most, Detail(title, headers, tuple(lines))


def calibration_lines(study: Study, arms: dict[str, Arm]) -> Detail:
    """Slope and intercept of the chances that boosting predicts."""
    lines: list[tuple[Cell, ...]] = []
    positive = study.test.y == 1
    for arm in ARMS:
        line = calibration_line(positive, arms[arm].models[0].predict(study.test.x))
        error = arms[arm].outcomes["calibration error"].value
        lines.append((LABELS[arm], error, *(line if line is not None else (None, None))))
    return Detail(
        "Calibration of boosting on held-out rows: a slope of 1 and an intercept of 0 are right, "
        "a slope below 1 means chances that are too sure of themselves",
        ("learnt on", "calibration error", "slope", "intercept"),
        tuple(lines),
    )


def features_used(study: Study, arms: dict[str, Arm], parts: Parts) -> Detail | None:
    """Whether models from real and from synthetic rows rely on the same features.

    None with few test rows, and with so few or many features that it says little or takes long.
    """
    names = study.features.names(parts.train)
    if len(study.test) < 100 or not 3 <= len(names) <= MOST_FEATURES:
        return None
    shown = min(2000, SHOWN_CELLS // len(names), len(study.test))
    test = study.test.take(np.arange(shown))
    real, made = (
        importances(arms[arm].models[0], test, seed=study.seed) for arm in ("real", "synthetic")
    )
    title = (
        f"Fall of {METRICS[study.task.kind][0].name} when one column is shuffled among test rows; "
        f"rank correlation of the two models {rank_correlation(real, made):.2f}"
    )
    if len(arms["real"].models) > 1:
        again = importances(arms["real"].models[1], test, seed=study.seed)
        title += f" (two models from real rows: {rank_correlation(real, again):.2f})"
    order = np.argsort(-real, kind="stable")[:LISTED]
    lines = tuple((names[f], float(real[f]), float(made[f])) for f in order)
    return Detail(title, ("column", "model from real rows", "model from synthetic rows"), lines)


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's correlation, 0 where one side has no order.

    Args:
        a: shape (N,).
        b: shape (N,).
    """
    from scipy.stats import rankdata

    x, y = rankdata(a), rankdata(b)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def span(change: Outcome) -> tuple[float | None, float | None]:
    """Interval of a change, unknown where models that always answer alike show no chance."""
    low, high = change.interval()
    return (low, high) if low < high else (None, None)


def _spread(outcome: Outcome) -> str:
    return f"{outcome.value:.4g} ± {outcome.spread:.1g}"
