"""Numbers as categories: one level per distinct value, exact both ways."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from genmodels.codecs.columns.numbers import Numbers, distinct
from genmodels.codecs.columns.protocol import (
    Parts,
    check_finite,
    check_missing,
    missing_mask,
    with_missing,
)
from genmodels.layout import Block
from genmodels.schema import Column

__all__ = ["Tokens"]


class Tokens:
    """One categorical block "<name>": the distinct values, ascending, then missing.

    A value that was not there in training is encoded as the nearest one that was.

    Args:
        column: from the schema; kind "continuous" or "integer".
        levels: the distinct values, ascending, int64 or float64 (L,), at least one.
        nullable: whether there is a level for missing values.
        counts: training rows of each level, int64 (L,); None: as many of each.
    """

    def __init__(
        self,
        *,
        column: Column,
        levels: np.ndarray,
        nullable: bool,
        counts: np.ndarray | None = None,
    ) -> None:
        self.column = column
        self.levels = levels
        self.nullable = nullable
        self.counts = np.ones(len(levels), np.int64) if counts is None else counts
        self._middles = _middles(levels)

    @classmethod
    def fit(cls, column: Column, data: pa.ChunkedArray) -> Tokens:
        """Collect the distinct training values of one column.

        Raises:
            ValueError: when a value is infinite or not a number.
        """
        numbers = Numbers.fit(column, data)
        clipped = np.clip(data.drop_null().to_numpy(), numbers.lower, numbers.upper)
        levels, counts = distinct(clipped)
        if len(levels) == 0:
            levels, counts = np.array([numbers.lower], numbers.dtype), np.ones(1, np.int64)
        nullable = column.nullable or data.null_count > 0
        return cls(column=column, levels=levels, nullable=nullable, counts=counts)

    @property
    def blocks(self) -> tuple[Block, ...]:
        width = len(self.levels) + self.nullable
        return (Block(self.column.name, "categorical", width, places=self._places),)

    @cached_property
    def _places(self) -> tuple[float, ...]:
        """The levels with mean 0 and variance 1 over the training rows; nothing overflows."""
        if self.levels.dtype == np.int64:
            offsets = (self.levels.view(np.uint64) - self.levels.view(np.uint64)[0]).astype(float)
        else:
            offsets = self.levels / 2 - self.levels[0] / 2
        if not offsets[-1] > 0.0:
            return (0.0,) * len(offsets)
        offsets /= offsets[-1]
        shares = self.counts / self.counts.sum()
        centred = offsets - shares @ offsets
        return tuple((centred / np.sqrt(shares @ centred**2)).tolist())

    @property
    def tolerance(self) -> float:
        return 0.0

    def encode(self, array: pa.Array, rng: np.random.Generator) -> Parts:
        return self.place(array, np.empty(0))

    def place(self, array: pa.Array, uniform: np.ndarray) -> Parts:
        """Encode; the random numbers are not used, as nothing is left to chance."""
        check_finite(self.column, array)
        missing = missing_mask(array)
        check_missing(self.column, missing, self.nullable)
        if missing is not None:
            array = array.fill_null(pa.scalar(self.levels[0].item(), array.type))
        numbers = array.to_numpy(zero_copy_only=False)
        codes = np.searchsorted(self._middles, numbers).astype(np.int32)[None]
        if missing is not None:
            codes[0, missing] = len(self.levels)
        return np.empty((0, len(array)), np.float32), codes

    def decode(
        self, values: np.ndarray, codes: np.ndarray, rng: np.random.Generator, start: int
    ) -> pa.Array:
        numbers = self.levels.take(codes[0], mode="clip")
        return with_missing(numbers, codes[0] == len(self.levels) if self.nullable else None)

    def state(self) -> dict[str, Any]:
        return {
            "codec": "tokens",
            "levels": self.levels.tolist(),
            "counts": self.counts.tolist(),
            "nullable": self.nullable,
        }

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> Tokens:
        dtype = np.int64 if column.kind == "integer" else np.float64
        return cls(
            column=column,
            levels=np.array(state["levels"], dtype),
            nullable=state["nullable"],
            counts=np.array(state["counts"], np.int64) if "counts" in state else None,
        )


def _middles(levels: np.ndarray) -> np.ndarray:
    """Middles of neighbouring levels (L - 1,), each below the upper one; nothing overflows."""
    low, high = levels[:-1], levels[1:]
    if levels.dtype == np.int64:
        return low // 2 + high // 2 + (low % 2 + high % 2) // 2
    return np.minimum(low / 2 + high / 2, np.nextafter(high, -np.inf))
