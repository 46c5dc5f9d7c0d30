"""Sections on how values are written down: gaps, dates, rounding and repeated values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from genmodels.metrics.tables.dates import date_errors, useful_parts
from genmodels.metrics.tables.marginals import missing_errors, total_variation
from genmodels.metrics.tables.missingness import association_errors, missing_columns
from genmodels.metrics.tables.roundness import (
    DIGITS,
    decimal_digits,
    find_grid,
    grid_share,
    point_mass_error,
)
from genmodels.metrics.tables.views import TableView
from genmodels.report.rows import Cell, Detail, Row, Section
from genmodels.report.tables.parts import Parts, head

__all__ = ["dates", "missing", "rounding"]

Line = tuple[Cell, ...]
Measure = Callable[[TableView, TableView], float | None]


def missing(parts: Parts, *, worst: int) -> Section | None:
    """Shares of missing values and what they go with; None when nothing is missing anywhere."""
    shares = [v.missing() for v in (parts.synthetic, parts.holdout, parts.train)]
    some = np.flatnonzero(np.max(shares, axis=0) > 0)
    if not len(some):
        return None
    share = parts.figure(
        "fidelity",
        "missing share error, mean",
        lambda a, b: float(missing_errors(a, b)[some].mean()),
        "lower",
        note="Over the one column with missing values."
        if len(some) == 1
        else f"Over the {len(some)} columns with missing values.",
        scale=0.1,
    )
    names = parts.train.names
    lines: tuple[Line, ...] = tuple((names[c], *(float(s[c]) for s in shares)) for c in some)
    headers = ("column", "synthetic", "held-out real", "training")
    details = [Detail("Share of missing values", headers, lines)]
    found = [share]
    columns = missing_columns(parts.train)
    if len(columns) and len(names) > 1:
        found.append(_association(parts, columns))
        details.append(_worst_associations(parts, columns, worst))
    text = (
        "How often a value is missing, and whether it is missing in the same kind of rows as in "
        "held-out data. 0 is best."
    )
    return Section("Missing values", text, tuple(found), tuple(details))


def dates(parts: Parts) -> Section | None:
    """Weekdays, hours, days and months; None without dates."""
    kinds = {c.name: c for c in parts.schema.columns if c.kind == "datetime"}
    columns = [f for f, name in enumerate(parts.train.numeric) if name in kinds]
    zones = {f: kinds[parts.train.numeric[f]].timezone for f in columns}
    used = {f: useful_parts(parts.train.numbers[:, f], zones[f]) for f in columns}
    if not any(used.values()):
        return None

    def errors(a: TableView, b: TableView) -> list[tuple[int, str, float]]:
        out = []
        for f in columns:
            found = date_errors(a.numbers[:, f], b.numbers[:, f], zones[f])
            out += [(f, trait, found[trait]) for trait in used[f]]
        return out

    row = parts.figure(
        "fidelity",
        "calendar error, mean",
        lambda a, b: float(np.mean([x[2] for x in errors(a, b)])),
        "lower",
        note="Total variation distance over weekdays, hours, days of the month and months where "
        "they vary, and over how finely times are written.",
        scale=0.2,
    )
    made, real, shuffled, _ = (errors(parts.reference, side) for side in parts.sides())
    lines: list[Line] = [
        (parts.train.numeric[f], trait, error, real[k][2], shuffled[k][2])
        for k, (f, trait, error) in enumerate(made)
    ]
    headers = ("column", "trait", "synthetic", "held-out real", "shuffled columns")
    ordered = tuple(sorted(lines, key=lambda line: -float(line[2] or 0)))
    text = "Do dates fall on the same weekdays, hours and months as real ones? 0 is best."
    return Section("Dates", text, (row,), (Detail("Per date column", headers, ordered),))


def rounding(parts: Parts) -> Section | None:
    """Decimals, round values and values that occur again and again; None without numbers."""
    dates = {c.name for c in parts.schema.columns if c.kind == "datetime"}
    continuous = {c.name for c in parts.schema.columns if c.kind == "continuous"}
    names = parts.train.numeric
    numbers = [f for f, name in enumerate(names) if name not in dates]
    found, lines = [], []
    measures: tuple[tuple[str, list[int], Callable[[int], Measure | None], str, bool], ...] = (
        (
            "repeated values",
            numbers,
            _masses,
            "Total variation distance over the most frequent exact values, such as zeros.",
            True,
        ),
        (
            "decimals",
            [f for f in numbers if names[f] in continuous],
            _decimals,
            "Total variation distance of how many decimals a value has.",
            False,
        ),
        (
            "round values",
            numbers,
            lambda f: _rounded(head(parts.train, parts.n).numbers[:, f], f),
            "|difference of the share of round values|, such as multiples of 5, zeros left out.",
            False,
        ),
    )
    for trait, columns, make, note, headline in measures:
        row, more = _trait(parts, trait, columns, make, note, headline)
        found += row
        lines += more
    if not found:
        return None
    headers = ("column", "trait", "synthetic", "held-out real", "shuffled columns")
    ordered = tuple(sorted(lines, key=lambda line: -float(line[2] or 0)))
    text = (
        "People round, and zero often means none: are synthetic numbers written in the same way? "
        "0 is best."
    )
    return Section("Rounding", text, tuple(found), (Detail("Per column", headers, ordered),))


def _association(parts: Parts, columns: np.ndarray) -> Row:
    def error(a: TableView, b: TableView) -> float:
        return float(np.nanmean(association_errors(a, b, columns)))

    return parts.figure(
        "fidelity",
        "association of missing values, error, mean",
        error,
        "lower",
        note="Do gaps come with the same values, and the same other gaps, as in real rows? Half "
        "the distance of the signed parts of Cramér's V.",
        scale=0.1,
    )


def _worst_associations(parts: Parts, columns: np.ndarray, worst: int) -> Detail:
    names = parts.train.names
    made, real, shuffled, _ = (
        association_errors(parts.reference, side, columns) for side in parts.sides()
    )
    order = np.argsort(-np.nan_to_num(made, nan=-1.0), axis=None, kind="stable")[:worst]
    lines = []
    for i, j in zip(*np.unravel_index(order, made.shape), strict=True):
        if np.isfinite(made[i, j]):
            figures = (float(m[i, j]) for m in (made, real, shuffled))
            lines.append((names[columns[i]], names[j], *figures))
    headers = ("missing", "together with", "synthetic", "held-out real", "shuffled columns")
    return Detail("What gaps go with, the worst", headers, tuple(lines))


def _trait(
    parts: Parts,
    trait: str,
    columns: list[int],
    make: Callable[[int], Measure | None],
    note: str,
    headline: bool,
) -> tuple[list[Row], list[Line]]:
    """The mean of a measure over the columns that have it, and a line for each of them."""
    measures = [(f, m) for f in columns if (m := make(f)) is not None]
    lines: list[Line] = []
    for f, measure in measures:
        errors = [measure(parts.reference, side) for side in parts.sides()[:3]]
        if any(e is not None for e in errors):
            lines.append((parts.train.numeric[f], trait, *errors))
    if not lines:
        return [], []

    def mean(a: TableView, b: TableView) -> float:
        known = [e for _, m in measures if (e := m(a, b)) is not None]
        return float(np.mean(known)) if known else 0.0

    name = f"{trait}, error, mean"
    row = parts.figure("fidelity", name, mean, "lower", note=note, headline=headline, scale=0.5)
    return [row], lines


def _masses(f: int) -> Measure:
    return lambda a, b: point_mass_error(a.numbers[:, f], b.numbers[:, f])


def _decimals(f: int) -> Measure:
    return lambda a, b: total_variation(
        decimal_digits(a.numbers[:, f]), decimal_digits(b.numbers[:, f]), DIGITS + 1
    )


def _rounded(train: np.ndarray, f: int) -> Measure | None:
    grid = find_grid(train)
    if grid is None:
        return None
    step = grid.step
    return lambda a, b: abs(grid_share(a.numbers[:, f], step) - grid_share(b.numbers[:, f], step))
