"""SMOTE and SMOTENC on the rows of a table, as imbalanced-learn draws them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from genmodels.augmentation.amounts import Plan
from genmodels.augmentation.base import Fitted, Kind, rng_of
from genmodels.augmentation.blocks import Whole
from genmodels.augmentation.cells import Cells, new_rows
from genmodels.oversampling import smote
from genmodels.schema import Schema, TableSchema
from genmodels.types import Raw

__all__ = ["SMOTE"]

log = logging.getLogger(__name__)
_FAR_APART = 100.0
"""Ratio of the spreads of two numbers from which the larger one decides who is a neighbour."""


class SMOTE:
    """Points between a row and one of its nearest neighbours of the same class.

    imbalanced-learn's SMOTE where all features are numbers, SMOTENC where some are categories,
    SMOTEN where all are, with the seed as `random_state`; the whole table is in memory. Whole
    numbers and dates are rounded. Missing numbers count as the median, a missing category as one
    more; new rows have no missing number.

    Args:
        neighbours: how many of the nearest may be taken; fewer in a class of fewer rows.
        standardise: numbers are standardised before neighbours are looked for; False: they are
            taken as they are, as imbalanced-learn does.
        rounded: numbers are rounded to the decimals of the source.

    References:
        Chawla, Bowyer, Hall and Kegelmeyer, SMOTE: Synthetic minority over-sampling technique,
        2002.
    """

    name = "smote"
    kinds: tuple[Kind, ...] = ("table",)
    needs_classes = True
    meaning = (
        "Each new record lies between a given one and one of its nearest neighbours of the same "
        "class (SMOTE); categories are those that most neighbours have."
    )

    def __init__(self, *, neighbours: int, standardise: bool, rounded: bool) -> None:
        if isinstance(neighbours, bool) or neighbours < 1:
            raise ValueError(f"recipe.neighbours must be at least 1, got {neighbours!r}")
        self.neighbours, self.standardise, self.rounded = neighbours, standardise, rounded

    def parameters(self) -> Mapping[str, Any]:
        return {
            "neighbours": self.neighbours,
            "standardise": self.standardise,
            "rounded": self.rounded,
        }

    def schema(self, schema: Schema, fixed: tuple[str, ...]) -> Schema:
        return schema

    def fit(self, real: Raw, schema: Schema, plan: Plan, fixed: tuple[str, ...]) -> Fitted:
        assert isinstance(real, pa.Table)
        assert isinstance(schema, TableSchema)
        cells = Cells.of(real, schema, without=fixed)
        if not cells.numeric and not cells.discrete:
            raise ValueError("recipe=smote needs features besides the target, and there is none")
        if len(np.unique(plan.group)) < 2:
            raise ValueError("recipe=smote needs rows of two classes at least, and there is one")
        self._say(cells, plan)
        return Whole(lambda: self._made(real, schema, plan, cells), plan.rows)

    def _made(self, real: pa.Table, schema: TableSchema, plan: Plan, cells: Cells) -> pa.Table:
        numeric = len(cells.numeric)
        ranks = [_ranks(real[name]) for name in cells.discrete]
        x, order = _features(cells, schema, ranks)
        goal = {int(g): int((plan.group == g).sum() + n) for g, n in enumerate(plan.new)}
        made, groups = smote(
            x,
            plan.group,
            categorical=order >= numeric,
            seed=plan.seed,
            goal=goal,
            neighbours=self.neighbours,
            standardise=self.standardise,
        )
        made, groups = made[len(x) :], groups[len(x) :]
        by_group = np.argsort(groups, kind="stable")  # repeats of lone rows come last: to their own
        made = made[by_group][:, np.argsort(order)]
        numbers = cells.rounded(made[:, :numeric], decimals=self.rounded)
        codes = np.rint(made[:, numeric:]).astype(np.int64)
        changed = {name: numbers[:, f] for f, name in enumerate(cells.numeric)}
        for q, name in enumerate(cells.discrete):
            code_of = np.argsort(ranks[q])
            changed[name] = np.where(codes[:, q] < 0, -1, code_of[codes[:, q]])
        parents, rng = plan.parents(), rng_of(plan.seed, "identity", 0)
        return new_rows(real, schema, parents, changed, first=0, rng=rng)

    def _say(self, cells: Cells, plan: Plan) -> None:
        gaps = int(np.isnan(cells.numbers).sum())
        if gaps:
            log.info(
                "recipe=smote: %s missing numbers count as the median of their feature; new rows "
                "have none",
                f"{gaps:,}",
            )
        sizes = np.bincount(plan.group, minlength=len(plan.new))
        lone = int(((plan.new > 0) & (sizes == 1)).sum())
        if lone:
            log.warning("recipe=smote: the only row of %s classes is repeated", lone)
        with np.errstate(invalid="ignore"):
            spread = np.nanstd(cells.numbers, axis=0) if len(cells.numeric) else np.zeros(0)
        wide = spread[spread > 0]
        if not self.standardise and len(wide) > 1 and wide.max() > _FAR_APART * wide.min():
            log.info(
                "recipe=smote: %r varies %.0f times as much as others and decides alone who is a "
                "neighbour; recipe.standardise=true lets all numbers count alike",
                cells.numeric[int(np.argmax(spread))],
                wide.max() / wide.min(),
            )


def _features(
    cells: Cells, schema: TableSchema, ranks: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, F + Q) in the order of the schema, and where each stands among the cells.

    Categories are numbered in their own order, as imbalanced-learn numbers them; a missing one is
    one more level.
    """
    parts = [cells.numbers]
    for q, rank in enumerate(ranks):
        codes = cells.codes[:, q]
        parts.append(np.where(codes < 0, -1, rank[codes])[:, None].astype(np.float64))
    names = [*cells.numeric, *cells.discrete]
    order = np.array([names.index(name) for name in schema.names if name in names])
    return np.column_stack(parts)[:, order], order


def _ranks(column: pa.ChunkedArray) -> np.ndarray:
    """The place of each level among the sorted ones, shape (L,)."""
    if pa.types.is_boolean(column.type):
        return np.arange(2)
    levels = column.combine_chunks().dictionary.to_pylist()
    order = sorted(range(len(levels)), key=lambda i: levels[i])
    return np.argsort(np.array(order))
