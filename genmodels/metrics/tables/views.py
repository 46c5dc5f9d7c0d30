"""Raw tables as plain arrays that are comparable across tables: the input of every table metric.

Numbers and datetimes become float64 with NaN for missing, categories become codes of one shared
vocabulary. Reading is tolerant: a table from another tool may hold text where numbers are
expected, and what cannot be read is counted instead of refused.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.schema import UNFIT, Column, TableSchema

__all__ = ["TableView", "column_text", "shuffled_columns", "table_views"]

NUMERIC_KINDS = ("continuous", "integer", "datetime")
DISCRETE_KINDS = ("categorical", "boolean")


@dataclass(frozen=True, eq=False)
class TableView:
    """The modelled columns of one table; identifiers and constants are left out.

    Args:
        numeric: names of the F numeric columns (continuous, integer, datetime).
        numbers: values, shape (N, F), float64; datetimes in seconds since 1970; NaN = missing.
        discrete: names of the Q categorical and boolean columns.
        codes: shape (N, Q), int32; 0 = missing, k = level k - 1 of `levels`.
        levels: the text of each level, per discrete column, shared by all views made together.
        unreadable: per column, how many values could not be read as its kind, here or, as `UNFIT`
            says, before.
    """

    numeric: tuple[str, ...]
    numbers: np.ndarray
    discrete: tuple[str, ...]
    codes: np.ndarray
    levels: tuple[tuple[str, ...], ...]
    unreadable: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def names(self) -> tuple[str, ...]:
        return self.numeric + self.discrete

    def take(self, rows: np.ndarray) -> TableView:
        return TableView(
            self.numeric,
            self.numbers[rows],
            self.discrete,
            self.codes[rows],
            self.levels,
            self.unreadable,
        )

    def only(self, names: Collection[str]) -> TableView:
        """The columns of these names, in the order that they have here."""
        f = [i for i, name in enumerate(self.numeric) if name in names]
        q = [i for i, name in enumerate(self.discrete) if name in names]
        return TableView(
            tuple(self.numeric[i] for i in f),
            self.numbers[:, f],
            tuple(self.discrete[i] for i in q),
            self.codes[:, q],
            tuple(self.levels[i] for i in q),
            {name: n for name, n in self.unreadable.items() if name in names},
        )

    def sizes(self) -> np.ndarray:
        """Number of codes of each discrete column, the one for missing included; shape (Q,)."""
        return np.array([len(levels) + 1 for levels in self.levels], dtype=np.int64)

    def missing(self) -> np.ndarray:
        """Share of missing values per column, in the order of `names`; shape (F + Q,)."""
        if not len(self):
            return np.zeros(len(self.names))
        return np.concatenate([np.isnan(self.numbers).mean(0), (self.codes == 0).mean(0)])


def table_views(tables: Sequence[pa.Table], schema: TableSchema) -> list[TableView]:
    """Put several tables into comparable arrays with one vocabulary per discrete column.

    Args:
        tables: raw tables; columns that the schema does not name are ignored.
        schema: what the columns mean.

    Raises:
        ValueError: when a table lacks a column of the schema.
    """
    modelled = [c for c in schema.columns if c.kind in NUMERIC_KINDS + DISCRETE_KINDS]
    for number, table in enumerate(tables):
        lost = [c.name for c in modelled if c.name not in table.column_names]
        if lost:
            raise ValueError(
                f"data set {number + 1} of {len(tables)} has no column {', '.join(map(repr, lost))}"
                f"; it has {', '.join(map(repr, table.column_names[:20]))}"
            )
    numeric = [c for c in modelled if c.kind in NUMERIC_KINDS]
    discrete = [c for c in modelled if c.kind in DISCRETE_KINDS]
    vocabularies: list[dict[str, int]] = []
    for column in discrete:
        texts = dict.fromkeys(_level_text(level, column) for level in column.levels or ())
        vocabularies.append({text: k + 1 for k, text in enumerate(texts)})
    parts = [
        (*_number_block(table, numeric), _code_block(table, discrete, vocabularies))
        for table in tables
    ]
    names = tuple(c.name for c in numeric), tuple(c.name for c in discrete)
    levels = tuple(tuple(words) for words in vocabularies)
    return [TableView(names[0], n, names[1], c, levels, u) for n, u, c in parts]


def shuffled_columns(view: TableView, seed: int) -> TableView:
    """The same columns, each permuted on its own: right marginals, no dependence at all."""
    rng = np.random.default_rng([seed, 1])
    return TableView(
        view.numeric,
        rng.permuted(view.numbers, axis=0),
        view.discrete,
        rng.permuted(view.codes, axis=0),
        view.levels,
        view.unreadable,
    )


def column_text(values: pa.ChunkedArray) -> pd.Series:
    """Any column as text, for comparing identifiers and constants; missing stays missing."""
    if pa.types.is_dictionary(values.type):
        values = pc.cast(values, values.type.value_type)
    series = values.to_pandas()
    return series.dropna().map(_plain)


def _number_block(table: pa.Table, columns: Sequence[Column]) -> tuple[np.ndarray, dict[str, int]]:
    numbers = np.full((table.num_rows, len(columns)), np.nan)
    unreadable: dict[str, int] = json.loads((table.schema.metadata or {}).get(UNFIT, b"{}"))
    for f, column in enumerate(columns):
        numbers[:, f], bad = _numbers(table.column(column.name), column)
        if bad:
            unreadable[column.name] = unreadable.get(column.name, 0) + bad
    return numbers, unreadable


def _code_block(
    table: pa.Table, columns: Sequence[Column], vocabularies: list[dict[str, int]]
) -> np.ndarray:
    codes = np.zeros((table.num_rows, len(columns)), dtype=np.int32)
    for q, (column, words) in enumerate(zip(columns, vocabularies, strict=True)):
        codes[:, q] = _codes(table.column(column.name), column, words)
    return codes


def _numbers(values: pa.ChunkedArray, column: Column) -> tuple[np.ndarray, int]:
    """Float64 values (N,) with NaN for missing, and the number of unreadable ones."""
    if pa.types.is_dictionary(values.type):
        values = pc.cast(values, values.type.value_type)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return _numbers_from_text(values, column)
    if pa.types.is_temporal(values.type):
        if pa.types.is_date(values.type):
            values = pc.cast(values, pa.timestamp("us"))
        whole = pc.cast(pc.cast(values, _microseconds(values.type), safe=False), pa.int64())
        return _floats(whole) / 1e6, 0
    if pa.types.is_null(values.type):
        return np.full(len(values), np.nan), 0
    out = _floats(values)
    finite = np.where(np.isfinite(out), out, np.nan)
    return finite, int(np.isinf(out).sum())


def _microseconds(kind: pa.DataType) -> pa.DataType:
    return pa.timestamp("us", tz=kind.tz) if pa.types.is_timestamp(kind) else pa.int64()


def _floats(values: pa.ChunkedArray) -> np.ndarray:
    filled = pc.fill_null(pc.cast(values, pa.float64(), safe=False), float("nan"))
    return np.asarray(filled.to_numpy(), dtype=np.float64)


def _numbers_from_text(values: pa.ChunkedArray, column: Column) -> tuple[np.ndarray, int]:
    text = values.to_pandas().astype("object").str.strip()
    absent = text.isna() | text.isin(["", *column.missing])
    text = text.where(~absent, None)
    if column.kind == "datetime":
        form = column.format or "ISO8601"
        stamps = pd.to_datetime(text, format=form, errors="coerce", utc=True)
        if bool((stamps.isna() & ~absent).any()):
            mixed = pd.to_datetime(text, format="mixed", errors="coerce", utc=True)
            stamps = stamps.fillna(mixed)
        seconds = stamps.astype("datetime64[us, UTC]").astype("int64").to_numpy() / 1e6
        out = np.where(stamps.isna().to_numpy(), np.nan, seconds)
    else:
        out = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        out = np.where(np.isfinite(out), out, np.nan)
    return out, int((np.isnan(out) & ~absent.to_numpy()).sum())


def _codes(values: pa.ChunkedArray, column: Column, words: dict[str, int]) -> np.ndarray:
    """Codes (N,) of one discrete column; new levels are added to `words`."""
    if pa.types.is_null(values.type):
        return np.zeros(len(values), dtype=np.int32)
    if not pa.types.is_dictionary(values.type):
        values = pc.dictionary_encode(values)
    joined = values.unify_dictionaries().combine_chunks()
    if isinstance(joined, pa.ChunkedArray):
        joined = pa.concat_arrays(joined.chunks) if joined.num_chunks else joined
    if not len(values):
        return np.zeros(0, dtype=np.int32)
    absent = {"", *column.missing}
    mapping = np.zeros(len(joined.dictionary) + 1, dtype=np.int32)
    for k, level in enumerate(joined.dictionary.to_pylist()):
        text = "" if level is None else _level_text(level, column)
        if text not in absent:
            mapping[k] = words.setdefault(text, len(words) + 1)
    indices = pc.fill_null(joined.indices.cast(pa.int64()), len(joined.dictionary))
    return mapping[np.asarray(indices.to_numpy(zero_copy_only=False))]


def _level_text(level: object, column: Column) -> str:
    """One spelling per level, whatever type a file gave it: 3, 3.0 and "3.0" are one level."""
    text = _plain(level)
    if column.levels and isinstance(column.levels[0], bool):
        return text.lower()
    if column.levels and isinstance(column.levels[0], int | float) and isinstance(level, str):
        try:
            return _plain(float(text))
        except ValueError:
            return text
    return text


def _plain(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
