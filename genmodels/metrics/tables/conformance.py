"""Whether rows obey what a schema says of each column: kind, range, categories, gaps, uniqueness.

Rules between columns are found in `rules.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from genmodels.metrics.tables.roundness import decimal_digits
from genmodels.metrics.tables.views import TableView, column_text, table_views
from genmodels.schema import UNFIT, Column, TableSchema

__all__ = ["Conformance", "check_schema"]

BLOCK = 200_000
UNREADABLE = "does not fit the kind, taken as missing"
UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


@dataclass(frozen=True)
class Conformance:
    """What a table does against its schema.

    Args:
        rows: number of rows.
        broken: rows with at least one value that the schema forbids.
        counts: values by column and by what is wrong with them.
        absent: columns that the table does not have.
    """

    rows: int
    broken: int
    counts: dict[tuple[str, str], int]
    absent: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        return self.broken / self.rows if self.rows else 0.0


def check_schema(
    table: pa.Table, schema: TableSchema, *, unique: Sequence[str] = ()
) -> Conformance:
    """Count the values that the schema forbids.

    Args:
        table: raw or typed; of values that did not fit on the way here (`UNFIT`) the number is
            known, and their rows count where nothing may be missing.
        schema: what may occur; a range of None has no end, levels count where they are closed.
        unique: identifier columns whose values must not repeat.
    """
    absent = tuple(c.name for c in schema.columns if c.name not in table.column_names)
    kept = TableSchema(tuple(c for c in schema.columns if c.name not in absent))
    bad, counts = np.zeros(table.num_rows, bool), dict[tuple[str, str], int]()
    unfit = json.loads((table.schema.metadata or {}).get(UNFIT, b"{}"))
    table = table.replace_schema_metadata(None)
    for name, count in unfit.items():
        _add(counts, name, UNREADABLE, count)
    for start in range(0, table.num_rows, BLOCK):
        block = table.slice(start, BLOCK)
        (view,) = table_views([block], kept)
        for name, what, mask in _of_view(view, kept):
            bad[start : start + len(mask)] |= mask
            _add(counts, name, what, int(mask.sum()))
        for name, count in view.unreadable.items():
            _add(counts, name, UNREADABLE, count)
    for column in kept.columns:
        if column.kind in ("identifier", "constant"):
            for what, mask in _of_text(table.column(column.name), column, column.name in unique):
                bad |= mask
                _add(counts, column.name, what, int(mask.sum()))
    return Conformance(table.num_rows, int(bad.sum()), counts, absent)


def _add(counts: dict[tuple[str, str], int], name: str, what: str, count: int) -> None:
    if count:
        counts[name, what] = counts.get((name, what), 0) + count


def _of_view(view: TableView, schema: TableSchema) -> Iterator[tuple[str, str, np.ndarray]]:
    for f, name in enumerate(view.numeric):
        column, x = schema[name], view.numbers[:, f]
        for bound, what in (
            (column.minimum, "below the minimum"),
            (column.maximum, "above the maximum"),
        ):
            if bound is not None:
                limit = _number(bound, column)
                slack = 1e-9 * abs(limit)
                far = x < limit - slack if what.startswith("below") else x > limit + slack
                yield name, what, far
        if column.kind == "integer":
            yield name, "not whole", ~np.isnan(x) & (x != np.rint(x))
        if column.kind == "continuous" and column.decimals is not None:
            long = np.zeros(len(x), bool)
            long[~np.isnan(x)] = decimal_digits(x) > column.decimals
            yield name, f"more than {column.decimals} decimals", long
        if not column.nullable:
            yield name, "missing", np.isnan(x)
    for q, name in enumerate(view.discrete):
        column, codes = schema[name], view.codes[:, q]
        if column.closed:
            # Codes of the schema's levels come first; no row adds one to an empty table.
            (own,) = table_views([pa.table({name: pa.nulls(0)})], TableSchema((column,)))
            yield name, "not a category of the schema", codes > len(own.levels[0])
        if not column.nullable:
            yield name, "missing", codes == 0


def _number(bound: float | str, column: Column) -> float:
    """A bound in the unit of `TableView.numbers`."""
    if column.kind != "datetime":
        return float(bound)
    stamp = pd.Timestamp(bound)
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return float(stamp.timestamp())


def _of_text(
    values: pa.ChunkedArray, column: Column, unique: bool
) -> Iterator[tuple[str, np.ndarray]]:
    """What is wrong with an identifier or a constant."""
    text = column_text(values)
    present = np.zeros(len(values), bool)
    present[text.index] = True

    def mask(found: np.ndarray) -> np.ndarray:
        out = np.zeros(len(values), bool)
        out[text.index[found]] = True
        return out

    if not column.nullable:
        yield "missing", ~present
    if column.kind == "constant" and column.value is not None:
        (allowed,) = column_text(pa.chunked_array([pa.array([column.value])]))
        yield "another value than the constant", mask((text != allowed).to_numpy(bool))
    if column.kind == "identifier":
        if unique:
            yield "repeats an earlier one", mask(text.duplicated().to_numpy(bool))
        pattern = _pattern(column.format)
        if pattern is not None:
            yield "of another form", mask(~text.astype(str).str.fullmatch(pattern).to_numpy(bool))


def _pattern(form: str | None) -> str | None:
    """A regular expression for a format of identifiers, None for one that is not known."""
    if form == "integer":
        return r"[+-]?\d+"
    if form == "uuid":
        return UUID
    found = re.fullmatch(r"(.*)\{:0?(\d*)d\}(.*)", form or "")
    if found is None:
        return None
    before, width, after = found.groups()
    return f"{re.escape(before)}\\d{{{width or 1},}}{re.escape(after)}"
