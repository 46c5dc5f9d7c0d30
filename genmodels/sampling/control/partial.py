"""Rows some of whose cells are known: typed, completed by identities, and checked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.data.parse import apply_schema
from genmodels.sampling.control.given import Identity, Restricts
from genmodels.sampling.control.wishes import near
from genmodels.schema import Column, TableSchema
from genmodels.types import Raw
from genmodels.wishes import Cells

__all__ = ["PartialRows", "given_variables", "whole_rows"]

logger = logging.getLogger(__name__)


class PartialRows:
    """A table that may lack columns, and cells of those that it has.

    Where a computed column is known and one of its sources is not, that one follows.

    Args:
        raw: text or typed columns, some of those of the schema.
        restricts: knows the schema and what the codec can express.
        unknown: whether an empty cell of a column is unknown; if not, it is a missing value
            that is known.
        slack: how far beyond the training values a number may lie, in units of their range;
            inf: the nearest of them is taken, with a warning.
        what: the verb, for messages.
        without: a column that is not read.
        strict: whether columns that the schema does not have are refused, or left out with a
            warning.

    Raises:
        ValueError: for a column that does not exist, or a value that is none of its column or
            too far from those of training, with its row counted from 1.
    """

    def __init__(
        self,
        *,
        raw: Raw,
        restricts: Restricts,
        unknown: Callable[[Column], bool],
        slack: float,
        what: str,
        without: str | None = None,
        strict: bool = True,
    ) -> None:
        raw = _table(raw, what)
        self.what, self.slack = what, slack
        if without is not None:
            raw = self._beside(raw, without, restricts.identities)
        schema = restricts.schema
        extra = [name for name in raw.column_names if name not in schema.names]
        if extra and strict:
            raise ValueError(
                f"{what}: there is no column {extra[0]!r}{near(extra[0], schema.names)}"
            )
        if extra:
            logger.warning(
                "%s: not in the run and left out: %s", what, ", ".join(map(repr, extra[:8]))
            )
            raw = raw.drop_columns(extra)
        part = [column for column in schema.columns if column.name in raw.column_names]
        if not part:
            raise ValueError(f"{what}: the rows have none of the columns of the run")
        part = [replace(c, nullable=True) if unknown(c) else c for c in part]
        typed = apply_schema(raw, TableSchema(tuple(part)))
        self.rows = typed.num_rows
        self.cells = {c.name: _cells(typed.column(c.name), unknown(schema[c.name])) for c in part}
        for identity in reversed(restricts.identities):
            self._solve(identity, schema)
        for name, cells in self.cells.items():
            self._check(name, cells, restricts)

    def block(self, start: int, stop: int) -> dict[str, Cells]:
        """The cells of the rows `start` ... `stop` - 1, by column."""
        size = stop - start
        return {
            name: Cells(cells.values.slice(start, size), cells.known[start:stop])
            for name, cells in self.cells.items()
        }

    def _beside(self, raw: pa.Table, without: str, identities: Sequence[Identity]) -> pa.Table:
        """The rows without a column, and without those that are learned as a distance from it."""
        left_out = [without]
        for identity in identities:
            if identity.rest and any(source in left_out for source in identity.sources):
                left_out.append(identity.column)
        lost = [name for name in left_out[1:] if name in raw.column_names]
        if lost:
            logger.warning(
                "%s: %s is learned as a distance from %r and does not tell it here; a run trained "
                "with codec.remainders=false reads it",
                self.what, " and ".join(map(repr, lost)), without,
            )  # fmt: skip
        return raw.select([name for name in raw.column_names if name not in left_out])

    def _solve(self, identity: Identity, schema: TableSchema) -> None:
        """Where a computed column is known and one of its sources is not, that one follows.

        Raises:
            ValueError: where two or more sources are not known; one, if there is a rest.
        """
        if identity.column not in self.cells:
            return
        given = self.cells[identity.column]
        open_rows = given.known & np.asarray(given.values.is_valid(), bool)
        sources = [self.cells.get(name) for name in identity.sources]
        unknown = np.array([open_rows if s is None else open_rows & ~s.known for s in sources])
        several = unknown.sum(0) > (0 if identity.rest else 1)
        if several.any():
            row, but = int(several.argmax()), "" if identity.rest else " but one"
            way = "; with codec.remainders=false it is learned like any other" * identity.rest
            names = " and ".join(
                repr(n) for n, u in zip(identity.sources, unknown, strict=True) if u[row]
            )
            raise ValueError(
                f"{self.what}: row {row + 1} gives {identity.column!r} but not {names}, from "
                f"which this run computes it; give all of them{but}, or leave that cell empty{way}"
            )
        if identity.rest:
            return
        total = _numbers(given) - identity.constant
        for name, factor in zip(identity.sources, identity.coefficients, strict=True):
            known = self.cells.get(name)
            if known is not None:
                total = total - factor * np.where(known.known, _numbers(known), 0.0)
        for name, factor, rows in zip(
            identity.sources, identity.coefficients, unknown, strict=True
        ):
            if rows.any():
                self.cells[name] = _with(schema[name], self.cells.get(name), total / factor, rows)

    def _check(self, name: str, cells: Cells, restricts: Restricts) -> None:
        """Refuse values far from those of training; warn of values that are a little beyond them.

        Raises:
            ValueError: naming the column and the row, counted from 1.
        """
        problem = restricts.unfit(name, cells, slack=self.slack)
        if problem is not None:
            raise ValueError(
                f"{self.what}: column {name!r}, row {problem[0][0] + 1}: {problem[1]}; mend the "
                "value or leave the cell empty to have it drawn"
            )
        beyond = restricts.unfit(name, cells)
        if beyond is not None:
            logger.warning(
                "%s: column %r, row %s: %s (%s such rows); the nearest value of training is taken "
                "for it where the rest of the row is found",
                self.what,
                name,
                f"{beyond[0][0] + 1:,}",
                beyond[1],
                f"{len(beyond[0]):,}",
            )


def whole_rows(raw: Raw, schema: TableSchema, *, what: str) -> pa.Table:
    """Rows that have all columns, typed by the schema.

    Raises:
        ValueError: when they are images, or a column or a value does not fit.
    """
    return apply_schema(_table(raw, what), schema)


def given_variables(names: Sequence[str], restricts: Restricts) -> np.ndarray:
    """Which variables of an encoded row are known where some columns are, bool (V,).

    Raises:
        ValueError: for a name that is not there, or a column that is computed from others.
    """
    if isinstance(names, str):
        raise ValueError(f"given must be a list of names, such as [{names!r}], got one text")
    schema, marked = restricts.schema, np.zeros(restricts.variables, bool)
    for name in names:
        if name not in schema.names:
            raise ValueError(f"given: there is no column {name!r}{near(name, schema.names)}")
        marked[restricts.parts(name)[0]] = True
    for identity in restricts.identities:
        if identity.column in names and not set(identity.sources) <= set(names):
            sources = " and ".join(map(repr, identity.sources))
            raise ValueError(
                f"given: {identity.column!r} is computed from {sources} in this run, so it cannot "
                "be given without them; name them instead"
            )
    return marked


def _table(raw: Raw, what: str) -> pa.Table:
    if not isinstance(raw, pa.Table):
        raise ValueError(f"{what} needs rows with columns, got images")
    return raw


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


def _cells(column: pa.ChunkedArray, unknown: bool) -> Cells:
    values = column.combine_chunks()
    values = values.chunk(0) if isinstance(values, pa.ChunkedArray) else values
    valid = np.asarray(values.is_valid(), bool)
    return Cells(values, valid if unknown else np.ones(len(values), bool))
