"""Datetime columns: text or timestamps as timestamps (us) in the zone of the schema."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.data.columns import Texts, as_text
from genmodels.data.dates import compact_dates, parse_dates
from genmodels.data.infer_dates import day_first_of, zone_of
from genmodels.data.parse_problem import Problem
from genmodels.schema import Column

__all__ = ["parse_datetime"]


def parse_datetime(array: pa.Array, column: Column, problem: Problem) -> pa.Array:
    """Timestamps (us); wall clock without zone, or instants shown in the zone of the schema.

    Texts without a zone are wall clock in the column's zone; texts with one, in a column
    without, become UTC.

    Raises:
        ValueError: for a text that is no date.
    """
    wanted = pa.timestamp("us", column.timezone)
    if column.timezone is not None:
        zone_of(column.timezone)
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), wanted)
    if pa.types.is_timestamp(array.type):
        return _zoned(array, column.timezone)
    texts = Texts.of(as_text(array))
    texts = texts.without(texts.tokens(column.missing))
    texts, ticks, aware = _ticks(texts, column, problem)
    instants = pa.array(ticks, pa.timestamp("us"))
    if column.timezone is not None and not aware.all():
        local = _zoned(instants, column.timezone).cast(pa.int64())
        instants = pa.array(np.where(aware, ticks, np.asarray(local)), pa.timestamp("us"))
    distinct = instants.cast(pa.int64()).cast(wanted)
    return distinct.take(pa.array(texts.codes, mask=texts.codes < 0))


def _ticks(texts: Texts, column: Column, problem: Problem) -> tuple[Texts, np.ndarray, np.ndarray]:
    """The dates among the texts, in microseconds since 1970, and whether they named a zone."""
    if column.format == "%Y%m%d":
        days = compact_dates(texts.values)
        if days is not None:
            return texts, days, np.zeros(len(days), bool)
    dates = parse_dates(texts.values, day_first=day_first_of(column.format))
    if not dates.found.all():
        like = f" such as {column.format}" if column.format else ""
        problem.refuse(texts, ~dates.found, f"it is no date{like}")
    found = dates.found
    return texts.without(~found), dates.ticks[found], dates.aware[found]


def _zoned(array: pa.Array, zone: str | None) -> pa.Array:
    """Timestamps in another zone; naive ones are wall clock there."""
    if array.type.tz is not None:
        instants = array.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
        return instants.cast(pa.timestamp("us", zone))
    if zone is None:
        return array
    if zone[0] in "+-":
        offset = zone_of(zone).utcoffset(None)
        assert offset is not None
        shift = int(offset.total_seconds()) * 1_000_000
        return pc.subtract(array.cast(pa.int64()), shift).cast(pa.timestamp("us", zone))
    return pc.assume_timezone(array, zone, ambiguous="earliest", nonexistent="earliest")
