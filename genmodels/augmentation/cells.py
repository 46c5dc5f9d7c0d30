"""The cells of a table as arrays, and new rows as a table of the same types.

Numbers and dates become float64, categories codes. Cells that a recipe does not touch are taken
from the real row as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from genmodels.augmentation.identity import new_identities
from genmodels.schema import Column, TableSchema

__all__ = ["DISCRETE", "NUMERIC", "Cells", "new_rows"]

NUMERIC = ("continuous", "integer", "datetime")
DISCRETE = ("categorical", "boolean")
_UNITS = (86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 1_000, 1)
"""Microseconds of a day, an hour, a minute, ...: the steps that dates may have."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of N rows.

    Args:
        numeric: names of F columns of numbers and dates.
        numbers: shape (N, F), float64; dates in microseconds since 1970; NaN is missing.
        steps: what numbers of each are multiples of, 0 for any number, shape (F,).
        discrete: names of Q columns of categories and truth values.
        codes: shape (N, Q), int64; -1 is missing.
        sizes: number of levels of each, shape (Q,).
    """

    numeric: tuple[str, ...]
    numbers: np.ndarray
    steps: np.ndarray
    discrete: tuple[str, ...]
    codes: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, table: pa.Table, schema: TableSchema, without: tuple[str, ...] = ()) -> Cells:
        """The cells of all columns but those that are left out, identifiers and constants."""
        kept = [c for c in schema.columns if c.name not in without]
        numeric = [c for c in kept if c.kind in NUMERIC]
        discrete = [c for c in kept if c.kind in DISCRETE]
        rows = table.num_rows
        numbers = [_numbers(table[c.name]) for c in numeric]
        pairs = [_codes(table[c.name]) for c in discrete]
        return cls(
            tuple(c.name for c in numeric),
            np.column_stack(numbers) if numbers else np.zeros((rows, 0)),
            np.array([_step(c, x) for c, x in zip(numeric, numbers, strict=True)]),
            tuple(c.name for c in discrete),
            np.column_stack([codes for codes, _ in pairs]) if pairs else np.zeros((rows, 0), int),
            np.array([size for _, size in pairs], np.int64),
        )

    def rounded(self, numbers: np.ndarray, *, decimals: bool = True) -> np.ndarray:
        """Numbers (M, F) at the nearest multiples of their steps.

        Args:
            numbers: to round.
            decimals: False: whole numbers and dates alone are.
        """
        stepped = (self.steps > 0) if decimals else (self.steps >= 1)
        steps = np.where(stepped, self.steps, 1.0)
        return np.where(stepped, np.rint(numbers / steps) * steps, numbers)


def new_rows(
    real: pa.Table,
    schema: TableSchema,
    parents: np.ndarray,
    changed: Mapping[str, np.ndarray],
    *,
    first: int,
    rng: np.random.Generator,
) -> pa.Table:
    """New rows as a table with the columns and types of the real ones.

    Args:
        real: N rows.
        schema: of them.
        parents: the real row of each new one, shape (M,).
        changed: by column, its new cells (M,): numbers with NaN, or codes with -1, for missing.
        first: number of the first of them among all new rows.
        rng: of identifiers.
    """
    kept = real.take(pa.array(parents))
    columns = []
    for column in schema.columns:
        if column.kind == "identifier" and column.role != "target":
            columns.append(new_identities(real[column.name], column, len(parents), first, rng))
        elif column.name in changed:
            columns.append(_column(changed[column.name], real[column.name], column))
        else:
            columns.append(kept[column.name])
    return pa.table(columns, schema=real.schema)


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    array = column.combine_chunks()
    missing = np.asarray(array.is_null())
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    values = np.asarray(array.fill_null(0), dtype=np.float64)
    return np.where(missing, np.nan, values)


def _codes(column: pa.ChunkedArray) -> tuple[np.ndarray, int]:
    array = column.combine_chunks()
    if pa.types.is_boolean(array.type):
        return np.asarray(array.cast(pa.int64()).fill_null(-1)), 2
    return np.asarray(array.indices.cast(pa.int64()).fill_null(-1)), len(array.dictionary)


def _step(column: Column, numbers: np.ndarray) -> float:
    """The unit that all numbers are multiples of; 0 where they have none."""
    if column.kind == "integer":
        return 1.0
    known = numbers[~np.isnan(numbers)]
    if column.kind == "datetime":  # never below 1, as of whole numbers
        return float(next(unit for unit in _UNITS if not np.any(known % unit)))
    return 10.0**-column.decimals if column.decimals else 0.0


def _column(cells: np.ndarray, like: pa.ChunkedArray, column: Column) -> pa.Array:
    kind = like.type
    if column.kind in DISCRETE:
        missing = cells < 0
        if pa.types.is_boolean(kind):
            return pa.array(cells == 1, kind, mask=missing)
        codes = pa.array(np.where(missing, 0, cells), kind.index_type, mask=missing)
        return pa.DictionaryArray.from_arrays(codes, like.combine_chunks().dictionary)
    missing = np.isnan(cells)
    filled = np.where(missing, 0.0, cells)
    if column.kind == "continuous":
        if column.decimals is not None:  # 0.35 as the text says it, not 0.35000000000000003
            short = filled.round(column.decimals)
            filled = np.where(np.isclose(filled, short, rtol=1e-12, atol=0.0), short, filled)
        return pa.array(filled, kind, mask=missing)
    return pa.array(np.rint(filled).astype(np.int64), pa.int64(), mask=missing).cast(kind)
