"""The groups of a bias audit with their rows, and which of them are large enough to speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from genmodels.metrics.groups.groups import Grouping, attribute, groupings
from genmodels.metrics.tables.views import TableView
from genmodels.report.tables.parts import Parts

__all__ = ["MOST", "Cohort", "cohorts", "crossings"]

MOST = 60
"""Groups of one attribute or crossing that are compared, the largest ones."""


@dataclass(frozen=True, eq=False)
class Cohort:
    """The groups of one attribute or crossing that are compared.

    Args:
        grouping: all groups.
        counts: rows in each of them in training, held-out and synthetic data, shape (3, G).
        chosen: numbers of those that are compared, shape (A,).
        surplus: numbers of those that are large enough, but more than `MOST`, shape (B,).
    """

    grouping: Grouping
    counts: np.ndarray
    chosen: np.ndarray
    surplus: np.ndarray

    @property
    def name(self) -> str:
        return self.grouping.name

    @property
    def single(self) -> bool:
        """Whether this is one attribute, not a crossing."""
        return len(self.grouping.attributes) == 1

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.grouping.names[g] for g in self.chosen)

    def __len__(self) -> int:
        return len(self.chosen)

    @property
    def small(self) -> np.ndarray:
        """Numbers of the groups that are too small to be compared."""
        told = np.concatenate([self.chosen, self.surplus])
        return np.setdiff1d(np.arange(len(self.grouping)), told)

    def sizes(self, view: TableView) -> np.ndarray:
        """Rows of each compared group, shape (A,)."""
        return self.grouping.counts(view)[self.chosen]

    def codes(self, view: TableView) -> np.ndarray:
        """Compared group of each row in [0, A), or -1; shape (N,)."""
        place = np.full(len(self.grouping) + 1, -1)
        place[self.chosen] = np.arange(len(self.chosen))
        return place[self.grouping.codes(view)]  # the last one answers for -1


def cohorts(
    parts: Parts,
    sensitive: Sequence[str],
    *,
    edges: Mapping[str, Sequence[float]],
    bins: int,
    crossed: int,
    minimum: int,
) -> list[Cohort]:
    """The groups of each sensitive column and of their crossings.

    Args:
        parts: the data.
        sensitive: column names.
        edges: of numeric ones; others are cut at their quantiles.
        bins: how many groups those make.
        crossed: at most so many attributes are crossed.
        minimum: a group is compared with at least so many training and so many held-out rows.

    Raises:
        ValueError: for a column that is not there, or when fewer than two groups are large
            enough to be compared.
    """
    unknown = sorted(set(edges) - set(sensitive))
    if unknown:
        raise ValueError(f"edges of {', '.join(map(repr, unknown))}: not among sensitive")
    chosen = [
        attribute(parts.train, name, bins=bins, edges=edges.get(name))
        for name in dict.fromkeys(sensitive)
    ]
    views = (parts.train, parts.holdout, parts.synthetic)
    out = []
    for grouping in groupings(chosen, views, crossed=crossed):
        counts = np.array([grouping.counts(view) for view in views])
        real = counts[:2].min(0)
        order = np.argsort(-real, kind="stable")
        large = order[real[order] >= minimum]
        out.append(Cohort(grouping, counts, np.sort(large[:MOST]), np.sort(large[MOST:])))
    if all(len(cohort) < 2 for cohort in out):
        sizes = [int(c.counts[:2].min(0).max()) for c in out]
        raise ValueError(
            f"no two groups of {', '.join(map(repr, dict.fromkeys(sensitive)))} have {minimum} "
            f"training and {minimum} held-out rows (the largest has {max(sizes, default=0)}): "
            "groups that small cannot be told from chance. Give more real rows, coarser groups, "
            "or a lower minimum=<rows>"
        )
    return out


def crossings(cohorts: Sequence[Cohort]) -> list[Cohort]:
    """Those in which at least two groups are compared."""
    return [cohort for cohort in cohorts if len(cohort) > 1]
