"""Blocks of rows gathered into the row groups of a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

__all__ = ["row_groups"]


def row_groups(tables: Iterator[pa.Table], rows: int, *, exact: bool = False) -> Iterator[pa.Table]:
    """The same rows in pieces of at least `rows`, but the last.

    Args:
        tables: some rows each.
        rows: of a group.
        exact: every piece but the last has a multiple of `rows`; the rest waits for the next.
    """
    held: list[pa.Table] = []
    size = 0
    for table in tables:
        held.append(table)
        size += table.num_rows
        if size >= rows:
            whole, rest = pa.concat_tables(held), size % rows if exact else 0
            yield whole.slice(0, size - rest)
            held, size = [whole.slice(size - rest)] * (rest > 0), rest
    if size:
        yield pa.concat_tables(held)
