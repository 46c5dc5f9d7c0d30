"""Saying that values of a column do not fit: an error, or a warning and missing values."""

from __future__ import annotations

import logging

import numpy as np

from genmodels.data.columns import Texts
from genmodels.schema import Column

__all__ = ["Problem"]

logger = logging.getLogger(__name__)


class Problem:
    """What to do about values of one column that its schema does not allow.

    Args:
        column: from the schema.
        strict: raise; otherwise warn, and the caller makes the values missing.
        refuses: raise for values without meaning in the column even if not strict.
    """

    def __init__(self, column: Column, strict: bool, refuses: bool = True) -> None:
        self.column = column
        self.strict = strict
        self.refuses = refuses
        self.reported, self.rows = False, 0

    def report(self, texts: Texts, bad: np.ndarray, why: str) -> None:
        """Args: bad: which values do not fit, bool, shape (U,); why: what was expected.

        Raises:
            ValueError: naming the column, the first such value, its row and what to edit.
        """
        self.reported = True
        index = int(np.flatnonzero(bad)[0])
        rows = int(texts.counts[bad].sum())
        self.rows += rows
        value = texts.values[index].as_py()
        if self.strict:
            raise ValueError(self._advice(value, texts.first_row(index), rows, why))
        what = f"{rows:,} values such as {value!r} are" if rows > 1 else f"{value!r} is"
        logger.warning("column %r: %s taken as missing: %s", self.column.name, what, why)

    def refuse(self, texts: Texts, bad: np.ndarray, why: str) -> None:
        """The same for values that have no meaning in the column: raise, strict or not.

        Unless told not to: then the caller makes them missing.
        """
        if not (self.strict or self.refuses):
            return self.report(texts, bad, why)
        index = int(np.flatnonzero(bad)[0])
        rows = int(texts.counts[bad].sum())
        raise ValueError(
            self._advice(texts.values[index].as_py(), texts.first_row(index), rows, why)
        )

    def _advice(self, value: str, row: int, rows: int, why: str) -> str:
        shown = repr(value if len(value) <= 60 else value[:60] + "...")
        more = f" (and {rows - 1:,} more)" if rows > 1 else ""
        return (
            f"column {self.column.name!r}, row {row}: {shown} does not fit{more}: {why}; mend the "
            f"data, or in the schema {self._edit(value)}"
        )

    def _edit(self, value: str) -> str:
        if self.column.kind in ("categorical", "boolean"):
            return f"add it to `levels`, or set closed: false, or missing: [{value!r}]"
        return f"set missing: [{value!r}] or another kind"
