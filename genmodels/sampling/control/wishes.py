"""Wishes from text and plain values: `> 80`, `20..30`, `>= 20 and < 30`, `[A, B]`, `not X`.

A text that names a level of a category means that level, whatever signs are in it; only other
texts are read as ranges. What a wish means for a model is written elsewhere.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from genmodels.data.parse_dates import parse_datetime
from genmodels.data.parse_problem import Problem
from genmodels.schema import Column, Level, TableSchema
from genmodels.wishes import Range, Wish, near_levels

__all__ = ["find_column", "find_level", "near", "parse_wish", "parse_wishes"]

_SIGNS = re.compile(r"^(<=|>=|==|!=|<|>|=)\s*(.+)$", re.DOTALL)
_BETWEEN = re.compile(r"^(.+?)\s*\.\.\s*(.+)$", re.DOTALL)
_BOTH = re.compile(r"^([<>]=?[^<>=]+?)\s+and\s+([<>]=?[^<>=]+)$", re.DOTALL)
_WHOLE = re.compile(r"[+-]?\d+")
_FORMS = "a value, '> 80', '<= 5', '20..30', 'missing', 'not missing' or a list of these"


def parse_wishes(given: Mapping[str, Any], schema: TableSchema, *, key: str) -> tuple[Wish, ...]:
    """One wish per column.

    Args:
        given: column -> a value, a text such as "> 80", or a list of these; None is missing.
        schema: of the columns.
        key: the configuration key, for messages.

    Raises:
        ValueError: for a column or level that does not exist, or a text that cannot be read.
    """
    return tuple(
        parse_wish(find_column(schema, str(name), key=f"{key}.{name}"), value, key=f"{key}.{name}")
        for name, value in given.items()
    )


def parse_wish(column: Column, value: Any, *, key: str) -> Wish:
    """What is asked of one column.

    Args:
        column: it.
        value: a value, a text such as "> 80", or a list, one of which is enough.
        key: the configuration key, for messages.

    Raises:
        TypeError: for a tuple, which may mean a range or a set.
        ValueError: when the value fits neither the column's kind nor any form.
    """
    if isinstance(value, tuple):
        raise TypeError(
            f"{key} is a tuple, {value!r}: write a list where either may be, such as "
            f"{list(value)!r}, or a text for a range, such as '20..30'"
        )
    _refuse_unclosed(column, value, key)
    items = value if isinstance(value, list) else [value]
    if not items:
        raise ValueError(f"{key}=[]: an empty list leaves no value; give {_FORMS}")
    parts = [_one(column, item, key) for item in items]
    text = ", ".join(map(_shown, items))
    if len(parts) == 1:
        return replace(parts[0], text=text)
    return _union(column, text, parts, key)


def _refuse_unclosed(column: Column, value: Any, key: str) -> None:
    """A text that begins a list and does not end it, unless a level is called so.

    Raises:
        ValueError: naming the bracket.
    """
    text = value.strip() if isinstance(value, str) else ""
    if text.startswith("[") and not text.endswith("]") and text not in (column.levels or ()):
        raise ValueError(f"{key}={text}: the bracket of the list is not closed; write {text}]")


def find_column(schema: TableSchema, name: str, *, key: str) -> Column:
    """The column of that name.

    Raises:
        ValueError: naming the nearest ones.
    """
    if name not in schema.names:
        raise ValueError(f"{key}: there is no column {name!r}{near(name, schema.names)}")
    return schema[name]


def find_level(column: Column, value: Any, *, key: str) -> Level | None:
    """The level that a value means; None when an open column does not list it.

    Raises:
        ValueError: for a level that a closed column does not have.
    """
    levels = column.levels or ()
    for level in levels:
        if level == value and isinstance(level, bool) == isinstance(value, bool):
            return level
    text = str(value)
    for level in levels:
        if str(level) == text or (isinstance(level, bool) and str(level).lower() == text.lower()):
            return level
    if column.closed:
        advice = near_levels(text, list(map(str, levels)))
        raise ValueError(f"{key}: column {column.name!r} has no level {text!r}{advice}")
    return None


def near(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, or the first of what there is."""
    names = list(known)
    folded = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.5)
    close = close or [name for name in folded if word and name.startswith(word.lower())]
    if close:
        return f"; did you mean {folded[close[0]]!r}?"
    more = ", ..." if len(names) > 12 else ""
    return f"; there are {', '.join(map(repr, names[:12]))}{more}" if names else ""


def _shown(item: Any) -> str:
    return "missing" if item is None else str(item)


def _is_gap(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _one(column: Column, value: Any, key: str) -> Wish:
    """The wish of a single value or text."""
    text = _shown(value).strip()
    wish = Wish(column.name, text)
    leveled = column.kind in ("categorical", "boolean")
    if not _is_gap(value) and leveled:
        names = {str(level): level for level in column.levels or ()}
        found = next((names[word] for word in (str(value), text) if word in names), None)
        if found is not None:
            return replace(wish, levels=(found,))
    if _is_gap(value) or text == "missing":
        return replace(wish, present=False, missing=True)
    if text == "not missing":
        return wish
    if leveled:
        return _of_levels(column, value, wish, key)
    if column.kind in ("continuous", "integer", "datetime"):
        return replace(wish, ranges=_ranges(column, value, key))
    if column.kind == "constant":
        return replace(wish, levels=(_constant(column, value, key),))
    raise ValueError(
        f"{key}: column {column.name!r} is an identifier, made anew for each row, so its values "
        "cannot be asked for; only 'missing' and 'not missing' can"
    )


def _of_levels(column: Column, value: Any, wish: Wish, key: str) -> Wish:
    text = wish.text
    if text.startswith(("not ", "!= ", "!=")):
        word = text.removeprefix("not ").removeprefix("!=").strip()
        level = find_level(column, word, key=key)
        return replace(wish, levels=(word if level is None else level,), negated=True)
    numbers = [level for level in column.levels or () if _is_number(level)]
    signed = _SIGNS.match(text) or _BETWEEN.match(text)
    if signed and numbers and len(numbers) == len(column.levels or ()):
        ranges = _ranges(replace(column, kind="continuous"), value, key)
        inside = Wish(column.name, text, ranges=ranges).in_ranges(np.array(numbers, float))
        chosen = tuple(level for level, fits in zip(numbers, inside, strict=True) if fits)
        if not chosen:
            raise ValueError(f"{key}={text}: no level of column {column.name!r} lies there")
        return replace(wish, levels=chosen)
    level = find_level(column, value, key=key)
    return replace(wish, levels=(value if level is None else level,))


def _is_number(level: Level) -> bool:
    return isinstance(level, int | float) and not isinstance(level, bool)


def _constant(column: Column, value: Any, key: str) -> Level:
    if column.value is None or str(column.value) != str(value):
        raise ValueError(
            f"{key}: column {column.name!r} had the one value {column.value!r} in training, so it "
            f"cannot be {value!r}"
        )
    return column.value


def _ranges(column: Column, value: Any, key: str) -> tuple[Range, ...]:
    """The ranges that a text of a number or datetime column means."""
    text = str(value).strip()
    if text.startswith("not "):
        text = f"!={text.removeprefix('not ')}"
    if (both := _BOTH.match(text)) is not None:
        first, second = (_ranges(column, part, key)[0] for part in both.groups())
        return (_common(first, second, asked=f"{key}={text}"),)
    if (signs := _SIGNS.match(text)) is not None:
        sign, end = signs[1], _point(column, signs[2], key)
        match sign:
            case ">":
                return (Range(low=end.high, above=not end.below),)
            case ">=":
                return (Range(low=end.low),)
            case "<":
                return (Range(high=end.low, below=True),)
            case "<=":
                return (Range(high=end.high, below=end.below),)
            case "!=":
                before = Range(high=end.low, below=True)
                return (before, Range(low=end.high, above=not end.below))
        return (end,)
    if (between := _BETWEEN.match(text)) is not None:
        low, high = (_point(column, end, key) for end in between.groups())
        if low.low is None or high.high is None or low.low > high.high:
            raise ValueError(f"{key}={text}: the lower end comes first")
        return (Range(low=low.low, high=high.high, below=high.below),)
    point = _point(column, text, key)
    if column.kind == "integer" and isinstance(point.low, float):
        raise ValueError(f"{key}: column {column.name!r} holds whole numbers, got {text}")
    return (point,)


def _common(first: Range, second: Range, *, asked: str) -> Range:
    """What lies in both of two ranges, one with a lower and one with an upper end.

    Raises:
        ValueError: when they have the same end, or nothing lies in both.
    """
    low, high = (first, second) if first.high is None else (second, first)
    if low.low is None or high.high is None or low.high is not None or high.low is not None:
        raise ValueError(f"{asked}: give one lower and one upper end, such as '>= 20 and < 30'")
    if low.low > high.high or (low.low == high.high and (low.above or high.below)):
        raise ValueError(f"{asked}: no value is both")
    return Range(low.low, high.high, above=low.above, below=high.below)


def _point(column: Column, text: str, key: str) -> Range:
    """One number or instant; of a date alone, its whole day."""
    if column.kind != "datetime":
        number = _number(column, text.strip(), key)
        return Range(low=number, high=number)
    start = _instant(column, text, key)
    if ":" in text:
        return Range(low=start, high=start)
    # the next midnight: in a zone with summer time not always 24 hours later
    wall = _instant(replace(column, timezone=None), text, key)
    following = np.datetime64(wall, "us").astype("M8[D]") + np.timedelta64(1, "D")
    return Range(low=start, high=_instant(column, str(following), key), below=True)


def _number(column: Column, text: str, key: str) -> float | int:
    """Whole numbers beyond 2^53 are read digit by digit."""
    if column.kind == "integer" and _WHOLE.fullmatch(text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{key}: {text!r} is no number; give {_FORMS}")
    return int(number) if column.kind == "integer" and number.is_integer() else number


def _instant(column: Column, text: str, key: str) -> int:
    """Microseconds since 1970 of a date or time."""
    try:
        found = parse_datetime(pa.array([text.strip()]), column, Problem(column, strict=True))
    except ValueError:
        like = f" or as in the data ({column.format})" if column.format else ""
        raise ValueError(
            f"{key}: {text!r} is no date; write 2020-01-31 or 2020-01-31 12:00{like}"
        ) from None
    return int(found.cast(pa.int64())[0].as_py())


def _union(column: Column, text: str, parts: Sequence[Wish], key: str) -> Wish:
    """A value that is as one of several wishes asks."""
    filled = [part for part in parts if part.present]
    missing = any(part.missing for part in parts)
    wish = Wish(column.name, text, present=bool(filled), missing=missing)
    if any(part.negated for part in filled):
        raise ValueError(f"{key}: 'not' stands alone, not in a list; name what may be instead")
    if any(part.ranges is None and part.levels is None for part in filled):
        return wish  # "not missing": any value
    if all(part.ranges is not None for part in filled):
        return replace(wish, ranges=tuple(r for part in filled for r in part.ranges or ()) or None)
    levels = dict.fromkeys(level for part in filled for level in part.levels or ())
    return replace(wish, levels=tuple(levels))
