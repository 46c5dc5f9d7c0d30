"""The whole content of a delimited text file as a table of texts."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from genmodels.data.sources.csv_options import DECIMAL, options, said_of_damage
from genmodels.data.sources.parts import unique_names, with_notes
from genmodels.data.sources.sniff import has_decimal_comma, sniff_separator, to_utf8

__all__ = ["read_csv_bytes"]

logger = logging.getLogger(__name__)


def read_csv_bytes(
    data: pa.Buffer,
    *,
    where: str,
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    names: Sequence[str] | None = None,
    quiet: bool = False,
) -> pa.Table:
    """Parse the content of one CSV file into a table of text columns; empty fields are null.

    What is found out about it is logged, unless `quiet`.

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
    for note in () if quiet else notes:
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
        raise ValueError(said_of_damage(where, bad, error, header=names is None)) from error
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
    """One pass of the Arrow reader; `rows=False` reads the header line only."""
    chosen = options(names, separator, block=data.size, skip=skip, bad=bad)
    if rows:
        return pa_csv.read_csv(pa.BufferReader(data), **chosen)
    return _header(data, chosen)


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
