"""A pandas DataFrame as an Arrow table: pandas 2.3 and 3, any dtypes that have plain values."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from genmodels.data.sources.parts import (
    check_rows,
    drop_columns,
    table_fingerprint,
    unique_names,
    with_notes,
)

__all__ = ["Frame", "frame_table"]

logger = logging.getLogger(__name__)


class Frame:
    """A DataFrame in memory; its index is not data and is left out.

    Args:
        frame: the data.
        drop: columns to leave out.
        least: how many rows it must have, 1 or 2.
    """

    def __init__(self, *, frame: pd.DataFrame, drop: Sequence[str] = (), least: int = 2) -> None:
        self.frame = frame
        self.drop = tuple(drop)
        self.least = least

    def load(self) -> pa.Table:
        table = drop_columns(frame_table(self.frame), self.drop)
        return check_rows(table, "the DataFrame", least=self.least)

    def fingerprint(self) -> str:
        return table_fingerprint(self.load())


def frame_table(frame: pd.DataFrame) -> pa.Table:
    """Columns of a DataFrame as Arrow arrays.

    Raises:
        ValueError: for a table of column levels (MultiIndex) or values that are not plain.
    """
    if isinstance(frame.columns, pd.MultiIndex):
        raise ValueError("the DataFrame has several levels of column names; flatten them first")
    names, notes = unique_names([str(name) for name in frame.columns])
    arrays = []
    for position, name in enumerate(names):
        array, note = _array(frame.iloc[:, position], name)
        arrays.append(array)
        notes += [note] if note else []
    if any(not isinstance(name, str) for name in frame.columns):
        notes.append("column names that are not text were made text")
    if not isinstance(frame.index, pd.RangeIndex) and any(frame.index.names):
        named = ", ".join(repr(n) for n in frame.index.names)
        notes.append(f"the index {named} is left out; reset_index() makes it a column")
    for note in notes:
        logger.info("DataFrame: %s", note)
    return with_notes(pa.table(arrays, names=names), notes)


def _array(series: pd.Series, name: str) -> tuple[pa.ChunkedArray, str | None]:
    """One column and a note if values had to be made text."""
    if isinstance(series.dtype, pd.SparseDtype):
        series = pd.Series(np.asarray(series))
    if isinstance(series.dtype, pd.CategoricalDtype):
        return _chunked(_categories(series)), None
    if isinstance(series.dtype, pd.PeriodDtype | pd.IntervalDtype):
        texts = series.astype(object).map(str, na_action="ignore")
        return _text(texts), f"column {name!r}: {series.dtype} values made text"
    if series.dtype.kind == "c":
        raise ValueError(f"column {name!r} holds complex numbers; split it into two columns")
    try:
        return _chunked(pa.array(series, from_pandas=True)), None
    except (pa.ArrowException, OverflowError):
        if series.dtype.kind != "O":
            raise
    kinds = sorted({type(v).__name__ for v in series.dropna()})
    texts = series.map(str, na_action="ignore")
    return _text(texts), f"column {name!r} mixes {', '.join(kinds)}: made text"


def _text(series: pd.Series) -> pa.ChunkedArray:
    values = [
        None if missing else text for text, missing in zip(series, series.isna(), strict=True)
    ]
    return _chunked(pa.array(values, pa.string()))


def _chunked(array: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _categories(series: pd.Series) -> pa.DictionaryArray:
    """A dictionary array; categories that are neither text nor whole numbers become text."""
    categories = series.cat.categories
    plain = pd.api.types.is_integer_dtype(categories.dtype)
    values = list(categories) if plain else [str(c) for c in categories]
    codes = series.cat.codes.to_numpy()
    kind = pa.int64() if plain else pa.string()
    indices = pa.array(codes.astype("int32"), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, kind), ordered=False)
