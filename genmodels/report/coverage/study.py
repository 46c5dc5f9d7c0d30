"""The coverage study: from rows and settings to what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from genmodels.metrics.coverage.counts import Barred, Coverage, cells_of, cover
from genmodels.metrics.coverage.differences import difference, joint_tail, tails
from genmodels.metrics.coverage.factors import (
    Factor,
    Gaps,
    codes_of,
    factors_of,
    offered,
    sizes_of,
)
from genmodels.metrics.tables.views import TableView
from genmodels.report.coverage.found import Beside, Found, Rare
from genmodels.schema import TableSchema

__all__ = ["CoverageStudy"]


class CoverageStudy:
    """Counts the combinations of factors.

    Args:
        strength: of how many factors values are combined at most, from 1; lower ones from 2 on
            are counted, too.
        least: rows that each combination should have, at least 1.
        possible: "all" that is not barred, or what the data or a "reference" have.
        quantiles: bins of a number without edges of its own.
        missing: whether missing values are a level, or are not counted.
        most_levels: of a factor.
        most_cells: combinations that are counted.
        level: probability below which a missing combination is conspicuous.
        rare: share of the reference's rows below which a level is rare.
        tails: probabilities of the quantiles of the reference beyond which a number is extreme.
    """

    def __init__(
        self,
        *,
        strength: int,
        least: int,
        possible: Literal["all", "reference"],
        quantiles: int,
        missing: Gaps,
        most_levels: int,
        most_cells: int,
        level: float,
        rare: float,
        tails: Sequence[float],
    ) -> None:
        for key, number in (("strength", strength), ("least", least), ("quantiles", quantiles)):
            if number < 1:
                raise ValueError(f"{key} must be at least 1, got {number}")
        if len(tails) != 2 or not 0 < tails[0] < 0.5 < tails[1] < 1:
            raise ValueError(f"tails must be a low and a high probability, got {list(tails)}")
        self.strength = strength
        self.least = least
        self.possible = possible
        self.quantiles = quantiles
        self.missing: Gaps = missing
        self.most_levels = most_levels
        self.most_cells = most_cells
        self.level = level
        self.rare = rare
        self.tails = (tails[0], tails[1])

    def factors(
        self,
        view: TableView,
        schema: TableSchema,
        names: Sequence[str],
        edges: Mapping[str, Sequence[float | str] | int],
    ) -> tuple[list[Factor], dict[str, str]]:
        """The named factors, or all that are fit; and why others are none.

        Raises:
            ValueError: when one cannot be a factor, or there are too few for the strength.
        """
        chosen, left_out = list(names), dict[str, str]()
        if not names:
            chosen, left_out = offered(view, schema, most_levels=self.most_levels)
            chosen += [name for name in edges if name not in chosen]
        found = factors_of(
            view,
            schema,
            chosen,
            edges=edges,
            bins=self.quantiles,
            gaps=self.missing,
            most_levels=self.most_levels,
        )
        self._check(found)
        return found, left_out

    def _check(self, factors: Sequence[Factor]) -> None:
        if len(factors) < self.strength:
            names = ", ".join(factor.name for factor in factors) or "none"
            raise ValueError(
                f"strength={self.strength} combines {self.strength} factors, but there "
                f"{'is' if len(factors) == 1 else 'are'} {len(factors)}: {names}"
            )
        cells = cells_of(sizes_of(factors).tolist(), self.strength)
        if cells > self.most_cells:
            raise ValueError(
                f"{len(factors)} factors have {cells:,} combinations of {self.strength}, at most "
                f"most_cells={self.most_cells:,} are counted; name fewer factors, or give them "
                "fewer levels (quantiles, bins.<name>, most_levels)"
            )

    def count(
        self,
        name: str,
        view: TableView,
        factors: Sequence[Factor],
        *,
        barred: Sequence[Barred] = (),
        exclude: Sequence[str] = (),
        reference: tuple[str, TableView] | None = None,
        left_out: Mapping[str, str] | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> Found:
        """Count all combinations.

        Args:
            name: of the data.
            view: its rows.
            factors: of `factors`.
            barred: what cannot be.
            exclude: the same as asked.
            reference: other rows and their name.
            left_out: of `factors`.
            progress: told in a few words what is being counted.
        """
        if self.possible == "reference" and reference is None:
            raise ValueError("possible=reference needs reference=<other data>")
        codes, sizes = codes_of(factors, view), sizes_of(factors)
        coverages = {}
        for ways in range(min(2, self.strength), self.strength + 1):
            progress(f"{ways}-way combinations")
            coverages[ways] = cover(codes, sizes, ways, barred)
        beside = None
        if reference is not None:
            progress("the reference")
            beside = self._beside(coverages, codes, view, factors, *reference, barred)
            if self.possible == "reference":
                coverages = {
                    ways: of.among(beside.coverages[ways]) for ways, of in coverages.items()
                }
        return Found(
            name=name,
            rows=len(view),
            factors=tuple(factors),
            levels=_levels(codes, sizes),
            coverages=coverages,
            barred=tuple(barred),
            exclude=tuple(exclude),
            least=self.least,
            level=self.level,
            beside=beside,
            left_out=dict(left_out or {}),
        )

    def _beside(
        self,
        coverages: Mapping[int, Coverage],
        codes: np.ndarray,
        view: TableView,
        factors: Sequence[Factor],
        name: str,
        other: TableView,
        barred: Sequence[Barred],
    ) -> Beside:
        theirs, sizes, lacking, beyond, own = (
            codes_of(factors, other),
            sizes_of(factors),
            {},
            {},
            {},
        )
        for ways, mine in coverages.items():
            own[ways] = cover(theirs, sizes, ways, barred)
            there, here = own[ways].seen, mine.seen
            n, m = len(view), len(other)
            lacking[ways] = difference(there, here, of_rows=m, drawn=n)
            beyond[ways] = difference(here, there, of_rows=n, drawn=m)
        numbers = [factor.name for factor in factors if factor.name in view.numeric]
        pair = view.only(numbers), other.only(numbers)
        both = _levels(codes, sizes), _levels(theirs, sizes)
        rare = [
            Rare(factor.name, level, int(b), int(a))
            for factor, here, there in zip(factors, *both, strict=True)
            for level, a, b in zip(factor.levels, here, there, strict=False)
            if 0 < b < self.rare * len(other)
        ]
        return Beside(
            name=name,
            rows=len(other),
            coverages=own,
            lacking=lacking,
            beyond=beyond,
            rare=tuple(sorted(rare, key=lambda one: (one.rows > 0, -one.reference))),
            tails=tuple(tails(*pair, self.tails)),
            joint=joint_tail(*pair, self.tails),
        )


def _levels(codes: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, ...]:
    """Rows of each code of each factor."""
    return tuple(np.bincount(codes[:, c], minlength=int(size)) for c, size in enumerate(sizes))
