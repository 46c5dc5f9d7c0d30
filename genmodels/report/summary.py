"""The first lines of a report: per axis one sentence in plain words, the worst axis first."""

from __future__ import annotations

from genmodels.report.rows import FLOORS, Cell, Report, Row

__all__ = ["ARROWS", "UNTESTED", "cell", "number", "summary", "verdict"]

ARROWS = {"lower": "↓", "higher": "↑", "near": "≈"}

UNTESTED = {
    "privacy": "Privacy was not tested: distance from the training rows is no evidence of it.",
    "bias": "Bias between groups was not tested.",
}


def number(value: float | int | None) -> str:
    """A number as every form of the report prints it."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.5g}" if abs(value) < 1e5 else f"{value:.4e}"


def cell(value: Cell) -> str:
    """Text of a cell: numbers as `number` prints them."""
    return value if isinstance(value, str) else number(value)


def verdict(row: Row) -> str:
    """Where the value lies between its reference points, in words."""
    gap = row.gap()
    if gap is None:
        return "no reference"
    if gap <= 0.05 and not _is_a_multiple(row):
        return "level with held-out real data"
    if gap <= 0.25:
        return "close to held-out real data"
    if gap <= 0.75:
        return "clearly worse than held-out real data"
    if row.floor is None or not _reaches(row):
        return "bad"
    return f"{'as bad as' if gap <= 1.25 else 'worse than'} {FLOORS[row.floor_is]}"


def summary(report: Report) -> list[str]:
    """One sentence per axis, the worst first, then what was not tested."""
    worst: dict[str, Row] = {}
    for row in report.rows:
        gap = row.gap()
        if row.headline and gap is not None:
            known = worst.get(row.axis)
            if known is None or gap > (known.gap() or 0.0):
                worst[row.axis] = row
    ordered = sorted(worst.values(), key=lambda row: -(row.gap() or 0.0))
    lines = [_sentence(row) for row in ordered]
    return lines + [text for axis, text in UNTESTED.items() if axis not in worst]


def _sentence(row: Row) -> str:
    points = [f"{row.metric} is {number(row.value)}", f"held-out real data {number(row.ceiling)}"]
    if row.floor is not None:
        points.append(f"{FLOORS[row.floor_is]} {number(row.floor)}")
    note = f" {row.note}" if row.note else ""
    return f"{row.axis.capitalize()}: {verdict(row)} ({'; '.join(points)}).{note}"


def _is_a_multiple(row: Row) -> bool:
    """Whether an error is more than twice the ceiling: a far floor must not make that level."""
    assert row.ceiling is not None
    return row.better == "lower" and 0.0 < 2.0 * row.ceiling < row.value


def _reaches(row: Row) -> bool:
    """Whether the floor, not the scale, set the unit of the gap."""
    assert row.floor is not None
    assert row.ceiling is not None
    return abs(row.floor - row.ceiling) >= 0.1 * row.scale
