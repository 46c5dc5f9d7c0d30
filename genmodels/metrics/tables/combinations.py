"""Which values go together in real rows, and which of those combinations other rows have.

A factor is a column with few values: categories (the frequent ones apart, the others together)
and numbers in seven-edged bins of the training quantiles, narrow at both ends. A combination is
one value of each of two or three factors. Counting them needs no distances and no model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from genmodels.metrics.tables.views import TableView

__all__ = [
    "EDGES",
    "Factors",
    "Seen",
    "factor_sets",
    "fit_factors",
    "place",
    "rarity",
    "row_means",
    "seen",
    "unseen",
]

EDGES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
MAX_LEVELS = 20
CACHED_ROWS = 16_384  # counted at a time, so that a core's cache holds their codes


@dataclass(frozen=True, eq=False)
class Factors:
    """How the columns of a table become codes of few values.

    Args:
        names: of the C factors: the numeric columns, then the discrete ones.
        edges: ascending bin edges of each numeric column; bin b is (edge b-1, edge b].
        lookups: of each discrete column, the new code of each code of a view.
        sizes: number of codes of each factor, the one for missing included, shape (C,).
    """

    names: tuple[str, ...]
    edges: tuple[np.ndarray, ...]
    lookups: tuple[np.ndarray, ...]
    sizes: np.ndarray

    def __call__(self, view: TableView) -> np.ndarray:
        """Codes (N, C), int64, column c in [0, sizes[c]); 0 = missing."""
        columns = []
        for f, edges in enumerate(self.edges):
            x = view.numbers[:, f]
            columns.append(np.where(np.isnan(x), 0, np.searchsorted(edges, x, side="left") + 1))
        for q, lookup in enumerate(self.lookups):
            # A level that was met after the fit is one of the infrequent ones.
            padded = np.append(lookup, self.sizes[len(self.edges) + q] - 1)
            columns.append(padded[np.minimum(view.codes[:, q], len(lookup))])
        return np.array(columns, dtype=np.int64).reshape(len(columns), len(view)).T

    def label(
        self,
        factor: int,
        code: int,
        levels: Sequence[Sequence[str]],
        show: Callable[[float], str] = "{:.6g}".format,
    ) -> str:
        """What a code stands for, in words.

        Args:
            factor: number of the factor.
            code: in [0, sizes[factor]).
            levels: of the views, as in `TableView.levels`.
            show: how an edge is written.
        """
        if code == 0:
            return "missing"
        if factor < len(self.edges):
            edges = self.edges[factor]
            if not len(edges):
                return "any"
            if code > len(edges):
                return f"> {show(edges[-1])}"
            low = f"{show(edges[code - 2])} < x " if code > 1 else ""
            return f"{low}<= {show(edges[code - 1])}"
        q = factor - len(self.edges)
        at = np.flatnonzero(self.lookups[q][1:] == code)
        return levels[q][at[0]] if len(at) == 1 else "another"


def fit_factors(
    view: TableView, *, edges: Sequence[float] = EDGES, max_levels: int = MAX_LEVELS
) -> Factors:
    """Bins and frequent levels of the given (training) rows.

    Args:
        view: rows to take quantiles and frequencies from.
        edges: probabilities of the quantiles that part the bins, ascending, in (0, 1).
        max_levels: levels of a column that keep a code of their own; the others share one.
    """
    bins = []
    for f in range(len(view.numeric)):
        known = view.numbers[:, f]
        known = known[~np.isnan(known)]
        # An observed value as the edge: a mass point is never parted from itself.
        found = np.quantile(known, edges, method="inverted_cdf") if len(known) else np.zeros(0)
        bins.append(np.unique(found[found < known.max(initial=-np.inf)]))
    lookups, sizes = [], [len(b) + 2 for b in bins]
    for q, size in enumerate(view.sizes()):
        counts = np.bincount(view.codes[:, q], minlength=size)
        counts[0] = 0
        order = np.argsort(-counts, kind="stable")
        kept = order[: min(max_levels, int((counts > 0).sum()))]
        lookup = np.full(size, len(kept) + 1, dtype=np.int64)
        lookup[kept] = np.arange(1, len(kept) + 1)
        lookup[0] = 0
        lookups.append(lookup)
        sizes.append(len(kept) + 2)
    return Factors(view.names, tuple(bins), tuple(lookups), np.array(sizes, dtype=np.int64))


def factor_sets(count: int, ways: int, *, limit: int, seed: int) -> np.ndarray:
    """All sets of `ways` of `count` factors, or a random sample of `limit` of them.

    Returns:
        Ascending factor numbers, shape (S, ways), S <= limit, sorted.
    """
    total = comb(count, ways)
    if total <= 20 * limit:
        every = np.array(list(combinations(range(count), ways)), dtype=np.int64)
        every = every.reshape(-1, ways)
        if total <= limit:
            return every
        chosen = np.random.default_rng([seed, 21, ways]).permutation(total)[:limit]
        return every[np.sort(chosen)]
    rng, found = np.random.default_rng([seed, 21, ways]), set[tuple[int, ...]]()
    while len(found) < limit:
        found.add(tuple(sorted(int(c) for c in rng.choice(count, ways, replace=False))))
    return np.array(sorted(found), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Seen:
    """How often each combination occurs in some rows, all factor sets one after the other.

    Args:
        sets: factor numbers, shape (S, ways).
        start: where each set begins in `counts`, shape (S + 1,).
        counts: rows that have each combination, shape (total,), int64.
    """

    sets: np.ndarray
    start: np.ndarray
    counts: np.ndarray

    def recall(self, other: Seen) -> float:
        """Share of the distinct combinations of these rows that `other` has; 1 when there are none.

        |A and B| / |A|
        """
        mine = self.counts > 0
        total = int(mine.sum())
        return float((other.counts[mine] > 0).sum()) / total if total else 1.0

    def kept(self, other: Seen, common: np.ndarray, *, factor: float = 0.5) -> float:
        """Share of the chosen combinations that `other` has at least `factor` times as often.

        Args:
            other: counts of as many rows.
            common: which combinations to judge, mask of shape (total,); 1 when there are none.
            factor: of the count of these rows.
        """
        mine = self.counts[common]
        return float((other.counts[common] >= factor * mine).mean()) if len(mine) else 1.0

    def missing_from(self, *others: Seen) -> float:
        """Combination coverage difference: share of these combinations that none of `others` has.

        |A without (B or C or ...)| / |A|

        References:
            Lanus, Freeman, Kuhn and Kacker, Combinatorial testing metrics for machine learning,
            ICST workshops 2021, eq. 2 (set difference combinatorial coverage).
        """
        mine = self.counts > 0
        total = int(mine.sum())
        return float((mine & unseen(*others)).sum()) / total if total else 0.0


def seen(codes: np.ndarray, sizes: np.ndarray, sets: np.ndarray) -> Seen:
    """Count the combinations of some rows.

    Args:
        codes: of the factors, shape (N, C).
        sizes: number of codes of each factor, shape (C,).
        sets: factor numbers, shape (S, ways).
    """
    cells = sizes[sets].prod(1) if len(sets) else np.zeros(0, dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(cells)])
    counts = np.zeros(int(start[-1]), dtype=np.int64)
    for first in range(0, len(codes), CACHED_ROWS):
        block = np.ascontiguousarray(codes[first : first + CACHED_ROWS].T, dtype=np.int64).T
        shared: list[int] | None = None
        for s, factors in enumerate(sets.tolist()):
            if factors[:-1] != shared:  # sets that follow each other often begin alike
                shared, key = factors[:-1], _keys(block, sizes, sets[s, :-1])
            last = factors[-1]
            found = np.bincount(key * sizes[last] + block[:, last], minlength=int(cells[s]))
            counts[start[s] : start[s + 1]] += found
    return Seen(sets, start, counts)


def place(of: Seen, sizes: np.ndarray, cell: int) -> tuple[np.ndarray, list[int]]:
    """The factors and codes of the combination that stands at `cell` of `of.counts`."""
    s = int(np.searchsorted(of.start, cell, side="right")) - 1
    rest, codes = int(cell - of.start[s]), []
    for c in of.sets[s][::-1]:
        codes.append(rest % int(sizes[c]))
        rest //= int(sizes[c])
    return of.sets[s], codes[::-1]


def unseen(*others: Seen) -> np.ndarray:
    """Which combinations none of the given ones has, bool, shape (total,)."""
    return np.all([other.counts == 0 for other in others], axis=0)


def row_means(codes: np.ndarray, sizes: np.ndarray, of: Seen, values: np.ndarray) -> np.ndarray:
    """Mean over the factor sets of a value per combination, for each row; shape (N,).

    Args:
        codes: of the factors, shape (N, C).
        sizes: number of codes of each factor, shape (C,).
        of: names the factor sets.
        values: one per combination, in the order of `of.counts`, shape (total,).
    """
    total = np.zeros(len(codes))
    for s in range(len(of.sets)):
        total += values[of.start[s] : of.start[s + 1]][_keys(codes, sizes, of.sets[s])]
    return total / max(1, len(of.sets))


def rarity(codes: np.ndarray, sizes: np.ndarray, of: Seen) -> np.ndarray:
    """How rare the combinations of each row are among the n rows that were counted.

    mean over factor sets of log((n + 1) / (count + 1))

    Args:
        codes: of the factors, shape (N, C).
        sizes: number of codes of each factor.
        of: the combinations of the rows that rarity is measured in.

    Returns:
        Shape (N,), >= 0; larger is rarer.
    """
    n = int(of.counts[: of.start[1]].sum()) if len(of.sets) else 0
    return row_means(codes, sizes, of, np.log((n + 1) / (of.counts + 1)))


def _keys(codes: np.ndarray, sizes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """One number per combination of the given factors, shape (N,)."""
    key = np.zeros(len(codes), dtype=np.int64)
    for c in factors:
        key = key * sizes[c] + codes[:, c]
    return key
