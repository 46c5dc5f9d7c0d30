"""Rows of a table in which cells are missing: for models that must live with gaps."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from genmodels.augmentation.amounts import Plan
from genmodels.augmentation.base import Fitted, Kind, rng_of, share
from genmodels.augmentation.blocks import Blocks
from genmodels.augmentation.cells import DISCRETE, NUMERIC, Cells, new_rows
from genmodels.schema import Schema, TableSchema
from genmodels.types import Raw

__all__ = ["Dropout"]


class Dropout:
    """Each cell of a new row is missing with the same chance; labels never are.

    Args:
        share: chance of a cell to go missing.
        columns: in which; none: in all.
    """

    name = "dropout"
    kinds: tuple[Kind, ...] = ("table",)
    needs_classes = False
    meaning = "Each new record is a given one of which some cells were taken away at random."

    def __init__(self, *, share: float, columns: Sequence[str]) -> None:
        self.share = _share(share)
        self.columns = tuple(map(str, columns))

    def parameters(self) -> Mapping[str, Any]:
        return {"share": self.share, "columns": list(self.columns)}

    def schema(self, schema: Schema, fixed: tuple[str, ...]) -> Schema:
        assert isinstance(schema, TableSchema)
        touched = self._touched(schema, fixed)
        return TableSchema(
            tuple(replace(c, nullable=True) if c.name in touched else c for c in schema.columns)
        )

    def fit(self, real: Raw, schema: Schema, plan: Plan, fixed: tuple[str, ...]) -> Fitted:
        assert isinstance(real, pa.Table)
        assert isinstance(schema, TableSchema)
        touched = self._touched(schema, fixed)
        kept = tuple(name for name in schema.names if name not in touched)
        cells, parents = Cells.of(real, schema, without=kept), plan.parents()
        width = len(cells.numeric)

        def make(block: int, rows: np.ndarray) -> pa.Table:
            mine = parents[rows]
            size = (len(rows), width + len(cells.discrete))
            gone = rng_of(plan.seed, "choice", block).random(size) < self.share
            numbers = np.where(gone[:, :width], np.nan, cells.numbers[mine])
            codes = np.where(gone[:, width:], -1, cells.codes[mine])
            changed = {name: numbers[:, f] for f, name in enumerate(cells.numeric)}
            changed |= {name: codes[:, q] for q, name in enumerate(cells.discrete)}
            ids = rng_of(plan.seed, "identity", block)
            return new_rows(real, schema, mine, changed, first=int(rows[0]), rng=ids)

        return Blocks(make, plan.rows)

    def _touched(self, schema: TableSchema, fixed: tuple[str, ...]) -> tuple[str, ...]:
        """Names of columns whose cells may go."""
        able = [c.name for c in schema.columns if c.kind in NUMERIC + DISCRETE]
        able = [name for name in able if name not in fixed]
        for name in self.columns:
            if name not in able:
                near = difflib.get_close_matches(name, able, n=1)
                advice = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(able)}"
                why = (
                    "is a label, which stays"
                    if name in fixed
                    else "is no column with cells to drop"
                )
                raise ValueError(f"recipe.columns: {name!r} {why}; {advice}")
        return tuple(name for name in able if name in (self.columns or able))


def _share(value: float) -> float:
    return share("share", value)
