"""Coverage of categories: which never occur, and which occur too seldom."""

from __future__ import annotations

import numpy as np

from genmodels.metrics.intervals import wilson
from genmodels.metrics.tables.levels import (
    Levels,
    expected_recall,
    least_represented,
    level_counts,
    rare_levels,
)
from genmodels.metrics.tables.marginals import level_coverage
from genmodels.report.rows import Cell, Detail, Points, Row, Section
from genmodels.report.tables.parts import Parts, head

__all__ = ["categories"]

RARE = 0.01
MIN_ROWS = 50
LISTED = 20


def categories(parts: Parts) -> Section | None:
    """Categories that real rows have; None without discrete columns."""
    total = level_coverage(parts.reference, parts.reference)[1]
    if not total:
        return None
    discrete = len(parts.train.discrete)
    hits = round(level_coverage(parts.reference, head(parts.synthetic, parts.n))[0] * total)
    row = parts.row(
        "coverage",
        "categories of held-out rows that occur",
        parts.points(lambda a, b: level_coverage(a, b)[0]),
        "higher",
        interval=wilson(hits, total),
        note=f"{total:,} categor{'y' if total == 1 else 'ies'} over {discrete} "
        f"column{'s' * (discrete > 1)}.",
    )
    rows = [row, _rare(parts), _least(parts)]
    details = [d for d in (_never(parts), _thin(parts)) if d is not None]
    text = (
        "Which categories of n held-out rows also occur in n synthetic rows, and whether they "
        "occur often enough. What never occurs cannot be learnt from the synthetic data."
    )
    kept = tuple(r for r in rows if r is not None)
    return Section("Rare categories", text, kept, tuple(details))


def _rare(parts: Parts) -> Row | None:
    rare = rare_levels(parts.train, parts.reference, share=RARE)
    if not len(rare):
        return None
    found = [(rare.counts(view) > 0).mean() for view in parts.sides()]
    expected = expected_recall(rare.counts(parts.train), len(parts.train), parts.n)
    return parts.row(
        "coverage",
        "rare categories of held-out rows that occur",
        Points(*map(float, found)),
        "higher",
        interval=wilson(round(found[0] * len(rare)), len(rare)),
        note=f"{len(rare):,} categories with less than 1 % of the training rows; {parts.n:,} rows "
        f"drawn from the training rows would have {expected:.1%} of them.",
    )


def _least(parts: Parts) -> Row | None:
    """The category that is the most under-represented."""
    levels, real = level_counts(parts.reference)
    judged = real >= MIN_ROWS
    if judged.sum() < 2:
        return None
    levels, real = levels.choose(judged), real[judged]
    found = [
        least_represented(real, parts.n, levels.counts(view), len(view)) for view in parts.sides()
    ]
    column, text = _name(parts, levels, found[0].group)
    lost = f"That is {text!r} of {column!r}. " if found[0].at_most < 1 else ""
    return parts.row(
        "coverage",
        "least represented category, at most so often as in held-out rows",
        Points(*(x.at_most for x in found)),
        "higher",
        interval=found[0].interval,
        note=f"{lost}1: none of {len(real):,} categories with {MIN_ROWS} held-out rows or more is "
        "surely too rare; 0: one is lost.",
    )


def _never(parts: Parts) -> Detail | None:
    """Levels that training rows have and no synthetic row has, frequent ones first."""
    lines = []
    for q, name in enumerate(parts.train.discrete):
        size = len(parts.train.levels[q]) + 1
        real = np.bincount(parts.train.codes[:, q], minlength=size)
        made = np.bincount(parts.synthetic.codes[:, q], minlength=size)
        lost = np.flatnonzero((real > 0) & (made == 0))
        lost = lost[lost > 0]
        lost = lost[np.argsort(-real[lost], kind="stable")]
        if len(lost):
            words = [parts.train.levels[q][k - 1] for k in lost[:5]]
            shown = ", ".join(words) + (", ..." if len(lost) > 5 else "")
            lines.append((name, size - 1, len(lost), shown))
    headers = ("column", "categories", "never produced", "the most frequent of them")
    title = "Categories that no synthetic row has"
    return Detail(title, headers, tuple(lines)) if lines else None


def _thin(parts: Parts) -> Detail | None:
    """Categories that occur less than half as often as in held-out rows, the thinnest first."""
    levels, real = level_counts(parts.reference)
    made = levels.counts(head(parts.synthetic, parts.n))
    thin = np.flatnonzero((real >= 10) & (made > 0) & (2 * made < real))
    order = thin[np.argsort((made / real)[thin], kind="stable")][:LISTED]
    lines: tuple[tuple[Cell, ...], ...] = tuple(
        (
            *_name(parts, levels, k),
            *(float(x[k]) for x in (real / parts.n, made / parts.n, made / real)),
        )
        for k in order.tolist()
    )
    headers = ("column", "category", "held-out real", "synthetic", "ratio")
    title = f"Categories that occur less than half as often ({len(lines)} of {len(thin)})"
    return Detail(title, headers, lines) if lines else None


def _name(parts: Parts, levels: Levels, k: int) -> tuple[str, str]:
    q = int(levels.columns[k])
    return parts.train.discrete[q], parts.train.levels[q][int(levels.codes[k]) - 1]
