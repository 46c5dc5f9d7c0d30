"""Partial rows to be completed: row i of the output belongs to row i of the table given."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.data.parse import apply_schema
from genmodels.sampling.control.given import CellBuilder, Identity, Restricts
from genmodels.sampling.control.wishes import near
from genmodels.schema import Column, TableSchema
from genmodels.types import Raw
from genmodels.wishes import Cells, Wish

__all__ = ["Completion", "Fill"]

Fill = Literal["missing", "absent"]
logger = logging.getLogger(__name__)
_SLACK = 1.0  # ranges of the training values that a number may lie beyond them


class Completion:
    """A table some of whose cells are known.

    Columns that it lacks are drawn as they are in training, with their missing values. With
    `fill="missing"` its empty cells are drawn too, and get a value; with "absent" they are
    missing values that are known.

    Args:
        raw: text or typed columns, some of those of the schema.
        restricts: knows the schema and what the codec can express.
        fill: which cells are drawn.

    Raises:
        ValueError: for a column that does not exist, or a value that is none of its column or
            further beyond the training values than their range, with its row counted from 1.
    """

    def __init__(self, *, raw: Raw, restricts: Restricts, fill: Fill) -> None:
        if fill not in get_args(Fill):
            raise ValueError(f"fill must be missing or absent, got {fill!r}")
        if not isinstance(raw, pa.Table):
            raise ValueError("complete needs rows with columns, got images")
        schema = restricts.schema
        for name in raw.column_names:
            if name not in schema.names:
                raise ValueError(f"complete: there is no column {name!r}{near(name, schema.names)}")
        part = [column for column in schema.columns if column.name in raw.column_names]
        if not part:
            raise ValueError("complete: the rows to complete have none of the columns of the run")
        if fill == "missing":
            part = [replace(column, nullable=True) for column in part]
        typed = apply_schema(raw, TableSchema(tuple(part)))
        self.rows = typed.num_rows
        self._cells = {name: _cells(typed.column(name), fill) for name in typed.column_names}
        for identity in reversed(restricts.identities):
            self._solve(identity, schema)
        for name, cells in self._cells.items():
            _check(name, cells, restricts)
        self.wishes = tuple(
            Wish(name, "a value")
            for name, cells in self._cells.items()
            if name in raw.column_names and not cells.known.all()
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the table has."""
        return tuple(self._cells)

    def put(self, builder: CellBuilder, block: int) -> None:
        """Give the known cells of a block; the last one is filled up with the last row."""
        first = block * builder.rows
        rows = np.minimum(np.arange(first, first + builder.rows), self.rows - 1)
        for name, cells in self._cells.items():
            known = np.flatnonzero(cells.known[rows])
            values = cells.values.take(pa.array(rows[known]))
            builder.put(name, values, known, np.arange(len(known)))

    def _solve(self, identity: Identity, schema: TableSchema) -> None:
        """Where a computed column is known and one of its sources is not, that one follows.

        Raises:
            ValueError: where two or more sources are not known.
        """
        if identity.column not in self._cells:
            return
        given = self._cells[identity.column]
        open_rows = given.known & np.asarray(given.values.is_valid(), bool)
        sources = [self._cells.get(name) for name in identity.sources]
        unknown = np.array([open_rows if s is None else open_rows & ~s.known for s in sources])
        several = unknown.sum(0) > 1
        if several.any():
            row = int(several.argmax())
            names = " and ".join(
                repr(n) for n, u in zip(identity.sources, unknown, strict=True) if u[row]
            )
            raise ValueError(
                f"complete: row {row + 1} gives {identity.column!r} but not {names}, from which "
                "this run computes it; give all of them but one, or leave that cell empty"
            )
        total = _numbers(given) - identity.constant
        for name, factor in zip(identity.sources, identity.coefficients, strict=True):
            known = self._cells.get(name)
            if known is not None:
                total = total - factor * np.where(known.known, _numbers(known), 0.0)
        for name, factor, rows in zip(
            identity.sources, identity.coefficients, unknown, strict=True
        ):
            if rows.any():
                self._cells[name] = _with(schema[name], self._cells.get(name), total / factor, rows)


def _check(name: str, cells: Cells, restricts: Restricts) -> None:
    """Refuse values far from those of training; warn of values that are a little beyond them.

    Raises:
        ValueError: naming the column and the row, counted from 1.
    """
    problem = restricts.unfit(name, cells, slack=_SLACK)
    if problem is not None:
        raise ValueError(
            f"complete: column {name!r}, row {problem[0][0] + 1}: {problem[1]}; mend the value or "
            "leave the cell empty to have it drawn"
        )
    beyond = restricts.unfit(name, cells)
    if beyond is not None:
        logger.warning(
            "complete: column %r, row %s: %s (%s such rows); what is missing is drawn as for the "
            "nearest value of training",
            name,
            f"{beyond[0][0] + 1:,}",
            beyond[1],
            f"{len(beyond[0]):,}",
        )


def _numbers(cells: Cells) -> np.ndarray:
    return np.asarray(cells.values.cast(pa.float64(), safe=False).fill_null(0.0))


def _with(column: Column, cells: Cells | None, values: np.ndarray, rows: np.ndarray) -> Cells:
    """Cells that also hold the values (N,) of some rows, rounded as the column is."""
    digits = 0 if column.kind == "integer" else column.decimals
    values = values if digits is None else np.round(values, digits)
    kind = pa.int64() if column.kind == "integer" else pa.float64()
    fresh = pa.array(np.where(rows, values, 0.0)).cast(kind, safe=False)
    if cells is None:
        return Cells(pc.if_else(pa.array(rows), fresh, pa.scalar(None, kind)), rows)
    return Cells(pc.if_else(pa.array(rows), fresh, cells.values), cells.known | rows)


def _cells(column: pa.ChunkedArray, fill: Fill) -> Cells:
    values = column.combine_chunks()
    values = values.chunk(0) if isinstance(values, pa.ChunkedArray) else values
    valid = np.asarray(values.is_valid(), bool)
    return Cells(values, valid if fill == "missing" else np.ones(len(values), bool))
