"""The first lines of a report: per axis one sentence in plain words, the worst axis first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from genmodels.report.page.meaning import UNTESTED, meaning
from genmodels.report.page.texts import ARROWS, cell, flat, number
from genmodels.report.page.verdicts import KINDS, Kind, judge, severity, verdict
from genmodels.report.rows import FLOORS, Axis, Report, Row

__all__ = ["ARROWS", "Finding", "cell", "findings", "number", "summary", "verdict"]

RANKS: dict[Kind, int] = {
    "unknown": 0, "level": 1, "unsure": 2, "close": 3, "worse": 4, "bad": 5, "floor": 6,
    "beyond": 6,
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """What one axis came to.

    Args:
        axis: which.
        worst: its worst headline figure; None when the axis was not tested.
        counts: headline figures of the axis by verdict.
    """

    axis: Axis
    worst: Row | None
    counts: dict[Kind, int]

    @property
    def sentence(self) -> str:
        """What it means, without numbers of its own."""
        if self.worst is None:
            return UNTESTED[self.axis]
        return meaning(self.worst)

    @property
    def figure(self) -> str:
        """The worst figure with its reference points; empty when the axis was not tested."""
        row = self.worst
        if row is None:
            return ""
        points = [f"{flat(row.metric)}: {number(row.value)}"]
        if row.interval is not None:
            points[0] += f" ({number(row.interval[0])} to {number(row.interval[1])})"
        points.append(f"held-out real data {number(row.ceiling)}")
        if row.floor is not None:
            points.append(f"{FLOORS[row.floor_is]} {number(row.floor)}")
        return "; ".join(points)


def findings(report: Report) -> list[Finding]:
    """One per axis, the worst first, then the axes that were not tested; none with an answer."""
    if report.answer:
        return []
    spoken: dict[Axis, list[Row]] = {}
    for row in report.rows:
        if row.headline and severity(row) is not None:
            spoken.setdefault(row.axis, []).append(row)
    tested = []
    for axis in UNTESTED:
        rows = spoken.get(axis, [])
        if rows:
            counted = Counter(map(judge, rows))
            counts = {kind: counted[kind] for kind in KINDS if counted[kind]}
            tested.append(Finding(axis, max(rows, key=_rank), counts))
    tested.sort(key=lambda found: _rank(found.worst), reverse=True)
    if set(spoken) == {"bias"}:
        return tested  # an audit of one axis is not asked about the others
    return tested + [Finding(axis, None, {}) for axis in UNTESTED if axis not in spoken]


def summary(report: Report) -> list[str]:
    """One line per axis: the verdict, what it means, and the worst figure; or the answer."""
    if report.answer:
        return [report.answer]
    return [_line(finding) for finding in findings(report)]


def _line(found: Finding) -> str:
    if found.worst is None:
        return found.sentence
    start = f"{found.axis.capitalize()}: {verdict(found.worst)}."
    note = flat(found.worst.note)
    return " ".join(x for x in (start, found.sentence, f"({found.figure}.)", note) if x)


def _rank(row: Row | None) -> tuple[int, float]:
    """How bad, by verdict and then by severity; what is as bad as the floor ranks alike."""
    assert row is not None
    kind = judge(row)
    return RANKS[kind], 1.0 if kind == "floor" else round(severity(row) or 0.0, 1)
