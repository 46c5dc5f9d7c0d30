"""Section of a bias audit: how often each group occurs in synthetic and in real rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genmodels.metrics.groups.representation import share_ratio, surest
from genmodels.report.bias.cohorts import Cohort
from genmodels.report.page.pictures import grouped_bars
from genmodels.report.rows import Cell, Detail, Picture, Points, Row, Section
from genmodels.report.tables.parts import Parts

__all__ = ["compared", "representation", "representation_row"]

LISTED = 100
DRAWN = 16


def representation(parts: Parts, cohorts: Sequence[Cohort]) -> Section:
    """Shares of all groups, those that vanished, and those too small to be compared."""
    at_once = compared(cohorts)
    rows = tuple(representation_row(parts, c, at_once) for c in cohorts if len(c))
    details = [_shares(parts, c) for c in cohorts if len(c)]
    details += [d for d in (_vanished(parts, cohorts), _suppressed(cohorts)) if d is not None]
    pictures = tuple(_picture(parts, c) for c in cohorts if c.single and len(c) > 1)
    text = (
        "How often a group occurs among synthetic rows, by how often it occurs among held-out "
        "real rows: 1 = as often, 0.5 = half as often, 0 = the group is gone. Whoever learns "
        "from the synthetic rows sees that much of it. The figure is that of the group that is "
        "off the most clearly."
    )
    return Section("Are all groups there?", text, rows, tuple(details), pictures)


def compared(cohorts: Sequence[Cohort]) -> int:
    """Groups that are compared, over all attributes and crossings."""
    return max(1, sum(len(cohort) for cohort in cohorts))


def representation_row(parts: Parts, cohort: Cohort, at_once: int) -> Row:
    """The group whose share is off the most clearly.

    Args:
        parts: the data.
        cohort: with at least one group.
        at_once: the interval holds for so many groups at once.
    """
    held = cohort.sizes(parts.holdout)
    views = (parts.synthetic, parts.train, parts.copies)
    sizes = [cohort.sizes(view) for view in views]
    n = [len(view) for view in views]
    off, reach = [], []
    for x, x_real in zip(sizes[0], held, strict=True):
        ratio, (low, high) = share_ratio(int(x), n[0], int(x_real), len(parts.holdout), of=at_once)
        off.append(abs(ratio - 1.0))
        reach.append(high - ratio if ratio < 1.0 else ratio - low)
    worst = surest(np.array(off), np.array(reach))
    real = int(held[worst]), len(parts.holdout)
    ratios = [
        share_ratio(int(s[worst]), m, *real, of=at_once) for s, m in zip(sizes, n, strict=True)
    ]
    name = cohort.names[worst]
    return parts.row(
        "bias",
        f"share of a group, {cohort.name}: synthetic / held-out of {name!r}",
        # Independent columns may have as many rows of a group: they are no floor here.
        Points(ratios[0][0], ratios[1][0], None, ratios[2][0]),
        "near",
        n=n[0],
        interval=ratios[0][1],
        note=f"For 100 such rows among held-out ones there are {100 * ratios[0][0]:.3g} among as "
        f"many synthetic ones. The interval holds for all {at_once} groups at once.",
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
    """Groups that are not compared."""
    lines: list[tuple[Cell, ...]] = []
    for cohort in cohorts:
        small = np.setdiff1d(np.arange(len(cohort.grouping)), cohort.chosen)
        lines += [(cohort.grouping.names[g], *(int(x) for x in cohort.counts[:, g])) for g in small]
    if not lines:
        return None
    headers = ("group", "rows, training", "held-out", "synthetic")
    more = f", the first {LISTED}" if len(lines) > LISTED else ""
    title = f"{len(lines)} groups too small to be compared, left out of all figures{more}"
    return Detail(title, headers, tuple(lines[:LISTED]))


def _picture(parts: Parts, cohort: Cohort) -> Picture:
    shown = np.sort(np.argsort(-cohort.counts[1][cohort.chosen], kind="stable")[:DRAWN])
    shares = {
        "held-out real": cohort.sizes(parts.holdout)[shown] / len(parts.holdout),
        "synthetic": cohort.sizes(parts.synthetic)[shown] / len(parts.synthetic),
    }
    labels = [cohort.names[a] for a in shown]
    return Picture(f"Share of the rows, by {cohort.name}", grouped_bars(labels, shares))
