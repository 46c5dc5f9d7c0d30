"""Sections on fidelity: do synthetic rows look like real ones?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np

from genmodels.metrics.dependence import PairErrors, correlation, pair_errors
from genmodels.metrics.detection import Detection, c2st
from genmodels.metrics.marginals import missing_errors, shape_errors
from genmodels.metrics.views import TableView
from genmodels.report.parts import Parts, head
from genmodels.report.pictures import heat_map, histogram, level_bars
from genmodels.report.rows import Cell, Detail, Picture, Points, Row, Section

__all__ = ["detection", "missing", "pairs", "shapes"]


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
        parts.row(
            "fidelity",
            "column shape error against training rows, as published",
            _published(parts, rows, lambda a, b: float(shape_errors(a, b).mean())),
            "lower",
            n=min(rows, len(parts.train), len(parts.synthetic)),
            note=f"All rows, as papers do; held-out figure on {min(rows, len(parts.holdout)):,}.",
            headline=False,
            scale=0.2,
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
    rows_found = (headline, *_published_pairs(parts, rows))
    return Section("Pair trends", text, rows_found, details, _heat(parts, first))


def missing(parts: Parts) -> Section | None:
    """Shares of missing values; None when nothing is missing anywhere."""
    shares = [v.missing() for v in (parts.synthetic, parts.holdout, parts.train)]
    some = np.flatnonzero(np.max(shares, axis=0) > 0)
    if not len(some):
        return None
    row = parts.figure(
        "fidelity",
        "missing share error, mean",
        lambda a, b: float(missing_errors(a, b)[some].mean()),
        "lower",
        note="Over the columns with missing values.",
        scale=0.1,
    )
    names = parts.train.names
    lines: tuple[tuple[Cell, ...], ...] = tuple(
        (names[c], *(float(s[c]) for s in shares)) for c in some
    )
    headers = ("column", "synthetic", "held-out real", "training")
    detail = Detail("Share of missing values", headers, lines)
    text = "|difference of the share of missing values| from held-out rows. 0 is best."
    return Section("Missing values", text, (row,), (detail,))


def detection(parts: Parts, *, rows: int, folds: int) -> Section:
    """Classifier two-sample test, with the columns that give the synthetic rows away."""
    n = min(parts.n, rows)
    test = partial(c2st, head(parts.holdout, n), seed=parts.seed, folds=folds)
    value = test(head(parts.synthetic, n), explain=True)
    others = [test(side).auc for side in parts.sides(n)[1:]]
    row = parts.row(
        "fidelity",
        "C2ST AUC, gradient boosting",
        Points(value.auc, *others),
        "near",
        n=value.n,
        interval=value.interval,
        note=_tell(value),
        scale=0.5,
    )
    lines = tuple((g.column, g.alone, g.drop) for g in value.giveaways)
    headers = ("column", "AUC of the column alone", "AUC lost without it")
    detail = Detail("What gives the synthetic rows away", headers, lines)
    text = (
        "Out-of-fold AUC of a classifier between synthetic and held-out rows. 0.5: it cannot "
        "tell them apart; 1: it always can. Equal rows share a fold."
    )
    return Section("Can they be told apart?", text, (row,), (detail,))


def _tell(found: Detection) -> str:
    low = found.interval[0]
    if low <= 0.5:
        return "A strong classifier cannot tell them apart."
    names = ", ".join(
        repr(g.column) for g in found.giveaways[:3] if g.alone > 0.52 or g.drop > 0.01
    )
    return "A strong classifier tells them apart" + (f", first by {names}." if names else ".")


def _published(parts: Parts, rows: int, metric: Callable[[TableView, TableView], float]) -> Points:
    """A figure as papers give it: against training rows, all rows up to `rows`."""
    train = head(parts.train, rows)
    held, n = head(parts.holdout, rows), len(train)
    sides = (head(parts.synthetic, n), held, head(parts.independent, n), head(parts.copies, n))
    return Points(*(metric(train, side) for side in sides))


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


def _published_pairs(parts: Parts, rows: int) -> list[Row]:
    kinds: tuple[tuple[Literal["own", "shared"], str, str], ...] = (
        ("own", "as published", "Each table's own range makes its bins."),
        ("shared", "shared bins", "The training range makes the bins."),
    )
    out = []
    for bins, name, note in kinds:
        points = _published(parts, rows, partial(_pair_mean, bins=bins))
        metric = f"pair trend error against training rows, {name}"
        out.append(
            parts.row(
                "fidelity",
                metric,
                points,
                "lower",
                n=min(rows, len(parts.train), len(parts.synthetic)),
                note=note,
                headline=False,
                scale=0.2,
            )
        )
    return out


def _pair_mean(a: TableView, b: TableView, bins: Literal["own", "shared"]) -> float:
    return pair_errors(a, b, bins).mean()


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
        png = histogram(real.numbers[:, column], synthetic.numbers[:, column])
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
