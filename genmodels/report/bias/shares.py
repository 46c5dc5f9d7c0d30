"""Section of a bias audit: how often each group occurs in synthetic and in real rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genmodels.metrics.groups.representation import share_ratio, surest
from genmodels.report.bias.cohorts import MOST, Cohort
from genmodels.report.page.pictures import grouped_bars
from genmodels.report.rows import Cell, Detail, Picture, Points, Row, Section
from genmodels.report.tables.parts import Parts

__all__ = ["compared", "representation", "representation_rows"]

LISTED = 100
DRAWN = 16


def representation(parts: Parts, cohorts: Sequence[Cohort]) -> Section:
    """Shares of all groups, those that vanished, and those too small to be compared."""
    at_once = compared(cohorts)
    rows: list[Row] = []
    for cohort in cohorts:
        if len(cohort):
            rows += representation_rows(parts, cohort, at_once)
    details = [_shares(parts, c) for c in cohorts if len(c)]
    more = (_vanished(parts, cohorts), _suppressed(cohorts), _surplus(cohorts))
    details += [detail for detail in more if detail is not None]
    pictures = tuple(_picture(parts, c) for c in cohorts if c.single and len(c) > 1)
    text = (
        "How often a group occurs among synthetic rows, by how often it occurs among held-out "
        "real rows: 1 = as often, 0.5 = half as often, 0 = the group is gone. Whoever learns "
        "from the synthetic rows sees that much of it. The figure is that of the group that is "
        "off the most clearly; where another one is off further, though less surely, it follows."
    )
    return Section("Are all groups there?", text, tuple(rows), tuple(details), pictures)


def compared(cohorts: Sequence[Cohort]) -> int:
    """Groups that are compared, over all attributes and crossings."""
    return max(1, sum(len(cohort) for cohort in cohorts))


def representation_rows(parts: Parts, cohort: Cohort, at_once: int) -> list[Row]:
    """The group whose share is off the most clearly, and the one that is off the furthest.

    The second is left out where it is the same. It is no headline, as it may be off by chance
    alone, but it counts where a limit is set for all groups.

    Args:
        parts: the data.
        cohort: with at least one group.
        at_once: the interval holds for so many groups at once.
    """
    held = cohort.sizes(parts.holdout)
    made, n = cohort.sizes(parts.synthetic), len(parts.synthetic)
    off, reach = np.empty(len(cohort)), np.empty(len(cohort))
    for g, (x, x_real) in enumerate(zip(made, held, strict=True)):
        ratio, (low, high) = share_ratio(int(x), n, int(x_real), len(parts.holdout), of=at_once)
        off[g], reach[g] = abs(ratio - 1.0), high - ratio if ratio < 1.0 else ratio - low
    clearest, furthest = surest(off, reach), int(np.argmax(off))
    rows = [_share_row(parts, cohort, clearest, at_once, "share of a group")]
    if off[furthest] > off[clearest]:
        rows.append(
            _share_row(
                parts, cohort, furthest, at_once, "share of a group (furthest off)", headline=False
            )
        )
    return rows


def _share_row(
    parts: Parts, cohort: Cohort, group: int, at_once: int, what: str, *, headline: bool = True
) -> Row:
    views = (parts.synthetic, parts.train, parts.copies)
    real = int(cohort.sizes(parts.holdout)[group]), len(parts.holdout)
    ratios = [
        share_ratio(int(cohort.sizes(view)[group]), len(view), *real, of=at_once) for view in views
    ]
    return parts.row(
        "bias",
        f"{what}, {cohort.name}: synthetic / held-out of {cohort.names[group]!r}",
        # Independent columns may have as many rows of a group: they are no floor here.
        Points(ratios[0][0], ratios[1][0], None, ratios[2][0]),
        "near",
        n=len(parts.synthetic),
        interval=ratios[0][1],
        note=f"For 100 such rows among held-out ones there are {100 * ratios[0][0]:.3g} among as "
        f"many synthetic ones. The interval holds for all {at_once} groups at once.",
        headline=headline,
    )


def _shares(parts: Parts, cohort: Cohort) -> Detail:
    lines: list[tuple[Cell, ...]] = []
    n = [len(v) for v in (parts.train, parts.holdout, parts.synthetic)]
    for g, name in zip(cohort.chosen, cohort.names, strict=True):
        counts = [int(x) for x in cohort.counts[:, g]]
        ratio, interval = share_ratio(counts[2], n[2], counts[1], n[1])
        shares = [x / m for x, m in zip(counts, n, strict=True)]
        lines.append((name, *counts, *shares, ratio, *interval))
    headers = (
        "group", "rows, training", "held-out", "synthetic", "share, training", "held-out",
        "synthetic", "synthetic / held-out", "from", "to",
    )  # fmt: skip
    return Detail(f"{cohort.name}: rows, shares, ratio with its 95 % interval", headers, (*lines,))


def _vanished(parts: Parts, cohorts: Sequence[Cohort]) -> Detail | None:
    """Groups of any size that real rows have and synthetic rows lack."""
    lines: list[tuple[Cell, ...]] = []
    real_rows = len(parts.train) + len(parts.holdout)
    for cohort in cohorts:
        real = cohort.counts[:2].sum(0)
        for g in np.flatnonzero((real > 0) & (cohort.counts[2] == 0)):
            share = int(real[g]) / real_rows
            luck = float(np.exp(len(parts.synthetic) * np.log1p(-min(share, 1 - 1e-12))))
            expected = share * len(parts.synthetic)
            lines.append((cohort.grouping.names[g], int(real[g]), expected, luck))
    if not lines:
        return None
    lines.sort(key=lambda line: -float(line[2] or 0))
    headers = ("group", "real rows", "synthetic rows to expect", "chance of none by luck")
    return Detail(
        f"{len(lines)} groups that no synthetic row is in", headers, tuple(lines[:LISTED])
    )


def _suppressed(cohorts: Sequence[Cohort]) -> Detail | None:
    """Groups that are too small."""
    why = "groups too small to be compared, left out of all figures"
    return _left_out(why, [(cohort, cohort.small) for cohort in cohorts])


def _surplus(cohorts: Sequence[Cohort]) -> Detail | None:
    """Groups that are large enough, but too many."""
    why = (
        f"groups large enough to be compared, but not among the {MOST} largest of their attribute "
        "or crossing, left out of all figures"
    )
    return _left_out(why, [(cohort, cohort.surplus) for cohort in cohorts])


def _left_out(why: str, groups: Sequence[tuple[Cohort, np.ndarray]]) -> Detail | None:
    lines: list[tuple[Cell, ...]] = [
        (cohort.grouping.names[g], *(int(x) for x in cohort.counts[:, g]))
        for cohort, left in groups
        for g in left
    ]
    if not lines:
        return None
    headers = ("group", "rows, training", "held-out", "synthetic")
    more = f", the first {LISTED}" if len(lines) > LISTED else ""
    return Detail(f"{len(lines)} {why}{more}", headers, tuple(lines[:LISTED]))


def _picture(parts: Parts, cohort: Cohort) -> Picture:
    shown = np.sort(np.argsort(-cohort.counts[1][cohort.chosen], kind="stable")[:DRAWN])
    shares = {
        "held-out real": cohort.sizes(parts.holdout)[shown] / len(parts.holdout),
        "synthetic": cohort.sizes(parts.synthetic)[shown] / len(parts.synthetic),
    }
    labels = [cohort.names[a] for a in shown]
    return Picture(f"Share of the rows, by {cohort.name}", grouped_bars(labels, shares))
