"""Delimited text files, each column as text: nothing is typed here (see `data/infer.py`).

Separator and encoding are found out unless given; what was found out is kept as notes on the
table and logged. A damaged file is refused with the row, never repaired silently.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from genmodels.data.sources.parts import (
    check_rows,
    drop_columns,
    files_fingerprint,
    find_files,
    join_parts,
    unique_names,
    with_notes,
)
from genmodels.data.sources.sniff import has_decimal_comma, sniff_separator, to_utf8
from genmodels.files import MANIFEST, read_json
from genmodels.spreadsheets import restored

__all__ = ["CSV", "CSV_SUFFIXES", "DECIMAL", "read_csv_bytes"]

CSV_SUFFIXES = tuple(
    text + packed for text in (".csv", ".tsv", ".txt") for packed in ("", ".gz", ".bz2", ".zst")
)
DECIMAL = b"genmodels.decimal"

logger = logging.getLogger(__name__)


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
    ) -> None:
        self.path = path
        self.separator = separator
        self.decimal = decimal
        self.encoding = encoding
        self.names = names
        self.drop = tuple(drop)
        self.least = least

    def load(self) -> pa.Table:
        files = find_files(self.path, CSV_SUFFIXES)
        table = join_parts((file, self._read(file)) for file in files)
        return check_rows(drop_columns(table, self.drop), str(self.path), least=self.least)

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
        return _restored(table) if _is_guarded(file) else table


def _is_guarded(file: Path) -> bool:
    """Whether this is a file of a dataset whose texts were made harmless for spreadsheets."""
    manifest = file.absolute().parent.parent / MANIFEST
    try:
        return read_json(manifest).get("formula_guard") is True
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def _restored(table: pa.Table) -> pa.Table:
    columns = [restored(column.combine_chunks()) for column in table.columns]
    names = restored(pa.array(table.column_names)).to_pylist()
    return pa.table(columns, names=names).replace_schema_metadata(table.schema.metadata)


def _content(file: Path) -> pa.Buffer:
    if file.suffix.lower() in (".zip", ".xlsx", ".xls", ".7z", ".rar"):
        raise ValueError(f"{file} is an archive or a workbook; unpack it or save it as CSV first")
    try:
        with pa.input_stream(str(file), compression="detect") as stream:
            return stream.read_buffer()
    except (OSError, EOFError) as error:
        raise ValueError(f"{file} cannot be read: {error}") from error


def read_csv_bytes(
    data: pa.Buffer,
    *,
    where: str,
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    names: Sequence[str] | None = None,
) -> pa.Table:
    """Parse the content of one CSV file into a table of text columns; empty fields are null.

    Raises:
        ValueError: for an empty file or a row with too few or too many fields (with its line).
    """
    notes: list[str] = []
    data = to_utf8(data, where, encoding, notes)
    head = data[: 1 << 16].to_pybytes().decode("utf-8", errors="ignore")
    if not head.strip():
        raise ValueError(f"{where} is empty")
    separator = separator or sniff_separator(head)
    if separator != ",":
        notes.append(f"fields are separated by {_SPOKEN.get(separator, repr(separator))}")
    table = _parse(data, where, separator, names)
    unique, renamed = unique_names(table.column_names)
    table, notes = table.rename_columns(unique), notes + renamed
    decimal = decimal or ("," if separator != "," and has_decimal_comma(table) else None)
    if decimal == ",":
        table = table.replace_schema_metadata({DECIMAL: b","})
        notes.append("decimal comma")
    for note in notes:
        logger.info("%s: %s", where, note)
    return with_notes(table, notes)


_SPOKEN = {";": "';'", "\t": "tabs", "|": "'|'", ",": "','"}


def _parse(data: pa.Buffer, where: str, separator: str, names: Sequence[str] | None) -> pa.Table:
    try:
        header = _read(data, separator, None, rows=False).column_names
    except pa.ArrowInvalid as error:
        raise ValueError(f"{where} cannot be read as CSV: {error}") from error
    if names is not None and len(names) != len(header):
        raise ValueError(f"{where} has {len(header)} columns, but `names` has {len(names)}")
    fields = [f"{i}" for i in range(len(header))]
    bad: list[pa_csv.InvalidRow] = []
    try:
        table = _read(data, separator, fields, rows=True, skip=names is None, bad=bad)
    except pa.ArrowInvalid as error:
        raise ValueError(_damage(where, bad, error, header=names is None)) from error
    if _open_quote(data, table):
        raise ValueError(
            f"{where}: a quote is opened and never closed; the last row swallows lines"
        )
    return table.rename_columns(list(names) if names is not None else header)


def _read(
    data: pa.Buffer,
    separator: str,
    names: list[str] | None,
    *,
    rows: bool,
    skip: bool = False,
    bad: list[pa_csv.InvalidRow] | None = None,
) -> pa.Table:
    """One pass of the Arrow reader; `rows=False` reads the header line only.

    Serial, so that a bad row has a number; the block is large enough for any sane field.
    """

    def refuse(row: pa_csv.InvalidRow) -> str:
        if bad is not None:
            bad.append(row)
        return "error"

    options = {
        "read_options": pa_csv.ReadOptions(
            use_threads=False,
            block_size=min(max(data.size, 1), 1 << 23),
            column_names=names,
            skip_rows_after_names=int(skip),
        ),
        "parse_options": pa_csv.ParseOptions(
            delimiter=separator, newlines_in_values=True, invalid_row_handler=refuse
        ),
        "convert_options": pa_csv.ConvertOptions(
            column_types={name: pa.string() for name in names or ()},
            strings_can_be_null=True,
            null_values=[""],
        ),
    }
    if rows:
        return pa_csv.read_csv(pa.BufferReader(data), **options)
    return _header(data, options)


def _header(data: pa.Buffer, options: dict) -> pa.Table:
    """An empty table with the names of the first line."""
    line = _first_record(data)
    reader = pa.BufferReader(line + b"\n")
    names = pa_csv.read_csv(reader, **options).column_names
    return pa.table({str(i): [] for i in range(len(names))}).rename_columns(names)


def _first_record(data: pa.Buffer) -> bytes:
    """The first line that is not blank, through any newlines inside quotes."""
    text = data[: 1 << 22].to_pybytes().lstrip(b"\r\n")
    quoted = False
    for position in range(len(text)):
        byte = text[position : position + 1]
        if byte == b'"':
            quoted = not quoted
        elif byte in b"\r\n" and not quoted:
            return text[:position]
    return text


def _open_quote(data: pa.Buffer, table: pa.Table) -> bool:
    odd = np.count_nonzero(np.frombuffer(data, np.uint8) == ord('"')) % 2 == 1
    last = table.slice(max(table.num_rows - 1, 0)).to_pydict().values() if odd else ()
    return any("\n" in text for texts in last for text in texts if text)


def _damage(where: str, bad: list, error: Exception, *, header: bool) -> str:
    if not bad:
        return f"{where} cannot be read as CSV: {error}"
    row = bad[0]
    number = "" if row.number is None else f" {row.number - int(header)}"
    text = row.text if len(row.text) <= 60 else row.text[:60] + "..."
    return (
        f"{where}: row{number} has {row.actual_columns} fields instead of "
        f"{row.expected_columns}: {text!r}; mend the row, or set `separator` if it was misread"
    )
