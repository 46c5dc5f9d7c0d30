"""Where a figure lies between its reference points: one word for programs, one phrase for readers.

The unit is the way from held-out real data to the floor of the axis (`Row.gap`). Two things are
added to it. Where the floor is no worse than real data (independent columns have perfect shapes),
an error that is surely several times that of real data is called so. And where the interval
reaches from real data half the way to the floor, or where real data teach no more than shuffled
data do, nothing is known, and that is said.
"""

from __future__ import annotations

from typing import Literal

from genmodels.report.rows import FLOORS, Floor, Row

__all__ = ["KINDS", "Kind", "chip", "judge", "severity", "verdict"]

Kind = Literal["level", "close", "worse", "bad", "floor", "beyond", "unsure", "unknown"]

KINDS: dict[Kind, str] = {
    "level": "level with held-out real data",
    "close": "close to held-out real data",
    "worse": "clearly worse than held-out real data",
    "bad": "bad",
    "floor": "as bad as {floor}",
    "beyond": "worse than {floor}",
    "unsure": "undecided",
    "unknown": "no reference",
}
CHIPS: dict[Kind, str] = {
    "level": "level",
    "close": "close",
    "worse": "clearly worse",
    "bad": "bad",
    "floor": "as bad as {floor}",
    "beyond": "worse than {floor}",
    "unsure": "undecided",
    "unknown": "no reference",
}
SHORT: dict[Floor, str] = {"independent": "shuffled data", "copies": "copies"}
# Upper ends of `severity` for level, close, worse and floor.
LEVEL, CLOSE, WORSE, FLOOR = 0.05, 0.25, 0.75, 1.25
TWICE, SEVERAL = 2.0, 3.0
HALF = 0.5
"""An interval from real data to half the way to the floor, or further, leaves it open."""


def judge(row: Row) -> Kind:
    """Where the value lies between its reference points."""
    size = severity(row)
    if size is None:
        return "unknown"
    if _undecided(row, size):
        return "unsure"
    if size <= LEVEL:
        return "level"
    if size <= CLOSE:
        return "close"
    if size <= WORSE and not (size > HALF and _holds_floor(row)):
        return "worse"
    if row.floor is None or not _apart(row):
        return "bad"
    return _beside_floor(row)


def severity(row: Row) -> float | None:
    """`Row.gap`, raised where the value is surely a multiple of an error of real data.

    An error of twice the ceiling is never level. One whose distance is a tenth of `scale` or more
    is at least clearly worse where its whole interval lies above three times the ceiling, or above
    the ceiling with the value at the floor or beyond. A sure loss of utility is never level.
    """
    gap = row.gap()
    if gap is None or row.ceiling is None or gap == 0.0:
        return gap
    if row.axis == "utility" and row.worse(row.value) > 0 and row.interval is not None:
        return max(gap, LEVEL + 0.01)  # a loss beyond doubt is a loss, if a small one
    if row.better != "lower":
        return gap
    sure = row.value if row.interval is None else row.interval[0]
    beyond = row.floor is not None and row.value >= row.floor and sure > row.ceiling
    if beyond and row.value - row.ceiling >= 0.1 * row.scale:
        gap = max(gap, CLOSE + 0.01)
    if sure > SEVERAL * row.ceiling and row.value - row.ceiling >= 0.1 * row.scale:
        multiple = CLOSE + 0.01 if row.interval is not None else LEVEL + 0.01
        return max(gap, multiple)
    return max(gap, LEVEL + 0.01) if row.value > TWICE * row.ceiling and sure > 0.0 else gap


def verdict(row: Row) -> str:
    """The phrase of `judge`."""
    return KINDS[judge(row)].format(floor=FLOORS[row.floor_is])


def chip(row: Row) -> str:
    """The phrase without what every row is compared with."""
    return CHIPS[judge(row)].format(floor=SHORT[row.floor_is])


def _beside_floor(row: Row) -> Kind:
    """Bad: as bad as the floor, or beyond it with the whole interval."""
    assert row.floor is not None
    way = row.worse(row.floor)
    share = row.worse(row.value) / way
    if share <= WORSE and not _holds_floor(row):
        return "bad"
    nearest = min(map(row.worse, row.interval or (row.value,)))
    return "beyond" if share > FLOOR and nearest > way else "floor"


def _holds_floor(row: Row) -> bool:
    if row.interval is None or row.floor is None or not _apart(row):
        return False
    return row.interval[0] <= row.floor <= row.interval[1]


def _undecided(row: Row, size: float) -> bool:
    """Whether nothing can be said: a wide interval, or a task that nothing can be learnt of."""
    taught = row.axis == "utility" and row.headline and row.better != "near"
    if taught and row.independent is not None and not _apart(row) and size <= WORSE:
        return True
    if row.interval is None or row.ceiling is None:
        return False
    low, high = row.interval
    return low <= row.ceiling <= high and row.reach() > HALF


def _apart(row: Row) -> bool:
    """Whether the floor, not the scale, set the unit of the gap."""
    assert row.floor is not None
    assert row.ceiling is not None
    return row.worse(row.floor) >= 0.1 * row.scale
