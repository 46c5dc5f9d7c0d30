"""Rules that hold in all training rows, found without being told, and rows that break them.

Kept are rules that have rows enough to hold in (`LEAST`), that rows of independent columns break
(`TELLING`: else the rule says nothing about how columns go together) and that held-out rows keep
(`TRACE`). What a schema itself demands is checked in `conformance.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from genmodels.metrics.tables.roundness import decimal_digits
from genmodels.metrics.tables.rule_kinds import (
    Determines,
    Multiple,
    Order,
    Rule,
    Sum,
    Together,
    column_values,
)
from genmodels.metrics.tables.views import TableView

__all__ = ["LEAST", "TELLING", "TRACE", "breaking", "broken_share", "find_rules"]

LEAST = 200
"""Training rows that a rule must speak of."""
TELLING = 0.01
"""Share of rows of independent columns that must break it."""
TRACE = 0.002
"""Share of held-out rows that may break it."""
LEVELS, PER_LEVEL = 2000, 10
"""Values of a determining column at most, and its rows per value at least."""
SAMPLE = 512
"""Rows in which most wrong candidates are broken already."""


def find_rules(
    train: TableView, independent: TableView, holdout: TableView, dates: Sequence[str] = ()
) -> list[Rule]:
    """All rules of the kinds in `rule_kinds.py` that are kept, see the module.

    a <= b is looked for between two numbers or two dates, multiples likewise (dates: equality),
    sums among numbers, functions among categories and numbers of few values. What follows from
    two others (a <= b <= c, a -> b -> c) is left out.

    Args:
        train: rows in which a rule must hold without exception.
        independent: the same columns, each shuffled on its own.
        holdout: real rows that were not looked at.
        dates: names of the datetime columns.
    """
    kinds = np.array([name in dates for name in train.numeric], dtype=bool)
    found: list[Rule] = []
    for make in (_multiples, _sums, _orders):
        found += [r for r in make(train, kinds) if _kept(r, train, independent, holdout)]
    found += [r for r in _functions(train) if _kept(r, train, independent, holdout)]
    found += [r for r in _gaps(train) if _kept(r, train, independent, holdout)]
    return _concise(found)


def broken_share(rule: Rule, view: TableView) -> float:
    """Share of the rows that the rule speaks of that break it; 0 when it speaks of none."""
    judged, bad = rule.judge(view)
    return float(bad.sum() / judged.sum()) if judged.any() else 0.0


def breaking(rules: Sequence[Rule], view: TableView) -> np.ndarray:
    """Which rows break at least one rule; bool, shape (N,)."""
    out = np.zeros(len(view), bool)
    for rule in rules:
        out |= rule.judge(view)[1]
    return out


def _kept(rule: Rule, train: TableView, independent: TableView, holdout: TableView) -> bool:
    judged, bad = rule.judge(train)
    if judged.sum() < LEAST or bad.any():
        return False
    return broken_share(rule, independent) >= TELLING and broken_share(rule, holdout) <= TRACE


def _orders(train: TableView, dates: np.ndarray) -> Iterator[Rule]:
    x, names = train.numbers, train.numeric
    for low in range(x.shape[1]):
        # A NaN is never greater: gaps do not speak against a rule.
        first = (x[:SAMPLE, low, None] > x[:SAMPLE]).any(0)
        for high in np.flatnonzero(~first & (dates == dates[low])):
            if high != low:
                yield Order(f"{names[low]!r} <= {names[high]!r}", low, int(high))


def _sums(train: TableView, dates: np.ndarray) -> Iterator[Rule]:
    x, names = train.numbers[:SAMPLE], train.numeric
    slack = _slack(x)
    size = np.abs(x)
    for a in np.flatnonzero(~dates):
        for b in np.flatnonzero(~dates & (np.arange(len(dates)) > a)):
            with np.errstate(over="ignore", invalid="ignore"):
                gap = np.abs((x[:, a] + x[:, b])[:, None] - x)
                wrong = gap > slack + 1e-6 * (size[:, a, None] + size[:, b, None] + size)
            judged = (~np.isnan(gap)).sum(0) >= 5
            for c in np.flatnonzero(judged & ~wrong.any(0) & ~dates):
                if c not in (a, b):
                    text = f"{names[a]!r} + {names[b]!r} = {names[c]!r}"
                    yield Sum(text, int(a), int(b), int(c), float(slack[c]))


def _multiples(train: TableView, dates: np.ndarray) -> Iterator[Rule]:
    x, names = train.numbers[:SAMPLE], train.numeric
    slack = _slack(x)
    for a in range(x.shape[1]):
        for b in np.flatnonzero((dates == dates[a]) & (np.arange(len(dates)) > a)):
            usable = ~np.isnan(x[:, a]) & ~np.isnan(x[:, b]) & (x[:, a] != 0)
            if usable.sum() < 5:
                continue
            # The largest base gives the factor that rounding disturbs least.
            row = np.flatnonzero(usable)[np.argmax(np.abs(x[usable, a]))]
            factor = float(f"{x[row, b] / x[row, a]:.7g}")
            if factor == 0 or not np.isfinite(factor) or (dates[a] and factor != 1):
                continue
            equal = "" if factor == 1 else f"{factor:g} x "
            text = f"{names[b]!r} = {equal}{names[a]!r}"
            rule = Multiple(text, a, int(b), factor, float(slack[b]))
            if not rule.judge(train.take(np.arange(min(SAMPLE, len(train)))))[1].any():
                yield rule


def _slack(x: np.ndarray) -> np.ndarray:
    """Rounding of each column's source: 1.5 units of its last decimal, 0 for whole numbers."""
    digits = np.array([decimal_digits(column).max(initial=0) for column in x.T], dtype=np.float64)
    return np.where(digits > 0, 1.5 * 10.0**-digits, 0.0)


def _functions(train: TableView) -> Iterator[Rule]:
    """Functions source -> target among columns of few values."""
    coded = {}
    for column, name in enumerate(train.names):
        values = column_values(train, column)
        known = values[~np.isnan(values)]
        levels, inverse = np.unique(known, return_inverse=True)
        if 2 <= len(levels) <= min(LEVELS, len(known) // PER_LEVEL):
            codes = np.full(len(values), -1)
            codes[~np.isnan(values)] = inverse
            coded[column] = (name, levels, codes)
    for source, (name, keys, x) in coded.items():
        for target, (other, values, y) in coded.items():
            if target == source or not _is_function(x[:SAMPLE], y[:SAMPLE], len(values)):
                continue
            both = (x >= 0) & (y >= 0)
            if _is_function(x, y, len(values)):
                seen, first = np.unique(x[both], return_index=True)
                text = f"{name!r} determines {other!r}"
                yield Determines(text, source, target, keys[seen], values[y[both][first]])


def _is_function(x: np.ndarray, y: np.ndarray, size: int) -> bool:
    """Whether no code of x goes with two codes of y; negative codes are left out."""
    both = (x >= 0) & (y >= 0)
    return len(np.unique(x[both] * size + y[both])) == len(np.unique(x[both]))


def _gaps(train: TableView) -> Iterator[Rule]:
    groups: dict[bytes, list[int]] = {}
    for column in range(len(train.names)):
        absent = np.isnan(column_values(train, column))
        if 0 < absent.sum() < len(absent):
            groups.setdefault(np.packbits(absent).tobytes(), []).append(column)
    for columns in groups.values():
        if len(columns) > 1:
            names = ", ".join(repr(train.names[c]) for c in columns)
            yield Together(f"{names} are missing together", tuple(columns))


def _concise(rules: list[Rule]) -> list[Rule]:
    """Without rules that follow from others; a column equal to an earlier one needs no more."""
    same = {(r.base, r.other) for r in rules if isinstance(r, Multiple) and r.factor == 1}
    twins = {other for _, other in same}
    orders = {(r.low, r.high) for r in rules if isinstance(r, Order)}
    ties = {(r.source, r.target) for r in rules if isinstance(r, Determines)}
    mutual = {pair for pair in ties if pair[::-1] in ties}
    same = _direct(same)
    orders, ties = (_direct({p for p in x if not twins & set(p)}) for x in (orders, ties))
    return [
        replace(r, text=f"{r.text} and back")
        if isinstance(r, Determines) and (r.source, r.target) in mutual
        else r
        for r in rules
        if not (isinstance(r, Multiple) and r.factor == 1 and (r.base, r.other) not in same)
        and not (isinstance(r, Order) and (r.low, r.high) not in orders)
        and not (isinstance(r, Determines) and (r.source, r.target) not in ties)
    ]


def _direct(pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Transitive reduction; of two columns that determine each other the first leads."""
    pairs = {(a, b) for a, b in pairs if a < b or (b, a) not in pairs}
    after: dict[int, set[int]] = {}
    for a, b in pairs:
        after.setdefault(a, set()).add(b)
    return {(a, c) for a, c in pairs if not any(c in after.get(b, ()) for b in after[a] - {c})}
