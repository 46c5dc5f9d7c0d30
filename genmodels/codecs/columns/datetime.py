"""Dates and times as parts of the wall clock: day (or week and weekday), time, fraction.

The parts are a mixed-radix number, so together they are lossless and each combination of them
is a valid time. Only the parts that the column's resolution needs exist.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from genmodels.codecs.columns.clock import DAY, HOUR, SECOND, Clock
from genmodels.codecs.columns.mode_specific import ModeSpecific
from genmodels.codecs.columns.protocol import Parts, check_missing, missing_mask
from genmodels.codecs.columns.quantile import Quantile
from genmodels.codecs.columns.tokens import Tokens
from genmodels.layout import Block
from genmodels.schema import Column

__all__ = ["Datetime", "Numeric", "numeric_from_state"]

Numeric: TypeAlias = Quantile | ModeSpecific | Tokens
Weekday: TypeAlias = bool | Literal["auto"]

_UNITS = (DAY, HOUR, 60 * SECOND, SECOND, 1000, 1)


class Datetime:
    """Blocks of the parts "<name>.day" (or ".week" and ".weekday"), ".time" (or ".hour"),
    ".fraction" and ".second_pass", each by the codec of its kind.

    The first part holds the outcome "missing" of nullable columns; the other parts of a missing
    row are 0. The last part exists only if a training value is the second of two times that the
    clock shows when it is set back. Decoded times are multiples of the column's resolution
    and lie between its smallest and largest value.

    Args:
        column: from the schema.
        unit: the resolution in microseconds, one of day, hour, minute, second, ms, us.
        lower: smallest instant, microseconds since 1970 (UTC, or the wall clock if naive).
        upper: largest instant.
        clock: of the column's time zone.
        parts: name of each part and its codec, in order.
    """

    def __init__(
        self,
        *,
        column: Column,
        unit: int,
        lower: int,
        upper: int,
        clock: Clock,
        parts: dict[str, Numeric],
    ) -> None:
        self.column = column
        self.unit = unit
        self.lower = lower
        self.upper = upper
        self.clock = clock
        self.parts = parts
        self.nullable = next(iter(parts.values())).nullable
        self._counts = [
            (
                sum(b.kind == "continuous" for b in c.blocks),
                sum(b.kind != "continuous" for b in c.blocks),
            )
            for c in parts.values()
        ]

    @classmethod
    def fit(
        cls,
        column: Column,
        data: pa.ChunkedArray,
        *,
        weekday: Weekday,
        numeric: Callable[[Column, pa.ChunkedArray], Numeric],
    ) -> Datetime:
        """Find resolution, range and parts of the training values of one column.

        Args:
            column: from the schema.
            data: the training values, timestamp[us].
            weekday: split days into week and weekday; "auto": when weekdays differ in frequency.
            numeric: fits the codec of a part that is a whole number.
        """
        instants = data.drop_null().cast(pa.int64()).to_numpy()
        lower, upper = _range(column, instants)
        clock = Clock.fit(column.timezone, lower, upper)
        wall = clock.wall(instants)
        unit = next(u for u in _UNITS if not (wall % u).any())
        split = weekday if isinstance(weekday, bool) else _informative(wall)
        passes = bool((clock.instants(wall) != instants).any())
        nullable = column.nullable or data.null_count > 0
        present = data.is_valid()
        parts: dict[str, Numeric] = {}
        for name, numbers in _split(clock, instants, unit, split, passes).items():
            first = not parts
            part = Column(f"{column.name}.{name}", "integer", nullable=nullable and first)
            if name in _LEVELS:
                levels = np.arange(_LEVELS[name])
                parts[name] = Tokens(column=part, levels=levels, nullable=False)
                continue
            values = pa.array(numbers)
            if first and data.null_count:
                values = pa.nulls(len(data), pa.int64()) if not len(numbers) else values
                values = values.take(_ranks(present)) if len(numbers) else values
            parts[name] = numeric(part, pa.chunked_array([values]))
        return cls(column=column, unit=unit, lower=lower, upper=upper, clock=clock, parts=parts)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(block for codec in self.parts.values() for block in codec.blocks)

    @property
    def tolerance(self) -> float:
        """In microseconds; infinite if a part is not exact."""
        return 0.0 if all(c.tolerance == 0.0 for c in self.parts.values()) else float("inf")

    def encode(self, array: pa.Array, rng: np.random.Generator) -> Parts:
        missing = missing_mask(array)
        check_missing(self.column, missing, self.nullable)
        instants = array.cast(pa.int64()).fill_null(self.lower).to_numpy(zero_copy_only=False)
        instants = np.clip(instants, self.lower, self.upper)
        numbers = _split(
            self.clock, instants, self.unit, "week" in self.parts, "second_pass" in self.parts
        )
        values, codes = [], []
        uniform = rng.random((len(array), len(self.parts)))
        for i, (name, codec) in enumerate(self.parts.items()):
            mask = missing if i == 0 else None
            value, code = codec.place(pa.array(numbers[name], mask=mask), uniform[:, i])
            if i > 0 and missing is not None:
                value[:, missing], code[:, missing] = 0.0, 0
            values.append(value)
            codes.append(code)
        return np.concatenate(values), np.concatenate(codes)

    def decode(
        self, values: np.ndarray, codes: np.ndarray, rng: np.random.Generator, start: int
    ) -> pa.Array:
        numbers: dict[str, np.ndarray] = {}
        missing, f, q = None, 0, 0
        for (name, codec), (df, dq) in zip(self.parts.items(), self._counts, strict=True):
            part = codec.decode(values[f : f + df], codes[q : q + dq], rng, start)
            f, q = f + df, q + dq
            if not numbers and self.nullable:
                missing = missing_mask(part)
                part = part.fill_null(0)
            numbers[name] = part.to_numpy(zero_copy_only=False)
        instants = self._join(numbers)
        np.clip(instants, self.lower, self.upper, out=instants)
        kind = pa.timestamp("us", self.column.timezone)
        return pa.array(instants, mask=missing).view(kind)

    def _join(self, numbers: dict[str, np.ndarray]) -> np.ndarray:
        """Parts -> instants, int64 (N,)."""
        if "week" in numbers:
            wall = (numbers["week"] * 7 + numbers["weekday"] - 3) * DAY
        else:
            wall = numbers["day"] * DAY
        if "hour" in numbers:
            wall += numbers["hour"] * HOUR
        if "time" in numbers:
            wall += numbers["time"] * max(self.unit, SECOND)
        if "fraction" in numbers:
            wall += numbers["fraction"] * self.unit
        instants = self.clock.instants(wall)
        if "second_pass" in numbers:
            second = self.clock.instants(wall, second=True)
            shown_twice = self.clock.wall(second) == wall
            np.copyto(instants, second, where=(numbers["second_pass"] == 1) & shown_twice)
        return instants

    def state(self) -> dict[str, Any]:
        return {
            "codec": "datetime",
            "unit": self.unit,
            "lower": self.lower,
            "upper": self.upper,
            "clock": self.clock.state(),
            "parts": {name: codec.state() for name, codec in self.parts.items()},
        }

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> Datetime:
        return cls(
            column=column,
            unit=state["unit"],
            lower=state["lower"],
            upper=state["upper"],
            clock=Clock.from_state(state["clock"]),
            parts={
                name: numeric_from_state(Column(f"{column.name}.{name}", "integer"), part)
                for name, part in state["parts"].items()
            },
        )


_LEVELS = {"weekday": 7, "hour": 24, "second_pass": 2}


def _split(
    clock: Clock, instants: np.ndarray, unit: int, weeks: bool, passes: bool
) -> dict[str, np.ndarray]:
    """Instants -> whole numbers per part, in order; weeks start on Monday."""
    wall = clock.wall(instants)
    day, within = np.divmod(wall, DAY)
    parts = {"week": (day + 3) // 7, "weekday": (day + 3) % 7} if weeks else {"day": day}
    if unit == HOUR:
        parts["hour"] = within // HOUR
    elif unit < HOUR:
        parts["time"] = within // max(unit, SECOND)
    if unit < SECOND:
        parts["fraction"] = within % SECOND // unit
    if passes:
        parts["second_pass"] = (clock.instants(wall) != instants).astype(np.int64)
    return parts


def _informative(wall: np.ndarray) -> bool:
    """Whether weekdays differ in frequency by more than chance, over eight weeks or more."""
    days = wall // DAY
    if len(days) < 100 or days.max() - days.min() < 56:
        return False
    shares = np.bincount((days + 3) % 7, minlength=7) / len(days)
    return bool(np.abs(shares - 1 / 7).sum() / 2 > 0.03 + 1.5 / np.sqrt(len(days)))


def _ranks(present: pa.ChunkedArray) -> pa.Array:
    """For each row its position among the present rows, null where missing."""
    mask = present.to_numpy()
    return pa.array(np.cumsum(mask) - 1, mask=~mask)


def _range(column: Column, instants: np.ndarray) -> tuple[int, int]:
    """The range of the data, narrowed to the schema's bounds where these are tighter."""
    low = None if column.minimum is None else _instant(column, column.minimum)
    high = None if column.maximum is None else _instant(column, column.maximum)
    if not len(instants):
        lower = low if low is not None else high or 0
        return lower, max(lower, high if high is not None else lower)
    first, last = int(instants.min()), int(instants.max())
    lower = first if low is None else max(first, low)
    upper = last if high is None else min(last, high)
    if lower > upper:
        raise ValueError(
            f"column {column.name!r}: no value lies between the schema's minimum "
            f"{column.minimum!r} and maximum {column.maximum!r}"
        )
    return lower, upper


def _instant(column: Column, bound: float | int | str) -> int:
    """Microseconds since 1970 of an ISO-8601 text; wall-clock time if it names no offset."""
    try:
        moment = datetime.fromisoformat(str(bound))
    except ValueError as error:
        raise ValueError(
            f"column {column.name!r}: bound {bound!r} is not an ISO-8601 date or time"
        ) from error
    naive = moment.tzinfo is None
    since = moment.replace(tzinfo=UTC) if naive else moment
    micros = round((since - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * SECOND)
    if naive and column.timezone is not None:
        wall = np.array([micros])
        return int(Clock.fit(column.timezone, micros, micros).instants(wall)[0])
    return micros


def numeric_from_state(column: Column, state: dict[str, Any]) -> Numeric:
    """Rebuild the codec of a column of numbers.

    Raises:
        ValueError: when the state names none.
    """
    match state["codec"]:
        case "quantile":
            return Quantile.from_state(column, state)
        case "mode_specific":
            return ModeSpecific.from_state(column, state)
        case "tokens":
            return Tokens.from_state(column, state)
    raise ValueError(f"unknown codec {state['codec']!r} of {column.name!r}")
