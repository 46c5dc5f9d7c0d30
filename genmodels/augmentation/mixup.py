"""Mixup: new rows or pictures that are weighted means of two given ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from genmodels.augmentation.amounts import Plan
from genmodels.augmentation.base import Fitted, Kind, rng_of
from genmodels.augmentation.blocks import Blocks
from genmodels.augmentation.cells import NUMERIC, Cells, new_rows
from genmodels.augmentation.pairs import blended, check_alpha, mixed_images
from genmodels.schema import Schema, TableSchema
from genmodels.types import Images, Raw

__all__ = ["Mixup"]


class Mixup:
    """w x + (1 - w) x' with w ~ Beta(alpha, alpha).

    Rows of a table mix with rows of their own class: numbers, and a target that is one, are
    interpolated; a category, and a number that one of the two lacks, is taken from the first row
    with chance w. Pictures mix with any other: they keep the label of the larger share, and
    attributes say which label the other has and how large the share is.

    Args:
        alpha: of the Beta distribution; small: one of the two prevails.

    References:
        Zhang, Cisse, Dauphin and Lopez-Paz, mixup: Beyond empirical risk minimization, 2018,
        equation 1.
    """

    name = "mixup"
    kinds: tuple[Kind, ...] = ("table", "images")
    needs_classes = False
    meaning = "Each new record is a weighted mean of two given ones (mixup)."

    def __init__(self, *, alpha: float) -> None:
        self.alpha = check_alpha(alpha)

    def parameters(self) -> Mapping[str, Any]:
        return {"alpha": self.alpha}

    def schema(self, schema: Schema, fixed: tuple[str, ...]) -> Schema:
        return schema

    def fit(self, real: Raw, schema: Schema, plan: Plan, fixed: tuple[str, ...]) -> Fitted:
        if isinstance(real, Images):
            return mixed_images(real, plan, self.alpha, blended)
        assert isinstance(schema, TableSchema)
        return self._rows(real, schema, plan, fixed)

    def _rows(
        self, real: pa.Table, schema: TableSchema, plan: Plan, fixed: tuple[str, ...]
    ) -> Fitted:
        stay = tuple(name for name in fixed if schema[name].kind not in NUMERIC)
        cells, parents = Cells.of(real, schema, without=stay), plan.parents()
        members = [plan.members(g) for g in range(len(plan.new))]
        sizes = np.array([len(m) for m in members])
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        every, rank = np.concatenate(members), np.empty(real.num_rows, np.int64)
        rank[every] = np.arange(len(every)) - np.repeat(starts, sizes)

        def make(block: int, rows: np.ndarray) -> pa.Table:
            mine = parents[rows]
            place = rng_of(plan.seed, "partner", block).random(len(rows))
            group = plan.group[mine]
            step = 1 + (place * (sizes[group] - 1)).astype(np.int64)  # none mixes with itself
            other = every[starts[group] + (rank[mine] + step) % sizes[group]]
            weight = rng_of(plan.seed, "weight", block).beta(self.alpha, self.alpha, len(rows))
            width = len(cells.numeric)
            size = (len(rows), width + len(cells.discrete))
            first = rng_of(plan.seed, "choice", block).random(size) < weight[:, None]
            a, b = cells.numbers[mine], cells.numbers[other]
            known = ~np.isnan(a) & ~np.isnan(b)
            mean = cells.rounded(b + weight[:, None] * (a - b))
            mean = np.clip(mean, np.minimum(a, b), np.maximum(a, b))
            numbers = np.where(known, mean, np.where(first[:, :width], a, b))
            codes = np.where(first[:, width:], cells.codes[mine], cells.codes[other])
            changed = {name: numbers[:, f] for f, name in enumerate(cells.numeric)}
            changed |= {name: codes[:, q] for q, name in enumerate(cells.discrete)}
            ids = rng_of(plan.seed, "identity", block)
            return new_rows(real, schema, mine, changed, first=int(rows[0]), rng=ids)

        return Blocks(make, plan.rows)
