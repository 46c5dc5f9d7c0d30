"""Rows with gaps where the training rows have none: no codec that was fitted has room for them."""

from __future__ import annotations

import logging

import numpy as np
import pyarrow as pa

from genmodels.schema import TableSchema

__all__ = ["without_new_gaps"]

log = logging.getLogger(__name__)


def without_new_gaps(rows: pa.Table, train: pa.Table, schema: TableSchema) -> pa.Table:
    """Leave out rows that lack a value in a column that is complete in training, and say so.

    Values that training never saw count as gaps (`apply_schema` with strict=False).

    Args:
        rows: to be encoded, typed by the schema.
        train: what the codec is fitted to, typed by the same schema.
        schema: declares in which of them values may be missing all the same.
    """
    lacking = np.zeros(rows.num_rows, bool)
    names = []
    for column in schema.columns:
        name = column.name
        declared = column.nullable and column.kind not in ("identifier", "constant")
        if rows[name].null_count and not train[name].null_count and not declared:
            lacking |= np.asarray(rows[name].is_null(), bool)
            names.append(repr(name))
    if not names:
        return rows
    log.warning(
        "%d of %d validation rows are left out: they lack a value, or have one that no training "
        "row has, in %s", lacking.sum(), len(lacking), ", ".join(names),
    )  # fmt: skip
    return rows.filter(pa.array(~lacking))
