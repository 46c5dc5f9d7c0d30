"""Instants (UTC) and wall-clock times of one time zone, in whole microseconds, both ways.

The zone's changes of offset are looked up once and kept, so that decoding needs no time-zone
database and gives the same bytes whatever its version.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["DAY", "HOUR", "SECOND", "Clock"]

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


class Clock:
    """The offsets of a time zone over a range of time.

    Args:
        changes: instants at which the offset changes, ascending int64 (T,).
        offsets: wall clock minus UTC before, between and after them, int64 (T + 1,).
    """

    def __init__(self, *, changes: np.ndarray, offsets: np.ndarray) -> None:
        self.changes = changes
        self.offsets = offsets
        self._later = changes + np.maximum(offsets[:-1], offsets[1:])
        self._sooner = changes + np.minimum(offsets[:-1], offsets[1:])

    @classmethod
    def fit(cls, timezone: str | None, low: int, high: int) -> Clock:
        """Find the changes from a day before `low` to a day after `high`."""
        if timezone is None:
            return cls(changes=np.empty(0, np.int64), offsets=np.zeros(1, np.int64))
        days = np.arange(low - DAY, high + 2 * DAY, DAY)
        offsets = _offsets(days, timezone)
        at = np.flatnonzero(offsets[1:] != offsets[:-1])
        before, after = days[at], days[at + 1]
        for step in (HOUR, SECOND):
            grid = before[:, None] + np.arange(0, after[0] - before[0] + 1 if len(at) else 1, step)
            same = _offsets(grid.ravel(), timezone).reshape(grid.shape) == offsets[at][:, None]
            before = before + (same.argmin(axis=1) - 1) * step
            after = before + step
        return cls(changes=after, offsets=np.append(offsets[at], offsets[-1:]))

    def wall(self, instants: np.ndarray) -> np.ndarray:
        """Wall-clock times (N,) of instants (N,)."""
        if not len(self.changes):
            return instants + self.offsets[0]
        return instants + self.offsets.take(np.searchsorted(self.changes, instants, "right"))

    def instants(self, wall: np.ndarray, *, second: bool = False) -> np.ndarray:
        """Instants (N,) of wall-clock times (N,).

        A time that the clock shows twice is taken as the first of the two, or the second if
        `second`; a time that it skips is moved on by the length of the skip.
        """
        if not len(self.changes):
            return wall - self.offsets[0]
        edges = self._sooner if second else self._later
        return wall - self.offsets.take(np.searchsorted(edges, wall, "right"))

    def state(self) -> dict[str, Any]:
        return {"changes": self.changes.tolist(), "offsets": self.offsets.tolist()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Clock:
        return cls(
            changes=np.array(state["changes"], np.int64),
            offsets=np.array(state["offsets"], np.int64),
        )


def _offsets(instants: np.ndarray, timezone: str) -> np.ndarray:
    aware = pa.array(instants).cast(pa.timestamp("us", timezone))
    return pc.local_timestamp(aware).cast(pa.int64()).to_numpy() - instants
