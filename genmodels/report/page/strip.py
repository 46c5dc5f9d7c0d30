"""One figure as a strip: where the synthetic value and its interval lie between its points.

Every strip reads alike, whatever the direction of its figure: held-out real data stand left, the
floor stands right, so left is good. What is better than held-out data lies left of its mark.
"""

from __future__ import annotations

from html import escape

from genmodels.report.page.texts import flat, number
from genmodels.report.rows import FLOORS, SIMPLE, Row

__all__ = ["mark", "strip"]

WIDTH, HEIGHT, MIDDLE = 150, 22, 11
LEFT, RIGHT = 14.0, 136.0
# The way that is drawn left of held-out data and right of the floor, as a share of the way.
BEFORE, BEYOND = 0.08, 0.6


def strip(row: Row) -> str:
    """An inline SVG; empty when there is nothing to compare with."""
    if row.ceiling is None:
        return ""
    way = _way(row)
    marks = [f'<path class="track" d="M{LEFT} {MIDDLE}H{RIGHT}"/>']
    low, high = (row.value, row.value) if row.interval is None else row.interval
    ends = sorted(_place(row, x, way) for x in (low, high))
    if row.better == "near" and low < row.ceiling < high:
        ends[0] = LEFT
    if ends[1] > ends[0]:
        marks.append(f'<path class="range" d="M{ends[0]:.1f} {MIDDLE}H{ends[1]:.1f}"/>')
    points = {"copies": row.copies, "independent": row.independent, "simple": row.simple}
    for name, value in points.items():
        if value is not None:
            marks.append(mark(name, _place(row, value, way)))
    marks += [mark("held", LEFT), mark("synthetic", _place(row, row.value, way))]
    return (
        f'<svg class="strip" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{escape(_told(row))}">{"".join(marks)}</svg>'
    )


def mark(name: str, x: float) -> str:
    """The sign of one data set: a line, a square, a triangle, a diamond or a disc."""
    if name == "held":
        return f'<path class="held" d="M{x:.1f} 3V19"/>'
    if name == "independent":
        return f'<path class="independent" d="M{x - 3.5:.1f} 7.5h7v7h-7z"/>'
    if name == "copies":
        return f'<path class="copies" d="M{x:.1f} 6l4.2 8h-8.4z"/>'
    if name == "simple":
        return f'<path class="simple" d="M{x:.1f} 6l5 5l-5 5l-5 -5z"/>'
    return f'<circle class="synthetic" cx="{x:.1f}" cy="{MIDDLE}" r="4.2"/>'


def _way(row: Row) -> float:
    """What the drawn track stands for: to the floor, or to the worst point where that is less.

    A quarter of `scale` is the least, so that mere chance does not fill the track.
    """
    points = (row.value, row.independent, row.copies, row.simple)
    worst = max(row.worse(x) for x in points if x is not None)
    floor = 0.0 if row.floor is None else row.worse(row.floor)
    if floor >= 0.1 * row.scale:
        return max(floor, min(worst, floor * (1.0 + BEYOND)))
    return max(worst, 0.25 * row.scale, 1e-12)


def _place(row: Row, value: float, way: float) -> float:
    share = min(max(row.worse(value) / way, -BEFORE), 1.0)
    return LEFT + share * (RIGHT - LEFT)


def _told(row: Row) -> str:
    texts = [f"{flat(row.metric)}: synthetic {number(row.value)}"]
    points = {
        "held-out real data": row.ceiling,
        FLOORS["independent"]: row.independent,
        FLOORS["copies"]: row.copies,
        SIMPLE: row.simple,
    }
    texts += [f"{name} {number(value)}" for name, value in points.items() if value is not None]
    return ", ".join(texts)
