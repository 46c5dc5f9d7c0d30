"""A report as JSON and as files; HTML, Markdown and the terminal have files of their own.

All forms print the same numbers: values are rounded when rows are made.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genmodels.files import write_json, write_text
from genmodels.report.page.html import to_html
from genmodels.report.page.markdown import to_markdown
from genmodels.report.page.summary import Finding, findings, summary
from genmodels.report.page.terminal import print_report
from genmodels.report.page.verdicts import judge, verdict
from genmodels.report.rows import Report, Row, Section

__all__ = ["print_report", "to_json", "to_markdown", "write_report"]

FORMAT = 4


def to_json(report: Report) -> dict[str, Any]:
    """Everything but the pictures, as plain JSON.

    Returns:
        `format`: 4, counts changes of this structure; `title`; `summary`: one line per axis, the
        worst first; `axes`: the same as `axis`, `verdict` (see `verdicts.Kind`, or "untested"),
        `sentence`, `figure` (the worst headline figure in words) and `counts` of headline figures
        by verdict; `facts`: name -> value; `cautions`: what changes how every verdict is to be
        read; `remarks`: what was left out and how to get it; `sections`: `title`, `text`, `rows`,
        `details` and the captions of `pictures`.

        A row has `axis`, `metric`, `value`, `interval` (95 %, or null), `ceiling`,
        `independent` and `copies` (see `rows.Points`), `simple` (of the simplest generator, or
        null), `floor_is` (which of `independent` and `copies` is bad on this axis), `better`
        ("lower", "higher" or "near" the ceiling), `n`, `seed`, `headline` (whether it counts for
        its axis), `kind` and `verdict` (a word and a phrase for where the value lies), `note`.
        A detail has `title`, `headers` and `lines` of cells.
    """
    return {
        "format": FORMAT,
        "title": report.title,
        "summary": summary(report),
        "axes": [_axis(finding) for finding in findings(report)],
        "facts": report.facts,
        "cautions": list(report.cautions),
        "remarks": list(report.remarks),
        "sections": [_section(section) for section in report.sections],
    }


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


def _axis(found: Finding) -> dict[str, Any]:
    return {
        "axis": found.axis,
        "verdict": "untested" if found.worst is None else judge(found.worst),
        "sentence": found.sentence,
        "figure": found.figure,
        "counts": dict(found.counts),
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "text": section.text,
        "rows": [_row(row) for row in section.rows],
        "details": [
            {"title": d.title, "headers": list(d.headers), "lines": [*map(list, d.lines)]}
            for d in section.details
        ],
        "pictures": [picture.caption for picture in section.pictures],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "axis": row.axis,
        "metric": row.metric,
        "value": row.value,
        "interval": None if row.interval is None else list(row.interval),
        "ceiling": row.ceiling,
        "independent": row.independent,
        "copies": row.copies,
        "simple": row.simple,
        "floor_is": row.floor_is,
        "better": row.better,
        "n": row.n,
        "seed": row.seed,
        "headline": row.headline,
        "kind": judge(row),
        "verdict": verdict(row),
        "note": row.note,
    }
