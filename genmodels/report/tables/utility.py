"""Section on utility: what models learn from synthetic rows, tested on real rows."""

from __future__ import annotations

import numpy as np

from genmodels.metrics.intervals import Interval, wilson
from genmodels.metrics.learning.calibration import calibration_curve
from genmodels.metrics.learning.learners import LEARNERS
from genmodels.metrics.learning.scores import METRICS, Metric
from genmodels.metrics.learning.trials import Outcome, pooled
from genmodels.metrics.learning.utility import Examples, Task, find_task
from genmodels.metrics.tables.views import TableView
from genmodels.report.page.pictures import curves
from genmodels.report.rows import Picture, Points, Row, Section
from genmodels.report.tables.parts import Parts
from genmodels.report.tables.utility_details import (
    STRONG,
    calibration_lines,
    every_learner,
    features_used,
    mixes,
    span,
)
from genmodels.report.tables.utility_study import ARMS, Arm, Spread, Study

__all__ = ["utility"]

TESTED, OF_A_CLASS = 30, 5
"""Test rows, and rows of each of two classes, below which no score is worth showing."""

LEARNABLE = 0.1
"""Real rows must beat shuffled ones by this part of a score's scale to say anything."""

HALF = 0.5
"""A loss that may reach this part of the way to shuffled rows is undecided."""

SPREADS: dict[str, Spread] = {
    "synthetic": "all",
    "real": "all",
    "independent": "none",
    "copies": "none",
}

NOTES = {
    "AUC": "Chance that a row of the class gets a higher score than another row; 0.5 is guessing.",
    "average precision": "Mean precision over all shares of the class found; guessing gives the "
    "share of the class.",
    "F1": "Where the model says yes from the chance on that was best on rows kept aside.",
    "Brier score": "Mean squared error of the predicted chances.",
    "calibration error": "Mean distance between predicted chances and observed shares.",
    "macro AUC": "AUC of each class against all others, averaged; 0.5 is guessing.",
    "accuracy": "Share of rows whose class is predicted.",
    "macro-F1": "F1 of each class, averaged: rare classes count like frequent ones.",
    "R2": "Share of the variance that is predicted; 0 is no better than the mean.",
    "RMSE": "Root of the mean squared error, in the target's unit.",
    "MAE": "Mean absolute error, in the target's unit.",
}


def utility(
    parts: Parts,
    *,
    target: str,
    asked: bool,
    rows: int,
    slow_rows: int,
    runs: int,
    remarks: list[str],
) -> Section | None:
    """Train on synthetic rows, real rows and both; test on held-out real rows.

    Args:
        parts: the data.
        target: what is predicted.
        asked: whether the user named the target: an unusable one is then an error.
        rows: at most so many rows to learn from, and to test on.
        slow_rows: at most so many rows for a forest to learn from.
        runs: draws of the rows to learn from.
        remarks: told why there is no section.

    Raises:
        ValueError: when a target that was asked for does not exist or has a single value.
    """
    try:
        task = find_task(parts.train, target)
    except ValueError as error:
        if asked:
            raise
        remarks.append(f"Utility was skipped: {error}.")
        return None
    tested = np.unique(_present(task, parts.holdout))
    if len(tested) < 2:
        remarks.append(
            f"Utility was skipped: the held-out rows have {'a single' if len(tested) else 'no'} "
            f"value of {target!r}; give more of them, or another target=<column>."
        )
        return None
    few = _too_few(task, parts.holdout)
    if few is not None:
        remarks.append(f"Utility was skipped: {few}; give more held-out rows.")
        return None
    if not len(_present(task, parts.synthetic)):
        remarks.append(
            f"No synthetic row has a usable value of {target!r}: what is said to be trained on "
            "synthetic rows has learnt nothing."
        )
    study = Study.prepare(parts, task, rows=rows, runs=runs)
    return _section(parts, study, min(study.n, slow_rows))


def _section(parts: Parts, study: Study, slow: int) -> Section:
    sizes = {name: slow if name == "forest" else study.n for name in LEARNERS}
    learners = {
        name: {arm: study.learn(name, arm, n, spread=SPREADS[arm]) for arm in ARMS}
        for name, n in sizes.items()
    }
    arms = learners[STRONG]
    hybrid, added, lines = mixes(study)
    found = [_row(parts, study, metric, arms) for metric in METRICS[study.task.kind]]
    swapped = _swapped(parts, study, arms["real"])
    found += [row for row in (swapped, _hybrid_row(parts, study, hybrid, added)) if row is not None]
    details = [every_learner(study, learners), lines]
    pictures: tuple[Picture, ...] = ()
    if study.task.kind == "binary":
        details.append(calibration_lines(study, arms))
        pictures = (_calibration(study, arms),)
    used = features_used(study, arms, parts)
    text = " ".join(
        [_what(parts, study), _loss(study, arms), _gain(parts, study, hybrid["synthetic"], added)]
    )
    details += [used] if used is not None else []
    return Section("Train on synthetic, test on real", text, tuple(found), tuple(details), pictures)


def _row(parts: Parts, study: Study, metric: Metric, arms: dict[str, Arm]) -> Row:
    outcomes = [arms[arm].outcomes[metric.name] for arm in ARMS]
    made = _as_real(metric, arms)[0]
    return parts.row(
        "utility",
        f"{metric.name} for {study.task.target!r}, trained on synthetic",
        Points(*(outcome.value for outcome in outcomes)),
        metric.better,
        n=len(study.test),
        interval=_interval(made, metric, study.task, study.test),
        note=f"{NOTES[metric.name]} Boosting on {study.n:,} rows, mean of "
        f"{len(outcomes[0].each)} runs, tested on {len(study.test):,} held-out rows.",
        headline=metric == METRICS[study.task.kind][0],
        scale=_scale(metric, outcomes[1]),
    )


def _as_real(metric: Metric, arms: dict[str, Arm]) -> tuple[Outcome, Outcome]:
    """Trained on synthetic and on real rows, with one variance by the choice of rows."""
    alike = [arms[arm].outcomes[metric.name] for arm in ("synthetic", "real", "copies")]
    made, real, _ = pooled(alike)
    return made, real


def _interval(outcome: Outcome, metric: Metric, task: Task, test: Examples) -> Interval | None:
    """At least that of a share where the test rows show no chance or are very few.

    Models that say the same of every row score the same on any rows, and so do perfect ones. A
    share p of m rows has the variance p (1 - p) / m, which bounds that of an AUC with m rows in
    the smaller class. None for scores without bounds.

    References:
        Birnbaum and Klose, Bounds for the variance of the Mann-Whitney statistic, 1957.
    """
    low, high = outcome.interval(metric.low, metric.high)
    m = _fewest(task, test.y)
    if outcome.tested > 1e-18 and m >= OF_A_CLASS:
        return low, high
    if not np.isfinite([metric.low, metric.high]).all():
        return None
    range_ = metric.high - metric.low
    a, b = wilson(m * min(1.0, max(0.0, (outcome.value - metric.low) / range_)), m)
    return min(low, metric.low + range_ * a), max(high, metric.low + range_ * b)


def _fewest(task: Task, answers: np.ndarray) -> int:
    """Rows of the rarest class that there is, 0 with a single one; all with a number to predict."""
    if not task.size:
        return len(answers)
    counts = np.unique(answers, return_counts=True)[1]
    return int(counts.min()) if len(counts) > 1 else 0


def _too_few(task: Task, view: TableView) -> str | None:
    """What there is too little of to test models on, None with enough."""
    answers = _present(task, view)
    if len(answers) < TESTED:
        return (
            f"only {len(answers)} held-out rows have a value of {task.target!r}, of {TESTED} needed"
        )
    if not task.size:
        return None
    second = int(np.sort(np.unique(answers, return_counts=True)[1])[-2])
    enough = second >= OF_A_CLASS
    return None if enough else f"no two classes of {task.target!r} have {OF_A_CLASS} held-out rows"


def _scale(metric: Metric, real: Outcome) -> float:
    return metric.scale if metric.scale > 0 else max(abs(real.value), 1e-9)


def _swapped(parts: Parts, study: Study, real: Arm) -> Row | None:
    """Trained on real, tested on each data set: is the synthetic one as hard to predict?"""
    first = METRICS[study.task.kind][0]
    size = min(len(study.test), 10_000)
    judged = {arm: study.tested_on(real.models, arm, size) for arm in ARMS if arm != "real"}
    if any(not len(rows) for _, rows in judged.values()):
        return None
    outcomes = {arm: found[first.name] for arm, (found, _) in judged.items()}
    asked = judged["synthetic"][1]
    return parts.row(
        "utility",
        f"{first.name} for {study.task.target!r}, trained on real and tested on synthetic",
        Points(
            outcomes["synthetic"].value,
            real.outcomes[first.name].value,
            outcomes["independent"].value,
            outcomes["copies"].value,
        ),
        "near",
        n=len(asked),
        interval=_interval(outcomes["synthetic"], first, study.task, asked),
        note="Above the real figure, the answers are more predictable than in reality; below, "
        "they do not follow from the other columns as they do in reality.",
        headline=False,
        scale=first.scale,
    )


def _hybrid_row(parts: Parts, study: Study, hybrid: dict[str, Outcome], added: int) -> Row:
    first = METRICS[study.task.kind][0]
    low, high = span(hybrid["synthetic"])
    return parts.row(
        "utility",
        f"change of {first.name} for {study.task.target!r} by adding synthetic rows to real ones",
        Points(hybrid["synthetic"].value, 0.0, hybrid["independent"].value, hybrid["copies"].value),
        "higher",
        n=len(study.test),
        interval=None if low is None or high is None else (low, high),
        note=f"Boosting on {_real(parts, study):,} real rows and {added:,} others, against the "
        "same real rows alone (0 by definition).",
        headline=False,
        scale=first.scale / 5,
    )


def _what(parts: Parts, study: Study) -> str:
    task = study.task
    kind = {"binary": "yes or no", "multiclass": f"one of {task.size} classes"}.get(task.kind)
    of = _positive(task, parts.train)
    kind = f"{kind}{of}" if kind else "a number"
    return (
        f"Models learn to predict {task.target!r} ({kind}) from {study.n:,} synthetic rows, and "
        f"others from as many real ones; all are tested on {len(study.test):,} held-out real rows."
    )


def _positive(task: Task, view: TableView) -> str:
    if task.kind != "binary":
        return ""
    if task.classes is None:
        return f": above {task.threshold:g}"
    levels = view.levels[view.discrete.index(task.target)]
    return f": is it {levels[int(np.argmax(task.classes)) - 1]!r}?"


def _loss(study: Study, arms: dict[str, Arm]) -> str:
    """What it costs to train on synthetic rows, in points: hundredths of the score."""
    first = METRICS[study.task.kind][0]
    name, (made, real) = first.name, _as_real(first, arms)
    lost = real.minus(made)
    low, high = lost.interval()
    shuffled = arms["independent"].outcomes[name].value
    if real.value - shuffled < LEARNABLE * _scale(first, real):
        return (
            f"Nothing is decided: real rows teach no more of {study.task.target!r} ({name} "
            f"{real.value:.3f}) than shuffled ones ({shuffled:.3f}), so no data can be worse; "
            "choose a target=<column> that other columns say something about."
        )
    both = f"{made.value:.3f} against {real.value:.3f}"
    cost, *ends = (f"{_points(share):.1f}" for share in (lost.value, low, high))
    span = f"95 % interval {' to '.join(ends)}"
    if low > 0:
        return (
            f"A model trained on this data instead of the real one loses {cost} points "
            f"of {name} ({both}; {span})."
        )
    if high < 0:
        return (
            f"A model trained on this data instead of as many real rows gains "
            f"{_points(-lost.value):.1f} points of {name} ({both}): make sure that the generator "
            "saw no held-out row."
        )
    if high > HALF * (real.value - shuffled):
        return (
            f"It is undecided whether a model trained on this data is worse than one trained on "
            f"real rows: {name} {both}, a loss of {cost} points ({span}). More "
            "rows or a greater kinds.table.suite.utility_runs would tell."
        )
    return (
        f"A model trained on this data does about as well as one trained on real rows: {name} "
        f"{both}, a loss of {cost} points ({span}), which may be chance."
    )


def _points(share: float) -> float:
    """Hundredths, to a tenth; none is 0, never -0."""
    return round(100 * share, 1) + 0.0


def _gain(parts: Parts, study: Study, change: Outcome, added: int) -> str:
    low, high = change.interval()
    real = _real(parts, study)
    says = "it helps" if low > 0 else "it harms" if high < 0 else "no evidence that it helps"
    if low > 0 and real < len(parts.train):
        says += (
            f", or the generator passes on what the {len(parts.train) - real:,} real rows that "
            "were not used here would have taught"
        )
    return (
        f"Adding {added:,} synthetic rows to {real:,} real ones changed the "
        f"{METRICS[study.task.kind][0].name} by {100 * change.value:+.1f} points "
        f"(95 % interval {100 * low:+.1f} to {100 * high:+.1f}): {says}."
    )


def _real(parts: Parts, study: Study) -> int:
    """Real rows in a mix."""
    return min(study.most, len(parts.train))


def _calibration(study: Study, arms: dict[str, Arm]) -> Picture:
    lines = []
    for arm in ("real", "synthetic"):
        said, seen, _ = calibration_curve(
            study.test.y == 1, arms[arm].models[0].predict(study.test.x)
        )
        lines.append((f"trained on {arm} rows", said, seen))
    png = curves(lines, x_label="predicted chance", y_label="observed share", diagonal=True)
    return Picture(
        f"Calibration for {study.task.target!r}: of the held-out rows that were given a chance, "
        "how many were of the class? On the dashed line chances can be taken at their word.",
        png,
    )


def _present(task: Task, view: TableView) -> np.ndarray:
    answers = task.answers(view)
    return answers[~np.isnan(answers)] if task.kind == "regression" else answers[answers >= 0]
