"""Any Arrow column brought to one of a few plain types, and the distinct texts of a column.

Everything that looks at text looks at distinct values only: a column of a million rows costs
one dictionary encoding plus the work on its distinct values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Texts", "as_text", "plain", "whole"]


_TICKS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
"""Of a duration's unit in a second."""


def whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column as one array."""
    if isinstance(column, pa.Array):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    joined = column.combine_chunks()
    return joined if isinstance(joined, pa.Array) else pa.concat_arrays(joined.chunks)


def plain(column: pa.ChunkedArray, name: str) -> pa.Array:
    """The column as string, bool, int64, float64, timestamp (us), null, or a dictionary of
    string or int64.

    NaN becomes null; a float32 becomes the float64 of the same shortest decimal text; a date
    becomes midnight; a duration becomes seconds; a time of day becomes text.

    Raises:
        ValueError: for nested or binary columns, and whole numbers beyond 64 bits.
    """
    array = whole(column)
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _plain_dictionary(array, name)
    if pa.types.is_null(kind) or pa.types.is_boolean(kind):
        return array
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_time(kind):
        return array.cast(pa.string())
    if pa.types.is_integer(kind):
        return _int64(array, name)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _float64(array)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        zone = getattr(kind, "tz", None)
        return array.cast(pa.timestamp("us", zone), safe=False)
    if pa.types.is_duration(kind):
        ticks = array.cast(pa.int64()).cast(pa.float64(), safe=False)
        return pc.divide(ticks, _TICKS[kind.unit])
    if str(kind) == "string_view":
        return array.cast(pa.string())
    raise ValueError(
        f"column {name!r} holds {kind} values, which are not plain values; split it into plain "
        "columns or leave it out (`drop`)"
    )


def _plain_dictionary(array: pa.DictionaryArray, name: str) -> pa.Array:
    values = plain(pa.chunked_array([array.dictionary]), name)
    if pa.types.is_string(values.type) or pa.types.is_int64(values.type):
        return pa.DictionaryArray.from_arrays(array.indices.cast(pa.int32()), values)
    return values.take(array.indices)


def _int64(array: pa.Array, name: str) -> pa.Array:
    try:
        return array.cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise ValueError(f"column {name!r} holds whole numbers beyond 64 bits: {error}") from error


def _float64(array: pa.Array) -> pa.Array:
    if pa.types.is_float16(array.type):
        array = array.cast(pa.float32())
    if pa.types.is_float32(array.type):
        codes = array.dictionary_encode()
        array = codes.dictionary.cast(pa.string()).cast(pa.float64()).take(codes.indices)
    array = array.cast(pa.float64())
    return pc.if_else(pc.fill_null(pc.is_nan(array), False), pa.scalar(None, pa.float64()), array)


def as_text(array: pa.Array) -> pa.Array:
    """Plain values as text (dictionaries of text stay)."""
    if pa.types.is_dictionary(array.type):
        values = array.dictionary.cast(pa.string())
        return pa.DictionaryArray.from_arrays(array.indices, values)
    return array.cast(pa.string())


@dataclass(frozen=True, eq=False)
class Texts:
    """The distinct texts of a column that occur and are not blank.

    Args:
        values: string array, shape (U,), in order of first appearance.
        counts: rows per value, shape (U,).
        codes: index into `values` per row, shape (N,), -1 where missing or blank.
    """

    values: pa.Array
    counts: np.ndarray
    codes: np.ndarray

    @classmethod
    def of(cls, array: pa.Array) -> Texts:
        """Args: array: string, or a dictionary of strings."""
        encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        codes = np.asarray(pc.fill_null(encoded.indices, -1).cast(pa.int32()))
        size = len(encoded.dictionary)
        counts = np.bincount(codes[codes >= 0], minlength=size)
        blank = np.asarray(pc.equal(pc.utf8_trim_whitespace(encoded.dictionary), ""), bool)
        keep = (counts > 0) & ~blank
        renumber = np.full(size + 1, -1, np.int32)  # the last entry serves code -1
        renumber[:size][keep] = np.arange(keep.sum(), dtype=np.int32)
        values = encoded.dictionary.filter(pa.array(keep))
        return cls(values, counts[keep], renumber[codes])

    @property
    def rows(self) -> int:
        """Rows that hold a value."""
        return int(self.counts.sum())

    @property
    def missing(self) -> int:
        return len(self.codes) - self.rows

    def without(self, mask: np.ndarray) -> Texts:
        """The same rows with some of the values taken as missing; mask: bool, shape (U,)."""
        renumber = np.full(len(mask) + 1, -1, np.int32)
        renumber[:-1][~mask] = np.arange((~mask).sum(), dtype=np.int32)
        keep = pa.array(~mask)
        return Texts(self.values.filter(keep), self.counts[~mask], renumber[self.codes])

    def tokens(self, missing: tuple[str, ...]) -> np.ndarray:
        """Which values, spaces around them aside, are one of `missing`; bool, shape (U,)."""
        wanted = pa.array([m.strip() for m in missing], pa.string())
        trimmed = pc.utf8_trim_whitespace(self.values)
        return np.asarray(pc.is_in(trimmed, value_set=wanted), bool)

    def first_row(self, index: int) -> int:
        """Number of the first row with this value, counted from 1."""
        return int(np.argmax(self.codes == index)) + 1
