"""The dtypes of a DataFrame as JSON, and a table given back in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

__all__ = ["frame_dtypes", "to_frame", "to_series"]

_NULLABLE = {
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.float64(): pd.Float64Dtype(),
}


def frame_dtypes(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Label, dtype and categories of each column, in order; plain JSON."""
    return [_describe(frame.iloc[:, i], label) for i, label in enumerate(frame.columns)]


def to_frame(table: pa.Table, dtypes: list[dict[str, Any]]) -> pd.DataFrame:
    """A typed table as a DataFrame.

    Args:
        table: columns as the schema types them.
        dtypes: what `frame_dtypes` gave for the frame that the schema was inferred from; empty
            for the dtypes that pandas chooses. A column that does not fit its dtype keeps what
            pandas chooses.
    """
    if len(dtypes) != table.num_columns:
        return table.to_pandas()
    columns = [_restore(table.column(i), entry) for i, entry in enumerate(dtypes)]
    frame = pd.concat(columns, axis=1, ignore_index=True)
    frame.columns = pd.Index([entry["label"] for entry in dtypes])
    return frame


def to_series(
    values: pa.Array, dtypes: list[dict[str, Any]], position: int, *, exact: bool
) -> pd.Series:
    """Values of one column as a Series named as it is.

    Args:
        values: (N,), those of the column or numbers in its unit.
        dtypes: see `to_frame`.
        position: of the column.
        exact: whether the values are the column's own; if not (they are means), numbers are
            float64, whatever the column's dtype.
    """
    column = pa.chunked_array([values])
    if not dtypes:
        return column.to_pandas()
    entry = dtypes[position]
    span = "dtype" in entry and pd.api.types.pandas_dtype(entry["dtype"]).kind == "m"
    if not exact and pa.types.is_floating(values.type) and not span:
        return column.to_pandas().rename(entry["label"])
    return _restore(column, entry).rename(entry["label"])


def _describe(series: pd.Series, label: Any) -> dict[str, Any]:
    entry = {"label": label if isinstance(label, str | int) else str(label)}
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        plain = [c.item() if isinstance(c, np.generic) else c for c in dtype.categories]
        texts = all(isinstance(c, str | int | float | bool) for c in plain)
        categories = plain if texts else [str(c) for c in plain]
        return entry | {"categories": categories, "ordered": bool(dtype.ordered)}
    return entry | {"dtype": str(dtype)}


def _restore(column: pa.ChunkedArray, entry: dict[str, Any]) -> pd.Series:
    if "categories" in entry:
        return _category(column, entry["categories"], entry["ordered"])
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    dtype = pd.api.types.pandas_dtype(entry["dtype"])
    nullable = not isinstance(dtype, np.dtype) and column.type in _NULLABLE
    series = column.to_pandas(types_mapper=_NULLABLE.get if nullable else None)
    try:
        if dtype.kind == "m":
            series = pd.to_timedelta(series, unit="s")
        return series.astype(dtype)
    except (TypeError, ValueError, OverflowError):
        return series


def _category(column: pa.ChunkedArray, categories: list[Any], ordered: bool) -> pd.Series:
    dtype = pd.CategoricalDtype(categories, ordered)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    known = {str(category): code for code, category in enumerate(categories)}
    whole = column.unify_dictionaries().combine_chunks()
    array = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    levels = [str(level) for level in array.dictionary.to_pylist()]
    translate = np.array([known.get(level, -1) for level in levels] + [-1])
    codes = array.indices.fill_null(len(levels)).to_numpy()
    return pd.Series(pd.Categorical.from_codes(translate[codes], dtype=dtype))
