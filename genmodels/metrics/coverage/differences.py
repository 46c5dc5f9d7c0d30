"""What one data set has that another lacks: combinations, rare values, tails.

References:
    Lanus, Freeman, Kuhn and Kacker, Combinatorial testing metrics for machine learning, ICST
    workshops 2021: set difference combinatorial coverage |T without S| / |T| of a target T and a
    source S, in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genmodels.metrics.tables.combinations import Seen
from genmodels.metrics.tables.tails import Tails, fit_tails
from genmodels.metrics.tables.views import TableView

__all__ = ["Difference", "Tail", "difference", "joint_tail", "tails"]


@dataclass(frozen=True, eq=False)
class Difference:
    """Combinations of a target that a source lacks.

    Args:
        lacking: places of the cells, those with most rows in the target first, int64 (M,).
        target: distinct cells of the target.
        by_chance: share of them that as many rows as the source has would lack on average if they
            were drawn from the target.
    """

    lacking: np.ndarray
    target: int
    by_chance: float

    @property
    def share(self) -> float:
        """|T without S| / |T|; 0 of nothing."""
        return len(self.lacking) / self.target if self.target else 0.0


def difference(target: Seen, source: Seen, *, of_rows: int, drawn: int) -> Difference:
    """Which cells of the target the source lacks.

    Args:
        target: its cells.
        source: the same cells of other rows.
        of_rows: rows of the target.
        drawn: rows of the source.
    """
    there = np.flatnonzero(target.counts > 0)
    lacking = there[source.counts[there] == 0]
    order = np.lexsort((lacking, -target.counts[lacking]))
    share = np.minimum(target.counts[there] / max(1, of_rows), 1.0)
    with np.errstate(divide="ignore"):
        absent = np.exp(drawn * np.log1p(-share))
    chance = float(absent.mean()) if len(there) and drawn else float(bool(len(there)))
    return Difference(lacking[order], len(there), chance)


@dataclass(frozen=True)
class Tail:
    """Rows beyond a quantile of the reference.

    Args:
        name: of the column.
        upper: whether it is the upper tail.
        level: of the quantile.
        threshold: the quantile, in the unit of the column.
        share: of the reference's values beyond it.
        expected: rows with the reference's share of them.
        rows: that there are.
    """

    name: str
    upper: bool
    level: float
    threshold: float
    share: float
    expected: float
    rows: int


def tails(view: TableView, reference: TableView, levels: tuple[float, float]) -> list[Tail]:
    """How many rows lie beyond quantiles of the reference, at either end of each number.

    Args:
        view: rows that are counted.
        reference: rows whose quantiles are taken; a tail that none of them lies in is left out.
        levels: a low and a high probability.
    """
    found = _fitted(reference, levels)
    counts = found.counts(view)
    known = (~np.isnan(view.numbers)).sum(0)
    return [
        Tail(
            view.numeric[int(c)],
            bool(found.upper[t]),
            float(found.levels[t]),
            float(found.thresholds[t]),
            float(found.shares[t]),
            float(found.shares[t] * known[int(c)]),
            int(counts[t]),
        )
        for t, c in enumerate(found.columns)
    ]


def joint_tail(
    view: TableView, reference: TableView, levels: tuple[float, float]
) -> tuple[float, float]:
    """Share of rows that are beyond a quantile in two numbers or more: here, in the reference."""
    found = _fitted(reference, levels)
    here, there = (float(found.extreme(v, 2).mean()) if len(v) else 0.0 for v in (view, reference))
    return here, there


def _fitted(reference: TableView, levels: tuple[float, float]) -> Tails:
    return fit_tails(reference, len(reference), levels=levels, min_expected=1)
