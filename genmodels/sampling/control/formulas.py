"""Columns of numbers that are computed from other columns, after these are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from genmodels.sampling.control.expressions import Expression
from genmodels.sampling.control.truth import number_of
from genmodels.schema import Column, TableSchema

__all__ = ["Formula"]


@dataclass(frozen=True)
class Formula:
    """column = expression, rounded to the digits of the column.

    Args:
        text: as asked.
        column: what is computed, continuous or integer.
        expression: of what.
        inputs: the columns of the expression.
        schema: of all columns.
    """

    text: str
    column: Column
    expression: Expression
    inputs: tuple[str, ...]
    schema: TableSchema

    @property
    def target(self) -> str:
        return self.column.name

    def write(self, table: pa.Table, given: np.ndarray | None) -> pa.Table:
        """The table with the results in the column; rows that are `given` (N,) stay."""
        values, valid = self._results(table)
        index = table.schema.get_field_index(self.target)
        former = table.column(index).combine_chunks()
        integer = self.column.kind == "integer"
        kept = np.zeros(len(values), bool) if given is None else given
        usable = valid & self._within(values) & ~kept
        missing = ~valid & ~kept & self.column.nullable
        array = np.asarray(former.fill_null(0)).copy()
        array[usable] = values[usable].astype(np.int64) if integer else values[usable]
        null = (np.asarray(former.is_null(), bool) & ~usable) | missing
        return table.set_column(index, self.target, pa.array(array, mask=null).cast(former.type))

    def broken(self, table: pa.Table) -> np.ndarray:
        """Rows (N,) whose value is not the result, or whose result cannot be a value."""
        values, valid = self._results(table)
        found = table.column(self.target).combine_chunks()
        missing = np.asarray(found.is_null(), bool)
        numbers = np.asarray(found.cast(pa.float64(), safe=False).fill_null(0.0))
        with np.errstate(invalid="ignore"):
            same = np.isclose(numbers, values, rtol=1e-9, atol=self._half_a_digit)
        holds = np.where(valid, ~missing & same & self._within(values), missing)
        return ~holds.astype(bool)

    @property
    def _half_a_digit(self) -> float:
        digits = 0 if self.column.kind == "integer" else self.column.decimals
        return 0.0 if digits is None else 0.5001 * 10.0**-digits

    def _results(self, table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """Rounded results float64 (N,), and where all inputs have values."""
        values, valid = number_of(self.expression, table, self.schema)
        values = np.broadcast_to(values, table.num_rows)
        digits = 0 if self.column.kind == "integer" else self.column.decimals
        if digits is not None:
            with np.errstate(invalid="ignore"):
                values = np.round(values, digits)
        return values, np.broadcast_to(valid, table.num_rows)

    def _within(self, values: np.ndarray) -> np.ndarray:
        """Finite, and within the bounds that the schema gives the column."""
        inside = np.isfinite(values)
        if self.column.kind == "integer":
            inside &= np.abs(values) < 2.0**63
        for bound, sign in ((self.column.minimum, 1.0), (self.column.maximum, -1.0)):
            if bound is not None:
                with np.errstate(invalid="ignore"):
                    inside = inside & (sign * values >= sign * float(bound))
        return inside
