"""Pieces of the HTML report: chips, rows of figures, particulars and pictures, all escaped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from io import BytesIO

from PIL import Image

from genmodels.report.page.strip import mark, strip
from genmodels.report.page.texts import ARROWS, cell, flat, interval, number, short
from genmodels.report.page.verdicts import Kind, judge
from genmodels.report.page.verdicts import chip as chip_text
from genmodels.report.rows import SIMPLE, Cell, Detail, Picture, Row

__all__ = ["chip", "detail", "ends", "key", "picture", "rows_of"]

LINES = 150
SIGNS: dict[Kind, str] = {
    "level": "●", "close": "◐", "worse": "▲", "bad": "■", "floor": "■", "beyond": "■",
    "unsure": "?", "unknown": "",
}  # fmt: skip
POINTS = ("synthetic", "95 % interval", "held-out real", "independent", "copies")
LAST = ("n", "seed")
# Pictures without a density of their own are shown at this many dots per inch.
DENSITY = 96.0


def chip(row: Row) -> str:
    """The verdict in its colour, with a sign for readers who see no colour."""
    kind = judge(row)
    return f'<span class="chip {kind}">{SIGNS[kind]} {escape(chip_text(row))}</span>'


def ends(row: Row) -> str:
    """What stands at the left and at the right end of a strip."""
    right = {"independent": "shuffled", "copies": "copies"}[row.floor_is]
    known = row.floor is not None and row.ceiling is not None
    last = right if known and judge(row) not in ("bad", "unknown") else "worse"
    return f'<div class="ends"><span>held-out real</span><span>{last}</span></div>'


def key(*, simple: bool) -> str:
    """What the signs of a strip and the colours of pictures mean.

    Args:
        simple: whether there is a simplest generator beside the synthetic data.
    """
    names = {
        "synthetic": "synthetic, with its 95 % interval",
        "held": "held-out real (left: good)",
        "independent": "independent: each column shuffled",
        "copies": "copies of training data",
    }
    if simple:
        names["simple"] = f"{SIMPLE}: the simplest generator"
    signs = [
        f'<span><svg viewBox="0 0 12 22" width="12" height="22" aria-hidden="true">'
        f"{mark(name, 6.0)}</svg> {text}</span>"
        for name, text in names.items()
    ]
    pictures = '<span>Pictures: <b class="real">■ real</b>, <b class="made">■ synthetic</b>, '
    return "".join(signs) + pictures + '<b class="third">■ hybrid</b></span>'


def rows_of(rows: Sequence[Row]) -> str:
    """Figures with their strip and reference points, one a line."""
    simple = any(row.simple is not None for row in rows)
    headers = (*POINTS, *([SIMPLE] if simple else []), *LAST)
    names = "".join(f'<th class="n">{name}</th>' for name in headers)
    head = f"<tr><th>figure</th><th>verdict</th><th>better ← → worse</th>{names}</tr>"
    lines = "".join(_row(row, simple=simple) for row in rows)
    return f'<div class="wide"><table class="figures">{head}{lines}</table></div>'


def detail(particulars: Detail) -> str:
    """A table of particulars; long ones are closed, and cut."""
    head = "".join(
        f"<th{_class(column)}>{escape(flat(name))}</th>"
        for name, column in zip(particulars.headers, _columns(particulars), strict=True)
    )
    lines = ["<tr>" + "".join(map(_cell, line)) + "</tr>" for line in particulars.lines[:LINES]]
    more = len(particulars.lines) - len(lines)
    cut = f'<p class="note">{more:,} more lines are in report.json.</p>' if more else ""
    state = " open" if len(particulars.lines) <= 12 else ""
    return (
        f"<details{state}><summary>{escape(flat(particulars.title))}</summary>"
        f'<div class="wide"><table><tr>{head}</tr>{"".join(lines)}</table></div>{cut}</details>'
    )


def picture(shown: Picture) -> str:
    """An embedded picture at its natural size; the caption is its text for those who see none."""
    with Image.open(BytesIO(shown.png)) as opened:
        density = float(opened.info.get("dpi", (DENSITY, DENSITY))[0])
        width, height = (round(x * DENSITY / density) for x in opened.size)
    data, caption = b64encode(shown.png).decode(), escape(short(shown.caption, 600))
    kind = ' class="large"' if shown.wide or width > 240 else ""
    return (
        f'<figure{kind}><img alt="{caption}" width="{width}" height="{height}" '
        f'src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    )


def _row(row: Row, *, simple: bool) -> str:
    quiet = "" if row.headline else " quiet"
    span = len(POINTS) + simple + len(LAST) + 3
    note = f'<tr class="said"><td class="note" colspan="{span}">{escape(flat(row.note))}</td></tr>'
    points = [number(row.ceiling), number(row.independent), number(row.copies)]
    points += [number(row.simple)] if simple else []
    numbers = (interval(row), *points, number(row.n), str(row.seed))
    name = f"<span>{escape(flat(row.metric))} {ARROWS[row.better]}</span>"
    return (
        f'<tr class="figure{quiet}">'
        f'<td class="name">{name}</td><td class="chips">{chip(row)}</td>'
        f"<td>{strip(row)}</td>"
        f'<td class="n v">{number(row.value)}</td>'
        + "".join(f'<td class="n">{text}</td>' for text in numbers)
        + "</tr>"
        + (note if row.note else "")
    )


def _columns(particulars: Detail) -> list[Cell]:
    """One cell of each column, a number where the column has any."""
    return [
        next((x for x in column if isinstance(x, int | float)), "")
        for column in (
            [line[k] for line in particulars.lines] for k in range(len(particulars.headers))
        )
    ]


def _class(value: Cell) -> str:
    return "" if isinstance(value, str) else ' class="n"'


def _cell(value: Cell) -> str:
    return f"<td{_class(value)}>{escape(cell(value))}</td>"
