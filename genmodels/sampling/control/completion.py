"""Partial rows to be completed: row i of the output belongs to row i of the table given."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pyarrow as pa

from genmodels.sampling.control.given import CellBuilder, Restricts
from genmodels.sampling.control.partial import PartialRows
from genmodels.types import Raw
from genmodels.wishes import Wish

__all__ = ["Completion", "Fill"]

Fill = Literal["missing", "absent"]
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
        drawn = fill == "missing"
        partial = PartialRows(
            raw=raw, restricts=restricts, unknown=lambda _: drawn, slack=_SLACK, what="complete"
        )
        self.rows, self._cells = partial.rows, partial.cells
        given = raw.column_names if isinstance(raw, pa.Table) else []
        self.wishes = tuple(
            Wish(name, "a value")
            for name, cells in self._cells.items()
            if name in given and not cells.known.all()
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
