"""Numbers of one column as float64 offsets from their minimum, and back, exactly.

Whole numbers and rounded decimals become whole offsets in units of their own step, which is the
largest one that all training values are multiples of (prices in steps of 0.05, say); numbers of
full precision become offsets in the column's unit, scaled by a power of two where their range
is so extreme that its square would overflow. The codecs of numeric columns share this.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.codecs.columns.protocol import check_finite, missing_mask
from genmodels.schema import Column

__all__ = ["Numbers", "distinct"]

_EXACT = 2.0**53
_MOST_DECIMALS = 22  # 10**22 is the last power of ten that float64 holds exactly
_LATTICE = 20  # fewer distinct values may have a common divisor by chance
_GLANCE = 1000  # values that tell most columns without a common divisor at once


@dataclass(frozen=True)
class Numbers:
    """The affine map between the numbers of a column and offsets in [0, span].

    Args:
        integer: int64 (True) or float64 (False).
        decimals: digits after the point, or None for full precision.
        exponent: full-precision numbers are multiplied by 2**-exponent first.
        base: the minimum, in units of the last digit (or scaled numbers).
        span: the largest offset.
        lower: smallest number that may be decoded.
        upper: largest number that may be decoded.
        step: units of the last digit per offset, at least 1; 1 for full precision.
    """

    integer: bool
    decimals: int | None
    exponent: int
    base: float | int
    span: float
    lower: float | int
    upper: float | int
    step: int = 1

    @property
    def stepped(self) -> bool:
        return self.integer or self.decimals is not None

    @property
    def dtype(self) -> type[np.int64] | type[np.float64]:
        return np.int64 if self.integer else np.float64

    def size(self, length: float) -> float:
        """How long a difference of offsets is in the column's unit."""
        return float(np.ldexp(length, self.exponent)) * self.step / 10.0 ** (self.decimals or 0)

    def number(self, k: int) -> float | int:
        """The number at a whole offset of a lattice."""
        total = k * self.step + int(self.base)
        return total if self.integer else total / 10.0 ** (self.decimals or 0)

    def nearest(self, number: float | int) -> int:
        """The whole offset nearest to a number of a lattice, any finite one."""
        if self.integer and isinstance(number, int):
            return (number - int(self.base)) // self.step
        return int(np.rint((number * 10.0 ** (self.decimals or 0) - self.base) / self.step))

    @classmethod
    def fit(cls, column: Column, data: pa.ChunkedArray) -> Numbers:
        """Read the range of the training values; all-missing columns use the schema's bounds.

        Raises:
            ValueError: when a value is infinite or not a number.
        """
        integer = column.kind == "integer"
        decimals = 0 if integer else column.decimals
        if decimals is not None and decimals > _MOST_DECIMALS:
            decimals = None
        low, high = _range(column, data)
        bounds = _bounds(column, low, high)
        if decimals is not None:
            first, last = (n if integer else int(np.rint(n * 10.0**decimals)) for n in (low, high))
            step = _step(data, decimals, first, last)
            return cls(integer, decimals, 0, first, float((last - first) // step), *bounds, step)
        exponent = _exponent(low, high)
        base, top = float(np.ldexp(low, -exponent)), float(np.ldexp(high, -exponent))
        return cls(False, None, exponent, base, top - base, *bounds)

    def offsets(self, array: pa.Array | pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray | None]:
        """Offsets float64 (N,) within [0, span] (missing rows: 0) and the missing rows."""
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        missing = missing_mask(array)
        if missing is not None:
            array = array.fill_null(
                pa.scalar(self.base if self.integer else self.lower, array.type)
            )
        raw = array.to_numpy(zero_copy_only=False)
        out = self._shift(raw)
        np.clip(out, 0.0, self.span, out=out)
        if missing is not None:
            out[missing] = 0.0
        return out, missing

    def rounded(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers float64 (N,) with the column's decimals."""
        if not self.stepped:
            return numbers
        scale = 10.0 ** (self.decimals or 0)
        return np.asarray(np.rint(numbers * scale) / scale)

    def distinct(self, data: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Distinct values of a column: as they are, as offsets (ascending), and their counts.

        Values that differ by less than their offsets can tell are one.
        """
        raw, counts = distinct(data.drop_null().to_numpy())
        offsets, _ = self.offsets(pa.array(raw))
        starts = np.flatnonzero(np.append(True, np.diff(offsets) > 0)[: len(offsets)])
        if len(starts) < len(offsets):
            counts = np.add.reduceat(counts, starts)
        return raw[starts], offsets[starts], counts

    def _shift(self, raw: np.ndarray) -> np.ndarray:
        if self.integer and self.span < _EXACT:
            top = self.base + int(self.span) * self.step
            whole = (np.clip(raw, self.base, top) - self.base).astype(np.float64)
            return self._in_steps(whole)
        if self.decimals is not None:
            scaled = np.rint(raw * 10.0**self.decimals)
            return self._in_steps(np.subtract(scaled, float(self.base), out=scaled))
        scaled = np.ldexp(raw, -self.exponent) if self.exponent else raw.astype(np.float64)
        return np.subtract(scaled, self.base, out=scaled)

    def _in_steps(self, units: np.ndarray) -> np.ndarray:
        """Units of the last digit (N,), overwritten, to the nearest step."""
        if self.step == 1:
            return units
        units /= self.step
        return np.rint(units, out=units)

    def restore(self, offsets: np.ndarray) -> np.ndarray:
        """Offsets float64 (N,), any finite values, overwritten -> numbers in [lower, upper]."""
        if self.stepped:
            np.rint(offsets, out=offsets)
        np.clip(offsets, 0.0, self.span, out=offsets)
        if self.step > 1:
            offsets *= self.step
        if self.integer:
            numbers = self._whole(offsets)
        else:
            numbers = np.add(offsets, float(self.base), out=offsets)
            if self.decimals is not None:
                numbers /= 10.0**self.decimals
            elif self.exponent:
                numbers = np.ldexp(numbers, self.exponent)
        if self._must_clip:
            np.clip(numbers, self.lower, self.upper, out=numbers)
        return numbers

    def _whole(self, offsets: np.ndarray) -> np.ndarray:
        if self.span < _EXACT:
            whole = offsets.astype(np.int64)
            return np.add(whole, self.base, out=whole)
        total = np.add(offsets, float(self.base), out=offsets)
        return np.clip(total, -(2.0**63), 2.0**63 - 1024).astype(np.int64)

    @property
    def _must_clip(self) -> bool:
        """Whether an offset in [0, span] can leave [lower, upper]."""
        if self.integer and self.span < _EXACT:
            return self.lower > self.base or self.upper < self.number(int(self.span))
        return True

    def state(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Numbers:
        return cls(**state)


def distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values (M,), ascending, and how often each occurs, int64 (M,)."""
    ordered = np.sort(values)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    starts = starts[: len(ordered)]
    return ordered[starts], np.diff(np.append(starts, len(ordered)))


def _range(column: Column, data: pa.ChunkedArray) -> tuple[Any, Any]:
    if data.null_count == len(data):
        number = int if column.kind == "integer" else float
        low = number(column.minimum if column.minimum is not None else column.maximum or 0)
        return low, max(low, number(column.maximum if column.maximum is not None else low))
    check_finite(column, data)
    found = pc.min_max(data).as_py()
    return found["min"], found["max"]


def _step(data: pa.ChunkedArray, decimals: int, first: int, last: int) -> int:
    """The greatest common divisor of the values' distances, in units of the last digit."""
    if last - first >= _EXACT or max(abs(first), abs(last)) >= _EXACT:
        return 1
    units = data.drop_null().to_numpy()
    for part in (units[:_GLANCE], units):
        whole = np.rint(part * 10.0**decimals).astype(np.int64) - first
        step = int(np.gcd.reduce(whole)) if len(whole) else 1
        if step <= 1:
            return 1
    return step if len(np.unique(whole)) >= _LATTICE else 1


def _bounds(column: Column, low: Any, high: Any) -> tuple[Any, Any]:
    """The data's range, narrowed to the schema's bounds where these are tighter."""
    number = int if column.kind == "integer" else float
    lower = low if column.minimum is None else max(low, number(column.minimum))
    upper = high if column.maximum is None else min(high, number(column.maximum))
    if lower > upper:
        raise ValueError(
            f"column {column.name!r}: no value lies between the schema's minimum "
            f"{column.minimum!r} and maximum {column.maximum!r}; the data span {low!r} to {high!r}"
        )
    return lower, upper


def _exponent(low: float, high: float) -> int:
    """The power of two that brings an extreme range near 1; 0 for ordinary ranges."""
    halves = abs(low) / 2 + abs(high) / 2
    spread = high / 2 - low / 2
    if halves == 0.0 or (halves < 1e100 and (spread == 0.0 or spread > 1e-100)):
        return 0
    size = spread if halves < 1e100 and spread > 0.0 else halves
    return int(np.frexp(size)[1]) + 1
