"""A uniform sample of a stream: the rows that come first in an order given by hashes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

__all__ = ["Part", "Reservoir"]

Part = tuple[pa.Table, np.ndarray]
"""Rows, and the number of each in the data."""
_MOST_PARTS = 256


class Reservoir:
    """Keeps `most` rows of all that it is offered, those lowest in order.

    Args:
        most: rows to keep.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._tables: list[pa.Table] = []
        self._numbers: list[np.ndarray] = []
        self._order: list[np.ndarray] = []
        self._count = 0
        self._below: np.uint64 | None = None

    def offer(self, part: Part, order: np.ndarray) -> Iterator[Part]:
        """Take rows in; yields those, of these and of earlier ones, that are left out for good."""
        table, numbers = part
        if self._below is not None:
            keep = order < self._below
            if not keep.all():
                yield table.filter(pa.array(~keep)), numbers[~keep]
                table, numbers, order = table.filter(pa.array(keep)), numbers[keep], order[keep]
        if len(numbers):
            self._tables.append(table)
            self._numbers.append(numbers)
            self._order.append(order)
            self._count += len(numbers)
        if len(self._tables) > _MOST_PARTS:  # of a late piece few rows are kept
            table, numbers, order = self._joined()
            self._tables, self._numbers, self._order = [table], [numbers], [order]
        if self._count > 2 * self.most:
            yield self._shrink()

    def finish(self) -> tuple[Part, np.ndarray, Part | None]:
        """The sample in its order, that order (uint64, ascending), and what is left out at last."""
        out = self._shrink() if self._count > self.most else None
        if not self._tables:
            return (pa.table({}), np.zeros(0, np.int64)), np.zeros(0, np.uint64), out
        table, numbers, order = self._joined()
        place = np.argsort(order, kind="stable")
        return (table.take(pa.array(place)), numbers[place]), order[place], out

    def _shrink(self) -> Part:
        table, numbers, order = self._joined()
        keep = np.zeros(len(order), bool)
        keep[np.argsort(order, kind="stable")[: self.most]] = True
        self._below = order[~keep].min()
        rest = table.filter(pa.array(~keep)), numbers[~keep]
        self._tables = [table.filter(pa.array(keep)).combine_chunks()]
        self._numbers, self._order = [numbers[keep]], [order[keep]]
        self._count = int(keep.sum())
        return rest

    def _joined(self) -> tuple[pa.Table, np.ndarray, np.ndarray]:
        table = pa.concat_tables(self._tables).combine_chunks()
        return table, np.concatenate(self._numbers), np.concatenate(self._order)
