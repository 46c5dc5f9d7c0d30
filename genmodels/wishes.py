"""What is asked of one column of sampled rows: exact values, or which it may have.

Reading a wish from text needs the schema and is `sampling/control/wishes.py`'s; what it means for
encoded rows is the codec's.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Cells", "Range", "TooFewRowsError", "Wish", "among", "near_levels"]

_FEW = 10  # levels that are all named
_MOST_HELD = 5  # names that hold a word

Level = str | int | float | bool


class TooFewRowsError(ValueError):
    """Fewer rows than asked for are as they were asked for.

    Args:
        message: for the user.
        kept: rows that are.
        asked: rows so far.
    """

    def __init__(self, message: str, *, kept: int, asked: int) -> None:
        super().__init__(message)
        self.kept, self.asked = kept, asked


@dataclass(frozen=True)
class Range:
    """Numbers between two ends: column units, or microseconds since 1970 of a datetime.

    Args:
        low: the lower end, or None when there is none.
        high: the upper end, or None.
        above: the lower end itself is left out.
        below: the upper end itself is left out.
    """

    low: float | int | None = None
    high: float | int | None = None
    above: bool = False
    below: bool = False

    @property
    def point(self) -> bool:
        """Whether one number alone lies in it."""
        closed = not self.above and not self.below
        return closed and self.low is not None and self.low == self.high

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Which of the numbers (N,) lie in it, bool (N,)."""
        inside = np.ones(len(values), bool)
        if self.low is not None:
            inside &= values > self.low if self.above else values >= self.low
        if self.high is not None:
            inside &= values < self.high if self.below else values <= self.high
        return inside


@dataclass(frozen=True, eq=False)
class Cells:
    """Raw values of one column that are given exactly, in some rows or all.

    Args:
        values: typed by the schema (N,); a null that is known is a missing value.
        known: which rows are given, bool (N,).
    """

    values: pa.Array
    known: np.ndarray


@dataclass(frozen=True)
class Wish:
    """Which values a column may have.

    A value fits when it is in one of the `ranges` (if any are named) and among the `levels` (if
    any are named; with `negated`, when it is not among them).

    Args:
        column: its name.
        text: the wish as it was asked, for people.
        ranges: of numbers and datetimes; None: any value.
        levels: of categories and booleans; None: any.
        negated: the levels are those that may not be.
        present: whether there may be a value at all.
        missing: whether the value may be missing.
    """

    column: str
    text: str
    ranges: tuple[Range, ...] | None = None
    levels: tuple[Level, ...] | None = None
    negated: bool = False
    present: bool = True
    missing: bool = False

    def __post_init__(self) -> None:
        if not (self.present or self.missing):
            raise ValueError(f"{self}: nothing is left that it could be")

    def __str__(self) -> str:
        return f"{self.column}: {self.text}"

    @property
    def exact(self) -> bool:
        """Whether one outcome alone fits, so that the cell is known before drawing."""
        if not self.present:
            return True
        if self.missing or self.negated:
            return False
        alone = self.ranges is not None and len(self.ranges) == 1 and self.ranges[0].point
        return alone or (self.levels is not None and len(self.levels) == 1)

    def fits(self, array: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """Which typed values (N,) are as wished, bool (N,)."""
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        null = np.asarray(array.is_null(), bool)
        if not self.present:
            return null
        fitting = np.ones(len(array), bool)
        if self.ranges is not None:
            fitting &= self.in_ranges(_numbers(array))
        if self.levels is not None:
            fitting &= among(array, self.levels) ^ self.negated
        return np.where(null, self.missing, fitting)

    def in_ranges(self, values: np.ndarray) -> np.ndarray:
        """Which numbers (N,) lie in one of the ranges, bool (N,)."""
        inside = np.zeros(len(values), bool)
        for one in self.ranges or (Range(),):
            inside |= one.holds(values)
        return inside


def among(array: pa.Array, levels: Sequence[Level]) -> np.ndarray:
    """Which values (N,) are one of the levels, bool (N,); missing ones are not."""
    if pa.types.is_dictionary(array.type):
        known = np.append(among(array.dictionary, levels), False)
        indices = array.indices.fill_null(len(array.dictionary))
        return known[np.asarray(indices)]
    return np.asarray(pc.is_in(array, value_set=pa.array(levels).cast(array.type)), bool)


def near_levels(word: str, levels: Sequence[str]) -> str:
    """All levels where there are few, else those that hold the word or are much like it."""
    names = list(levels)
    if len(names) <= _FEW:
        close = difflib.get_close_matches(word.lower(), [n.lower() for n in names], 1, cutoff=0.7)
        found = next((name for name in names if close and name.lower() == close[0]), None)
        guess = "" if found is None else f"; did you mean {found!r}?"
        return f"{guess}{' T' if guess else '; t'}here are {', '.join(map(repr, names))}"
    folded = {name.lower(): name for name in names}
    held = [n for n in folded if word and word.lower() in n]
    alike = difflib.get_close_matches(word.lower(), folded, n=3, cutoff=0.6)
    found_names = [folded[name] for name in dict.fromkeys((*held[:_MOST_HELD], *alike))]
    if found_names:
        return f"; did you mean {' or '.join(map(repr, found_names))}?"
    return f"; there are {', '.join(map(repr, names[:_FEW]))}, ..."


def _numbers(array: pa.Array) -> np.ndarray:
    """Values (N,) as numbers; what stands for a missing one does not matter."""
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.int64())
    return np.asarray(array.fill_null(0))
