"""t-way combination coverage: which combinations of levels rows have, lack, and ought to have.

References:
    Kuhn, Dominguez Mendoza, Kacker and Lei, Combinatorial coverage measurement concepts and
    applications, ICST workshops 2013: simple t-way coverage and (p, t)-completeness.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from math import comb, prod

import numpy as np

from genmodels.metrics.tables.combinations import Seen, seen

__all__ = ["Barred", "Coverage", "cells_of", "cover"]


@dataclass(frozen=True, eq=False)
class Barred:
    """Combinations that cannot be: structural zeros.

    Args:
        factors: their numbers, ascending (A,).
        cells: whether levels cannot be together, bool, one axis per factor.
    """

    factors: tuple[int, ...]
    cells: np.ndarray


@dataclass(frozen=True, eq=False)
class Coverage:
    """All combinations of t factors in n rows.

    A *cell* is a combination; arrays have one entry for each, in the order of `seen.counts`.

    Args:
        seen: rows that have each cell; cells that are not possible have none.
        sizes: codes of each factor (C,), the last of which is not counted.
        possible: which cells are levels that can be together, bool (cells,).
        expected: rows with each cell if factors were independent, float (cells,).
        n: rows.
    """

    seen: Seen
    sizes: np.ndarray
    possible: np.ndarray
    expected: np.ndarray
    n: int

    @property
    def ways(self) -> int:
        return int(self.seen.sets.shape[1])

    @property
    def total(self) -> int:
        """Possible cells."""
        return int(self.possible.sum())

    @property
    def share(self) -> float:
        """Simple t-way coverage: the share of possible cells that some row has; 1 of none."""
        return float((self.seen.counts > 0).sum()) / self.total if self.total else 1.0

    def below(self, least: int) -> np.ndarray:
        """Possible cells with fewer rows, those that most are expected of first, int64 (M,)."""
        at = np.flatnonzero(self.possible & (self.seen.counts < least))
        short = self.expected[at] - self.seen.counts[at]
        return at[np.lexsort((at, -short))]

    def chance(self) -> np.ndarray:
        """Probability that no row has each cell if factors were independent, float (cells,).

        (1 - expected / n)^n
        """
        if not self.n:
            return np.ones(len(self.expected))
        share = np.minimum(self.expected / self.n, 1.0)
        with np.errstate(divide="ignore"):
            return np.exp(self.n * np.log1p(-share))

    def conspicuous(self, level: float) -> np.ndarray:
        """Missing cells that chance alone would hardly leave out, bool (cells,).

        chance < level / possible cells: so there is one among all with at most that probability,
        if factors were independent (Bonferroni's bound).
        """
        missing = self.possible & (self.seen.counts == 0)
        return missing & (self.chance() < level / max(1, self.total))

    def by_set(self, values: np.ndarray) -> np.ndarray:
        """Sum of values (cells,) over each set of factors (S,)."""
        if not len(self.seen.sets):
            return np.zeros(0, dtype=np.int64)
        return np.add.reduceat(values.astype(np.int64), self.seen.start[:-1])

    def shares(self) -> np.ndarray:
        """Coverage of each set of factors (S,); 1 where nothing is possible."""
        possible = self.by_set(self.possible)
        found = self.by_set(self.seen.counts > 0)
        return np.where(possible > 0, found / np.maximum(possible, 1), 1.0)

    def among(self, other: Coverage) -> Coverage:
        """The same, with no cell possible that neither these rows nor others have."""
        either = (self.seen.counts > 0) | (other.seen.counts > 0)
        return replace(self, possible=self.possible & either)

    def cell(self, factors: Sequence[int], codes: Sequence[int]) -> int:
        """Where levels of ascending factors stand."""
        s = self._numbers[tuple(factors)]
        at = np.ravel_multi_index(tuple(codes), self.sizes[self.seen.sets[s]])
        return int(self.seen.start[s] + at)

    @cached_property
    def _numbers(self) -> dict[tuple[int, ...], int]:
        """By set of factors, its number."""
        return {factors: s for s, factors in enumerate(_rows(self.seen.sets))}

    def grid(self, s: int) -> np.ndarray:
        """The cells of one set as an array of counts with an axis per factor; impossible: -1."""
        span = slice(int(self.seen.start[s]), int(self.seen.start[s + 1]))
        counts = np.where(self.possible[span], self.seen.counts[span], -1)
        whole = counts.reshape(self.sizes[self.seen.sets[s]])
        return whole[tuple(slice(0, -1) for _ in range(self.ways))]


def cells_of(sizes: Sequence[int], ways: int) -> int:
    """How many cells factors of so many codes have."""
    if len(set(sizes)) == 1 and len(sizes):
        return comb(len(sizes), ways) * sizes[0] ** ways
    return sum(prod(some) for some in combinations(sizes, ways))


def cover(codes: np.ndarray, sizes: np.ndarray, ways: int, barred: Sequence[Barred]) -> Coverage:
    """Count all cells.

    Args:
        codes: (N, C), int64; the last code of each factor is not counted.
        sizes: codes of each factor (C,).
        ways: how many factors are combined, at least 1 and at most C.
        barred: what cannot be.
    """
    sets = np.array(list(combinations(range(len(sizes)), ways)), dtype=np.int64).reshape(-1, ways)
    counted = seen(codes, sizes, sets)
    possible = np.concatenate([_possible(sizes, s, barred) for s in _rows(sets)])
    margins = [
        np.bincount(codes[:, c], minlength=int(size)) / max(1, len(codes))
        for c, size in enumerate(sizes)
    ]
    expected = np.concatenate([_independent(margins, s) for s in _rows(sets)]) * len(codes)
    kept = replace(counted, counts=np.where(possible, counted.counts, 0))
    return Coverage(kept, sizes, possible, expected, len(codes))


def _rows(sets: np.ndarray) -> Iterator[tuple[int, ...]]:
    return (tuple(s) for s in sets.tolist())


def _possible(sizes: np.ndarray, s: tuple[int, ...], barred: Sequence[Barred]) -> np.ndarray:
    """Which cells of a set can be, bool (cells of the set,)."""
    whole = np.zeros([int(sizes[c]) for c in s], dtype=bool)
    levels = whole[tuple(slice(0, -1) for _ in s)]
    levels[...] = True
    for rule in barred:
        if set(rule.factors) <= set(s):
            shape = [int(sizes[c]) - 1 if c in rule.factors else 1 for c in s]
            levels &= ~rule.cells.reshape(shape)
    return whole.reshape(-1)


def _independent(margins: Sequence[np.ndarray], s: tuple[int, ...]) -> np.ndarray:
    """Product of the shares of the levels, float (cells of the set,)."""
    share = np.ones(1)
    for c in s:
        share = np.multiply.outer(share, margins[c])
    return share.reshape(-1)
