"""New rows in blocks: made block by block, or all at once where a method knows no other way."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pyarrow as pa

__all__ = ["Blocks", "Whole"]


class Whole:
    """Rows of a table that are made together, when the first of them is asked for.

    Args:
        make: all of them.
        rows: how many they are.
        block_rows: rows handed over together.
    """

    def __init__(
        self, make: Callable[[], pa.Table], rows: int, *, block_rows: int = 65_536
    ) -> None:
        self._make, self.rows, self.block_rows = make, rows, block_rows
        self._made: pa.Table | None = None
        self._lock = threading.Lock()

    def block(self, number: int) -> pa.Table:
        with self._lock:
            if self._made is None:
                self._made = self._make()
                assert self._made.num_rows == self.rows, "as many rows as were planned"
        return self._made.slice(number * self.block_rows, self.block_rows)

    def real(self, rows: pa.Table) -> pa.Table:
        return rows


class Blocks:
    """Rows of a table that are made block by block.

    Args:
        make: rows of one block, from its number and the numbers of its rows (R,).
        rows: how many there are in all.
        block_rows: in each block but the last.
    """

    def __init__(
        self, make: Callable[[int, np.ndarray], pa.Table], rows: int, *, block_rows: int = 4096
    ) -> None:
        self._make, self.rows, self.block_rows = make, rows, block_rows

    def block(self, number: int) -> pa.Table:
        first = number * self.block_rows
        return self._make(number, np.arange(first, min(first + self.block_rows, self.rows)))

    def real(self, rows: pa.Table) -> pa.Table:
        return rows
