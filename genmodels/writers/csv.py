"""CSV shards `data/train-00000-of-000NN.csv[.gz]`, in the source's own spelling.

Missing values, dates and booleans are written as the source wrote them, so that a program that
reads the source reads the synthetic file unchanged. Columns become text one by one and lines
by one join, all in Arrow: no Python runs per value.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.schema import Column, TableSchema
from genmodels.spreadsheets import guarded
from genmodels.types import Raw
from genmodels.writers.base import NO_TABLE, Shard, positive, sync_file, tables

__all__ = ["CSVWriter", "format_table"]

_NEEDS_QUOTES = r'[,"\r\n]|^\s|\s$'


class CSVWriter:
    """Writes tables as comma-separated UTF-8 with a header line.

    Args:
        schema: says how each column spells its values.
        rows_per_file: rows in each file but the last.
        gzip: compress each file (`.csv.gz`).
        formula_guard: make texts harmless that a spreadsheet would run, see `spreadsheets.py`;
            the sources of this package restore them, as the manifest says that they must.
    """

    def __init__(
        self,
        *,
        schema: TableSchema,
        rows_per_file: int,
        gzip: bool,
        formula_guard: bool = True,
    ) -> None:
        if not isinstance(schema, TableSchema):
            raise ValueError(NO_TABLE)
        self.schema = schema
        self.rows_per_shard = positive("rows_per_file", rows_per_file)
        self.gzip = gzip
        self.facts: dict[str, Any] = {"formula_guard": formula_guard}
        self._safe = guarded if formula_guard else _as_it_is

    def write(self, pieces: Iterator[Raw], folder: Path, shard: Shard) -> list[Path]:
        path = shard.path(folder, ".csv.gz" if self.gzip else ".csv")
        names = self._safe(pa.array(self.schema.names))
        header = ",".join(_quote(names).to_pylist()) + "\n"
        with _open(path, compress=self.gzip) as file:
            file.write(header.encode())
            for piece in tables(pieces):
                if piece.num_rows:
                    file.write(format_table(piece, self.schema, self._safe))
        sync_file(path)
        return [path]

    def finish(self, folder: Path, shards: int) -> list[Path]:
        return []


Change = Callable[[pa.Array], pa.Array]


def _as_it_is(texts: pa.Array) -> pa.Array:
    return texts


def format_table(table: pa.Table, schema: TableSchema, safe: Change = _as_it_is) -> memoryview:
    """The lines of a table, without header; `safe` is applied to texts before they are quoted."""
    texts = [_texts(table[c.name].combine_chunks(), c, safe) for c in schema.columns]
    if len(texts) == 1:
        texts = [pc.if_else(pc.equal(texts[0], ""), '""', texts[0])]
    lines = pc.binary_join_element_wise(*texts, ",")
    ended = pc.binary_join_element_wise(lines, "", "\n")
    size = int(np.frombuffer(ended.buffers()[1], np.int32)[len(ended)])
    return memoryview(ended.buffers()[2])[:size]


@contextmanager
def _open(path: Path, *, compress: bool) -> Iterator[IO[bytes]]:
    """A file to write to; compressed bytes do not depend on name or time."""
    with path.open("wb") as file:
        if not compress:
            yield file
            return
        with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
            yield packed  # type: ignore[misc]


def _texts(values: pa.Array, column: Column, safe: Change) -> pa.Array:
    """One column as text, quoted where needed; missing values become the source's token."""
    token = column.missing[0] if column.missing else ""
    missing = _quote(safe(pa.array([token])))[0]
    return pc.fill_null(_spell(values, column, safe), missing)


def _spell(values: pa.Array, column: Column, safe: Change) -> pa.Array:
    kind = values.type
    if pa.types.is_dictionary(kind):
        levels = _spell(values.dictionary, column, safe)
        return levels.take(values.indices)
    if pa.types.is_boolean(kind):
        return pc.if_else(values, "True", "False")
    if pa.types.is_timestamp(kind):
        return _quote(safe(_spell_times(values, column.format)))
    if pa.types.is_floating(kind):
        if column.decimals is not None:
            values = pc.round(values, column.decimals)
        return values.cast(pa.string())
    return _quote(safe(values.cast(pa.string())))


def _spell_times(times: pa.Array, pattern: str | None) -> pa.Array:
    """strftime; Arrow's %S carries the fraction of the unit, so the unit decides about %f."""
    pattern = pattern or ("%Y-%m-%d %H:%M:%S.%f" + ("%z" if times.type.tz else ""))
    if times.type.tz and pattern.endswith("Z") and not pattern.endswith("%Z"):
        times = times.cast(pa.timestamp("us", "UTC"))
    if "%S.%f" in pattern:
        return pc.strftime(times, format=pattern.replace("%S.%f", "%S"))
    whole = times.cast(pa.timestamp("s", times.type.tz), safe=False)
    return pc.strftime(whole, format=pattern)


def _quote(texts: pa.Array) -> pa.Array:
    if not pc.any(pc.match_substring_regex(texts, _NEEDS_QUOTES)).as_py():
        return texts
    doubled = pc.replace_substring(texts, '"', '""')
    quoted = pc.binary_join_element_wise('"', doubled, '"', "")
    return pc.if_else(pc.match_substring_regex(texts, _NEEDS_QUOTES), quoted, texts)
