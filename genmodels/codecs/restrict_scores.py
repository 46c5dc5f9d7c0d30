"""Ranges of raw numbers as intervals of the scores that `Quantile` gives them."""

from __future__ import annotations

import numpy as np

from genmodels.codecs.columns.knots import Knots
from genmodels.codecs.columns.numbers import Numbers
from genmodels.codecs.columns.quantile import Quantile
from genmodels.wishes import Range

__all__ = ["score_spans"]


def score_spans(codec: Quantile, ranges: tuple[Range, ...] | None) -> np.ndarray:
    """The scores whose number lies in one of the ranges, float32 (S, 2), ascending, disjoint.

    A whole number or rounded decimal k has the scores of (k - 1/2, k + 1/2) steps, less the
    little that a float32 score may be off; ends are rounded inwards.

    Args:
        codec: fitted.
        ranges: in the column's unit; None: all numbers.
    """
    found = []
    for one in ranges or (Range(),):
        if not _meets(codec.numbers, one):
            continue
        ends = _steps(codec, one) if codec.numbers.stepped else _offsets(codec.numbers, one)
        if ends is not None:
            low = _score(codec.knots, ends[0], first=not one.above)
            high = _score(codec.knots, ends[1], first=one.below)
            found.append((low, high))
    return _merged(found)


def _meets(numbers: Numbers, one: Range) -> bool:
    """Whether a range holds a number that may be decoded."""
    low = -np.inf if one.low is None else one.low
    high = np.inf if one.high is None else one.high
    return low <= numbers.upper and high >= numbers.lower


def _offsets(numbers: Numbers, one: Range) -> tuple[float, float]:
    """A range of full-precision numbers in offsets."""
    low = 0.0 if one.low is None else float(np.ldexp(one.low, -numbers.exponent)) - numbers.base
    high = (
        numbers.span
        if one.high is None
        else float(np.ldexp(one.high, -numbers.exponent)) - numbers.base
    )
    return low, high


def _steps(codec: Quantile, one: Range) -> tuple[float, float] | None:
    """The same for numbers on a lattice: half a step beyond the first and last that fit."""
    numbers, margin = codec.numbers, 0.5 - min(4.0 * codec.knots.error + 1e-6, 0.25)
    first, last = 0, int(numbers.span)
    if one.low is not None:
        first = max(first, _near(numbers, one, one.low, upwards=True))
    if one.high is not None:
        last = min(last, _near(numbers, one, one.high, upwards=False))
    if first > last:
        return None
    low = -0.5 if first == 0 else first - margin
    high = last + 0.5 if last == int(numbers.span) else last + margin
    return low, high


def _near(numbers: Numbers, one: Range, end: float | int, *, upwards: bool) -> int:
    """The step next to an end of a range whose number, as decoded, lies within it."""
    step = 1 if upwards else -1
    k = numbers.nearest(end) - 2 * step
    for _ in range(4):
        value = numbers.number(k)
        if upwards:
            inside = value > end if one.above else value >= end
        else:
            inside = value < end if one.below else value <= end
        if inside:
            break
        k += step
    return k


def _score(knots: Knots, x: float, *, first: bool) -> float:
    """The score of an offset: the first or last of those that a tied offset has."""
    at, z = knots.x, knots.z
    if len(at) == 1:
        return -1.0 if first else 1.0
    i = int(np.searchsorted(at, x, "left" if first else "right")) - (not first)
    if 0 <= i < len(at) and at[i] == x:
        return float(z[i])
    return float(np.interp(x, at, z))


def _merged(pairs: list[tuple[float, float]]) -> np.ndarray:
    """Sorted, overlaps joined, rounded inwards; intervals without width are left out."""
    out: list[list[np.float32]] = []
    for low, high in sorted(pairs):
        start, end = np.float32(low), np.float32(high)
        start = np.nextafter(start, np.float32(2.0)) if float(start) < low else start
        end = np.nextafter(end, np.float32(-2.0)) if float(end) > high else end
        if out and start <= out[-1][1]:
            out[-1][1] = max(out[-1][1], end)
        elif start < end:
            out.append([start, end])
    return np.array(out, np.float32).reshape(-1, 2)
