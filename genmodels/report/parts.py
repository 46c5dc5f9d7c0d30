"""The real, synthetic and shuffled rows that the figures on tables are computed from.

The reference is the held-out table, which no training saw. Every figure is computed on the same
number of rows n for synthetic rows (value), training rows (ceiling: what another real sample
scores) and training rows with each column shuffled (floor): errors of finite samples then weigh
on all three alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from genmodels.metrics.intervals import mean_interval
from genmodels.metrics.views import TableView, shuffled_columns, table_views
from genmodels.report.rows import Axis, Better, Points, Row
from genmodels.schema import TableSchema

__all__ = ["Parts", "head"]

CHUNKS = 5


@dataclass(frozen=True, eq=False)
class Parts:
    """Everything that a section of a table report may look at; views are in random order.

    Args:
        schema: of the tables.
        raw: training, held-out and synthetic table, as given.
        train, holdout, synthetic, shuffled: all rows.
        n: rows behind a figure with reference points.
        seed: of every random choice.
    """

    schema: TableSchema
    raw: tuple[pa.Table, pa.Table, pa.Table]
    train: TableView
    holdout: TableView
    synthetic: TableView
    shuffled: TableView
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
        return cls(schema, raw, real, held, made, shuffled_columns(real, seed), n, seed)

    @property
    def reference(self) -> TableView:
        return head(self.holdout, self.n)

    def chunks(self) -> list[TableView]:
        """Up to five disjoint samples of n synthetic rows."""
        count = min(CHUNKS, len(self.synthetic) // self.n)
        rows = np.arange(self.n)
        return [self.synthetic.take(rows + k * self.n) for k in range(count)]

    def points(self, metric: Callable[[TableView, TableView], float]) -> Points:
        """A figure metric(reference, other), the value averaged over `chunks`."""
        repeats = tuple(metric(self.reference, chunk) for chunk in self.chunks())
        return Points(
            float(np.mean(repeats)),
            metric(self.reference, head(self.train, self.n)),
            metric(self.reference, head(self.shuffled, self.n)),
            repeats,
        )

    def row(
        self,
        axis: Axis,
        metric: str,
        points: Points,
        better: Better,
        *,
        n: int | None = None,
        interval: tuple[float, float] | None = None,
        note: str = "",
        floor_is: str = "shuffled columns",
        headline: bool = True,
        scale: float = 1.0,
    ) -> Row:
        """A `Row`; n defaults to the common one, the interval to the spread over chunks."""
        return Row(
            axis,
            metric,
            points.value,
            points.ceiling,
            points.floor,
            better,
            self.n if n is None else n,
            self.seed,
            interval or mean_interval(points.repeats),
            note,
            floor_is,
            headline,
            scale,
        )


def head(view: TableView, n: int) -> TableView:
    """The first n rows, or all when there are fewer."""
    return view.take(np.arange(min(n, len(view))))
