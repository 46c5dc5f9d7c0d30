"""A report as one self-contained HTML file: no network, no script, everything escaped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from genmodels.report.rows import Detail, Picture, Report, Row, Section
from genmodels.report.summary import ARROWS, cell, number, summary, verdict

__all__ = ["to_html"]

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881}
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin-bottom:.2rem}h2{font-size:1.2rem;margin-top:2.2rem}
table{border-collapse:collapse;font-size:.86rem;margin:.6rem 0;display:block;overflow-x:auto}
th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.v{font-weight:600}.summary{background:var(--soft);padding:.7rem 1rem .7rem 2rem}
.note{opacity:.7;font-size:.8rem}.facts{opacity:.8;font-size:.86rem}
.pictures{display:flex;flex-wrap:wrap;gap:.6rem}figure{margin:0;max-width:13rem}
figure.wide{max-width:100%}figcaption{font-size:.75rem;overflow-wrap:anywhere}
img{max-width:100%;background:#fff}summary{cursor:pointer}
.real{color:#6b7280}.synthetic{color:#d9480f}
"""


def to_html(report: Report) -> str:
    """The whole report with its pictures, below 1 MB for the sizes that the suites draw."""
    lines = [*summary(report), *report.remarks]
    facts = " · ".join(f"{escape(k)}: {escape(cell(v))}" for k, v in report.facts.items())
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{escape(report.title)}</title><style>{STYLE}</style></head><body>",
            f"<h1>{escape(report.title)}</h1>",
            f'<p class="facts">{facts}</p>',
            "<h2>Summary, worst first</h2>",
            '<ul class="summary">' + "".join(f"<li>{escape(x)}</li>" for x in lines) + "</ul>",
            '<p class="note">Each figure stands beside the same figure for held-out real data (as '
            "good as it gets) and for data that is useless on that axis, on equally many rows. "
            '↓ lower is better, ↑ higher, ≈ near the held-out figure. Pictures: <span class="real">'
            '■ real</span>, <span class="synthetic">■ synthetic</span>.</p>',
            *(_section(section) for section in report.sections),
            "</body></html>\n",
        ]
    )


def _section(section: Section) -> str:
    parts = [f"<h2>{escape(section.title)}</h2><p>{escape(section.text)}</p>"]
    if section.rows:
        parts.append(_rows(section.rows))
    if section.pictures:
        shown = "".join(map(_picture, section.pictures))
        parts.append(f'<div class="pictures">{shown}</div>')
    parts += map(_detail, section.details)
    return "\n".join(parts)


def _rows(rows: Sequence[Row]) -> str:
    names = ("synthetic", "95 % interval", "held-out real", "shuffled", "copies", "n", "seed")
    head = "<th>figure</th>" + "".join(f'<th class="n">{escape(n)}</th>' for n in names)
    return f"<table><tr>{head}<th>verdict</th></tr>{''.join(map(_row, rows))}</table>"


def _row(row: Row) -> str:
    interval = "-" if row.interval is None else " to ".join(map(number, row.interval))
    note = f'<div class="note">{escape(row.note)}</div>' if row.note else ""
    points = (number(row.ceiling), number(row.independent), number(row.copies))
    numbers = (interval, *points, number(row.n), str(row.seed))
    return (
        f"<tr><td>{escape(row.metric)} {ARROWS[row.better]}{note}</td>"
        f'<td class="n v">{number(row.value)}</td>'
        + "".join(f'<td class="n">{text}</td>' for text in numbers)
        + f"<td>{escape(verdict(row))}</td></tr>"
    )


def _detail(detail: Detail) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in detail.headers)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{'' if isinstance(x, str) else ' class=n'}>{escape(cell(x))}</td>" for x in line
        )
        + "</tr>"
        for line in detail.lines
    )
    return (
        f"<details{' open' if len(detail.lines) <= 20 else ''}><summary>{escape(detail.title)}"
        f"</summary><table><tr>{head}</tr>{body}</table></details>"
    )


def _picture(picture: Picture) -> str:
    data = b64encode(picture.png).decode()
    kind = ' class="wide"' if picture.wide else ""
    caption = escape(picture.caption)
    return (
        f'<figure{kind}><img alt="{caption}" src="data:image/png;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )
