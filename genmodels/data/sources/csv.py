"""Delimited text files, each column as text: nothing is typed here (see `data/infer.py`).

Separator and encoding are found out unless given; what was found out is kept as notes on the
table and logged. A damaged file is refused with the row, never repaired silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from genmodels.data.sources.csv_bytes import read_csv_bytes
from genmodels.data.sources.csv_stream import csv_pieces
from genmodels.data.sources.guarded import is_guarded, restored_table
from genmodels.data.sources.origins import forgotten, say_forgotten
from genmodels.data.sources.parts import (
    check_rows,
    drop_columns,
    files_fingerprint,
    find_files,
    join_parts,
    streamed_parts,
)

__all__ = ["CSV", "CSV_SUFFIXES"]

CSV_SUFFIXES = tuple(
    text + packed for text in (".csv", ".tsv", ".txt") for packed in ("", ".gz", ".bz2", ".zst")
)


class CSV:
    """One or many CSV files (plain, .gz, .bz2, .zst), read as text.

    Args:
        path: a file, a glob such as "parts/*.csv.gz", a folder of parts, or a list of those.
        separator: the character between fields; None: found among , ; tab |.
        decimal: "." or ","; None: found from the values of files not separated by commas.
        encoding: such as "utf-8"; None: UTF-8 (with or without BOM), UTF-16 by its BOM, else
            Windows-1252 or latin-1, with a note.
        names: column names of files that have no header line.
        drop: columns to leave out.
        least: how many rows it must have, 1 or 2.
        origins: keep what a dataset of ours tells of where rows come from.
    """

    def __init__(
        self,
        *,
        path: str | Path | Sequence[str | Path],
        separator: str | None = None,
        decimal: str | None = None,
        encoding: str | None = None,
        names: Sequence[str] | None = None,
        drop: Sequence[str] = (),
        least: int = 2,
        origins: bool = False,
    ) -> None:
        self.path = path
        self.separator = separator
        self.decimal = decimal
        self.encoding = encoding
        self.names = names
        self.drop = tuple(drop)
        self.least = least
        self.origins = origins
        self._told = False

    def load(self) -> pa.Table:
        files = find_files(self.path, CSV_SUFFIXES)
        table = join_parts((file, self._read(file)) for file in files)
        forget = forgotten(files, self.drop, keep=self.origins)
        say_forgotten(set(forget) & set(table.column_names), self.path)
        table = drop_columns(table, self.drop, forget)
        return check_rows(table, str(self.path), least=self.least)

    def pieces(self) -> Iterator[pa.Table]:
        """The same rows a few megabytes at a time, see `csv_stream.py`."""
        files = find_files(self.path, CSV_SUFFIXES)
        quiet, self._told = self._told, True
        parts = [
            (
                file,
                partial(
                    csv_pieces,
                    file,
                    separator=self.separator,
                    decimal=self.decimal,
                    encoding=self.encoding,
                    names=self.names,
                    quiet=quiet,
                ),
            )
            for file in files
        ]
        forget = forgotten(files, self.drop, keep=self.origins)
        return streamed_parts(parts, drop=self.drop, forget=forget, typed=False)

    def fingerprint(self) -> str:
        return files_fingerprint(find_files(self.path, CSV_SUFFIXES))

    def _read(self, file: Path) -> pa.Table:
        table = read_csv_bytes(
            _content(file),
            where=str(file),
            separator=self.separator,
            decimal=self.decimal,
            encoding=self.encoding,
            names=self.names,
        )
        return restored_table(table) if is_guarded(file) else table


def _content(file: Path) -> pa.Buffer:
    if file.suffix.lower() in (".zip", ".xlsx", ".xls", ".7z", ".rar"):
        raise ValueError(f"{file} is an archive or a workbook; unpack it or save it as CSV first")
    try:
        with pa.input_stream(str(file), compression="detect") as stream:
            return stream.read_buffer()
    except (OSError, EOFError) as error:
        raise ValueError(f"{file} cannot be read: {error}") from error
