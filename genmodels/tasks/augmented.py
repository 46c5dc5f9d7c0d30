"""Real rows and what a recipe makes of them, from any to any, for the writers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from genmodels.augmentation.base import Fitted
from genmodels.provenance import ORIGINS, with_origins
from genmodels.sampling.pieces import Piece, cuts, part_of
from genmodels.types import Raw, num_rows

__all__ = ["Augmented", "Plain"]

PIECE = 65_536
MADE = ORIGINS.index("augmented")


class Augmented:
    """The real rows first and unchanged, then the new ones.

    Args:
        real: all real rows.
        fitted: makes the new ones.
        provenance: the name of what tells which is which; None: nothing does.
        origin: what the real rows are called, as they may come from a simulator or a model.
    """

    def __init__(
        self, *, real: Raw, fitted: Fitted, provenance: str | None, origin: str = "real"
    ) -> None:
        self.real, self.fitted, self.provenance = real, fitted, provenance
        self.origin = ORIGINS.index(origin)
        self.counts: Counter[str] = Counter()

    def pieces(self, start: int, stop: int, *, every: Sequence[int] = ()) -> Iterator[Piece]:
        known = num_rows(self.real)
        if start < known:
            for a, b in cuts(start, min(stop, known), (*every, PIECE)):
                rows = self.fitted.real(part_of(self.real, a, b))
                yield Piece(a, b, with_origins(rows, self.provenance, self.origin))
        size = self.fitted.block_rows
        first = max(start, known)
        for number in range((first - known) // size, -(-(stop - known) // size)):
            begin_of = known + number * size
            begin, end = max(first, begin_of), min(stop, begin_of + size)
            block = self.fitted.block(number)
            for a, b in cuts(begin, end, every):
                part = part_of(block, a - begin_of, b - begin_of)
                yield Piece(a, b, with_origins(part, self.provenance, MADE))


class Plain:
    """Rows that are in memory, as they are.

    Args:
        rows: all of them.
    """

    def __init__(self, *, rows: Raw) -> None:
        self.rows = rows
        self.counts: Counter[str] = Counter()

    def pieces(self, start: int, stop: int, *, every: Sequence[int] = ()) -> Iterator[Piece]:
        for a, b in cuts(start, stop, (*every, PIECE)):
            yield Piece(a, b, part_of(self.rows, a, b))
