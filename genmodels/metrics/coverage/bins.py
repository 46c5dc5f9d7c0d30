"""Bins of a number or date: where they end, and what they are called.

A name is a wish that sampling understands and that holds exactly the values of the bin: `25..39`,
`< 25`, `>= 0.5 and < 2`, `>= 2020-01-01 and < 2021-01-01`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from genmodels.schema import Column

__all__ = ["Bin", "bins_of"]


@dataclass(frozen=True)
class Bin:
    """Values from `low` on and below `high`.

    Args:
        text: its name.
        low: -inf where there is no end; seconds since 1970 of dates.
        high: inf where there is no end.
        closed: whether `high` itself belongs to it.
        middle: a value of it, in the unit of the column.
    """

    text: str
    low: float
    high: float
    closed: bool
    middle: float | int | str

    @property
    def ends(self) -> tuple[float, float]:
        """Its smallest and its largest value."""
        return self.low, self.high if self.closed else float(np.nextafter(self.high, -math.inf))


def bins_of(
    column: Column, values: np.ndarray, edges: Sequence[float | str] | int
) -> tuple[Bin, ...]:
    """The bins of a column.

    Args:
        column: of numbers or dates.
        values: of all rows (N,), NaN = missing; seconds since 1970 of dates.
        edges: where bins end, ascending, the outer ends included (-inf and inf leave them open),
            or how many bins of equal frequency, whose outer ends are open.

    Raises:
        ValueError: when the edges do not rise, or a bin can hold no value.
    """
    known = values[~np.isnan(values)]
    points = _quantiles(column, known, edges) if isinstance(edges, int) else _told(column, edges)
    spans = list(pairwise(points))
    return tuple(
        _bin(column, low, high, known, last=k == len(spans) - 1)
        for k, (low, high) in enumerate(spans)
    )


def _quantiles(column: Column, known: np.ndarray, count: int) -> list[float]:
    if isinstance(count, bool) or count < 1:
        raise ValueError(f"bins.{column.name} must be edges or a number of at least 1, got {count}")
    if not len(known):
        return [-math.inf, math.inf]
    levels = np.arange(1, count) / count
    # An observed value as the edge: a mass point is never parted from itself. One at the lower end
    # is a bin of its own.
    found = np.quantile(known, levels, method="inverted_cdf")
    above = known[known > known.min()]
    found = np.maximum(found, above.min()) if len(above) and len(found) else found[:0]
    return [-math.inf, *np.unique(found).tolist(), math.inf]


def _told(column: Column, edges: Sequence[float | str]) -> list[float]:
    points = [_number(column, edge) for edge in edges]
    if len(points) < 2 or any(a >= b for a, b in pairwise(points)):
        raise ValueError(
            f"bins.{column.name} must be at least two ends that rise, such as [0, 18, 65, inf], "
            f"got {list(edges)}"
        )
    return points


def _number(column: Column, edge: float | str) -> float:
    text = str(edge)
    try:
        number = math.nan if isinstance(edge, bool) else float(text)
    except ValueError:
        number = math.nan if column.kind != "datetime" else _seconds(column, text)
    if math.isnan(number):
        what = "a date such as 2020-01-31" if column.kind == "datetime" else "a number"
        raise ValueError(f"bins.{column.name}: {text!r} is not {what}")
    return number


def _seconds(column: Column, text: str) -> float:
    try:
        stamp = pd.Timestamp(text)
        zone = column.timezone or "UTC"
        return float((stamp if stamp.tzinfo else stamp.tz_localize(zone)).timestamp())
    except (ValueError, TypeError):
        return math.nan


def _bin(column: Column, low: float, high: float, known: np.ndarray, *, last: bool) -> Bin:
    closed = last and math.isfinite(high)
    inside = known[(known >= low) & ((known <= high) if closed else (known < high))]
    if column.kind == "integer":
        return _whole(column, low, high, closed, inside)
    start = low if math.isfinite(low) else float(inside.min(initial=high if last else math.inf))
    stop = high if math.isfinite(high) else float(inside.max(initial=low))
    middle = _clip(start / 2 + stop / 2, low, high)
    show = _date if column.kind == "datetime" else _plain
    text = _text(low, high, closed, lambda x: show(column, x))
    value = show(column, middle) if column.kind == "datetime" else float(middle)
    return Bin(text, low, high, closed, value)


def _clip(x: float, low: float, high: float) -> float:
    """A finite number of the bin; an open bin without values has its end, or 0."""
    if math.isfinite(x):
        return x
    return next((end for end in (low, high) if math.isfinite(end)), 0.0)


def _text(low: float, high: float, closed: bool, show: Callable[[float], str]) -> str:
    above, below = math.isfinite(low), math.isfinite(high)
    if not above and not below:
        return "not missing"
    upper = f"{'<=' if closed else '<'} {show(high)}" if below else ""
    lower = f">= {show(low)}" if above else ""
    return " and ".join(part for part in (lower, upper) if part)


def _whole(column: Column, low: float, high: float, closed: bool, inside: np.ndarray) -> Bin:
    """A bin of whole numbers, named by the first and the last of them."""
    first = math.ceil(low) if math.isfinite(low) else None
    final: int | None = None
    if math.isfinite(high):
        final = math.floor(high) if closed else math.ceil(high) - 1
    if first is not None and final is not None and first > final:
        raise ValueError(
            f"bins.{column.name}: no whole number lies from {low:g} to {'' if closed else 'below '}"
            f"{high:g}"
        )
    if first is None or final is None:
        text = f">= {first}" if first is not None else f"<= {final}"
        text = "not missing" if first is final is None else text
    else:
        text = str(first) if first == final else f"{first}..{final}"
    ends = [
        first if first is not None else int(inside.min(initial=0.0 if final is None else final)),
        final if final is not None else int(inside.max(initial=0.0 if first is None else first)),
    ]
    return Bin(text, low, high, closed, sum(ends) // 2)


def _plain(_: Column, x: float) -> str:
    return str(int(x)) if float(x).is_integer() and abs(x) < 1e15 else repr(float(x))


def _date(column: Column, seconds: float) -> str:
    """A moment in the column's zone, always with its time, as a date alone is a whole day."""
    stamp = pd.Timestamp(round(seconds * 1e6), unit="us", tz="UTC")
    stamp = stamp.tz_convert(column.timezone) if column.timezone else stamp
    form = "%Y-%m-%d %H:%M:%S.%f" if stamp.microsecond else "%Y-%m-%d %H:%M:%S"
    return stamp.strftime(form)
