"""Coverage by distances: real rows without a synthetic one nearby, thin regions above all."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from genmodels.metrics.intervals import jackknife, wilson
from genmodels.metrics.manifold import Manifold, Prdc, prdc
from genmodels.metrics.tables.alpha_precision import Curve, alpha_precision, beta_recall
from genmodels.metrics.tables.combinations import factor_sets, fit_factors, rarity, seen
from genmodels.metrics.tables.encoding import RowEncoding, fit_encoding
from genmodels.metrics.tables.levels import least_represented
from genmodels.metrics.tables.views import TableView
from genmodels.report.rows import Axis, Detail, Points, Row, Section
from genmodels.report.tables.parts import Parts, head

__all__ = ["neighbourhoods"]

SIDES = ("synthetic", "held-out real", "independent", "copies")
RAREST = 0.05
MIN_RAREST = 20
CELLS, MIN_CELL = 30, 50


def neighbourhoods(
    parts: Parts, *, rows: int, neighbours: tuple[int, ...], sets: int
) -> Section | None:
    """Coverage, density and their kin; None with fewer than ten rows.

    Args:
        rows: rows of each data set whose distances are computed.
        neighbours: the k of the figures, ascending; the middle one is the headline.
        sets: pairs of columns from which rare combinations are told.
    """
    n = min(parts.n, rows)
    if n < 10:
        return None
    encode = fit_encoding(parts.train)
    ks = tuple(neighbours)
    reference = Manifold.of(encode(head(parts.holdout, n)), max(ks))
    others = [Manifold.of(encode(view), max(ks)) for view in parts.sides(n)]
    found = _Found(parts, n, reference, others, [prdc(reference, o, ks) for o in others])
    middle = len(ks) // 2
    kept = [
        *found.near(middle),
        found.rarest("rows in thin regions, share covered", middle, _thin(reference, ks[middle])),
        found.rarest(
            "rows with rare combinations of values, share covered",
            middle,
            _rare(parts, n, sets),
        ),
        _cells(parts, encode, n),
        *found.centred(),
    ]
    text = (
        "Each held-out row has a neighbourhood that reaches its k-th nearest other held-out row. "
        "Coverage is the share of neighbourhoods with a synthetic row in them: real cases that are "
        "missing lower it, however good the other rows are. Rows are compared by the ranks of "
        f"their numbers and by which categories differ, {n:,} of each data set."
    )
    rows_found = tuple(row for row in kept if row is not None)
    return Section("Neighbourhoods", text, rows_found, (found.detail(),))


@dataclass(frozen=True, eq=False)
class _Found:
    """Distances of the four data sets from the held-out rows, in the order of `Parts.sides`."""

    parts: Parts
    n: int
    reference: Manifold
    others: list[Manifold]
    figures: list[list[Prdc]]

    def near(self, which: int) -> list[Row]:
        """Rows on the `which`-th k."""
        at = [figures[which] for figures in self.figures]
        k, n, value = at[0].k, self.n, at[0]

        def points(name: str) -> Points:
            return Points(*(float(getattr(p, name)) for p in at))

        row = self.parts.row
        return [
            row(
                "coverage", f"coverage, k = {k}", points("coverage"), "higher", n=n,
                interval=value.coverage_of(np.arange(n))[1], scale=0.3,
                note=f"Held-out rows with a synthetic row as near as their {k}th real neighbour.",
            ),
            row(
                "coverage", f"clipped coverage, k = {k}", points("clipped_coverage"), "higher", n=n,
                interval=value.clipped_coverage_interval(), headline=False, scale=0.3,
                note="Share of good synthetic rows that explains how full the neighbourhoods are.",
            ),
            row(
                "coverage", f"recall, k = {k}", points("recall"), "higher", n=n, headline=False,
                interval=wilson(int(value.recalled.sum()), n), scale=0.3,
                note="Held-out rows in a neighbourhood of a synthetic row: scattered rows do well.",
            ),
            row(
                "fidelity", f"precision, k = {k}", points("precision"), "higher", n=n,
                interval=wilson(int((value.balls > 0).sum()), n), headline=False, scale=0.3,
                note="Synthetic rows in a neighbourhood of a held-out row.",
            ),
            row(
                "fidelity", f"density, k = {k}", points("density"), "near", n=n, headline=False,
                interval=value.density_interval(),
                note="Neighbourhoods that a synthetic row lies in, over k: about 1 for real rows.",
            ),
        ]  # fmt: skip

    def rarest(self, name: str, which: int, chosen: np.ndarray | None) -> Row | None:
        """Coverage of the rarest held-out rows at the `which`-th k; None when there are too few."""
        if chosen is None:
            return None
        at = [figures[which].coverage_of(chosen) for figures in self.figures]
        return self.parts.row(
            "coverage",
            name,
            Points(*(share for share, _ in at)),
            "higher",
            n=len(chosen),
            interval=at[0][1],
            note=f"Of the {RAREST:.0%} of held-out rows that are rarest in this sense.",
            scale=0.3,
        )

    def centred(self) -> list[Row]:
        """Alpha-precision and beta-recall."""
        return [
            self._centred(
                "fidelity",
                "alpha-precision, integrated",
                alpha_precision,
                "Distances from one centre only: independent columns may score high here.",
            ),
            self._centred(
                "coverage",
                "beta-recall, integrated",
                partial(beta_recall, k=1),
                "Real rows score far below 1 too: compare with them.",
            ),
        ]

    def _centred(
        self, axis: Axis, name: str, metric: Callable[[Manifold, Manifold], Curve], note: str
    ) -> Row:
        points = Points(*(metric(self.reference, other).score for other in self.others))

        def without(kept: np.ndarray) -> float:
            return metric(self.reference.choose(kept), self.others[0].choose(kept)).score

        return self.parts.row(
            axis,
            name,
            points,
            "higher",
            n=self.n,
            interval=jackknife(points.value, without, self.n, high=1.0),
            note=note,
            headline=False,
            scale=0.5,
        )

    def detail(self) -> Detail:
        headers = (
            "k", "data", "coverage", "clipped coverage", "recall", "precision", "density",
            "clipped density",
        )  # fmt: skip
        lines = tuple(
            (
                p.k, side, p.coverage, p.clipped_coverage, p.recall, p.precision, p.density,
                p.clipped_density,
            )
            for k in range(len(self.figures[0]))
            for side, p in zip(SIDES, (f[k] for f in self.figures), strict=True)
        )  # fmt: skip
        return Detail("At other neighbourhood sizes", headers, lines)


def _thin(reference: Manifold, k: int) -> np.ndarray | None:
    """The held-out rows with the widest neighbourhoods; None when they are not wider than usual."""
    radius = reference.radius(k)
    chosen = _last(radius)
    return chosen if chosen is not None and radius[chosen].min() > np.median(radius) else None


def _rare(parts: Parts, n: int, sets: int) -> np.ndarray | None:
    """The held-out rows whose pairs of values are the rarest among training rows."""
    factors = fit_factors(parts.train)
    chosen = factor_sets(len(factors.names), 2, limit=sets, seed=parts.seed)
    if not len(chosen):
        return None
    counted = seen(factors(head(parts.train, parts.n)), factors.sizes, chosen)
    return _last(rarity(factors(head(parts.holdout, n)), factors.sizes, counted))


def _last(values: np.ndarray) -> np.ndarray | None:
    count = round(RAREST * len(values))
    return np.argsort(values, kind="stable")[-count:] if count >= MIN_RAREST else None


def _cells(parts: Parts, encode: RowEncoding, n: int) -> Row | None:
    """The group of similar rows that is the least represented; None when rows are too few."""
    points = encode(head(parts.train, n))
    count = min(CELLS, parts.n // (2 * MIN_CELL), len(np.unique(points, axis=0)))
    if count < 2:
        return None
    seed = int(np.random.default_rng([parts.seed, 150]).integers(2**31))
    cells = KMeans(count, n_init=1, random_state=seed)
    with warnings.catch_warnings():
        # Points that float32 takes for equal make fewer cells than asked for: nothing is wrong.
        warnings.simplefilter("ignore", ConvergenceWarning)
        cells.fit(points)

    def counts(view: TableView) -> np.ndarray:
        return np.bincount(cells.predict(encode(view)), minlength=count)

    size = min(parts.n, 20_000)
    real = counts(head(parts.holdout, size))
    judged = np.flatnonzero(real >= MIN_CELL)
    if len(judged) < 2:
        return None
    found = [
        least_represented(real[judged], size, counts(view)[judged], size)
        for view in parts.sides(size)
    ]
    return parts.row(
        "coverage",
        "least represented kind of rows, at most so often as in held-out rows",
        Points(*(x.at_most for x in found)),
        "higher",
        n=size,
        interval=found[0].interval,
        note=f"The worst of {len(judged)} groups of similar rows that k-means makes; 1: none is "
        "surely too rare; 0: one is lost.",
    )
