"""What a coverage study found: combinations and, of those that are short of rows, what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any, Literal

import numpy as np

from genmodels.metrics.coverage.counts import Barred, Coverage
from genmodels.metrics.coverage.differences import Difference, Tail
from genmodels.metrics.coverage.factors import Factor
from genmodels.metrics.tables.combinations import place

__all__ = ["WAYS", "Beside", "Found", "Gap", "Rare", "Why", "impossible", "named"]

Why = Literal[
    "the reference has it", "not by chance", "perhaps by chance", "a level is absent",
    "a part of it is missing", "thin",
]  # fmt: skip
WAYS = {1: "levels", 2: "pairs", 3: "triples", 4: "quadruples"}


@dataclass(frozen=True)
class Gap:
    """A possible combination that has fewer rows than it should.

    Args:
        given: level by factor, in words.
        values: the same for a simulator.
        rows: that have it.
        expected: rows if factors were independent.
        chance: probability that none has it, if they were.
        why: what to think of it.
        needs: rows that are lacking.
    """

    given: dict[str, str]
    values: dict[str, Any]
    rows: int
    expected: float
    chance: float
    why: Why
    needs: int

    def __str__(self) -> str:
        return named(self.given)


@dataclass(frozen=True)
class Rare:
    """A level that few rows of a reference have.

    Args:
        name: of the factor.
        level: in words.
        reference: rows of the reference that have it.
        rows: rows that have it.
    """

    name: str
    level: str
    reference: int
    rows: int


@dataclass(frozen=True, eq=False)
class Beside:
    """What a reference shows.

    Args:
        name: of the reference.
        rows: of it.
        coverages: by ways, its own coverage of the same factors.
        lacking: by ways, its combinations that the data lack.
        beyond: by ways, combinations of the data that it lacks.
        rare: its rare levels.
        tails: rows beyond its quantiles.
        joint: share of rows that are beyond two or more of them: of the data, of it.
    """

    name: str
    rows: int
    coverages: dict[int, Coverage]
    lacking: dict[int, Difference]
    beyond: dict[int, Difference]
    rare: tuple[Rare, ...]
    tails: tuple[Tail, ...]
    joint: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Found:
    """A whole study.

    Args:
        name: of the data.
        rows: of the data.
        factors: C of them.
        levels: rows of each level of each factor, (K + 1,) each; the last: rows not counted.
        coverages: by ways, ascending.
        barred: what cannot be.
        exclude: the same as asked.
        least: rows that each combination should have.
        level: probability below which a missing combination is conspicuous.
        beside: what a reference shows, if there is one.
        left_out: by name, why a column is no factor.
    """

    name: str
    rows: int
    factors: tuple[Factor, ...]
    levels: tuple[np.ndarray, ...]
    coverages: dict[int, Coverage]
    barred: tuple[Barred, ...]
    exclude: tuple[str, ...]
    least: int
    level: float
    beside: Beside | None
    left_out: dict[str, str]

    @property
    def top(self) -> Coverage:
        """Of the highest strength."""
        return self.coverages[max(self.coverages)]

    def gaps(self, ways: int, most: int | None = None) -> list[Gap]:
        """What is short of rows, that which most is expected of first; at most so many."""
        return list(islice(self._gaps(self.coverages[ways]), most))

    def _gaps(self, of: Coverage) -> Iterator[Gap]:
        chance, seen = of.chance(), of.conspicuous(self.level)
        for cell in of.below(self.least).tolist():
            yield self._gap(of, cell, float(chance[cell]), bool(seen[cell]))

    def _gap(self, of: Coverage, cell: int, chance: float, conspicuous: bool) -> Gap:
        rows, codes = int(of.seen.counts[cell]), self.codes(of, cell)
        absent = any(self.levels[f][k] == 0 for f, k in codes)
        why: Why = "not by chance" if conspicuous else "perhaps by chance"
        if self._partly(of.ways, codes):
            why = "a part of it is missing"
        why = "a level is absent" if absent else why
        if self.beside is not None and self.beside.coverages[of.ways].seen.counts[cell]:
            why = "the reference has it"
        why = "thin" if rows else why
        return Gap(
            given={self.factors[f].name: self.factors[f].levels[k] for f, k in codes},
            values={self.factors[f].name: self.factors[f].value(k) for f, k in codes},
            rows=rows,
            expected=float(of.expected[cell]),
            chance=chance,
            why=why,
            needs=self.least - rows,
        )

    def _partly(self, ways: int, codes: list[tuple[int, int]]) -> bool:
        """Whether no row has all but one of some levels."""
        lower = self.coverages.get(ways - 1)
        return lower is not None and any(
            not lower.seen.counts[lower.cell(*zip(*part, strict=True))]
            for part in combinations(codes, ways - 1)
        )

    def codes(self, of: Coverage, cell: int) -> list[tuple[int, int]]:
        """Factor and level of a cell."""
        factors, codes = place(of.seen, of.sizes, cell)
        return list(zip(factors.tolist(), codes, strict=True))

    def words(self, of: Coverage, cell: int) -> str:
        """A cell in words."""
        codes = self.codes(of, cell)
        return named({self.factors[f].name: self.factors[f].levels[k] for f, k in codes})


def named(given: dict[str, str]) -> str:
    """A combination in words, such as "sex = female, age = 80..120"."""
    return ", ".join(f"{name} = {level}" for name, level in given.items())


def impossible(factors: Sequence[Factor], barred: Sequence[Barred], most: int) -> list[dict]:
    """What cannot be, as a simulator is told: values that cannot be together, at most so many."""
    found: list[dict] = []
    for rule in barred:
        for codes in np.argwhere(rule.cells)[: most - len(found)].tolist():
            pairs = zip(rule.factors, codes, strict=True)
            found.append({factors[f].name: factors[f].value(k) for f, k in pairs})
    return found
