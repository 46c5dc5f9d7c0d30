"""A report as GitHub-flavoured Markdown, without its pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genmodels.report.page.summary import summary
from genmodels.report.page.texts import ARROWS, cell, flat, interval, number
from genmodels.report.page.verdicts import verdict
from genmodels.report.rows import READING, SIMPLE, Detail, Report, Row

__all__ = ["summary_markdown", "to_markdown"]

POINTS = ("figure", "synthetic", "95 % interval", "held-out real", "independent", "copies")
LAST = ("n", "seed", "verdict")


def to_markdown(report: Report) -> str:
    """The whole report: summary, facts, and each section with its figures and particulars."""
    out = [
        summary_markdown(report),
        "",
        READING,
        "",
        "Figures that do not count are marked (*).",
        "",
    ]
    out += [*_grid(("fact", "value"), [(k, cell(v)) for k, v in report.facts.items()]), ""]
    for section in report.sections:
        out += [f"## {_plain(section.title)}", "", _paragraph(section.text), ""]
        if section.rows:
            out += [*_figures(section.rows), ""]
        for detail in section.details:
            out += [f"### {_plain(detail.title)}", "", *_detail(detail), ""]
    return "\n".join(out)


def summary_markdown(report: Report) -> str:
    """Title, one line per axis, and what was left out."""
    out = [f"# {_plain(report.title)}", ""]
    for caution in report.cautions:
        out += [f"**{_paragraph(caution)}**", ""]
    out += [f"- {_paragraph(line)}" for line in summary(report)]
    out += [f"- {_paragraph(remark)}" for remark in report.remarks]
    return "\n".join(out)


def _figures(rows: Sequence[Row]) -> list[str]:
    simple = any(row.simple is not None for row in rows)
    headers = (*POINTS, *([SIMPLE] if simple else []), *LAST)
    return _grid(headers, [_line(row, simple=simple) for row in rows])


def _line(row: Row, *, simple: bool) -> tuple[str, ...]:
    points = [number(row.ceiling), number(row.independent), number(row.copies)]
    points += [number(row.simple)] if simple else []
    figure = f"{row.metric} {ARROWS[row.better]}{'' if row.headline else ' (*)'}"
    last = (number(row.n), str(row.seed), verdict(row))
    return (figure, number(row.value), interval(row), *points, *last)


def _detail(detail: Detail) -> list[str]:
    return _grid(detail.headers, [tuple(map(cell, line)) for line in detail.lines])


def _grid(headers: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    rows = [f"| {' | '.join(map(_plain, line))} |" for line in (headers, *lines)]
    return [rows[0], "|" + " --- |" * len(headers), *rows[1:]]


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: no tags, no new cells, no mathematics, no line ends."""
    line = flat(text).replace("&", "&amp;")
    for sign in "\\`*_[]|~$#":
        line = line.replace(sign, "\\" + sign)
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", line)  # before anything else it begins no tag


def _paragraph(text: str) -> str:
    """The same where a line of Markdown begins, and `>` in front would be a quotation."""
    return re.sub(r"^>", "&gt;", _plain(text))
