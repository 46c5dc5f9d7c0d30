"""Identifiers of new rows: others than those of the real rows, of the same form."""

from __future__ import annotations

import re
import uuid

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.schema import Column

__all__ = ["new_identities"]

_PATTERN = re.compile(r"(?P<before>[^{}]*)\{:?(?P<width>0?\d*)d?\}(?P<after>[^{}]*)")


def new_identities(
    real: pa.ChunkedArray, column: Column, count: int, first: int, rng: np.random.Generator
) -> pa.Array:
    """Numbers go on after the largest, with what surrounds them; UUIDs are drawn; others miss.

    Args:
        real: identifiers of the real rows.
        column: from the schema.
        count: M, new rows.
        first: number of the first of them among all new rows.
        rng: draws UUIDs.
    """
    kind, form = real.type, column.format or ""
    numbers = range(first + 1, first + count + 1)
    if pa.types.is_integer(kind):
        largest = pc.max(real).as_py() or 0
        return pa.array([largest + n for n in numbers], kind)
    if form == "uuid":
        drawn = rng.bytes(16 * count)
        every = (drawn[16 * i : 16 * i + 16] for i in range(count))
        return pa.array([str(uuid.UUID(bytes=part, version=4)) for part in every], kind)
    found = _PATTERN.fullmatch(form)
    if found is None:
        return pa.nulls(count, kind)
    before, after = found["before"], found["after"]
    inner = re.compile(re.escape(before) + r"(\d+)" + re.escape(after))
    told = (inner.fullmatch(text) for text in pc.drop_null(real).to_pylist())
    largest = max((int(match[1]) for match in told if match is not None), default=0)
    return pa.array([form.format(largest + n) for n in numbers], kind)
