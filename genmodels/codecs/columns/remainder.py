"""A number or time that is learned as its distance from others: a total, the end of a span."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.codecs.columns.datetime import Numeric, numeric_from_state
from genmodels.codecs.columns.derived import Identity
from genmodels.codecs.columns.numbers import Numbers
from genmodels.codecs.columns.protocol import Parts, missing_mask, with_missing
from genmodels.layout import Block
from genmodels.schema import Column

__all__ = ["Remainder", "rest_of"]


class Remainder:
    """The blocks of column - sum_i coefficient_i * source_i, by the codec of such numbers.

    Decoded values are cut to the range of the training values and have the column's decimals; one
    is missing where the rest or a source is.

    Args:
        column: from the schema; kind "continuous", "integer" or "datetime".
        identity: sources and coefficients; `rest` is true.
        own: codec of the rest, in the column's unit; of times, in microseconds.
        numbers: the column's range and decimals; of times, whole microseconds since 1970.
        nullable: whether a value may be missing.
        error: largest error that the sources' own errors lead to.
    """

    def __init__(
        self,
        *,
        column: Column,
        identity: Identity,
        own: Numeric,
        numbers: Numbers,
        nullable: bool,
        error: float,
    ) -> None:
        self.column = column
        self.identity = identity
        self.own = own
        self.numbers = numbers
        self.nullable = nullable
        self.error = error

    @classmethod
    def fit(
        cls,
        column: Column,
        data: pa.ChunkedArray,
        sources: Sequence[pa.ChunkedArray],
        identity: Identity,
        errors: Sequence[float],
        *,
        numeric: Callable[[Column, pa.ChunkedArray], Numeric],
    ) -> Remainder:
        """Fit the codec of the rest to the training values.

        Args:
            column: from the schema.
            data: its training values.
            sources: those of the identity's sources, in its order.
            identity: what is taken off.
            errors: the sources' tolerances.
            numeric: fits the codec of a column of numbers.
        """
        nullable = column.nullable or data.null_count > 0
        whole = _whole(column)
        rest = rest_of(column, data, sources, identity)
        part = Column(f"{column.name}.rest", whole.kind, nullable=nullable, decimals=whole.decimals)
        pairs = zip(identity.coefficients, errors, strict=True)
        return cls(
            column=column,
            identity=identity,
            own=numeric(part, pa.chunked_array([rest])),
            numbers=Numbers.fit(whole, pa.chunked_array([_numbers(data)])),
            nullable=nullable,
            error=sum(abs(coefficient) * error for coefficient, error in pairs),
        )

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self.own.blocks

    @property
    def tolerance(self) -> float:
        return self.own.tolerance + self.error

    def encode(self, array: pa.Array, rng: np.random.Generator) -> Parts:
        """Parts of the rest (N,), see `rest_of`; not of the column itself."""
        return self.own.encode(array, rng)

    def decode(
        self, values: np.ndarray, codes: np.ndarray, rng: np.random.Generator, start: int
    ) -> pa.Array:
        """The rest (N,); `derive` adds the sources."""
        return self.own.decode(values, codes, rng, start)

    def derive(self, rest: pa.Array, sources: Sequence[pa.Array]) -> pa.Array:
        """The column (N,) from its decoded rest and sources, in the order of the identity."""
        parts = [_numbers(array) for array in (rest, *sources)]
        masks = [mask for mask in map(missing_mask, parts) if mask is not None]
        missing = np.any(masks, axis=0) if masks else None
        first, *others = (pc.fill_null(p, 0).to_numpy(zero_copy_only=False) for p in parts)
        low, high = self.numbers.lower, self.numbers.upper
        if not self.numbers.integer:
            total = self.numbers.rounded(self.identity.of(others) + first)
            return with_missing(np.clip(total, low, high), missing)
        whole = np.clip(_whole_sum(first, others, self.identity), low, high)
        out = with_missing(whole, missing)
        if self.column.kind == "datetime":
            return out.cast(pa.timestamp("us", self.column.timezone))
        return out

    def state(self) -> dict[str, Any]:
        return {
            "codec": "remainder",
            "sources": list(self.identity.sources),
            "coefficients": list(self.identity.coefficients),
            "own": self.own.state(),
            "numbers": self.numbers.state(),
            "nullable": self.nullable,
            "error": self.error,
        }

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> Remainder:
        sources, coefficients = tuple(state["sources"]), tuple(state["coefficients"])
        whole = _whole(column)
        part = Column(f"{column.name}.rest", whole.kind, decimals=whole.decimals)
        return cls(
            column=column,
            identity=Identity(column.name, sources, coefficients, rest=True),
            own=numeric_from_state(part, state["own"]),
            numbers=Numbers.from_state(state["numbers"]),
            nullable=state["nullable"],
            error=state["error"],
        )


def rest_of(
    column: Column,
    data: pa.ChunkedArray,
    sources: Sequence[pa.ChunkedArray],
    identity: Identity,
) -> pa.Array:
    """The column less sum_i coefficient_i * source_i, (N,), missing where one of them is.

    Whole numbers of whole numbers and times (microseconds) stay whole; other numbers are rounded
    to the column's decimals.
    """
    parts = [_numbers(array) for array in (data, *sources)]
    masks = [mask for mask in map(missing_mask, parts) if mask is not None]
    first, *others = (pc.fill_null(p, 0).to_numpy(zero_copy_only=False) for p in parts)
    if _whole(column).kind == "integer":
        rest = first - _whole_sum(np.zeros_like(first), others, identity)
    else:
        rest = first - identity.of(others)
        rest = rest if column.decimals is None else np.round(rest, column.decimals)
    return with_missing(rest, np.any(masks, axis=0) if masks else None)


def _whole(column: Column) -> Column:
    """The column as one of numbers: times are whole microseconds."""
    if column.kind != "datetime":
        return column
    return Column(column.name, "integer", nullable=column.nullable)


def _whole_sum(start: np.ndarray, sources: Sequence[np.ndarray], identity: Identity) -> np.ndarray:
    """The sum of start and coefficient_i * source_i over i, in int64."""
    total = start.astype(np.int64)
    for coefficient, source in zip(identity.coefficients, sources, strict=True):
        total = total + int(coefficient) * np.asarray(source, np.int64)
    return total


def _numbers(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Numbers as they are, times as microseconds, in one piece."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array.cast(pa.int64()) if pa.types.is_temporal(array.type) else array
