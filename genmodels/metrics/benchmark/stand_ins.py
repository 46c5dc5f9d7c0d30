"""Generators that learn nothing: reference arms of a benchmark, and its null case.

`Bootstrap` gives training rows again: nothing new is in them, so they cannot help. `Independent`
draws each column on its own: right marginals, no dependence.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Bootstrap", "FittedGenerator", "Independent", "Rows", "having"]

Rows = pa.Table
"""Raw rows in the user's units."""


class FittedGenerator(Protocol):
    """What a benchmark asks of a generator that has seen some training rows."""

    def sample(self, n: int, *, seed: int) -> pa.Table:
        """Rows 0 ... n - 1 in the user's units; row i depends on the fit, `seed` and i alone."""

    def of_level(self, target: str, level: str, n: int, *, seed: int) -> pa.Table | None:
        """Exactly n rows whose `target` has this level; None when it cannot be told."""


class Bootstrap:
    """A generator that draws the training rows with replacement.

    Args:
        train: rows to draw from.
    """

    def __init__(self, train: pa.Table) -> None:
        self.train = train

    def sample(self, n: int, *, seed: int) -> pa.Table:
        rows = np.random.default_rng([seed, 43]).integers(0, self.train.num_rows, n)
        return self.train.take(pa.array(rows))

    def of_level(self, target: str, level: str, n: int, *, seed: int) -> pa.Table | None:
        held = having(self.train, target, level)
        return Bootstrap(held).sample(n, seed=seed) if held.num_rows else None


class Independent:
    """A generator that draws every column on its own from the training rows.

    Args:
        train: rows to draw from.
    """

    def __init__(self, train: pa.Table) -> None:
        self.train = train

    def sample(self, n: int, *, seed: int) -> pa.Table:
        rng = np.random.default_rng([seed, 44])
        rows = [pa.array(rng.integers(0, self.train.num_rows, n)) for _ in self.train.columns]
        taken = [column.take(r) for column, r in zip(self.train.columns, rows, strict=True)]
        return pa.table(taken, schema=self.train.schema)

    def of_level(self, target: str, level: str, n: int, *, seed: int) -> pa.Table | None:
        held = having(self.train, target, level)
        if not held.num_rows:
            return None
        made, told = self.sample(n, seed=seed), held[target].slice(0, 1)
        column = told.take(pa.array(np.zeros(n, np.int64)))
        return made.set_column(made.column_names.index(target), made.schema.field(target), column)


def having(rows: pa.Table, target: str, level: str) -> pa.Table:
    """The rows whose `target` has this level."""
    values = rows[target]
    if pa.types.is_dictionary(values.type):
        values = pc.cast(values, values.type.value_type)
    same = [str(value).strip().lower() == level.lower() for value in values.to_pylist()]
    return rows.filter(pa.array(same, pa.bool_()))
