"""Rows that show what a sample of a large table lacks: a rare level, a gap, an extreme.

A schema and a codec are made from the sample. For values that it happens not to hold, one row of
the data stands in; there are few of them beside the sample, so its shares stay what they are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.data.columns import plain
from genmodels.data.streaming.reservoir import Part

__all__ = ["Witnesses"]

_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_MOST_PARTS = 256
"""Kept apart; then those are dropped whose extreme another exceeds."""
Key = tuple[Hashable, ...]


class Witnesses:
    """Rows of what was seen, one for each value that may matter.

    Args:
        most_levels: columns of more distinct values have open sets, or are numbers: their values
            need no witnesses, but their extremes do.
        decimal: the decimal mark of texts that are numbers.
    """

    def __init__(self, *, most_levels: int, decimal: str) -> None:
        self.most_levels, self.decimal = most_levels, decimal
        self._seen: dict[str, _Seen] = {}
        self._kept: list[Part] = []

    def see(self, part: Part) -> None:
        """Note the rows that show something new."""
        table, numbers = part
        new: set[int] = set()
        for name in table.column_names if len(numbers) else ():
            seen = self._seen.setdefault(name, _Seen(self.most_levels, self.decimal))
            for key, row in seen.news(plain(table[name], name)):
                seen.shown[key] = int(numbers[row])
                new.add(row)
        if new:
            rows = np.array(sorted(new))
            self._kept.append((table.take(pa.array(rows)).combine_chunks(), numbers[rows]))
        if len(self._kept) > _MOST_PARTS:
            self._kept = [self._still({n for s in self._seen.values() for n in s.shown.values()})]

    def _still(self, wanted: set[int]) -> Part:
        """The rows of these numbers."""
        masks = [np.isin(numbers, list(wanted)) for _, numbers in self._kept]
        parts = zip(self._kept, masks, strict=True)
        tables = [table.filter(pa.array(mask)) for (table, _), mask in parts]
        numbers = [own[mask] for (_, own), mask in zip(self._kept, masks, strict=True)]
        return pa.concat_tables(tables).combine_chunks(), np.concatenate(numbers)

    def lacking(self, sample: pa.Table) -> pa.Table:
        """The rows that show what a sample does not, in the order of the data."""
        needed: set[int] = set()
        for name, seen in self._seen.items():
            own = _Seen(self.most_levels, self.decimal)
            shown = {key for key, _ in own.news(plain(sample[name], name))}
            needed |= {
                number for key, number in seen.shown.items() if _needed(key, seen, own, shown)
            }
        empty = sample.slice(0, 0)
        return pa.concat_tables([empty, self._still(needed)[0]]) if self._kept else empty


def _needed(key: Key, seen: _Seen, own: _Seen, shown: set[Key]) -> bool:
    """Whether what a row shows is nowhere in the sample, and matters."""
    match key[0]:
        case "low" | "high":
            mine, theirs = seen.extremes[key], own.extremes.get(key)
            return theirs is None or bool(mine < theirs if key[0] == "low" else mine > theirs)
        case "level":
            return own.levels is not None and key not in shown
        case "text":
            return own.others is not None and key not in shown
        case _:
            return key not in shown


class _Seen:
    """What one column has shown: levels while they are few, gaps, texts among numbers, extremes."""

    def __init__(self, most: int, decimal: str) -> None:
        self.most, self.decimal = most, decimal
        self.levels: set[Any] | None = set()
        self.others: set[Any] | None = set()
        self.extremes: dict[Key, Any] = {}
        self.shown: dict[Key, int] = {}

    def news(self, values: pa.Array) -> Iterator[tuple[Key, int]]:
        """Keys that are new, each with a row that shows it."""
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if values.null_count and ("gap",) not in self.shown:
            yield ("gap",), int(np.argmax(np.asarray(values.is_null(), bool)))
        if pa.types.is_null(values.type) or values.null_count == len(values):
            return
        self.levels, new = _novel(values, self.levels, self.most)
        yield from ((("level", value), row) for value, row in new)
        if pa.types.is_boolean(values.type):
            return
        numbers = values if not pa.types.is_string(values.type) else self._numbers(values)
        if pa.types.is_string(values.type):
            texts = values.filter(pc.and_kleene(values.is_valid(), numbers.is_null()))
            if len(texts):
                self.others, new = _novel(texts, self.others, self.most)
                yield from (
                    (("text", text), pc.index(values, pa.scalar(text)).as_py()) for text, _ in new
                )
            if self.others is None:
                yield from self._ends(values, "text")
        yield from self._ends(numbers, "number")
        yield from self._fraction(numbers)

    def _numbers(self, texts: pa.Array) -> pa.Array:
        """The texts as numbers, null where they are none; ten times as fast when all are."""
        if self.decimal == ",":
            texts = pc.replace_substring(texts, ",", ".")
        try:
            numbers = texts.cast(pa.float64())
            return pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
        except pa.ArrowInvalid:
            fits = pc.match_substring_regex(texts, _NUMBER)
            trimmed = pc.utf8_trim_whitespace(texts)
            return pc.if_else(fits, trimmed, pa.scalar(None, pa.string())).cast(pa.float64())

    def _ends(self, values: pa.Array, what: str) -> Iterator[tuple[Key, int]]:
        if values.null_count == len(values):
            return
        ends = pc.min_max(values)
        for side, field in (("low", "min"), ("high", "max")):
            value, key = ends[field].as_py(), (side, what)
            known = self.extremes.get(key)
            if value is None or value != value:
                continue
            if known is None or (value < known if side == "low" else value > known):
                self.extremes[key] = value
                yield key, pc.index(values, ends[field]).as_py()

    def _fraction(self, numbers: pa.Array) -> Iterator[tuple[Key, int]]:
        """The first number that is not whole."""
        if ("fraction",) in self.shown or not pa.types.is_floating(numbers.type):
            return
        whole = np.asarray(pc.equal(numbers, pc.floor(numbers)).fill_null(True), bool)
        if not whole.all():
            yield ("fraction",), int(np.argmin(whole))


def _novel(
    values: pa.Array, known: set[Any] | None, most: int
) -> tuple[set[Any] | None, list[tuple[Any, int]]]:
    """The distinct values so far, None beyond `most`, and the new ones with a row of each.

    One more than `most` are shown, so that a sample with these rows has as many, too.
    """
    if known is None:
        return None, []
    distinct = pc.unique(values).drop_null()
    first = distinct.slice(0, most + len(known) + 1).to_pylist()
    new = [value for value in first if value not in known][: most - len(known) + 1]
    rows = [(value, pc.index(values, pa.scalar(value, values.type)).as_py()) for value in new]
    over = len(known) + len(new) > most
    return (None if over else known | set(new)), rows
