"""Factors of a coverage: columns as few levels, each named as sampling's `given` understands it.

A category has its levels, a number or date has bins [a, b), the last one closed where its end was
given. What is missing is a level of its own, or is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genmodels.metrics.coverage.bins import Bin, bins_of
from genmodels.metrics.tables.views import DISCRETE_KINDS, NUMERIC_KINDS, TableView
from genmodels.schema import Column, TableSchema

__all__ = ["MISSING", "Factor", "Gaps", "codes_of", "factors_of", "offered", "sizes_of"]

Gaps = Literal["level", "ignore"]
MISSING = "missing"


@dataclass(frozen=True)
class Factor:
    """A column with K levels.

    Args:
        column: what it is.
        levels: in words (K,), the last one `MISSING` if gaps are a level.
        bins: of numbers and dates; empty for categories.
        gaps: whether missing values are a level.
    """

    column: Column
    levels: tuple[str, ...]
    bins: tuple[Bin, ...] = ()
    gaps: bool = False

    @property
    def name(self) -> str:
        return self.column.name

    def value(self, level: int) -> str | float | int | None:
        """What a simulator is told: a level, the middle of a bin, None for a missing value."""
        if self.gaps and level == len(self.levels) - 1:
            return None
        return self.bins[level].middle if self.bins else self.levels[level]


def offered(
    view: TableView, schema: TableSchema, *, most_levels: int
) -> tuple[list[str], dict[str, str]]:
    """The factors that are taken when none are named, and of the others why not."""
    names: list[str] = []
    others: dict[str, str] = {}
    for column in schema.columns:
        if column.kind in NUMERIC_KINDS:
            values = view.numbers[:, view.numeric.index(column.name)]
            known = values[~np.isnan(values)]
            if len(known) and known.min() < known.max():
                names.append(column.name)
            else:
                others[column.name] = "has one value"
        elif column.kind in DISCRETE_KINDS:
            levels = len(view.levels[view.discrete.index(column.name)])
            if levels <= most_levels:
                names.append(column.name)
            else:
                others[column.name] = f"has {levels:,} levels"
        else:
            others[column.name] = f"is {'an' if column.kind == 'identifier' else 'a'} {column.kind}"
    return names, others


def factors_of(
    view: TableView,
    schema: TableSchema,
    names: Sequence[str],
    *,
    edges: Mapping[str, Sequence[float | str] | int],
    bins: int,
    gaps: Gaps,
    most_levels: int,
) -> list[Factor]:
    """Columns as factors.

    Args:
        view: all rows that will be counted.
        schema: of its columns.
        names: of the factors.
        edges: by name, where bins end, ascending, or how many bins of equal frequency.
        bins: of equal frequency, of numbers without edges of their own.
        gaps: whether missing values, where there are any, are a level.
        most_levels: of a factor.

    Raises:
        ValueError: for a column that cannot be a factor, or edges that cannot be.
    """
    found = []
    for name in names:
        column, parts = schema[name], tuple[Bin, ...]()
        if name in view.numeric:
            values = view.numbers[:, view.numeric.index(name)]
            parts = bins_of(column, values, edges.get(name, bins))
            texts, missing = [part.text for part in parts], bool(np.isnan(values).any())
        elif name in view.discrete:
            q = view.discrete.index(name)
            texts, missing = list(view.levels[q]), bool((view.codes[:, q] == 0).any())
        else:
            raise ValueError(
                f"factors: {name!r} is {column.kind}, which has no levels to combine; leave it "
                "out, or say what it is: data.infer.overrides={<name>: {kind: ...}}"
            )
        if name in edges and not parts:
            raise ValueError(f"bins.{name}: {name!r} has levels and no bins; leave bins.{name} out")
        if len(texts) > most_levels:
            raise ValueError(
                f"factors: {name!r} has {len(texts):,} levels, at most most_levels={most_levels} "
                "are combined; leave it out, join its levels, or raise most_levels"
            )
        gap = missing and gaps == "level"
        found.append(Factor(column, (*texts, MISSING) if gap else tuple(texts), parts, gap))
    return found


def sizes_of(factors: Sequence[Factor]) -> np.ndarray:
    """Codes of each factor (C,): its levels, and one for what is not counted."""
    return np.array([len(factor.levels) + 1 for factor in factors], dtype=np.int64)


def codes_of(factors: Sequence[Factor], view: TableView) -> np.ndarray:
    """Codes (N, C), int64, by columns in memory; the last code of a factor is not counted."""
    return np.array([_codes(factor, view) for factor in factors], dtype=np.int64).reshape(
        len(factors), len(view)
    ).T  # fmt: skip


def _codes(factor: Factor, view: TableView) -> np.ndarray:
    none = len(factor.levels)
    absent = none - 1 if factor.gaps else none
    if not factor.bins:
        codes = view.codes[:, view.discrete.index(factor.name)].astype(np.int64) - 1
        return np.where(codes < 0, absent, codes)
    x = view.numbers[:, view.numeric.index(factor.name)]
    starts = np.array([part.low for part in factor.bins])
    codes = np.searchsorted(starts, x, side="right") - 1
    last = factor.bins[-1]
    beyond = x > last.high if last.closed else x >= last.high
    codes = np.where((codes < 0) | beyond, none, codes)
    return np.where(np.isnan(x), absent, codes)
