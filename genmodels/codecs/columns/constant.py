"""A column with one value: nothing to learn, unless values are missing here and there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.codecs.columns.protocol import Parts, check_missing, missing_mask
from genmodels.layout import Block
from genmodels.schema import Column

__all__ = ["Constant"]

_TYPES = {
    str(kind): kind
    for kind in (pa.null(), pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.date32())
}


class Constant:
    """No block; a categorical block "<name>" (value, missing) when some rows have no value.

    Args:
        column: from the schema.
        value: the value, or None when all values are missing.
        kind: the Arrow type of the column.
        partly: whether some rows have the value and others have none.
    """

    def __init__(self, *, column: Column, value: Any, kind: pa.DataType, partly: bool) -> None:
        self.column = column
        self.value = value
        self.kind = kind
        self.partly = partly

    @classmethod
    def fit(cls, column: Column, data: pa.ChunkedArray) -> Constant:
        """Take the type from the data and the value from the data or else the schema.

        Raises:
            ValueError: when the training values are not all the same.
        """
        kind = data.type.value_type if pa.types.is_dictionary(data.type) else data.type
        kind = pa.string() if pa.types.is_large_string(kind) else kind
        values = data.unique().drop_null()
        if len(values) > 1:
            raise ValueError(
                f"column {column.name!r} is constant in the schema but holds "
                f"{values[0].as_py()!r} and {values[1].as_py()!r}; change its kind"
            )
        absent = None if data.null_count else column.value
        value = values[0].as_py() if len(values) else absent
        partly = value is not None and data.null_count > 0
        return cls(column=column, value=value, kind=kind, partly=partly)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return (Block(self.column.name, "categorical", 2),) if self.partly else ()

    @property
    def tolerance(self) -> float:
        return 0.0

    def encode(self, array: pa.Array, rng: np.random.Generator) -> Parts:
        missing = missing_mask(array)
        check_missing(self.column, missing, self.partly or self.value is None)
        codes = np.zeros((int(self.partly), len(array)), np.int32)
        if self.partly and missing is not None:
            codes[0, missing] = 1
        return np.empty((0, len(array)), np.float32), codes

    def decode(
        self, values: np.ndarray, codes: np.ndarray, rng: np.random.Generator, start: int
    ) -> pa.Array:
        rows = values.shape[1]
        filled = pa.repeat(pa.scalar(self.value, self.kind), rows)
        if not self.partly:
            return filled
        present = pa.array(codes[0] == 0)
        return pc.if_else(present, filled, pa.scalar(None, self.kind))

    def state(self) -> dict[str, Any]:
        value = self.value
        if value is not None and pa.types.is_temporal(self.kind):
            value = pa.scalar(value, self.kind).cast(pa.int64()).as_py()
        return {"codec": "constant", "value": value, "type": str(self.kind), "partly": self.partly}

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> Constant:
        kind, value = _kind(state["type"]), state["value"]
        if value is not None and pa.types.is_temporal(kind):
            value = pa.scalar(value, pa.int64()).cast(kind).as_py()
        return cls(column=column, value=value, kind=kind, partly=state["partly"])


def _kind(text: str) -> pa.DataType:
    """The Arrow type that prints as `text`.

    Raises:
        ValueError: when constant columns cannot have it.
    """
    if text in _TYPES:
        return _TYPES[text]
    if text.startswith("timestamp[us"):
        zone = text.removeprefix("timestamp[us").removesuffix("]").removeprefix(", tz=")
        return pa.timestamp("us", zone or None)
    raise ValueError(f"a constant column cannot have the type {text!r}")
