"""Section of a bias audit: how good the synthetic rows of each group are, and whether they copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from genmodels.metrics.groups.representation import Means, group_means, quantile, surest
from genmodels.metrics.intervals import Interval, jackknife, wilson
from genmodels.metrics.tables.dependence import pair_errors
from genmodels.metrics.tables.marginals import level_coverage, shape_errors
from genmodels.metrics.tables.memorisation import copy_flags, memorised_rows
from genmodels.metrics.tables.views import TableView
from genmodels.report.bias.cohorts import Cohort
from genmodels.report.bias.shares import DRAWN, compared
from genmodels.report.page.pictures import grouped_bars
from genmodels.report.rows import Cell, Detail, Picture, Points, Row, Section
from genmodels.report.tables.parts import Parts

__all__ = ["inside"]
Metric = Callable[[TableView, TableView], float]


@dataclass(frozen=True, eq=False)
class Inside:
    """Errors inside one group, on equally many rows of each data set.

    Args:
        name: of the group.
        held, made: n held-out and n synthetic rows.
        n: rows behind each figure.
        shape, pair, cover: of synthetic and of training rows against held-out ones; `pair` of
            independent rows too.
    """

    name: str
    held: TableView
    made: TableView
    n: int
    shape: tuple[float, float]
    pair: tuple[float, float, float]
    cover: tuple[float, float]


def inside(
    parts: Parts, cohorts: Sequence[Cohort], *, rows: int, nearest: int, minimum: int
) -> Section | None:
    """Fidelity, coverage and memorisation of each group.

    Args:
        parts: the data.
        cohorts: the groups.
        rows: of a group that are compared, at most.
        nearest: synthetic rows whose neighbours are looked for.
        minimum: synthetic rows that a group needs.
    """
    found: list[Row] = []
    details, pictures = [], []
    at_once = compared(cohorts)
    copied, near = _copied(parts), _near(parts, nearest)
    for cohort in cohorts:
        groups = _groups(parts, cohort, rows, minimum)
        if groups:
            found.append(_worst_fidelity(parts, cohort, groups))
            if cohort.single:
                pictures.append(_picture(cohort, groups))
            details.append(_fidelity_lines(cohort, groups))
        if len(cohort):
            found += _worst_copies(parts, cohort, copied, near, at_once)
            details.append(_copy_lines(cohort, parts, copied, near))
    if not found:
        return None
    text = (
        "Inside each group: how far its synthetic rows are from its held-out real rows, which of "
        "its categories occur, and how many of its rows repeat training rows. Each figure stands "
        "beside the same for real rows of that group, on as many rows. Small groups are learnt "
        "worse and copied more, which figures over all rows hide. Distance is no test of privacy."
    )
    return Section("Is each group as good as the others?", text, (*found,), (*details,),
                   (*pictures,))  # fmt: skip


def _pair(a: TableView, b: TableView) -> float:
    return pair_errors(a, b, "shared").mean()


def _groups(parts: Parts, cohort: Cohort, rows: int, minimum: int) -> list[Inside]:
    views = (parts.holdout, parts.synthetic, parts.train, parts.independent)
    codes = [cohort.codes(view) for view in views]
    out = []
    for g, name in enumerate(cohort.names):
        places = [np.flatnonzero(c == g) for c in codes]
        n = min(rows, *(len(p) for p in places[:3]))
        if n < minimum:
            continue
        held, made, real, mixed = (view.take(p[:n]) for view, p in zip(views, places, strict=True))
        shape = [float(shape_errors(held, x).mean()) for x in (made, real)]
        pair = [_pair(held, x) for x in (made, real, mixed)]
        cover = [level_coverage(held, x)[0] for x in (made, real)]
        out.append(
            Inside(name, held, made, n, (shape[0], shape[1]), (pair[0], pair[1], pair[2]),
                   (cover[0], cover[1]))
        )  # fmt: skip
    return out


def _worst_fidelity(parts: Parts, cohort: Cohort, groups: list[Inside]) -> Row:
    """The group whose dependence between columns is off by the most, less what chance does."""
    worst = max(groups, key=lambda g: g.pair[0] - g.pair[1])
    interval = jackknife(
        worst.pair[0], lambda kept: _pair(worst.held.take(kept), worst.made.take(kept)), worst.n,
        high=1.0,
    )  # fmt: skip
    return parts.row(
        "bias",
        f"pair trend error inside a group, {cohort.name}: {worst.name!r}",
        Points(*worst.pair),
        "lower",
        n=worst.n,
        interval=interval,
        note="The group whose synthetic rows are the furthest from real ones, beyond what another "
        "real sample of that size shows.",
        headline=False,
        scale=0.2,
    )


def _copied(parts: Parts) -> list[tuple[TableView, np.ndarray]]:
    """Rows with 1 for a copy of a training row: synthetic, held-out and independent ones."""
    views = (parts.synthetic, parts.holdout, parts.independent)
    return [(v, copy_flags(v, parts.train).astype(np.float64)) for v in views]


def _near(parts: Parts, nearest: int) -> list[tuple[TableView, np.ndarray]]:
    """Synthetic and held-out rows with 1 for one that lies conspicuously near a training row."""
    out = []
    for view in (parts.synthetic, parts.holdout):
        flags, rows = memorised_rows(
            view, parts.train, parts.holdout, seed=parts.seed, rows=nearest, bank=4 * nearest
        )
        out.append((view.take(rows), flags.astype(np.float64)))
    return out


def _worst_copies(
    parts: Parts,
    cohort: Cohort,
    copied: list[tuple[TableView, np.ndarray]],
    near: list[tuple[TableView, np.ndarray]],
    at_once: int,
) -> list[Row]:
    """The group whose share of copies, and of near rows, is above the usual the most clearly.

    Where another group is above it by more, though less surely, it follows, and is no headline.
    """
    texts = (
        ("copies in a group", copied,
         "Rows of the group that equal a training row in every column"),
        ("near copies in a group", near,
         "Rows of the group that are nearer to one training row than 19 in 20 held-out rows are"),
    )  # fmt: skip
    out = []
    for text, flagged, note in texts:
        means = [group_means(cohort.codes(v), y, len(cohort), share=True) for v, y in flagged]
        made, real = means[0], means[1]
        excess, error = made.mean - real.mean, np.hypot(made.se, real.se)
        if not np.isfinite(excess).any():
            continue
        half = quantile(at_once) * error
        clearest, furthest = surest(excess, half), int(np.nanargmax(excess))
        out.append(_copies_row(parts, cohort, means, clearest, half, text, note, at_once))
        if excess[furthest] > excess[clearest]:
            text = f"{text} (most)"
            row = _copies_row(parts, cohort, means, furthest, half, text, note, at_once)
            out.append(replace(row, headline=False))
    return out


def _copies_row(
    parts: Parts,
    cohort: Cohort,
    means: list[Means],
    group: int,
    half: np.ndarray,
    text: str,
    note: str,
    at_once: int,
) -> Row:
    """One group; `means` of synthetic, held-out and perhaps independent rows."""
    made, real = means[0], means[1]
    value, reach = float(made.mean[group]), float(half[group])
    independent = float(means[2].mean[group]) if len(means) > 2 else float("nan")
    return parts.row(
        "bias",
        f"{text}, {cohort.name}: share in {cohort.names[group]!r}",
        Points(
            value,
            float(real.mean[group]),
            independent if np.isfinite(independent) else None,
            1.0,
        ),
        "lower",
        n=int(made.n[group]),
        interval=(max(0.0, value - reach), min(1.0, value + reach)),
        note=f"{note}. The interval holds for all {at_once} groups at once, and allows for "
        "the chance in the held-out rows.",
        floor_is="copies",
    )


def _fidelity_lines(cohort: Cohort, groups: list[Inside]) -> Detail:
    lines = tuple((g.name, g.n, *g.shape, *g.pair[:2], *g.cover) for g in groups)
    headers = (
        "group", "rows a side", "shape error, synthetic", "real", "pair error, synthetic", "real",
        "categories that occur, synthetic", "real",
    )  # fmt: skip
    return Detail(f"{cohort.name}: each group against its held-out rows", headers, lines)


def _copy_lines(
    cohort: Cohort,
    parts: Parts,
    copied: list[tuple[TableView, np.ndarray]],
    near: list[tuple[TableView, np.ndarray]],
) -> Detail:
    flagged = [*copied[:2], *near]
    means = [group_means(cohort.codes(v), y, len(cohort), share=True) for v, y in flagged]
    lines: list[tuple[Cell, ...]] = []
    for g, name in enumerate(cohort.names):
        made = int(means[0].n[g])
        hits = round(float(np.nan_to_num(means[0].mean[g])) * made)
        shares = [float(m.mean[g]) if m.n[g] else None for m in means]
        lines.append((name, made, shares[0], _range(wilson(hits, made)), *shares[1:]))
    headers = (
        "group", "synthetic rows", "copies of training rows", "95 % interval",
        "the same of held-out rows", "conspicuously near, synthetic", "held-out",
    )  # fmt: skip
    return Detail(f"{cohort.name}: rows that repeat training rows (shares)", headers, tuple(lines))


def _picture(cohort: Cohort, groups: list[Inside]) -> Picture:
    least = sorted((g.n for g in groups), reverse=True)[:DRAWN][-1]
    shown = [g for g in groups if g.n >= least][:DRAWN]
    series = {
        "held-out real": np.array([g.pair[1] for g in shown]),
        "synthetic": np.array([g.pair[0] for g in shown]),
    }
    caption = f"Pair trend error inside each group, by {cohort.name} (real: training rows)"
    return Picture(caption, grouped_bars([g.name for g in shown], series))


def _range(interval: Interval) -> str:
    return f"{interval[0]:.3g} to {interval[1]:.3g}"
