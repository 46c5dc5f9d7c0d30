"""How every form of a report writes numbers and names.

Names come from strangers' data: they may hold line ends, terminal codes and marks that turn the
direction of writing. Those are taken out here; what is special to HTML, Markdown or a terminal is
escaped where that form is written. JSON keeps names as they are.
"""

from __future__ import annotations

import unicodedata

from genmodels.report.rows import Cell, Row

__all__ = ["ARROWS", "cell", "flat", "interval", "number", "short"]

ARROWS = {"lower": "↓", "higher": "↑", "near": "≈"}

# Control, format (such as right-to-left overrides), surrogate, private and unassigned letters.
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")
JOINER = "\u200d"


def number(value: float | int | None) -> str:
    """A number as every form of the report prints it."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.5g}" if abs(value) < 1e5 else f"{value:.4e}"


def cell(value: Cell) -> str:
    """Text of a cell: numbers as `number` prints them, names on one line."""
    return flat(value) if isinstance(value, str) else number(value)


def interval(row: Row) -> str:
    """The 95 % interval of a row."""
    return "-" if row.interval is None else " to ".join(map(number, row.interval))


def flat(text: str) -> str:
    """One line without letters that cannot be seen; the joiner of emoji stays."""
    kept = (
        c if c == JOINER or unicodedata.category(c) not in UNSEEN else " " if c.isspace() else "�"
        for c in text
    )
    return " ".join("".join(kept).split())


def short(text: str, width: int) -> str:
    """`flat` text of at most that many letters; the middle is left out."""
    line = flat(text)
    if len(line) <= width:
        return line
    tail = width // 4
    return f"{line[: width - tail - 3]}...{line[-tail:]}"
