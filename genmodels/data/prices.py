"""One column of numbers of a file, in the order of its rows: what a simulator is fitted to."""

from __future__ import annotations

import difflib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.data.open import open_source

__all__ = ["Observed"]


class Observed:
    """A column of a table on disk.

    Args:
        path: a CSV, Parquet or Arrow file, oldest row first; None: there is none to load.
        column: its name; upper or lower case does not matter where it is unique.
    """

    def __init__(self, *, path: str | None, column: str) -> None:
        self.path, self.column = path, column

    def load(self) -> np.ndarray:
        """Its values, shape (N,), float64.

        Raises:
            FileNotFoundError: when there is no such file.
            ValueError: when there is no such column, or it holds something else than numbers.
        """
        assert self.path is not None, "asked for only where there is a file"
        table = open_source(self.path).load()
        if not isinstance(table, pa.Table):
            raise ValueError(f"fit={self.path} holds pictures; give a table of prices")
        values = table[self._name(table.column_names)].combine_chunks()
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            texts = pc.utf8_trim_whitespace(values)
            values = pc.if_else(pc.equal(texts, ""), None, texts)
        try:
            found = np.asarray(values.cast(pa.float64()).fill_null(float("nan")))
        except pa.ArrowException as error:
            raise ValueError(
                f"column={self.column} of {self.path} holds something else than numbers: {error}"
            ) from error
        return found.astype(np.float64)

    def _name(self, names: list[str]) -> str:
        if self.column in names:
            return self.column
        alike = [name for name in names if name.lower() == self.column.lower()]
        if len(alike) == 1:
            return alike[0]
        close = difflib.get_close_matches(self.column, names, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names)}"
        raise ValueError(f"{self.path} has no column={self.column}; {hint}")
