"""A report on a terminal: what each axis came to, and the figures that count."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from genmodels.report.page.summary import Finding, findings
from genmodels.report.page.texts import ARROWS, flat, number, short
from genmodels.report.page.verdicts import Kind, chip, judge, severity
from genmodels.report.rows import SIMPLE, Report, Row

__all__ = ["print_report"]

STYLES: dict[Kind, str] = {
    "level": "green", "close": "green", "worse": "yellow", "bad": "bold red", "floor": "bold red",
    "beyond": "bold red", "unsure": "dim", "unknown": "dim",
}  # fmt: skip
LONGEST, MOST = 72, 12


def print_report(report: Report, console: Console) -> None:
    """Cautions, what each axis came to, what was left out, and the figures that are not level.

    Everything else is in the files.
    """
    if report.answer:
        console.print(Text(flat(report.answer), "bold"))
    for caution in report.cautions:
        console.print(Text(flat(caution), "bold"))
    found = findings(report)
    for finding in found:
        console.print(_finding(finding))
    for remark in report.remarks:
        console.print(Text(f"• {flat(remark)}"))
    worst = [f.worst for f in found if f.worst is not None]
    telling = [r for r in report.rows if r.headline and (judge(r) != "level" or r in worst)]
    shown = sorted(telling, key=lambda row: -(severity(row) or 0.0))[:MOST]
    if shown:
        console.print(_figures(shown))
    more = len(report.rows) - len(shown)
    if more:
        figures = "figure" if more == 1 else "figures"
        level = sum(r.headline and judge(r) == "level" and r not in shown for r in report.rows)
        told = f" ({level:,} of those that count are level with held-out real data)" * (level > 0)
        console.print(Text(f"{more:,} more {figures}{told} and all particulars: see the report."))


def _finding(found: Finding) -> Text:
    if found.worst is None:
        return Text(f"• {found.sentence}", "dim")
    line = Text(f"• {found.axis.capitalize()}: ")
    line.append(chip(found.worst), STYLES[judge(found.worst)])
    return line.append(f". {found.sentence}")


def _figures(rows: list[Row]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("figure", overflow="fold", min_width=18)
    simple = any(row.simple is not None for row in rows)
    others = ("held-out real", "independent", "copies", *([SIMPLE] if simple else []))
    for name in ("synthetic", *others):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("verdict", overflow="fold")
    for row in rows:
        figure = Text(f"{short(row.metric, LONGEST)} {ARROWS[row.better]}")
        points = [row.value, row.ceiling, row.independent, row.copies]
        points += [row.simple] if simple else []
        table.add_row(figure, *map(number, points), Text(chip(row), STYLES[judge(row)]))
    return table
