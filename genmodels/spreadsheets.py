"""Text cells that a spreadsheet would take for formulas, and run: made harmless, and restored.

A cell that begins with = + - @, a tab or a line break and is no plain number gets an apostrophe
before it, which spreadsheets take for the mark of a text. One that has apostrophes there already
gets one more, so that taking one away restores every cell.

References:
    OWASP, "CSV Injection"; MITRE, CWE-1236.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["guarded", "restored"]

_RUNS = r"[=+\-@\t\r\n\x00]"
_FORMULA = rf"(?s)^'*{_RUNS}."
_GUARDED = rf"(?s)^''*{_RUNS}."
_NUMBER = r"^'*[+\-](\d+\.?\d*|\.\d+)([eE][+\-]?\d+)?$"


def guarded(texts: pa.Array) -> pa.Array:
    """Texts (N,) as they are safe to be opened in a spreadsheet."""
    return _changed(texts, _FORMULA, lambda cells: pc.binary_join_element_wise("'", cells, ""))


def restored(texts: pa.Array) -> pa.Array:
    """The texts (N,) that `guarded` was given."""
    return _changed(texts, _GUARDED, lambda cells: pc.utf8_slice_codeunits(cells, 1))


def _changed(texts: pa.Array, pattern: str, change: Callable[[pa.Array], pa.Array]) -> pa.Array:
    found = pc.fill_null(pc.match_substring_regex(texts, pattern), False)
    if not pc.any(found).as_py():
        return texts
    found = pc.and_not(found, pc.fill_null(pc.match_substring_regex(texts, _NUMBER), False))
    return pc.if_else(found, change(texts), texts)
