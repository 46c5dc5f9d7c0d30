"""Section of a bias audit: what share of each group has the label, and whether gaps grow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genmodels.metrics.groups.outcomes import Outcome
from genmodels.metrics.groups.representation import (
    Amplification,
    Means,
    amplification,
    group_means,
    quantile,
    surest,
)
from genmodels.report.bias.cohorts import Cohort
from genmodels.report.bias.shares import DRAWN, compared
from genmodels.report.page.pictures import grouped_bars
from genmodels.report.rows import Cell, Detail, Picture, Points, Row, Section
from genmodels.report.tables.parts import Parts

__all__ = ["amplification_row", "label_means", "labels"]

REPEATS = 2000


def labels(parts: Parts, cohorts: Sequence[Cohort], outcome: Outcome) -> Section | None:
    """Label rates (or means of a number) per group; None when no group has a label."""
    found: list[Row] = []
    details, pictures = [], []
    at_once = compared(cohorts)
    for cohort in cohorts:
        means = label_means(parts, cohort, outcome)
        if not _usable(means[1], means[0], means[2]).any():
            continue
        row = _moved_row(parts, cohort, outcome, means, at_once)
        found += [] if row is None else [row]
        row = amplification_row(parts, cohort, outcome, means, len(cohorts))
        found += [] if row is None else [row]
        details.append(_detail(cohort, outcome, means))
        if cohort.single:
            pictures.append(_picture(cohort, outcome, means))
    if not details:
        return None
    what = f"share with {outcome.label}" if outcome.share else f"mean of {outcome.target}"
    text = (
        f"The {what} in each group, real and synthetic. Where real groups differ, the "
        "amplification says how much of that gap the synthetic rows show: 1 = the same, 2 = twice "
        "as much, 0 = none, below 0 = turned round. Where the real gap cannot be told from chance "
        "there is no amplification, only the change of the group's own figure."
    )
    return Section("Do labels depend on the group?", text, (*found,), (*details,), (*pictures,))


def label_means(parts: Parts, cohort: Cohort, outcome: Outcome) -> list[Means]:
    """Of training, held-out, synthetic, independent and copied rows."""
    views = (parts.train, parts.holdout, parts.synthetic, parts.independent, parts.copies)
    unit = _unit(outcome, outcome(parts.train))
    return [
        group_means(cohort.codes(v), outcome(v) / unit, len(cohort), share=outcome.share)
        for v in views
    ]


def amplification_row(
    parts: Parts, cohort: Cohort, outcome: Outcome, means: list[Means], at_once: int
) -> Row | None:
    """How much of the largest real gap shows; None where the real gap is none.

    Which two groups are compared is decided by training rows, how far they are apart by held-out
    rows: a gap chosen for its size would otherwise look larger than it is. What stands beside the
    figure is 1, all of the gap: that of training rows is as uncertain as the figure itself.
    """
    judged = [_amplified(parts, means, k, at_once) for k in (2, 0, 3, 4)]
    found = judged[0]
    if found is None or found.value is None:
        return None
    values = [None if a is None else a.value for a in judged]
    high, low = (cohort.names[g] for g in (found.high, found.low))
    known = "" if values[1] is None else f" Training rows show {values[1]:.3g} of the real gap."
    return parts.row(
        "bias",
        f"amplification of a label gap, {cohort.name}: {outcome.label}",
        Points(found.value, 1.0, *values[2:]),
        "near",
        n=int(means[2].n.sum()),
        interval=found.interval,
        note=f"{high!r} less {low!r}: {_in_words(found.real, outcome, 'points')} among "
        f"held-out rows, {_in_words(found.gap, outcome, 'points')} among synthetic ones. "
        f"1 = all of the gap.{known}",
        headline=cohort.single,
    )


def _amplified(parts: Parts, means: list[Means], which: int, at_once: int) -> Amplification | None:
    train, real, made = means[0], means[1], means[which]
    usable = np.flatnonzero(_usable(train, real, means[2]))
    if len(usable) < 2:
        return None
    high = int(usable[np.argmax(train.mean[usable])])
    low = int(usable[np.argmin(train.mean[usable])])
    gap, error = train.gap(high, low)
    if gap <= quantile(at_once) * error:
        return None  # the largest of several gaps that are all chance
    return amplification(
        real, made, high=high, low=low, of=at_once, repeats=REPEATS, seed=parts.seed
    )


def _moved_row(
    parts: Parts, cohort: Cohort, outcome: Outcome, means: list[Means], at_once: int
) -> Row | None:
    """The group whose label rate is off the most clearly."""
    train, real, made = means[:3]
    usable = np.flatnonzero(_usable(train, real, made))
    if not len(usable):
        return None
    error = np.hypot(made.se, real.se)
    moved = made.mean - real.mean
    worst = int(usable[surest(np.abs(moved[usable]), quantile(at_once) * error[usable])])
    value, half = float(moved[worst]), quantile(at_once) * float(error[worst])
    ceiling, copies = (_known(m.mean[worst] - real.mean[worst]) for m in (train, means[4]))
    name = cohort.names[worst]
    return parts.row(
        "bias",
        f"label in a group, {cohort.name}: {_quantity(outcome)} of {name!r} less held-out",
        # Independent columns have the label rate of all rows, which may be near that of a group:
        # the size of the change, not the way there, says how bad it is.
        Points(value, ceiling, None, copies),
        "near",
        n=int(made.n[worst]),
        interval=(value - half, value + half),
        note=f"{_in_words(float(real.mean[worst]), outcome)} among held-out rows, "
        f"{_in_words(float(made.mean[worst]), outcome)} among synthetic ones. The interval holds "
        f"for all {at_once} groups at once.",
        scale=0.2 if outcome.share else 0.5,
    )


def _usable(*means: Means) -> np.ndarray:
    """Groups in which every data set has a mean with a standard error."""
    return np.all([np.isfinite(m.mean) & np.isfinite(m.se) for m in means], axis=0)


def _unit(outcome: Outcome, y: np.ndarray) -> float:
    """What means are counted in: 1 for a share, the standard deviation of a number."""
    known = y[~np.isnan(y)]
    largest = float(np.abs(known).max(initial=0.0))
    if outcome.share or largest == 0.0:
        return 1.0
    return largest * (float((known / largest).std()) or 1.0)  # squares of 1e300 overflow


def _quantity(outcome: Outcome) -> str:
    if outcome.share:
        return f"share with {outcome.label}"
    return f"mean of {outcome.target} (in standard deviations)"


def _in_words(x: float, outcome: Outcome, unit: str = "%") -> str:
    return f"{100 * x:.3g} {unit}" if outcome.share else f"{x:.3g} standard deviations"


def _detail(cohort: Cohort, outcome: Outcome, means: list[Means]) -> Detail:
    train, real, made = means[:3]
    lines: list[tuple[Cell, ...]] = []
    for g, name in enumerate(cohort.names):
        moved = made.mean[g] - real.mean[g]
        half = quantile(1) * float(np.hypot(made.se[g], real.se[g]))
        rates = [_known(m.mean[g]) for m in (train, real, made)]
        ends = [_known(moved), _known(moved - half), _known(moved + half)]
        lines.append((name, int(real.n[g]), int(made.n[g]), *rates, *ends))
    headers = (
        "group", "rows, held-out", "synthetic", "training", "held-out", "synthetic",
        "synthetic - held-out", "from", "to",
    )  # fmt: skip
    title = f"{cohort.name}: {_quantity(outcome)}, with 95 % intervals of the change"
    return Detail(title, headers, tuple(lines))


def _picture(cohort: Cohort, outcome: Outcome, means: list[Means]) -> Picture:
    shown = np.sort(np.argsort(-means[1].n, kind="stable")[:DRAWN])
    series = {"held-out real": means[1].mean[shown], "synthetic": means[2].mean[shown]}
    errors = {
        name: quantile(1) * np.nan_to_num(m.se[shown])
        for name, m in (("held-out real", means[1]), ("synthetic", means[2]))
    }
    names = [cohort.names[g] for g in shown]
    caption = f"{_quantity(outcome)}, by {cohort.name}"
    return Picture(caption, grouped_bars(names, series, errors=errors))


def _known(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None
