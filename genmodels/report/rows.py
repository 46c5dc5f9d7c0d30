"""What a report is made of: rows with their reference points, grouped in sections.

A suite fills these; `render` writes them. Numbers are rounded once, here, so that every form of
the report carries the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from genmodels.types import Raw

__all__ = [
    "FLOORS",
    "READING",
    "SIMPLE",
    "Axis",
    "Better",
    "Cell",
    "Detail",
    "Floor",
    "Picture",
    "Points",
    "Report",
    "Row",
    "RowMaker",
    "Section",
    "Suite",
    "rounded",
]

Axis = Literal["fidelity", "coverage", "utility", "memorisation", "privacy", "bias"]
Better = Literal["lower", "higher", "near"]
Floor = Literal["independent", "copies"]
FLOORS: dict[Floor, str] = {
    "independent": "independently shuffled data",
    "copies": "copies of the training data",
}
"""What stands in the place of the synthetic data to show how bad a figure can get."""
READING = (
    "Each figure of the synthetic data stands beside the same figure for three other data sets: "
    "another real sample in their place (as good as it gets: for fidelity, coverage and "
    "utility training rows, judged like the synthetic ones by held-out rows that no training saw; "
    "for memorisation held-out rows), independent: training data with every column shuffled "
    "on its own (right alone, wrong together), and copies of training data (perfect to look "
    "at, and a leak). A verdict says where between them the synthetic data lie; where the interval "
    "is too wide to say, it says so. There is no overall score: one would hide what is wrong. "
    "↓ lower is better, ↑ higher is better, ≈ near the real figure is best. Figures in grey do not "
    "count towards the verdict of an axis."
)
SIMPLE = "Gaussian per class"
"""What the simplest generator of a report is called; images have one, see `metrics/images`."""
DIGITS = 5

Cell = str | int | float | None


def rounded(value: float) -> float:
    """Five significant digits; what is not finite is an error of the caller."""
    if not math.isfinite(value):
        raise ValueError(f"a report holds finite numbers, got {value}")
    return float(f"{value:.{DIGITS}g}") if abs(value) > 1e-12 else 0.0


@dataclass(frozen=True)
class Points:
    """One figure for the synthetic data and for the three data sets that it stands beside.

    Args:
        value: of the synthetic data.
        ceiling: of another real sample in its place: training rows where held-out rows are the
            reference (fidelity, coverage, utility), held-out rows where training rows are.
        independent: of training data whose columns (or pixels) are shuffled independently.
        copies: of training data drawn with replacement.
    """

    value: float
    ceiling: float | None
    independent: float | None = None
    copies: float | None = None


@dataclass(frozen=True)
class Row:
    """One figure beside its reference points.

    Args:
        axis: which question it answers.
        metric: what is measured.
        value, ceiling, independent, copies: see `Points`; None where it is not known.
        better: "near" means that the ceiling is the target from both sides.
        n: rows (or images) behind the figure.
        seed: of every random choice behind it.
        interval: 95 % interval of `value`, or None where it is not known.
        note: what it means, in plain words.
        floor_is: which of the two stands for bad data on this axis.
        headline: whether the summary may speak of it.
        scale: distance from the ceiling that counts as entirely bad where the floor says nothing.
        simple: of data that the simplest generator made, where a report has one. Like the other
            points; no verdict rests on it.
    """

    axis: Axis
    metric: str
    value: float
    ceiling: float | None
    independent: float | None
    copies: float | None
    better: Better
    n: int
    seed: int
    interval: tuple[float, float] | None = None
    note: str = ""
    floor_is: Floor = "independent"
    headline: bool = True
    scale: float = 1.0
    simple: float | None = None

    def __post_init__(self) -> None:
        for name in ("value", "ceiling", "independent", "copies", "simple"):
            number = getattr(self, name)
            if number is not None:
                object.__setattr__(self, name, rounded(number))
        if self.interval is not None:
            low, high = self.interval
            object.__setattr__(self, "interval", (rounded(low), rounded(high)))

    @property
    def floor(self) -> float | None:
        """The figure of data that is bad on this axis."""
        return self.copies if self.floor_is == "copies" else self.independent

    def gap(self) -> float | None:
        """How far the value is from the ceiling, in units of the way to the floor.

        0 = level with held-out real data (or within the interval of it), 1 = as bad as the floor;
        None without a ceiling. Where the floor is hardly worse than the ceiling, `scale` takes
        its place.
        """
        if self.ceiling is None:
            return None
        if self.interval is not None and self.interval[0] <= self.ceiling <= self.interval[1]:
            return 0.0
        return max(0.0, self.worse(self.value)) / self.unit()

    def reach(self) -> float:
        """The gap of the worse end of the interval; of the value where there is none."""
        ends = self.interval or (self.value,)
        return max(0.0, *map(self.worse, ends)) / self.unit()

    def unit(self) -> float:
        """What a gap of 1 is, in the figure's own unit.

        The way from the ceiling to the floor; `scale` where that is hardly any way. A share of
        copies counts by `scale` if that is less: data need not be copied whole to be bad.
        """
        way = 0.0 if self.floor is None else self.worse(self.floor)
        if way < 0.1 * self.scale:
            return self.scale
        return min(way, self.scale) if self.floor_is == "copies" else way

    def worse(self, value: float) -> float:
        """How much worse than the ceiling a figure is, in its own unit; below 0 = better."""
        assert self.ceiling is not None
        if self.better == "near":
            return abs(value - self.ceiling)
        return value - self.ceiling if self.better == "lower" else self.ceiling - value


@dataclass(frozen=True)
class RowMaker:
    """Makes the rows of one report.

    Args:
        seed: of every random choice.
        n: rows or images behind a figure that does not say otherwise.
    """

    seed: int
    n: int

    def __call__(
        self,
        axis: Axis,
        metric: str,
        points: Points,
        better: Better,
        *,
        n: int | None = None,
        interval: tuple[float, float] | None = None,
        note: str = "",
        floor_is: Floor = "independent",
        headline: bool = True,
        scale: float = 1.0,
    ) -> Row:
        """A figure with its reference points; see `Row`."""
        return Row(
            axis,
            metric,
            points.value,
            points.ceiling,
            points.independent,
            points.copies,
            better,
            self.n if n is None else n,
            self.seed,
            interval,
            note,
            floor_is,
            headline,
            scale,
        )


@dataclass(frozen=True)
class Detail:
    """A table of particulars: one line per column, class or pair."""

    title: str
    headers: tuple[str, ...]
    lines: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        lines = tuple(
            tuple(rounded(x) if isinstance(x, float) else x for x in line) for line in self.lines
        )
        object.__setattr__(self, "lines", lines)


@dataclass(frozen=True, eq=False)
class Picture:
    """A small PNG with a caption."""

    caption: str
    png: bytes = field(repr=False)
    wide: bool = False


@dataclass(frozen=True, eq=False)
class Section:
    """What one question found: rows, then particulars and pictures."""

    title: str
    text: str
    rows: tuple[Row, ...] = ()
    details: tuple[Detail, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """The whole evaluation.

    Args:
        title: what was judged.
        facts: name and value of what a reader must know to repeat it (rows, seeds, paths).
        sections: in the order of reading.
        remarks: what was left out and how to get it.
        cautions: what changes how every verdict is to be read; said before them.
        answer: of a report that answers one question: the answer, in place of one line per axis.
    """

    title: str
    facts: dict[str, Cell]
    sections: tuple[Section, ...]
    remarks: tuple[str, ...] = field(default=())
    cautions: tuple[str, ...] = field(default=())
    answer: str = ""

    @property
    def rows(self) -> list[Row]:
        return [row for section in self.sections for row in section.rows]

    def __repr__(self) -> str:
        axes = ", ".join(dict.fromkeys(row.axis for row in self.rows))
        return f"<Report {self.title!r}: {len(self.rows)} figures on {axes or 'nothing'}>"


class Suite(Protocol):
    """Judges one kind of synthetic data."""

    def __call__(
        self,
        train: Raw,
        holdout: Raw,
        synthetic: Raw,
        schema: Any,
        *,
        target: str | None,
        seed: int,
        progress: Callable[[str], None],
    ) -> Report:
        """Compare synthetic data with real data that no training saw.

        Args:
            train: the real data that training saw.
            holdout: real data that training did not see; the reference.
            synthetic: what to judge.
            schema: what the data mean.
            target: what a user would predict, or None for what the schema says.
            seed: of every random choice.
            progress: told in a few words what is being computed.

        Raises:
            ValueError: when there is nothing to compare, saying why.
        """
