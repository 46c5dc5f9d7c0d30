"""What a condition between columns is in each row: true, false or, with a gap, neither."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal as Choice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.sampling.control.expressions import (
    Compare,
    Empty,
    Expression,
    Literal,
    Name,
    Operation,
    Parsed,
)
from genmodels.sampling.control.wishes import find_level, near, parse_wish
from genmodels.schema import Column, TableSchema
from genmodels.wishes import among

__all__ = ["check_names", "names_in", "number_of", "truth_of"]

Kind = Choice["number", "moment", "level"]


def names_in(expression: Expression) -> tuple[str, ...]:
    """The columns of an expression, in order, each once."""
    match expression:
        case Name():
            return (expression.column,)
        case Operation():
            both = (*names_in(expression.left), *names_in(expression.right))
            return tuple(dict.fromkeys(both))
    return ()


def check_names(text: str, parsed: Parsed, schema: TableSchema) -> None:
    """Refuse what cannot be compared before anything is sampled.

    Raises:
        ValueError: naming the constraint, and the nearest column or level.
    """
    empty = pa.table({name: pa.nulls(0, _type(schema[name])) for name in schema.names})
    for condition in (*parsed.given, *parsed.then):
        try:
            truth_of(condition, empty, schema)
        except ValueError as error:
            raise ValueError(f"constraints: {text!r}: {error}") from None


def _type(column: Column) -> pa.DataType:
    known = {"continuous": pa.float64(), "integer": pa.int64()}
    if column.kind == "datetime":
        return pa.timestamp("us", column.timezone)
    if column.kind in ("categorical", "boolean"):
        return pa.array(list(column.levels or ())).type
    return known.get(
        column.kind, pa.string() if column.value is None else pa.array([column.value]).type
    )


def truth_of(
    condition: Compare | Empty, table: pa.Table, schema: TableSchema
) -> tuple[np.ndarray, np.ndarray]:
    """Where a condition is true and where it is false, bool (N,) each.

    Raises:
        ValueError: when its sides cannot be compared.
    """
    if isinstance(condition, Empty):
        missing = np.asarray(table.column(condition.column).combine_chunks().is_null(), bool)
        return (~missing, missing) if condition.negated else (missing, ~missing)
    kind = _kind(condition, schema)
    if kind == "level":
        equal, valid = _same_level(condition, table, schema)
        true = equal if condition.sign == "=" else ~equal
        return true & valid, ~true & valid
    sides = [number_of(side, table, schema, kind, condition) for side in _sides(condition)]
    (left, a), (right, b) = sides
    true, valid = _compared(condition.sign, left, right), a & b
    return true & valid, ~true & valid


def _compared(sign: str, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    whole = left.dtype == right.dtype == np.int64
    close = left == right if whole else np.isclose(left, right, rtol=1e-9, atol=0.0)
    match sign:
        case "=":
            return close
        case "!=":
            return ~close
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
    return left >= right


def _sides(condition: Compare) -> tuple[Expression, Expression]:
    return condition.left, condition.right


def _kind(condition: Compare, schema: TableSchema) -> Kind:
    """What is compared: numbers, points in time, or levels."""
    alone = [schema[side.column] for side in _sides(condition) if isinstance(side, Name)]
    if any(column.kind == "datetime" for column in alone):
        return "moment"
    if any(not _numeric(column) for column in alone):
        if condition.sign not in ("=", "!="):
            name = next(column.name for column in alone if not _numeric(column))
            raise ValueError(f"column {name!r} has levels, which are equal or not, but in no order")
        return "level"
    return "number"


def _numeric(column: Column) -> bool:
    if column.kind in ("categorical", "boolean"):
        return all(type(level) in (int, float) for level in column.levels or ())
    if column.kind == "constant":
        return type(column.value) in (int, float)
    return column.kind in ("continuous", "integer")


def number_of(
    side: Expression,
    table: pa.Table,
    schema: TableSchema,
    kind: Kind = "number",
    condition: Compare | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Values of an expression and where it has one, (N,) each; a literal has shape (1,).

    Raises:
        ValueError: when a name or text in it is no number (or no date, where dates are compared).
    """
    match side:
        case Name():
            return _column(side.column, table, schema, kind)
        case Literal() if kind == "moment":
            return _moment(side, schema, condition)
        case Literal():
            if not side.number:
                raise ValueError(_unknown(side.text, schema))
            return np.array([float(side.text)]), np.ones(1, bool)
    if kind == "moment":
        raise ValueError("dates can be compared, but not be added or subtracted")
    (left, a), (right, b) = (number_of(s, table, schema) for s in (side.left, side.right))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return _result(side.sign, left, right), a & b


def _result(sign: str, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    return left / right


def _unknown(text: str, schema: TableSchema) -> str:
    return f"{text!r} is neither a column nor a number{near(text, schema.names)}"


def _column(
    name: str, table: pa.Table, schema: TableSchema, kind: Kind
) -> tuple[np.ndarray, np.ndarray]:
    column = schema[name]
    if (column.kind == "datetime") != (kind == "moment") or not (
        kind == "moment" or _numeric(column)
    ):
        wanted = "a date" if kind == "moment" else "a number"
        raise ValueError(f"column {name!r} is {column.kind}, but {wanted} is needed there")
    array = _plain(table.column(name))
    valid = np.asarray(array.is_valid(), bool)
    if kind == "moment":
        return np.asarray(array.cast(pa.int64()).fill_null(0)), valid
    return np.asarray(array.cast(pa.float64(), safe=False).fill_null(0.0)), valid


def _moment(
    side: Literal, schema: TableSchema, condition: Compare | None
) -> tuple[np.ndarray, np.ndarray]:
    """A date as it is meant beside a column, in its zone: its first instant."""
    assert condition is not None
    name = next(s.column for s in _sides(condition) if isinstance(s, Name))
    wish = parse_wish(replace(schema[name], kind="datetime"), side.text, key=repr(side.text))
    assert wish.ranges is not None
    return np.array([wish.ranges[0].low]), np.ones(1, bool)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """One array without a dictionary."""
    array = column.combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array


def _same_level(
    condition: Compare, table: pa.Table, schema: TableSchema
) -> tuple[np.ndarray, np.ndarray]:
    """Where two sides are the same level, and where both have one."""
    sides = _sides(condition)
    names = [side for side in sides if isinstance(side, Name)]
    arrays = [_plain(table.column(name.column)) for name in names]
    valid = np.logical_and.reduce([np.asarray(array.is_valid(), bool) for array in arrays])
    if len(arrays) == 2:
        texts = [array.cast(pa.string()) for array in arrays]
        return np.asarray(pc.equal(*texts).fill_null(False), bool), valid
    literal = next(side for side in sides if not isinstance(side, Name))
    if not isinstance(literal, Literal):
        raise ValueError(f"column {names[0].column!r} has levels, with which nothing is computed")
    column = schema[names[0].column]
    level = find_level(column, literal.text, key=repr(literal.text)) if column.levels else None
    return among(arrays[0], (literal.text if level is None else level,)), valid
