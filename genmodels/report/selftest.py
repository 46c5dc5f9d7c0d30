"""Does a report see what it is said to see? Planted failures against its figures, as a matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from genmodels.metrics.planted import Failure, World
from genmodels.report.page.verdicts import Kind
from genmodels.report.page.verdicts import judge as judge_row
from genmodels.report.rows import Report, Row, Suite
from genmodels.schema import Schema

__all__ = ["FRESH", "LEAK", "Line", "Matrix", "judge"]

FRESH = "fresh real data"
LEAK = "held-out rows in the training data (a remark)"
SEES: tuple[Kind, ...] = ("worse", "bad", "floor", "beyond")
SIGNS = {0: "·", 1: "+", 2: "✗"}


@dataclass(frozen=True)
class Line:
    """What the figures said about one case.

    Args:
        name: of the failure, or `FRESH`.
        signs: by figure: 0 = nothing to see, 1 = close to real data, 2 = seen.
        expected: figures that must see it.
        missed: those, or beginnings of names, that did not.
        alarms: headline figures that saw something in fresh real data.
    """

    name: str
    signs: dict[str, int]
    expected: tuple[str, ...]
    missed: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.missed and not self.alarms


@dataclass(frozen=True)
class Matrix:
    """All cases of one kind of data against all figures."""

    title: str
    lines: tuple[Line, ...]

    @property
    def passed(self) -> bool:
        return all(line.passed for line in self.lines)

    @property
    def figures(self) -> list[str]:
        return list(dict.fromkeys(name for line in self.lines for name in line.signs))

    def state(self) -> dict:
        """Plain JSON."""
        return {
            "title": self.title,
            "passed": self.passed,
            "cases": [
                {
                    "case": line.name,
                    "passed": line.passed,
                    "must_be_seen_by": list(line.expected),
                    "missed_by": list(line.missed),
                    "false_alarms": list(line.alarms),
                    "figures": {name: SIGNS[sign] for name, sign in line.signs.items()},
                }
                for line in self.lines
            ],
        }

    def markdown(self) -> str:
        """A table with one line per figure and one column per case."""
        head = ["figure", *(line.name for line in self.lines)]
        rows = [[name, *(self._sign(line, name) for line in self.lines)] for name in self.figures]
        rows.append(["**passed**", *("yes" if line.passed else "**NO**" for line in self.lines)])
        text = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
        return "\n".join([f"### {self.title}", "", *text, ""])

    def terminal(self) -> Table:
        """The same for a terminal: cases are numbered columns, explained below."""
        legend = "\n".join(f"{k}  {line.name}" for k, line in enumerate(self.lines, 1))
        table = Table(
            title=self.title, title_justify="left", box=None, header_style="bold", pad_edge=False,
            caption=escape(legend), caption_justify="left",
        )  # fmt: skip
        table.add_column("figure", overflow="fold")
        for number in range(1, len(self.lines) + 1):
            table.add_column(str(number), justify="center", no_wrap=True)
        for name in self.figures:
            signs = (escape(self._sign(line, name)) for line in self.lines)
            table.add_row(escape(name), *signs)
        table.add_row("passed", *("yes" if line.passed else "NO" for line in self.lines))
        return table

    @staticmethod
    def _sign(line: Line, name: str) -> str:
        sign = SIGNS[line.signs[name]] if name in line.signs else ""
        return f"[{sign}]" if any(name.startswith(x) for x in line.expected) else sign


def judge(
    title: str,
    suite: Suite,
    schema: Schema,
    worlds: Sequence[World],
    failures: Sequence[Failure],
    *,
    seed: int,
    progress: Callable[[str], None],
) -> Matrix:
    """Plant each failure and see what the figures say.

    Args:
        title: of the matrix.
        suite: makes the report that is put to the test.
        schema: of the data.
        worlds: cases with fresh real data; failures are planted in the first one.
        failures: what to plant.
        seed: of the failures and of the report.
        progress: told what is being judged.
    """

    def report(world: World) -> Report:
        return suite(
            world.train,
            world.holdout,
            world.synthetic,
            schema,
            target=None,
            seed=seed,
            progress=lambda _: None,
        )

    lines = []
    for number, world in enumerate(worlds):
        progress(f"{title}: {FRESH}")
        lines.append(_fresh(f"{FRESH} {number + 1}", report(world)))
    for failure in failures:
        progress(f"{title}: {failure.name}")
        lines.append(_planted(failure, report(failure.plant(worlds[0], seed))))
    return Matrix(title, tuple(lines))


def _fresh(name: str, report: Report) -> Line:
    alarms = [row.metric for row in report.rows if row.headline and _sign(row) == 2]
    alarms += [LEAK] if _leak(report) else []
    return Line(name, _signs(report), (), alarms=tuple(alarms))


def _planted(failure: Failure, report: Report) -> Line:
    signs = _signs(report)
    seen = [figure for figure, sign in signs.items() if sign == 2]
    missed = [x for x in failure.caught_by if not any(name.startswith(x) for name in seen)]
    return Line(failure.name, signs, failure.caught_by, tuple(missed))


def _signs(report: Report) -> dict[str, int]:
    """By figure: a figure of that name in several sections counts as its worst."""
    signs: dict[str, int] = {}
    for row in report.rows:
        if row.ceiling is not None:
            signs[row.metric] = max(signs.get(row.metric, 0), _sign(row))
    return signs | {LEAK: 2 if _leak(report) else 0}


def _sign(row: Row) -> int:
    kind = judge_row(row)
    return 2 if kind in SEES else 1 if kind == "close" else 0


def _leak(report: Report) -> bool:
    return any("in the training data" in remark for remark in report.remarks)
