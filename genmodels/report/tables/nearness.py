"""How near synthetic rows lie to training rows, beside fresh real rows: the figures.

Half of the held-out rows (fresh) stand in the place of the synthetic ones, the other half (kept)
is what nearness to training rows is weighed against.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from genmodels.metrics.copying import Cells, CopyingTest, copying_test
from genmodels.metrics.intervals import beside, bootstrap, clipped
from genmodels.metrics.tables.memorisation import (
    NearerShare,
    authentic,
    distance_ratio,
    nearer_share,
    own_radius,
    share_interval,
)
from genmodels.metrics.tables.neighbours import Scale, gower_scale, neighbours, tie
from genmodels.metrics.tables.views import TableView
from genmodels.report.rows import Axis, Better, Detail, Points, Row
from genmodels.report.tables.parts import Parts, head

__all__ = ["AXIS", "COPIED", "LEAST", "Search", "nearness", "search_rows", "subsets"]

AXIS: Axis = "memorisation"
LEAST = 20  # rows a side without which nearness says nothing
COPIED = 0.2  # share of copied rows that is entirely bad; all copied is worse still
NEAR = 0.1  # of the usual distance: nearer than this is as good as a copy
ROWS_A_CELL, CELLS = 100, 8
CHOICES, CHOICE_ROWS = 5, 1000  # column choices, and synthetic rows that each looks at
CHOICE_BANK = 40_000  # training rows that they search


@dataclass(frozen=True, eq=False)
class Probe:
    """Some rows and what training rows are nearest to them.

    Args:
        view: n rows.
        distance, index: to the two nearest training rows, shape (n, 2).
        radius: distance of the nearest training row to its own nearest other one, shape (n,).
    """

    view: TableView
    distance: np.ndarray
    index: np.ndarray
    radius: np.ndarray


@dataclass(frozen=True, eq=False)
class Search:
    """Everything that the figures on nearness are computed from."""

    bank: TableView
    kept: TableView
    scale: Scale
    slack: float
    made: Probe
    fresh: Probe
    independent: Probe
    copies: Probe
    kept_distance: np.ndarray

    @property
    def sides(self) -> tuple[Probe, Probe, Probe, Probe]:
        """In the order of `Points`."""
        return self.made, self.fresh, self.independent, self.copies


def search_rows(parts: Parts, bank: int, probes: int, size: int) -> Search:
    train, kept = head(parts.train, bank), parts.holdout.take(np.arange(size, len(parts.holdout)))
    scale, kept = gower_scale(parts.train, parts.holdout), head(kept, bank)
    make = partial(_probe, bank=train, scale=scale)
    few = max(LEAST, probes // 2)
    return Search(
        train,
        kept,
        scale,
        tie(train),
        make(head(parts.synthetic, probes)),
        make(head(parts.holdout, size)),
        make(head(parts.independent, few)),
        make(head(parts.copies, few)),
        neighbours(head(kept, probes), train, scale, 1)[0][:, 0],
    )


def _probe(view: TableView, *, bank: TableView, scale: Scale) -> Probe:
    distance, index = neighbours(view, bank, scale, 2)
    return Probe(view, distance, index, own_radius(bank, scale, index[:, 0]))


def nearness(parts: Parts, search: Search) -> list[Row]:
    """All figures that these data allow."""
    found = [
        _near_copies(parts, search),
        _nearer(parts, search),
        _authenticity(parts, search),
        *(_ratios(parts, search, *which) for which in ((0.05, "5 % quantile"), (0.5, "median"))),
        _copying(parts, search),
    ]
    return [row for row in found if row is not None]


def _shares(
    parts: Parts, search: Search, name: str, flags: list[np.ndarray], better: Better, note: str
) -> Row:
    """A row of shares of flagged rows; rows with the same nearest training row count as one."""
    clusters = (search.made.index[:, 0], search.fresh.index[:, 0])
    own, other = (share_interval(f, c) for f, c in zip(flags[:2], clusters, strict=True))
    points = Points(*(float(f.mean()) for f in flags))
    assert points.ceiling is not None
    return parts.row(
        AXIS,
        name,
        points,
        better,
        n=len(flags[0]),
        interval=clipped(beside(points.value, own, points.ceiling, other)),
        note=note,
        floor_is="copies",
        scale=COPIED if better == "lower" else 1.0,
    )


def _near_copies(parts: Parts, search: Search) -> Row | None:
    """Share of rows nearer than a tenth of the usual distance; None where distances are whole."""
    usual = float(np.median(search.kept_distance))
    if not parts.train.numeric or usual <= search.slack:
        return None
    flags = [probe.distance[:, 0] <= NEAR * usual for probe in search.sides]
    note = (
        f"{int(flags[0].sum()):,} of {len(flags[0]):,} rows lie within a tenth of the usual "
        f"distance between a fresh real row and the training data{_searched(parts, search)}."
    )
    return _shares(parts, search, "near or exact copies, share", flags, "lower", note)


def _authenticity(parts: Parts, search: Search) -> Row:
    flags = [authentic(p.distance[:, 0], p.radius, search.slack) for p in search.sides]
    note = (
        "Share of rows that are further from their nearest training row than that row is from "
        f"the other training rows; for a copy it never is{_searched(parts, search)}."
    )
    return _shares(parts, search, "authenticity, share", flags, "higher", note)


def _nearer(parts: Parts, search: Search) -> Row:
    shares = [_nearer_share(search, probe) for probe in search.sides]
    value, ceiling = shares[:2]
    low, high = clipped(beside(value.share, value.interval, ceiling.share, ceiling.interval))
    note = (
        f"Among {len(search.bank):,} training and {len(search.kept):,} held-out rows, weighed as "
        "if they were equally many; ties count half; 0.5 is chance."
    )
    if high < min(0.5, ceiling.share):
        note += (
            " It is surely below that, as when training and held-out data are swapped: look at "
            "real= and holdout=."
        )
    return parts.row(
        AXIS,
        "nearer to a training row than to a held-out row, share",
        Points(*(s.share for s in shares)),
        "lower",
        n=len(value.wins),
        interval=(low, high),
        note=note,
        floor_is="copies",
        scale=0.5,
    )


def _nearer_share(search: Search, probe: Probe) -> NearerShare:
    found = probe.distance, probe.index
    return nearer_share(probe.view, search.bank, search.kept, search.scale, found=found)


def _ratios(parts: Parts, search: Search, at: float, name: str) -> Row:
    ratios = [distance_ratio(probe.distance, search.slack) for probe in search.sides]
    points = Points(*(float(np.quantile(r, at)) for r in ratios))
    own, other = (_quantile_interval(r, at, parts.seed) for r in ratios[:2])
    assert points.ceiling is not None
    interval = None
    if own is not None and other is not None:
        interval = clipped(beside(points.value, own, points.ceiling, other))
    return parts.row(
        AXIS,
        f"distance to nearest over second nearest training row, {name}",
        points,
        "higher",
        n=len(ratios[0]),
        interval=interval,
        note="Near 0: such rows belong to one training row and to no other.",
        floor_is="copies",
        headline=False,
    )


def _quantile_interval(values: np.ndarray, at: float, seed: int) -> tuple[float, float] | None:
    return bootstrap(lambda rows: float(np.quantile(values[rows], at)), len(values), seed=seed)


def _copying(parts: Parts, search: Search) -> Row | None:
    size = min(len(p) for p in (search.kept_distance, search.made.view, search.fresh.view))
    cells = Cells(
        head(search.bank, 5000),
        search.scale,
        count=min(CELLS, max(1, size // ROWS_A_CELL)),
        seed=parts.seed,
    )
    # Distances are rounded to what can be told apart, so that ties are ties.
    held = np.round(search.kept_distance / search.slack)
    held_cells = cells(head(search.kept, len(held)))
    found = [
        copying_test(np.round(p.distance[:, 0] / search.slack), held, cells(p.view), held_cells)
        for p in search.sides
    ]
    made, *others = found
    if made is None or others[0] is None:
        return None
    return parts.row(
        AXIS,
        "data copying test C_T, z",
        Points(made.z, *(None if other is None else other.z for other in others)),
        "higher",
        n=made.n,
        interval=made.interval,
        note=_told(made),
        floor_is="copies",
        headline=False,
        scale=30.0,
    )


def _told(found: CopyingTest) -> str:
    word = "neither copying nor under-fitting"
    if abs(found.z) > 3:
        word = "copying" if found.z < 0 else "under-fitting"
    return (
        f"{word.capitalize()}, over {found.cells} regions of the data; below -3 is copying, above "
        "3 under-fitting."
    )


def subsets(parts: Parts, search: Search) -> Detail | None:
    """The nearer share on seeded halves of the columns, the worst first."""
    names = parts.train.names
    if len(names) < 4:
        return None
    lines, seen = [], set()
    for number in range(CHOICES):
        rng = np.random.default_rng([parts.seed, 32, number])
        chosen = frozenset(names[i] for i in rng.permutation(len(names))[: (len(names) + 1) // 2])
        if chosen in seen:
            continue
        seen.add(chosen)
        bank, kept, made, fresh = (
            view.only(chosen)
            for view in (
                head(search.bank, CHOICE_BANK),
                head(search.kept, CHOICE_BANK),
                head(search.made.view, CHOICE_ROWS),
                head(search.fresh.view, CHOICE_ROWS),
            )
        )
        scale = gower_scale(bank, kept)
        value, usual = (nearer_share(v, bank, kept, scale) for v in (made, fresh))
        low, high = clipped(beside(value.share, value.interval, usual.share, usual.interval))
        lines.append((", ".join(made.names), value.share, usual.share, low, high))
    lines.sort(key=lambda line: line[2] - line[1])
    title = (
        "Nearer to a training row than to a held-out row, on half of the columns: share of "
        f"{min(CHOICE_ROWS, len(search.made.view)):,} rows"
    )
    headers = ("columns", "synthetic", "held-out real", "interval from", "to")
    return Detail(title, headers, tuple(lines))


def _searched(parts: Parts, search: Search) -> str:
    """What to add where not all training rows were searched."""
    if len(search.bank) == len(parts.train):
        return ""
    return f" ({len(search.bank):,} of {len(parts.train):,} training rows were searched)"
