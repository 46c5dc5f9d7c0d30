"""Identifiers: unique, never learned, made anew from the global row index."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.codecs.columns.protocol import Parts, check_missing, missing_mask
from genmodels.layout import Block
from genmodels.schema import Column

__all__ = ["Identifier"]

_PATTERN = re.compile(r"^(?P<before>[^{}]*)\{(?::0?(?P<width>\d*)d?)?\}(?P<after>[^{}]*)$")
_ODD = 0x9E3779B97F4A7C15  # golden ratio: multiplying by it permutes the numbers below 2**60


class Identifier:
    """Row i gets the i-th identifier of the column's format, learned from nothing.

    There is no block, or one categorical block "<name>" (present, missing) when some training
    rows have no identifier.

    Formats: "integer" (counting from the schema's minimum, or 1), "uuid" (random-looking,
    version 4), or a prefix with digits such as "C{:06d}".

    Args:
        column: from the schema.
        text: whether the identifiers are strings (True) or int64.
        nullable: whether some rows have none.
    """

    def __init__(self, *, column: Column, text: bool, nullable: bool) -> None:
        self.column = column
        self.text = text
        self.nullable = nullable
        self.format = column.format or "integer"
        self.pattern = _PATTERN.match(self.format)
        if self.format not in ("integer", "uuid") and self.pattern is None:
            raise ValueError(
                f"column {column.name!r}: identifier format {self.format!r} is none of "
                '"integer", "uuid" or a prefix with digits such as "C{:06d}"'
            )
        first = column.minimum if isinstance(column.minimum, int) else 1
        self.first = int(first)

    @classmethod
    def fit(cls, column: Column, data: pa.ChunkedArray) -> Identifier:
        """Take the type from the data; the values are not looked at.

        Raises:
            ValueError: when the schema's format is unknown.
        """
        return cls(
            column=column,
            text=not pa.types.is_integer(data.type),
            nullable=data.null_count > 0,
        )

    @property
    def blocks(self) -> tuple[Block, ...]:
        return (Block(self.column.name, "categorical", 2),) if self.nullable else ()

    @property
    def tolerance(self) -> float:
        return float("inf")

    def encode(self, array: pa.Array, rng: np.random.Generator) -> Parts:
        missing = missing_mask(array)
        check_missing(self.column, missing, self.nullable)
        codes = np.zeros((int(self.nullable), len(array)), np.int32)
        if missing is not None:
            codes[0, missing] = 1
        return np.empty((0, len(array)), np.float32), codes

    def decode(
        self, values: np.ndarray, codes: np.ndarray, rng: np.random.Generator, start: int
    ) -> pa.Array:
        made = self._make(np.arange(start, start + values.shape[1], dtype=np.int64))
        if not self.nullable:
            return made
        return pc.if_else(pa.array(codes[0] == 0), made, pa.scalar(None, made.type))

    def _make(self, rows: np.ndarray) -> pa.Array:
        """The identifiers of rows (N,)."""
        if self.format == "uuid":
            return _uuids(rows)
        numbers = pa.array(rows + self.first)
        if not self.text:
            return numbers
        digits = numbers.cast(pa.string())
        if self.pattern is None:
            return digits
        width = int(self.pattern["width"] or 0)
        padded = pc.utf8_lpad(digits, width, "0")
        return pc.binary_join_element_wise(
            self.pattern["before"], padded, self.pattern["after"], ""
        )

    def state(self) -> dict[str, Any]:
        return {"codec": "identifier", "text": self.text, "nullable": self.nullable}

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> Identifier:
        return cls(column=column, text=state["text"], nullable=state["nullable"])


def _uuids(rows: np.ndarray) -> pa.Array:
    """Version-4 UUIDs, one per row index (N,), all different: 60 of the bits are a permutation."""
    index = rows.astype(np.uint64)
    low = (index * np.uint64(_ODD)) & np.uint64((1 << 60) - 1)
    high = _mix(index)
    words = np.empty((len(rows), 2), ">u8")
    words[:, 0] = (high & np.uint64(0xFFFFFFFFFFFF0FFF)) | np.uint64(0x4000)
    words[:, 1] = low | np.uint64(0x8 << 60)
    nibbles = np.empty((len(rows), 32), np.uint8)
    octets = words.view(np.uint8)
    nibbles[:, 0::2], nibbles[:, 1::2] = octets >> 4, octets & 15
    text = np.full((len(rows), 36), ord("-"), np.uint8)
    places = [i for i in range(36) if i not in (8, 13, 18, 23)]
    text[:, places] = np.frombuffer(b"0123456789abcdef", np.uint8).take(nibbles)
    offsets = np.arange(0, 36 * len(rows) + 1, 36, dtype=np.int32)
    buffers = [pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(text))]
    return pa.StringArray.from_buffers(len(rows), *buffers)


def _mix(x: np.ndarray) -> np.ndarray:
    """Scramble 64-bit numbers (the finaliser of SplitMix64)."""
    x = x + np.uint64(_ODD)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
