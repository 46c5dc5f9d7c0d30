"""Coverage of extreme values: tails of each column, and of two columns at once."""

from __future__ import annotations

import math

import numpy as np

from genmodels.metrics.intervals import beside, wilson
from genmodels.metrics.tables.tails import Tails, fit_tails, log_ratios, range_shares
from genmodels.metrics.tables.views import TableView
from genmodels.report.rows import Cell, Detail, Points, Row, Section
from genmodels.report.tables.parts import Parts, head
from genmodels.schema import Column

__all__ = ["extremes", "in_words"]

JOINT = (0.01, 0.99)
LISTED = 20


def extremes(parts: Parts, *, remarks: list[str]) -> Section | None:
    """Values beyond extreme quantiles; None without numeric columns or with too few rows."""
    if not parts.train.numeric:
        return None
    tails = fit_tails(parts.train, parts.n)
    if not len(tails):
        remarks.append(
            f"Tails were skipped: no numeric column has enough of {parts.n:,} rows beyond its "
            "extreme quantiles. Bring a thousand rows or more."
        )
        return None
    rows = [
        parts.figure(
            "coverage",
            "tail frequency, mean |log ratio| to held-out rows",
            lambda a, b: float(np.abs(log_ratios(tails, a, b)).mean()),
            "lower",
            high=math.inf,
            note=f"Over {len(tails)} tails beyond the training quantiles 0.005, 0.01, 0.99 and "
            "0.995; 0.69 is twice or half as often.",
            scale=math.log(2),
        ),
        *_joint_row(parts),
        *_range_row(parts),
    ]
    details = [_per_tail(parts, tails), *_joint_detail(parts)]
    text = (
        "How often values lie beyond quantiles that one training row in a hundred or two hundred "
        "exceeds. Independent columns are perfect here but where tails of two columns go together."
    )
    return Section("Extreme values", text, tuple(rows), tuple(details))


def _range_row(parts: Parts) -> list[Row]:
    def share(a: TableView, b: TableView) -> float:
        known = range_shares(a, b)
        return float(np.nanmean(known)) if np.isfinite(known).any() else 1.0

    points = parts.points(share)
    own = range_shares(parts.reference, head(parts.synthetic, parts.n))
    known = own[np.isfinite(own)]
    if not len(known):
        return []
    half = 1.96 * float(known.std()) / len(known) ** 0.5
    return [
        parts.row(
            "coverage",
            "range of held-out numbers that is reached, mean share",
            points,
            "higher",
            interval=(max(0.0, points.value - half), min(1.0, points.value + half)),
            note=f"Over {len(known)} column{'s' * (len(known) > 1)}; the interval is that over "
            "columns.",
            headline=False,
            scale=0.5,
        )
    ]


def _joint_row(parts: Parts) -> list[Row]:
    tails = fit_tails(parts.train, parts.n, levels=JOINT)
    if len(np.unique(tails.columns)) < 2:
        return []
    hits = [int(tails.extreme(view, 2).sum()) for view in parts.sides()]
    made, real = (wilson(x, parts.n) for x in hits[:2])
    points = Points(*(x / parts.n for x in hits))
    return [
        parts.row(
            "coverage",
            "rows extreme in two columns at once, share",
            points,
            "near",
            interval=beside(points.value, made, hits[1] / parts.n, real),
            note="Beyond the training quantile 0.01 or 0.99 in both; the interval allows for the "
            "chance of the real rows.",
            headline=False,
            scale=max(float(tails.extreme(parts.train, 2).mean()), 0.002),
        )
    ]


def _joint_detail(parts: Parts) -> list[Detail]:
    """Pairs of tails whose common rows are the most off."""
    tails = fit_tails(parts.train, parts.n, levels=JOINT)
    if len(tails) < 2:
        return []
    beyond = [
        tails.beyond(view).astype(np.float32)
        for view in (
            parts.reference,
            head(parts.synthetic, parts.n),
            head(parts.independent, parts.n),
        )
    ]
    both = [b.T @ b for b in beyond]
    i, j = np.triu_indices(len(tails), 1)
    pairs = tails.columns[i] != tails.columns[j]
    i, j = i[pairs], j[pairs]
    real, made, alone = (b[i, j] for b in both)
    off = np.abs(np.log((made + 0.5) / (real + 0.5)))
    order = np.argsort(-off, kind="stable")[:LISTED]
    lines = tuple(
        (_tail(parts, tails, int(i[k])), _tail(parts, tails, int(j[k])), int(real[k]), int(made[k]),
         int(alone[k]))
        for k in order if off[k] > 0
    )  # fmt: skip
    headers = ("beyond", "and", "held-out rows", "synthetic rows", "independent columns")
    title = f"Rows in two tails at once, the most different of {len(i)} pairs"
    return [Detail(title, headers, lines)] if lines else []


def _per_tail(parts: Parts, tails: Tails) -> Detail:
    sides = (head(parts.synthetic, parts.n), parts.reference, head(parts.train, parts.n))
    shares = [tails.counts(view) / parts.n for view in sides]
    ratios = np.exp(log_ratios(tails, parts.reference, sides[0]))
    order = np.argsort(-np.abs(np.log(ratios)), kind="stable")[: 2 * LISTED]
    lines: tuple[tuple[Cell, ...], ...] = tuple(
        (_tail(parts, tails, k), float(tails.levels[k]), *(float(s[k]) for s in shares),
         float(ratios[k]))
        for k in order.tolist()
    )  # fmt: skip
    headers = ("beyond", "training quantile", "synthetic", "held-out real", "training", "ratio")
    return Detail(f"Tails, the {len(lines)} most different of {len(tails)}", headers, lines)


def _tail(parts: Parts, tails: Tails, t: int) -> str:
    """A tail in words."""
    name = parts.train.numeric[int(tails.columns[t])]
    text = in_words(parts.schema[name], float(tails.thresholds[t]))
    return f"{name} {'>' if tails.upper[t] else '<'} {text}"


def in_words(column: Column, value: float) -> str:
    """A number of a view in the unit that the user knows: dates as dates."""
    if column.kind == "datetime":
        return str(np.datetime64(int(value), "s")).replace("T", " ")
    return f"{value:.6g}"
