"""A report as one self-contained HTML file: no network, no script, everything escaped.

The figures are those of `report.json`. Pictures and long particulars are cut to a size that opens
anywhere; what was cut is said.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape

from genmodels.report.page.html_parts import chip, detail, ends, key, picture, rows_of
from genmodels.report.page.strip import strip
from genmodels.report.page.style import STYLE
from genmodels.report.page.summary import Finding, findings
from genmodels.report.page.texts import cell, flat
from genmodels.report.page.verdicts import judge, severity
from genmodels.report.rows import READING, Picture, Report, Section

__all__ = ["to_html"]

PICTURE_BYTES = 900_000


def to_html(report: Report) -> str:
    """The whole report with its pictures, below 1.5 MB."""
    found = findings(report)
    digest = b64encode(sha256(STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; "
        "form-action 'none'"
    )
    title = escape(flat(report.title))
    shown, left_out = _affordable(report)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{STYLE}</style></head><body>",
            f"<h1>{title}</h1>",
            f'<p class="dim">{_facts(report)}</p>',
            *(f"<p><b>{escape(flat(caution))}</b></p>" for caution in report.cautions),
            _summary(report, found),
            _remarks([*report.remarks, *left_out]),
            "" if report.answer else _reading(report),
            _contents(report.sections),
            *(_section(k, section, shown) for k, section in enumerate(report.sections)),
            "</body></html>\n",
        ]
    )


def _summary(report: Report, found: Sequence[Finding]) -> str:
    if report.answer:
        return f"<p><b>{escape(flat(report.answer))}</b></p>"
    return f'<div class="axes">{"".join(map(_axis, found))}</div>'


def _reading(report: Report) -> str:
    how = f"<details><summary>How to read this</summary><p>{READING}</p></details>"
    signs = key(simple=any(row.simple is not None for row in report.rows))
    return f'<p class="key">{signs}</p>{how}'


def _axis(found: Finding) -> str:
    row, name = found.worst, escape(found.axis.capitalize())
    if row is None:
        told = f"<p>{escape(found.sentence)}</p><span></span>"
        mark = '<span><span class="chip untested">not tested</span></span>'
        return f'<div class="axis untested"><b>{name}</b>{mark}{told}</div>'
    note = f" {escape(flat(row.note))}" if row.note else ""
    others = sum(found.counts.values())
    worst = f"Worst of {others} figures: " if others > 1 else ""
    return (
        f'<div class="axis"><b>{name}</b><span>{chip(row)}</span>'
        f"<div><p>{escape(found.sentence)}</p>"
        f'<p class="dim">{worst}{escape(found.figure)}.{note}</p></div>'
        f"<div>{strip(row)}{ends(row)}</div></div>"
    )


def _facts(report: Report) -> str:
    return " · ".join(f"{escape(flat(k))}: {escape(cell(v))}" for k, v in report.facts.items())


def _remarks(remarks: Sequence[str]) -> str:
    if not remarks:
        return ""
    return f'<ul class="remarks">{"".join(f"<li>{escape(flat(r))}</li>" for r in remarks)}</ul>'


def _contents(sections: Sequence[Section]) -> str:
    lines = []
    for k, section in enumerate(sections):
        judged = [row for row in section.rows if row.headline and severity(row) is not None]
        worst = max(judged, key=lambda row: severity(row) or 0.0, default=None)
        mark = "" if worst is None or judge(worst) == "level" else f" {chip(worst)}"
        lines.append(f'<li><a href="#s{k}">{escape(flat(section.title))}</a>{mark}</li>')
    return f"<nav><ol>{''.join(lines)}</ol></nav>"


def _section(number: int, section: Section, shown: set[int]) -> str:
    title = escape(flat(section.title))
    parts = [f'<h2 id="s{number}">{title}</h2><p>{escape(flat(section.text))}</p>']
    if section.rows:
        parts.append(rows_of(section.rows))
    pictures = [p for p in section.pictures if id(p) in shown]
    if pictures:
        parts.append(f'<div class="pictures">{"".join(map(picture, pictures))}</div>')
    parts += map(detail, section.details)
    return "\n".join(parts)


def _affordable(report: Report) -> tuple[set[int], list[str]]:
    """Which pictures fit into the file, in the order of reading, and a remark on the others."""
    everything: list[Picture] = [p for s in report.sections for p in s.pictures]
    shown: set[int] = set()
    spent = 0
    for one in everything:
        if spent + len(one.png) <= PICTURE_BYTES:
            spent += len(one.png)
            shown.add(id(one))
    lost = len(everything) - len(shown)
    text = f"{lost} of {len(everything)} pictures were left out to keep this file small."
    return shown, [text] if lost else []
