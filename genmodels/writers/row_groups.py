"""Pieces of rows gathered into the row groups of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

__all__ = ["row_groups"]


def row_groups(pieces: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows in groups of exactly `rows`, but the last; at least one group.

    A group is contiguous in memory, so that what is written of it does not depend on the pieces.

    Args:
        pieces: some rows each, or none; at least one piece.
        rows: of a group.
    """
    held, size = list[pa.Table](), 0
    for piece in pieces:
        held.append(piece)
        size += piece.num_rows
        while size > rows:
            whole = pa.concat_tables(held)
            yield whole.slice(0, rows).combine_chunks()
            held, size = [whole.slice(rows)], size - rows
    yield pa.concat_tables(held).combine_chunks()
