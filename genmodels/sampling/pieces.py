"""Rows on their way from a sampler to a writer, in pieces that keep to the shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from genmodels.types import Raw, num_rows, take_rows

__all__ = ["Piece", "cuts", "part_of", "until"]


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows that were drawn together.

    Args:
        start, stop: the rows asked for, from and to.
        raw: what came of them; fewer rows where some were dropped.
    """

    start: int
    stop: int
    raw: Raw


def cuts(start: int, stop: int, every: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The spans into which the multiples of each of `every` cut start ... stop - 1, in order."""
    inside = {at for size in every for at in range(start - start % size + size, stop, size)}
    return pairwise([start, *sorted(inside), stop])


def part_of(raw: Raw, start: int, stop: int) -> Raw:
    """The rows start ... stop - 1, without a copy where that is possible."""
    if stop - start == num_rows(raw):
        return raw
    if isinstance(raw, pa.Table):
        return raw.slice(start, stop - start)
    return take_rows(raw, np.arange(start, stop))


def until(pieces: Iterator[Piece], stop: int) -> Iterator[Raw]:
    """The next pieces of a stream, up to the one that ends at row `stop`; it draws no further."""
    for piece in pieces:
        yield piece.raw
        if piece.stop >= stop:
            return
