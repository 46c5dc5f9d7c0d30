"""What every column codec can do, and the small array helpers that they share.

A codec handles one column: it turns an Arrow array into rows of `values` and `codes` and back.
`codecs/table.py` puts the columns side by side. Inside this room arrays are (parts, N), one
contiguous row per part, so that each numpy call runs over contiguous memory.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.layout import Block
from genmodels.schema import Column

__all__ = ["ColumnCodec", "Parts", "check_finite", "check_missing", "missing_mask", "with_missing"]

Parts: TypeAlias = tuple[np.ndarray, np.ndarray]
"""`values` (f, N) float32 in [-1, 1] and `codes` (q, N) int32 of one column."""


class ColumnCodec(Protocol):
    """One column, raw to encoded and back.

    Every implementation also has the class methods `fit(column, data, ...)`, which reads an
    Arrow chunked array of the training split, and `from_state(column, state)`.
    """

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Continuous and categorical blocks, in the order of the parts that `encode` returns."""

    @property
    def tolerance(self) -> float:
        """Largest |decode(encode(x)) - x| for training values; 0 is exact, inf is not kept."""

    def encode(self, array: pa.Array, rng: np.random.Generator) -> Parts:
        """Raw values (N) -> parts; `rng` is advanced by a fixed amount per row."""

    def decode(
        self, values: np.ndarray, codes: np.ndarray, rng: np.random.Generator, start: int
    ) -> pa.Array:
        """Parts -> raw values (N); `start` is the global index of the first row."""

    def state(self) -> dict[str, Any]:
        """Plain JSON with the key "codec"."""


def missing_mask(array: pa.Array) -> np.ndarray | None:
    """Which rows are missing, bool (N,), or None when none is."""
    if array.null_count == 0:
        return None
    return array.is_null().to_numpy(zero_copy_only=False)


def with_missing(data: np.ndarray, missing: np.ndarray | None) -> pa.Array:
    """A numpy array as an Arrow array, with nulls where `missing`."""
    return pa.array(data) if missing is None else pa.array(data, mask=missing)


def check_finite(column: Column, array: pa.Array) -> None:
    """Refuse NaN and infinite values.

    Raises:
        ValueError: when there is one.
    """
    if pa.types.is_floating(array.type) and not pc.all(pc.is_finite(array), min_count=0).as_py():
        raise ValueError(
            f"column {column.name!r} holds infinite values or NaN; mark them as missing or "
            "remove the rows"
        )


def check_missing(column: Column, missing: np.ndarray | None, nullable: bool) -> None:
    """Refuse missing values in a column that has no outcome for them.

    Raises:
        ValueError: when values are missing but none was during fitting.
    """
    if missing is not None and not nullable:
        raise ValueError(
            f"column {column.name!r} has missing values, but it had none when the codec was "
            "fitted and its schema says `nullable: false`; set `nullable: true` and fit again"
        )
