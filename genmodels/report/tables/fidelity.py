"""Sections on fidelity: do synthetic rows look like real ones?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from genmodels.metrics.intervals import jackknife
from genmodels.metrics.tables.dependence import PairErrors, correlation, pair_errors
from genmodels.metrics.tables.marginals import shape_errors
from genmodels.metrics.tables.views import TableView
from genmodels.report.page.pictures import heat_map, histogram, level_bars
from genmodels.report.rows import Detail, Picture, Points, Row, Section
from genmodels.report.tables.parts import Parts, head

__all__ = ["pairs", "shapes"]


def shapes(parts: Parts, *, rows: int, pictures: int) -> Section:
    """Each column's own distribution; blind to how columns go together."""
    found = (
        parts.figure(
            "fidelity",
            "column shape error, mean",
            lambda a, b: float(shape_errors(a, b).mean()),
            "lower",
            note="Each column on its own: shuffled columns are perfect here, so look on.",
            scale=0.2,
        ),
        _published(
            parts,
            "column shape error against training rows, as published",
            lambda a, b: float(shape_errors(a, b).mean()),
            rows,
            "As papers do.",
        ),
    )
    detail, order = _per_column(parts)
    text = (
        "Kolmogorov-Smirnov distance for numbers and dates, total variation distance for "
        "categories (missing is a category). 0 is best, 1 is worst."
    )
    shown = tuple(_marginal(parts, int(c)) for c in order[:pictures])
    return Section("Column shapes", text, found, (detail,), shown)


def pairs(parts: Parts, *, rows: int, worst: int) -> Section:
    """How two columns go together, for every pair of columns."""
    headline = parts.figure(
        "fidelity",
        "pair trend error, mean, shared bins",
        lambda a, b: pair_errors(a, b, "shared").mean(),
        "lower",
        note="How two columns go together.",
        scale=0.2,
    )
    first = pair_errors(parts.reference, head(parts.synthetic, parts.n), "shared")
    text = (
        "Half the difference of Pearson's correlation for two numeric columns, else the total "
        "variation distance of the two-way table with numbers in ten equal bins. 0 is best."
    )
    details = (_worst_pairs(parts, first, worst),)
    published = (
        _published(
            parts,
            "pair trend error against training rows, as published",
            lambda a, b: pair_errors(a, b, "own").mean(),
            rows,
            "Each table's own range makes its bins: one extreme value moves them all.",
        ),
        _published(
            parts,
            "pair trend error against training rows, shared bins",
            lambda a, b: pair_errors(a, b, "shared").mean(),
            rows,
            "The training range makes the bins.",
        ),
    )
    return Section("Pair trends", text, (headline, *published), details, _heat(parts, first))


def _published(
    parts: Parts,
    name: str,
    metric: Callable[[TableView, TableView], float],
    rows: int,
    note: str,
) -> Row:
    """A figure as papers give it: against training rows, all rows up to `rows`."""
    train = head(parts.train, rows)
    n = len(train)
    made, held = head(parts.synthetic, n), head(parts.holdout, n)
    stands = (
        f" {len(made):,} synthetic and {len(held):,} held-out rows against {n:,} training rows: "
        "the fewer, the larger by chance."
    )
    sides = (made, held, head(parts.independent, n), head(parts.copies, n))
    points = Points(*(metric(train, side) for side in sides))
    interval = jackknife(
        points.value, lambda kept: metric(train.take(kept), made.take(kept)), len(made), high=1.0
    )
    return parts.row(
        "fidelity",
        name,
        points,
        "lower",
        n=len(made),
        interval=interval,
        note=note + stands,
        headline=False,
        scale=0.2,
    )


def _per_column(parts: Parts) -> tuple[Detail, np.ndarray]:
    """Shape error of each column, the worst first, and that order."""
    made, *others = (shape_errors(parts.reference, side) for side in parts.sides()[:3])
    order = np.argsort(-made, kind="stable")
    names = parts.train.names
    lines = tuple(
        (names[c], _test_of(parts, int(c)), *(float(p[c]) for p in (made, *others))) for c in order
    )
    headers = ("column", "measure", "synthetic", "held-out real", "shuffled columns")
    return Detail("Per column", headers, lines), order


def _worst_pairs(parts: Parts, made: PairErrors, count: int) -> Detail:
    others = [pair_errors(parts.reference, v, "shared").matrix for v in parts.sides()[1:3]]
    where = {name: k for k, name in enumerate(made.names)}
    lines = tuple(
        (a, b, error, *(_cell(m[where[a], where[b]]) for m in others))
        for a, b, error in made.worst(count)
    )
    headers = ("column", "and", "synthetic", "held-out real", "shuffled columns")
    return Detail(f"The {len(lines)} worst of {made.count()} pairs", headers, lines)


def _test_of(parts: Parts, column: int) -> str:
    return "KS" if column < len(parts.train.numeric) else "TV"


def _marginal(parts: Parts, column: int) -> Picture:
    name = parts.train.names[column]
    real, synthetic = (head(v, 20_000) for v in (parts.holdout, parts.synthetic))
    f = len(parts.train.numeric)
    if column < f:
        dates = parts.schema[name].kind == "datetime"
        png = histogram(real.numbers[:, column], synthetic.numbers[:, column], dates=dates)
    else:
        q = column - f
        png = level_bars(real.codes[:, q], synthetic.codes[:, q], parts.train.levels[q])
    return Picture(name, png)


def _heat(parts: Parts, errors: PairErrors) -> tuple[Picture, ...]:
    matrices, titles = [], []
    if len(parts.train.numeric) > 1:
        real = correlation(parts.reference.numbers)
        fake = correlation(head(parts.synthetic, parts.n).numbers)
        matrices += [real, fake, fake - real]
        titles += ["correlation, real", "synthetic", "synthetic - real"]
    matrices.append(errors.matrix)
    titles.append("pair error")
    numeric = ", ".join(parts.train.numeric) or "none"
    caption = f"Numeric columns: {numeric}. Pair error over all columns: {', '.join(errors.names)}."
    return (Picture(caption, heat_map(matrices, titles), wide=True),)


def _cell(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
