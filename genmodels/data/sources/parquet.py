"""Parquet and Arrow (Feather, IPC) files, with the types they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as pa_feather
import pyarrow.parquet as pa_parquet

from genmodels.data.sources.origins import forgotten, say_forgotten
from genmodels.data.sources.parts import (
    check_rows,
    drop_columns,
    files_fingerprint,
    find_files,
    join_parts,
    streamed_parts,
    unique_names,
    with_notes,
)

__all__ = ["ARROW_SUFFIXES", "PARQUET_SUFFIXES", "Parquet"]

PARQUET_SUFFIXES = (".parquet", ".pq")
ARROW_SUFFIXES = (".arrow", ".feather", ".ipc", ".arrows")
_PIECE_ROWS, _PIECE_VALUES = 65_536, 1 << 21
"""Most rows of a piece, and most values of all its columns."""


class Parquet:
    """One or many Parquet or Arrow files.

    Args:
        path: a file, a glob such as "parts/*.parquet", a folder of parts, or a list of those.
        drop: columns to leave out.
        least: how many rows it must have, 1 or 2.
        origins: keep what a dataset of ours tells of where rows come from.
    """

    def __init__(
        self,
        *,
        path: str | Path | Sequence[str | Path],
        drop: Sequence[str] = (),
        least: int = 2,
        origins: bool = False,
    ) -> None:
        self.path = path
        self.drop = tuple(drop)
        self.least = least
        self.origins = origins

    def load(self) -> pa.Table:
        files = find_files(self.path, PARQUET_SUFFIXES + ARROW_SUFFIXES)
        table = join_parts((file, _read(file)) for file in files)
        forget = forgotten(files, self.drop, keep=self.origins)
        say_forgotten(set(forget) & set(table.column_names), self.path)
        table = drop_columns(table, self.drop, forget)
        return check_rows(table, str(self.path), least=self.least)

    def pieces(self) -> Iterator[pa.Table]:
        """The same rows, so many at a time that they take a few megabytes."""
        files = find_files(self.path, PARQUET_SUFFIXES + ARROW_SUFFIXES)
        parts = [(file, partial(_pieces, file)) for file in files]
        forget = forgotten(files, self.drop, keep=self.origins)
        return streamed_parts(parts, drop=self.drop, forget=forget)

    def fingerprint(self) -> str:
        return files_fingerprint(find_files(self.path, PARQUET_SUFFIXES + ARROW_SUFFIXES))


def _read(file: Path) -> pa.Table:
    return _checked(file, lambda: _arrow(file) if _is_arrow(file) else _parquet(file))


def _checked(file: Path, read: Callable[[], pa.Table]) -> pa.Table:
    """A table of a file with names of our own, or one line on what is wrong with it."""
    if file.stat().st_size == 0:
        raise ValueError(f"{file} is empty")
    try:
        table = read()
        table.validate(full=True)  # texts that are none, and indices beyond a dictionary
        table = _without_index(table)
        names, notes = unique_names(table.column_names)
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        raise ValueError(f"{file} cannot be read: {error}") from error
    return with_notes(table.rename_columns(names).replace_schema_metadata(), notes)


def _is_arrow(file: Path) -> bool:
    return file.name.lower().endswith(ARROW_SUFFIXES)


def _pieces(file: Path) -> Iterator[pa.Table]:
    batches = _batches(file)
    while True:
        batch: pa.RecordBatch | None = None

        def following() -> pa.Table:
            nonlocal batch
            batch = next(batches, None)
            return pa.table({}) if batch is None else pa.Table.from_batches([batch])

        table = _checked(file, following)
        if batch is None:
            return
        if len(table):
            yield table


def _batches(file: Path) -> Iterator[pa.RecordBatch]:
    """Record batches of a file, at most so many rows each."""
    if not _is_arrow(file):
        with pa_parquet.ParquetFile(file) as opened:
            rows = _rows_of(opened.schema_arrow)
            yield from opened.iter_batches(batch_size=rows)
        return
    with file.open("rb") as raw:
        magic = raw.read(6)
    if magic.startswith(b"FEA1"):
        table = _arrow(file)  # the old format is read as a whole
        yield from table.to_batches(max_chunksize=_rows_of(table.schema))
        return
    with pa.OSFile(str(file)) as source:
        if magic == b"ARROW1":
            reader = pa.ipc.open_file(source)
            whole = (reader.get_batch(k) for k in range(reader.num_record_batches))
        else:
            whole = iter(pa.ipc.open_stream(source))
        for batch in whole:
            rows = _rows_of(batch.schema)
            yield from pa.Table.from_batches([batch]).to_batches(max_chunksize=rows)


def _rows_of(schema: pa.Schema) -> int:
    return max(1, min(_PIECE_ROWS, _PIECE_VALUES // max(1, len(schema.names))))


def _parquet(file: Path) -> pa.Table:
    return pa_parquet.ParquetFile(file).read()


def _arrow(file: Path) -> pa.Table:
    with file.open("rb") as opened:
        magic = opened.read(6)
    if magic == b"ARROW1" or magic.startswith(b"FEA1"):
        return pa_feather.read_table(file, memory_map=False)
    with pa.OSFile(str(file)) as opened_file, pa.ipc.open_stream(opened_file) as reader:
        return reader.read_all()


def _without_index(table: pa.Table) -> pa.Table:
    """Leave out the unnamed row index that pandas writes beside the columns."""
    extra = [n for n in table.column_names if n.startswith("__index_level_") and n.endswith("__")]
    return table.drop_columns(extra) if extra else table
