"""A report as JSON, Markdown, terminal tables and files; HTML is in `html.py`.

All forms print the same numbers: values are rounded when rows are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from genmodels.files import write_json, write_text
from genmodels.report.html import to_html
from genmodels.report.rows import Detail, Report, Row
from genmodels.report.summary import ARROWS, cell, number, summary, verdict

__all__ = ["print_report", "to_json", "to_markdown", "write_report"]

FORMAT = 2
HEADERS = (
    "figure", "synthetic", "95 % interval", "held-out real", "shuffled", "copies", "n", "seed",
    "verdict",
)  # fmt: skip


def to_json(report: Report) -> dict[str, Any]:
    """Everything but the pictures, as plain JSON; `format` counts changes of this structure."""
    return {
        "format": FORMAT,
        "title": report.title,
        "summary": summary(report),
        "facts": report.facts,
        "remarks": list(report.remarks),
        "sections": [
            {
                "title": section.title,
                "text": section.text,
                "rows": [_row_state(row) for row in section.rows],
                "details": [
                    {"title": d.title, "headers": list(d.headers), "lines": [*map(list, d.lines)]}
                    for d in section.details
                ],
            }
            for section in report.sections
        ],
    }


def to_markdown(report: Report) -> str:
    """The whole report without pictures as GitHub-flavoured Markdown."""
    out = [f"# {_plain(report.title)}", ""]
    out += [f"- {_plain(line)}" for line in summary(report)]
    out += [f"- {_plain(remark)}" for remark in report.remarks]
    out += ["", *_grid(("fact", "value"), [(k, cell(v)) for k, v in report.facts.items()]), ""]
    for section in report.sections:
        out += [f"## {_plain(section.title)}", "", _plain(section.text), ""]
        if section.rows:
            out += [*_grid(HEADERS, [_line(row) for row in section.rows]), ""]
        for detail in section.details:
            out += [f"### {_plain(detail.title)}", "", *_detail_grid(detail), ""]
    return "\n".join(out)


def print_report(report: Report, console: Console) -> None:
    """Summary and headline table on a terminal."""
    for line in (*summary(report), *report.remarks):
        console.print(f"• {escape(line)}", highlight=False)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("axis", "figure"):
        table.add_column(name, overflow="fold")
    for name in ("synthetic", "held-out real", "shuffled", "copies"):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("verdict", overflow="fold")
    for row in report.rows:
        figure = f"{row.metric} {ARROWS[row.better]}"
        points = (row.value, row.ceiling, row.independent, row.copies)
        numbers = tuple(map(number, points))
        table.add_row(row.axis, escape(figure), *numbers, escape(verdict(row)))
    console.print(table)


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write report.json, report.md and report.html; each appears whole or not at all.

    Returns:
        The three paths.
    """
    paths = [folder / f"report.{suffix}" for suffix in ("json", "md", "html")]
    write_json(paths[0], to_json(report))
    write_text(paths[1], to_markdown(report))
    write_text(paths[2], to_html(report))
    return paths


def _row_state(row: Row) -> dict[str, Any]:
    return {
        "axis": row.axis,
        "metric": row.metric,
        "value": row.value,
        "ceiling": row.ceiling,
        "independent": row.independent,
        "copies": row.copies,
        "floor_is": row.floor_is,
        "better": row.better,
        "n": row.n,
        "seed": row.seed,
        "interval": None if row.interval is None else list(row.interval),
        "verdict": verdict(row),
        "note": row.note,
    }


def _line(row: Row) -> tuple[str, ...]:
    interval = "-" if row.interval is None else " to ".join(map(number, row.interval))
    points = (number(row.ceiling), number(row.independent), number(row.copies))
    figure = f"{row.metric} {ARROWS[row.better]}"
    last = (number(row.n), str(row.seed), verdict(row))
    return (figure, number(row.value), interval, *points, *last)


def _detail_grid(detail: Detail) -> list[str]:
    return _grid(detail.headers, [tuple(map(cell, line)) for line in detail.lines])


def _grid(headers: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    rows = [f"| {' | '.join(map(_plain, line))} |" for line in (headers, *lines)]
    return [rows[0], "|" + " --- |" * len(headers), *rows[1:]]


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: no tags, no new cells, no line ends."""
    flat = " ".join(text.split())
    for sign in "\\`*_[]|":
        flat = flat.replace(sign, "\\" + sign)
    return flat.replace("<", "&lt;").replace(">", "&gt;")
