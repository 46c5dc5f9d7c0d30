"""What cannot be: `sex = male and pregnant = yes`, as levels that cannot be together.

The language is that of constraints. A level may stand for many values, as `18..64` does; it is
excluded where all of them are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
import pyarrow as pa

from genmodels.sampling.control.expressions import (
    Compare,
    Condition,
    Empty,
    Expression,
    Literal,
    Name,
    Operation,
    Parsed,
    parse,
)
from genmodels.sampling.control.truth import check_names, names_in, truth_of
from genmodels.schema import Column, TableSchema
from genmodels.wishes import near_levels

__all__ = ["Excluded", "excluded"]

MOST = 2_000_000
Points = tuple[float | str | None, ...]


@dataclass(frozen=True, eq=False)
class Excluded:
    """Levels that cannot be together.

    Args:
        text: as asked.
        names: of the factors, in the order of the schema (A,).
        cells: which levels of each cannot be together, bool, one axis per factor.
    """

    text: str
    names: tuple[str, ...]
    cells: np.ndarray


def excluded(
    texts: Sequence[str], schema: TableSchema, levels: Mapping[str, Sequence[Points]]
) -> list[Excluded]:
    """Read exclusions.

    Args:
        texts: conditions that never hold all at once, joined by `and`.
        schema: of the columns.
        levels: by factor, of each level the values that stand for it: one, or both ends of a
            range (seconds since 1970 of dates); None is a missing value.

    Raises:
        ValueError: for a text that cannot be read, or a name that is no factor.
    """
    return [_excluded(text, schema, levels) for text in texts]


def _excluded(text: str, schema: TableSchema, levels: Mapping[str, Sequence[Points]]) -> Excluded:
    try:
        parsed = parse(text, schema.names)
        if parsed.given:
            raise ValueError(
                f"exclude: {text!r} says what must be; name what cannot be, such as "
                "'sex = male and pregnant = yes'"
            )
        check_names(text, parsed, schema)
    except ValueError as error:
        told = str(error).replace("constraints:", "exclude:", 1)
        raise ValueError(told.replace("neither a column nor", "neither a factor nor")) from None
    used = {name for condition in parsed.then for name in _names(condition)}
    for name in used:
        if name not in levels:
            raise ValueError(
                f"exclude: {text!r} speaks of {name!r}, which is no factor; add it to factors"
            )
    _check_levels(text, parsed, schema, levels)
    names = tuple(name for name in schema.names if name in used)
    points = [[_points(p, parsed, schema[n]) for p in levels[n]] for n in names]
    rows = prod(sum(map(len, of)) for of in points)
    if rows > MOST:
        raise ValueError(f"exclude: {text!r} speaks of too many levels at once ({rows:,})")
    return Excluded(text, names, _cells(names, points, _judge(parsed, schema)))


def _check_levels(
    text: str, parsed: Parsed, schema: TableSchema, levels: Mapping[str, Sequence[Points]]
) -> None:
    """Refuse a level that a factor does not have: it would exclude nothing."""
    for condition in parsed.then:
        sides = [condition.left, condition.right] if isinstance(condition, Compare) else []
        names = [side.column for side in sides if isinstance(side, Name)]
        words = [side.text for side in sides if isinstance(side, Literal)]
        for name, word in zip(names, words, strict=False):
            if schema[name].kind not in ("categorical", "boolean"):
                continue
            known = [str(point[0]) for point in levels[name] if point[0] is not None]
            if word not in known and word.lower() not in map(str.lower, known):
                raise ValueError(
                    f"exclude: {text!r}: {name!r} has no level {word!r}{near_levels(word, known)}"
                )


def _cells(
    names: Sequence[str],
    points: Sequence[Sequence[Points]],
    judge: Callable[[dict[str, list[float | str | None]]], np.ndarray],
) -> np.ndarray:
    """Where the conditions hold at every point of a cell."""
    shape = [len(of) for of in points]
    flat = [[p for level in of for p in level] for of in points]
    owner = [np.repeat(np.arange(len(of)), [len(level) for level in of]) for of in points]
    rows = list(product(*flat))
    holds = judge({name: [row[k] for row in rows] for k, name in enumerate(names)})
    cell = np.ravel_multi_index(
        [axis.reshape(-1) for axis in np.meshgrid(*owner, indexing="ij")], shape
    )
    everywhere = np.ones(prod(shape), bool)
    np.logical_and.at(everywhere, cell, holds)
    return everywhere.reshape(shape)


def _judge(
    parsed: Parsed, schema: TableSchema
) -> Callable[[dict[str, list[float | str | None]]], np.ndarray]:
    """Whether all conditions hold in each row, bool (N,)."""

    def judge(rows: dict[str, list[float | str | None]]) -> np.ndarray:
        table = pa.table({name: _array(values, schema[name]) for name, values in rows.items()})
        return np.logical_and.reduce([truth_of(c, table, schema)[0] for c in parsed.then])

    return judge


def _array(values: list[float | str | None], column: Column) -> pa.Array:
    if column.kind == "datetime":
        ends = [None if v is None else _ticks(float(v)) for v in values]
        return pa.array(ends, pa.int64()).cast(pa.timestamp("us", column.timezone))
    if column.kind in ("continuous", "integer"):
        return pa.array(values, pa.float64())
    if column.levels and all(type(level) in (int, float) for level in column.levels):
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    if column.levels and all(isinstance(level, bool) for level in column.levels):
        return pa.array([None if v is None else str(v).lower() == "true" for v in values])
    return pa.array(values, pa.string())


def _ticks(seconds: float) -> int:
    """Microseconds since 1970; an open end is as far as they reach."""
    return int(np.clip(seconds * 1e6, -9.2e18, 9.2e18))


def _points(level: Points, parsed: Parsed, column: Column) -> Points:
    """The points of a level, and the numbers that conditions name within its range.

    Between its ends a comparison with one number can only change there.
    """
    if len(level) == 1 or column.kind not in ("continuous", "integer"):
        return level
    low, high = (float(end) for end in level if end is not None)
    named = {x for c in parsed.then if isinstance(c, Compare) for x in _numbers(c)}
    return (*level, *sorted(x for x in named if low < x < high))


def _numbers(condition: Compare) -> list[float]:
    return [x for side in (condition.left, condition.right) for x in _literals(side)]


def _literals(side: Expression) -> list[float]:
    match side:
        case Literal():
            return [float(side.text)] if side.number else []
        case Operation():
            return [*_literals(side.left), *_literals(side.right)]
    return []


def _names(condition: Condition) -> tuple[str, ...]:
    if isinstance(condition, Empty):
        return (condition.column,)
    return (*names_in(condition.left), *names_in(condition.right))
