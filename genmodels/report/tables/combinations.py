"""Coverage of values that go together: pairs and triples of columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from genmodels.metrics.intervals import beside, jackknife, wilson
from genmodels.metrics.tables.combinations import (
    Factors,
    Seen,
    factor_sets,
    fit_factors,
    place,
    row_means,
    seen,
    unseen,
)
from genmodels.metrics.tables.views import TableView
from genmodels.report.rows import Detail, Points, Row, Section
from genmodels.report.tables.parts import Parts, head
from genmodels.report.tables.tails import in_words

__all__ = ["combinations"]

NAMES = {2: "pairs of values", 3: "triples of values"}
MIN_ROWS = 10
MIN_COMMON = 20
LISTED = 15
BANK = 10  # times so many training rows tell what is known


def combinations(parts: Parts, *, rows: int, sets: int) -> Section | None:
    """2- and 3-way combination coverage; None with fewer than two columns.

    Args:
        rows: at most so many rows of each data set.
        sets: at most so many pairs and so many triples of columns, drawn at random from all.
    """
    if len(parts.train.names) < 2:
        return None
    factors = fit_factors(parts.train)
    found: list[Row] = []
    details: list[Detail] = []
    for ways in (2, 3)[: len(factors.names) - 1]:
        chosen = factor_sets(len(factors.names), ways, limit=sets, seed=parts.seed)
        counted = _Counted(parts, factors, chosen, min(rows, parts.n))
        fresh = _Fresh(parts, factors, chosen, rows)
        found += [*counted.rows(), *fresh.rows()]
        if ways == 2:
            details += [*counted.thin(), *fresh.invented()]
    text = (
        "Numbers are put in bins that are narrow at both ends (training quantiles 0.01, 0.05, "
        "0.25, 0.5, 0.75, 0.95 and 0.99), infrequent categories in one. Then the values that two "
        f"or three columns have together are counted; of many columns {sets:,} sets are drawn."
    )
    return Section("Combinations of values", text, tuple(found), tuple(details))


@dataclass(frozen=True, eq=False)
class _Counted:
    """Combinations of n rows of each data set, against as many held-out rows."""

    parts: Parts
    factors: Factors
    sets: np.ndarray
    n: int

    def count(self, view: TableView) -> Seen:
        return seen(self.factors(view), self.factors.sizes, self.sets)

    def rows(self) -> list[Row]:
        real = self.count(head(self.parts.holdout, self.n))
        common = real.counts >= MIN_ROWS
        name, total = NAMES[self.sets.shape[1]], int((real.counts > 0).sum())
        out = []
        if common.sum() >= MIN_COMMON:
            out.append(
                self._row(
                    f"{name} that occur at least half as often",
                    lambda a, b: a.kept(b, common),
                    note=f"Of {int(common.sum()):,} {name} that {MIN_ROWS} or more of {self.n:,} "
                    "held-out rows have.",
                    headline=True,
                    scale=0.3,
                )
            )
        note = f"Of {total:,} {name} of held-out rows; most are so rare that chance decides."
        out.append(
            self._row(
                f"{name} of held-out rows that occur at all",
                lambda a, b: a.recall(b),
                note=note,
                headline=False,
                scale=0.5,
            )
        )
        return out

    def _row(
        self,
        name: str,
        metric: Callable[[Seen, Seen], float],
        *,
        note: str,
        headline: bool,
        scale: float,
    ) -> Row:
        reference, made = head(self.parts.holdout, self.n), head(self.parts.synthetic, self.n)
        real = self.count(reference)
        points = Points(*(metric(real, self.count(v)) for v in self.parts.sides(self.n)))
        interval = jackknife(
            points.value,
            lambda kept: metric(self.count(reference.take(kept)), self.count(made.take(kept))),
            self.n,
            high=1.0,
        )
        return self.parts.row(
            "coverage",
            name,
            points,
            "higher",
            n=self.n,
            interval=interval,
            note=note,
            headline=headline,
            scale=scale,
        )

    def thin(self) -> list[Detail]:
        """The commonest combinations that occur less than half as often."""
        real = self.count(head(self.parts.holdout, self.n))
        made = self.count(head(self.parts.synthetic, self.n)).counts
        thin = np.flatnonzero((real.counts >= MIN_ROWS) & (2 * made < real.counts))
        lost = (real.counts - made)[thin]
        order = thin[np.argsort(-lost, kind="stable")][:LISTED]
        lines = tuple(
            (
                _words(self.parts, self.factors, real, int(k)),
                int(real.counts[k]),
                int(made[k]),
            )
            for k in order
        )
        headers = ("values", "held-out rows", f"of {self.n:,} synthetic rows")
        title = f"Pairs that occur less than half as often, {len(lines)} of {len(thin):,}"
        return [Detail(title, headers, lines)] if lines else []


class _Fresh:
    """Combinations that training rows lack: real ones to fill in, and invented ones.

    Real data in the place of the synthetic must not be the rows that tell what is real, so the
    held-out rows are halved: the first half is the reference, the second another real sample.
    """

    def __init__(self, parts: Parts, factors: Factors, sets: np.ndarray, rows: int) -> None:
        self.parts, self.factors, self.sets = parts, factors, sets
        self.n = min(rows, len(parts.holdout) // 2, len(parts.synthetic), len(parts.train))
        half = np.arange(self.n)
        self.held = self._count(parts.holdout.take(half))
        self.train = self._count(head(parts.train, BANK * rows))
        self.views = (
            head(parts.synthetic, self.n),
            parts.holdout.take(half + len(parts.holdout) // 2),
            head(parts.independent, self.n),
            head(parts.copies, self.n),
        )
        self.sides = [self._count(view) for view in self.views]

    def _count(self, view: TableView) -> Seen:
        return seen(self.factors(view), self.factors.sizes, self.sets)

    def rows(self) -> list[Row]:
        if self.n < MIN_COMMON:
            return []
        name = NAMES[self.sets.shape[1]]
        return [*self._filled(name), self._invented(name)]

    def _filled(self, name: str) -> list[Row]:
        """Holes of the training rows that the other rows fill."""
        holes = (self.held.counts > 0) & (self.train.counts == 0)
        total = int(holes.sum())
        if total < MIN_COMMON:
            return []
        filled = [int((side.counts[holes] > 0).sum()) for side in self.sides]
        made, real = (wilson(x, total) for x in filled[:2])
        return [
            self.parts.row(
                "coverage",
                f"{name} that training rows lack and held-out rows have, share filled",
                Points(*(x / total for x in filled)),
                "higher",
                n=self.n,
                interval=beside(filled[0] / total, made, filled[1] / total, real),
                note=f"Of {total:,} such {name}; shuffled columns fill many by chance, and invent.",
                floor_is="copies",
                headline=False,
                scale=0.2,
            )
        ]

    def _invented(self, name: str) -> Row:
        new = unseen(self.train, self.held).astype(np.float64)
        of = self.held
        shares = [row_means(self.factors(v), self.factors.sizes, of, new) for v in self.views]
        half = 1.96 * float(shares[0].std()) / self.n**0.5
        distinct = self.sides[0].missing_from(self.train, self.held)
        value = float(shares[0].mean())
        return self.parts.row(
            "fidelity",
            f"{name} that no real row has, share",
            Points(*(float(s.mean()) for s in shares)),
            "lower",
            n=self.n,
            interval=(max(0.0, value - half), min(1.0, value + half)),
            note=f"Per row and set of columns; {distinct:.1%} of the distinct {name} of synthetic "
            "rows.",
            headline=len(self.sets[0]) == 3,
            scale=0.1,
        )

    def invented(self) -> list[Detail]:
        """The commonest combinations that no real row has."""
        real = self._count(self.parts.holdout)
        made = self.sides[0].counts * unseen(self.train, real)
        order = np.argsort(-made, kind="stable")[:LISTED]
        lines = tuple(
            (_words(self.parts, self.factors, self.held, int(k)), int(made[k]))
            for k in order
            if made[k] > 0
        )
        headers = ("values", f"of {self.n:,} synthetic rows")
        title = f"Pairs that no training or held-out row has, {len(lines)} of {(made > 0).sum():,}"
        return [Detail(title, headers, lines)] if lines else []


def _words(parts: Parts, factors: Factors, of: Seen, cell: int) -> str:
    """A combination in words."""
    where, codes = place(of, factors.sizes, cell)
    texts = []
    for c, code in zip(where.tolist(), codes, strict=True):
        name = factors.names[c]
        show = partial(in_words, parts.schema[name])
        texts.append(f"{name}: {factors.label(c, code, parts.train.levels, show)}")
    return "; ".join(texts)
