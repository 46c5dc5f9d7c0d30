"""The real, synthetic and shuffled rows that the figures on tables are computed from.

The reference is the held-out table, which no training saw. Every figure is computed on the same
number of rows n for synthetic rows (value), training rows (ceiling: what another real sample
scores), training rows with each column shuffled on its own (independent) and training rows drawn
with replacement (copies): errors of finite samples then weigh on all alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from genmodels.metrics.intervals import jackknife
from genmodels.metrics.tables.views import TableView, shuffled_columns, table_views
from genmodels.report.rows import Axis, Better, Points, Row, RowMaker
from genmodels.schema import TableSchema

__all__ = ["Parts", "head"]


@dataclass(frozen=True, eq=False)
class Parts:
    """Everything that a section of a table report may look at; views are in random order.

    Args:
        schema: of the tables.
        raw: training, held-out and synthetic table, as given.
        train, holdout, synthetic: all rows.
        independent, copies: see above; made from the first `rows` training rows.
        n: rows behind a figure with reference points.
        seed: of every random choice.
    """

    schema: TableSchema
    raw: tuple[pa.Table, pa.Table, pa.Table]
    train: TableView
    holdout: TableView
    synthetic: TableView
    independent: TableView
    copies: TableView
    n: int
    seed: int

    @classmethod
    def prepare(
        cls,
        train: pa.Table,
        holdout: pa.Table,
        synthetic: pa.Table,
        schema: TableSchema,
        *,
        rows: int,
        seed: int,
    ) -> Parts:
        """Make views of all rows in a seeded random order.

        Args:
            rows: at most this many rows behind a figure.
        """
        raw = (train, holdout, synthetic)
        for name, table in zip(("training", "held-out", "synthetic"), raw, strict=True):
            if not table.num_rows:
                raise ValueError(f"the {name} data have no rows: there is nothing to compare")
        real, held, made = (
            view.take(np.random.default_rng([seed, 10, k]).permutation(len(view)))
            for k, view in enumerate(table_views(list(raw), schema))
        )
        n = min(rows, len(real), len(held), len(made))
        some = head(real, rows)
        drawn = np.random.default_rng([seed, 12]).integers(0, len(some), len(some))
        copies = some.take(drawn)
        return cls(schema, raw, real, held, made, shuffled_columns(some, seed), copies, n, seed)

    @property
    def reference(self) -> TableView:
        return head(self.holdout, self.n)

    def sides(self, n: int | None = None) -> tuple[TableView, TableView, TableView, TableView]:
        """Synthetic, training, independent and copied rows, n of each: the order of `Points`."""
        n = self.n if n is None else n
        made, real = head(self.synthetic, n), head(self.train, n)
        return made, real, head(self.independent, n), head(self.copies, n)

    def points(self, metric: Callable[[TableView, TableView], float]) -> Points:
        """A figure metric(reference, other) on n rows of each data set."""
        return Points(*(metric(self.reference, side) for side in self.sides()))

    def figure(
        self,
        axis: Axis,
        name: str,
        metric: Callable[[TableView, TableView], float],
        better: Better,
        *,
        high: float = 1.0,
        note: str = "",
        headline: bool = True,
        scale: float = 1.0,
    ) -> Row:
        """A row of a cheap metric(reference, other) in [0, high], with a jackknife interval.

        The interval covers the chance of the synthetic and of the reference rows.
        """
        points = self.points(metric)
        reference, made = self.reference, head(self.synthetic, self.n)
        interval = jackknife(
            points.value,
            lambda kept: metric(reference.take(kept), made.take(kept)),
            self.n,
            high=high,
        )
        return self.row(
            axis, name, points, better, interval=interval, note=note, headline=headline, scale=scale
        )

    @property
    def row(self) -> RowMaker:
        return RowMaker(self.seed, self.n)


def head(view: TableView, n: int) -> TableView:
    """The first n rows, or all when there are fewer."""
    return view.take(np.arange(min(n, len(view))))
