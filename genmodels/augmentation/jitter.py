"""Small noise on the numbers of a table, and categories drawn anew now and then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from genmodels.augmentation.amounts import Plan
from genmodels.augmentation.base import Fitted, Kind, rng_of, share
from genmodels.augmentation.blocks import Blocks
from genmodels.augmentation.cells import Cells, new_rows
from genmodels.schema import Schema, TableSchema
from genmodels.types import Raw

__all__ = ["Jitter"]


class Jitter:
    """x' = x + scale s e with s the standard deviation of the column and e standard normal.

    What would leave the range of the column is reflected at its end. Numbers keep the decimals of
    the source, whole numbers stay whole, missing cells missing, and labels as they are.

    Args:
        scale: of the noise, as a share of the standard deviation.
        redraw: share of the categories that are drawn anew from all real rows.
        frequent: a number that is at least so frequent in its column stays where it is, such as a
            0 that means "none"; 1: no number is.
    """

    name = "jitter"
    kinds: tuple[Kind, ...] = ("table",)
    needs_classes = False
    meaning = "Each new record is a given one whose numbers were moved a little."

    def __init__(self, *, scale: float, redraw: float, frequent: float) -> None:
        self.scale = share("scale", scale)
        self.redraw = share("redraw", redraw)
        self.frequent = share("frequent", frequent)

    def parameters(self) -> Mapping[str, Any]:
        return {"scale": self.scale, "redraw": self.redraw, "frequent": self.frequent}

    def schema(self, schema: Schema, fixed: tuple[str, ...]) -> Schema:
        return schema

    def fit(self, real: Raw, schema: Schema, plan: Plan, fixed: tuple[str, ...]) -> Fitted:
        assert isinstance(real, pa.Table)
        assert isinstance(schema, TableSchema)
        cells, parents = Cells.of(real, schema, without=fixed), plan.parents()
        spread = self._spread(cells)
        low, high = _ends(cells.numbers)
        masses = [_masses(x, self.frequent) for x in cells.numbers.T]

        def make(block: int, rows: np.ndarray) -> pa.Table:
            mine = parents[rows]
            rng = {key: rng_of(plan.seed, key, block) for key in ("noise", "choice", "partner")}
            before = cells.numbers[mine]
            noise = rng["noise"].standard_normal(before.shape)
            after = cells.rounded(_reflected(before + spread * noise, low, high))
            after = np.clip(after, low, high)  # a bound need not be a multiple of the step
            stay = np.column_stack([np.isin(x, m) for x, m in zip(before.T, masses, strict=True)]) \
                if masses else np.zeros(before.shape, bool)  # fmt: skip
            numbers = np.where(stay, before, after)
            again = rng["choice"].random((len(rows), len(cells.discrete))) < self.redraw
            other = rng["partner"].integers(0, real.num_rows, again.shape)
            codes = np.where(again, np.take_along_axis(cells.codes, other, 0), cells.codes[mine])
            changed = {name: numbers[:, f] for f, name in enumerate(cells.numeric)}
            changed |= {name: codes[:, q] for q, name in enumerate(cells.discrete)}
            ids = rng_of(plan.seed, "identity", block)
            return new_rows(real, schema, mine, changed, first=int(rows[0]), rng=ids)

        return Blocks(make, plan.rows)

    def _spread(self, cells: Cells) -> np.ndarray:
        """Standard deviation of the noise of each column, shape (F,); 0 where nothing is known."""
        known = ~np.isnan(cells.numbers)
        spreads = [
            float(x[k].std()) if k.any() else 0.0
            for x, k in zip(cells.numbers.T, known.T, strict=True)
        ]
        return self.scale * np.array(spreads)


def _ends(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest number of each column, shape (F,); 0 where nothing is known."""
    known = ~np.isnan(numbers)
    filled = [x[k] if k.any() else np.zeros(1) for x, k in zip(numbers.T, known.T, strict=True)]
    return np.array([x.min() for x in filled]), np.array([x.max() for x in filled])


def _reflected(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Numbers (M, F) folded back into [low, high] at its ends."""
    width = high - low
    period = np.where(width > 0, 2 * width, 1.0)
    folded = np.mod(x - low, period)
    inside = low + np.where(folded > width, period - folded, folded)
    return np.where(width > 0, inside, np.where(np.isnan(x), np.nan, low))


def _masses(x: np.ndarray, frequent: float) -> np.ndarray:
    """Numbers of a column that are frequent."""
    known = x[~np.isnan(x)]
    values, counts = np.unique(known, return_counts=True)
    return values[(counts >= frequent * max(1, len(known))) & (counts > 1)]
