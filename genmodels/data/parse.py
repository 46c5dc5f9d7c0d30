"""A raw table brought to the types of its schema, or refused with the place that does not fit.

Types: continuous float64; integer int64; categorical and boolean a dictionary of the levels
(booleans with the levels False and True: bool); datetime timestamp (us, zone); identifier
string or int64; constant the type of its value. Missing values are null.
"""

from __future__ import annotations

import difflib
import json
import logging
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.data.columns import Texts, as_text, plain
from genmodels.data.numbers import Style, parse_integers, parse_numbers, style_of
from genmodels.data.parse_dates import parse_datetime
from genmodels.data.parse_levels import parse_levels
from genmodels.data.parse_numbers import parse_number_column
from genmodels.data.parse_problem import Problem
from genmodels.data.sources.csv_options import DECIMAL
from genmodels.schema import UNFIT, Column, TableSchema

__all__ = ["apply_schema", "check_columns", "styles_of"]

logger = logging.getLogger(__name__)


def apply_schema(
    raw: pa.Table,
    schema: TableSchema,
    *,
    strict: bool = True,
    meaningless: Literal["refuse", "missing"] = "refuse",
    styles: Mapping[str, Style] | None = None,
) -> pa.Table:
    """Give each column the type that its schema asks for, in the order of the schema.

    Bounds are those of the training data and do not restrict other data.

    Args:
        raw: text or typed columns.
        schema: of the same columns.
        strict: refuse levels that a closed set does not have, other values than a constant's
            and gaps in a column that is not nullable. False: the values become missing, and
            one warning per column says how many.
        meaningless: what to do, if not strict, about values that are none of the column's kind,
            such as a text among numbers; strict always refuses.
        styles: by column, how its numbers are written; found from the values where it is not said.

    Returns:
        A table typed as the module says; applying the schema to it again changes nothing. Its
        metadata `UNFIT` counts the values per column that were made missing.

    Raises:
        ValueError: naming the column, the value, its row (counted from 1) and what to edit.
    """
    check_columns(raw.column_names, schema)
    decimal = (raw.schema.metadata or {}).get(DECIMAL, b"").decode() or None
    problems = [Problem(c, strict, meaningless == "refuse") for c in schema.columns]
    known: Mapping[str, str] = styles or {}
    arrays = [
        _parse(plain(raw[p.column.name], p.column.name), known.get(p.column.name, decimal), p)
        for p in problems
    ]
    fields = [pa.field(c.name, a.type) for c, a in zip(schema.columns, arrays, strict=True)]
    unfit = {p.column.name: p.rows for p in problems if p.rows}
    metadata = {UNFIT: json.dumps(unfit).encode()} if unfit else None
    return pa.table(arrays, schema=pa.schema(fields, metadata=metadata))


def styles_of(raw: pa.Table) -> dict[str, Style]:
    """How the numbers of each column of texts are written, for pieces of a larger table."""
    decimal = (raw.schema.metadata or {}).get(DECIMAL, b"").decode() or None
    found: dict[str, Style] = {}
    for name in raw.column_names:
        array = plain(raw[name], name)
        if pa.types.is_string(array.type):
            texts = Texts.of(array)
            found[name] = style_of(texts.values, counts=texts.counts, decimal=decimal)
    return found


def check_columns(names: list[str], schema: TableSchema) -> None:
    """Refuse a table that lacks columns of the schema or has others.

    Raises:
        ValueError: naming them, with near names.
    """
    lacking = [name for name in schema.names if name not in names]
    extra = [name for name in names if name not in schema.names]
    if lacking:
        near = difflib.get_close_matches(lacking[0], extra or names, n=1)
        advice = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(names)}"
        raise ValueError(f"the data has no column {', '.join(map(repr, lacking))}{advice}")
    if extra:
        raise ValueError(
            f"the data has columns that the schema does not have: "
            f"{', '.join(map(repr, extra))}; add them to the schema or leave them out of the "
            "data (`drop` of the source)"
        )


def _parse(array: pa.Array, decimal: str | None, problem: Problem) -> pa.Array:
    column = problem.column
    match column.kind:
        case "continuous" | "integer":
            out = parse_number_column(array, column, decimal, problem)
        case "categorical" | "boolean":
            out = parse_levels(array, column, decimal, problem)
        case "datetime":
            out = parse_datetime(array, column, problem)
        case "identifier":
            out = _identifier(array, column, problem)
        case "constant":
            out = _constant(array, column, decimal, problem)
    if out.null_count and not column.nullable and not problem.reported:
        if problem.strict:
            row = int(np.argmax(np.asarray(out.is_null(), bool))) + 1
            raise ValueError(
                f"column {column.name!r} has no value in row {row}, but is not nullable in the "
                "schema; set nullable: true"
            )
        logger.warning(
            "column %r: %s values are missing, but the schema says that none are",
            column.name,
            out.null_count,
        )
    return out


def _identifier(array: pa.Array, column: Column, problem: Problem) -> pa.Array:
    if column.format == "integer":
        return parse_number_column(array, column, None, problem)
    texts = Texts.of(as_text(array))
    kept = texts.without(texts.tokens(column.missing))
    return kept.values.take(pa.array(kept.codes, mask=kept.codes < 0))


def _constant(array: pa.Array, column: Column, decimal: str | None, problem: Problem) -> pa.Array:
    """The value in each row that has it; refused where another is found."""
    texts = Texts.of(as_text(array))
    value = column.value
    found = texts.without(texts.tokens(column.missing))
    if value is None:
        if len(found.values):
            problem.report(found, np.ones(len(found.values), bool), "no value was seen before")
        return pa.nulls(len(array))
    scalar = pa.scalar(value)
    fits = _equals(found, value, decimal)
    if not fits.all():
        problem.report(found, ~fits, f"{value!r} is the only value")
        found = found.without(~fits)
    return pc.if_else(pa.array(found.codes >= 0), scalar, pa.scalar(None, scalar.type))


def _equals(texts: Texts, value: str | int | float | bool, decimal: str | None) -> np.ndarray:
    """Which texts say the value; bool, shape (U,)."""
    if isinstance(value, bool):
        folded = pc.utf8_lower(pc.utf8_trim_whitespace(texts.values))
        return np.asarray(pc.equal(folded, str(value).lower()), bool)
    if isinstance(value, str):
        return np.asarray(pc.equal(texts.values, value), bool)
    exact = parse_integers(texts.values)
    if exact is not None:
        return exact == value
    return parse_numbers(texts.values, counts=texts.counts, decimal=decimal) == value
