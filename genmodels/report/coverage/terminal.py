"""A coverage study on a terminal: the worst sets of factors, and what is missing."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from genmodels.report.page.texts import cell, short
from genmodels.report.rows import Cell, Detail, Report

__all__ = ["print_details"]

MOST = 10
LONGEST = 90


def print_details(report: Report, console: Console) -> None:
    """The first lines of the tables of a coverage report, but for the levels of factors."""
    for section in report.sections[:-1]:
        for detail in section.details:
            if detail.lines and len(detail.headers) > 1:
                console.print()
                console.print(_table(detail))


def _table(detail: Detail) -> Table:
    more = len(detail.lines) - MOST
    table = Table(
        title=Text(short(detail.title, 120)), title_justify="left", box=None, header_style="bold",
        pad_edge=False, caption=Text(f"{more:,} more: see the report") if more > 0 else None,
        caption_justify="left",
    )  # fmt: skip
    for k, name in enumerate(detail.headers):
        values = [line[k] for line in detail.lines]
        table.add_column(
            name, justify="right" if all(map(_numeric, values)) else "left", overflow="fold"
        )
    for line in detail.lines[:MOST]:
        table.add_row(*(Text(short(cell(value), LONGEST)) for value in line))
    return table


def _numeric(value: Cell) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and value.endswith(" %"))
