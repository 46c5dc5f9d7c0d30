"""A delimited text file in pieces of a few megabytes, each column as text.

Separator, encoding and decimal mark are found out from the first megabyte unless given; where the
rest is written otherwise, reading stops with the setting that would have helped.
"""

from __future__ import annotations

import codecs
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from genmodels.data.sources.csv_bytes import read_csv_bytes
from genmodels.data.sources.csv_options import options, said_of_damage
from genmodels.data.sources.guarded import is_guarded, restored_table
from genmodels.data.sources.sniff import encoding_of, sniff_separator

__all__ = ["csv_pieces"]

_HEAD = 1 << 20

logger = logging.getLogger(__name__)


def csv_pieces(
    file: Path,
    *,
    separator: str | None,
    decimal: str | None,
    encoding: str | None,
    names: Sequence[str] | None,
    quiet: bool = False,
) -> Iterator[pa.Table]:
    """Read a file (plain, .gz, .bz2, .zst) once, from its beginning; see `CSV` for the arguments.

    What is found out about it is logged, unless `quiet`.

    Raises:
        ValueError: for an empty or damaged file, with the row where one is to blame.
    """
    try:
        with pa.input_stream(str(file), compression="detect") as stream:
            start = stream.read_buffer(_HEAD)
        if not start.size:
            raise ValueError(f"{file} is empty")
        notes: list[str] = []
        encoding = encoding_of(start, encoding, notes, whole=start.size < _HEAD)
        for note in () if quiet else notes:
            logger.info("%s: %s", file, note)
        head = _records(_decoded(start, encoding), whole=start.size < _HEAD)
        separator = separator or sniff_separator(head[: 1 << 16].decode(errors="ignore"))
        first = read_csv_bytes(
            pa.py_buffer(head),
            where=str(file),
            separator=separator,
            decimal=decimal,
            encoding="utf-8",
            names=names,
            quiet=quiet,
        )
        pieces = _read(file, first, separator, encoding, header=names is None)
        yield from map(restored_table, pieces) if is_guarded(file) else pieces
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{file} is not encoded as {encoding} all through: {error}; set `encoding`"
        ) from error
    except (OSError, EOFError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise ValueError(f"{file} cannot be read: {error}") from error


def _decoded(start: pa.Buffer, encoding: str) -> bytes:
    """The beginning of a file as UTF-8, without BOM and without a letter that is cut off."""
    text = codecs.getincrementaldecoder(encoding)().decode(start.to_pybytes())
    return text.removeprefix("\ufeff").encode()


def _records(head: bytes, *, whole: bool) -> bytes:
    """Whole lines, through any newlines inside quotes."""
    if whole:
        return head
    array = np.frombuffer(head, np.uint8)
    outside = np.cumsum(array == ord('"')) % 2 == 0
    ends = np.flatnonzero((array == ord("\n")) & outside)
    return head[: ends[-1] + 1] if len(ends) else head


def _read(
    file: Path, first: pa.Table, separator: str, encoding: str, *, header: bool
) -> Iterator[pa.Table]:
    fields = [f"{i}" for i in range(first.num_columns)]
    bad: list[pa_csv.InvalidRow] = []
    chosen = options(fields, separator, skip=header, bad=bad, encoding=encoding)
    last: pa.RecordBatch | None = None
    try:
        with (
            pa.input_stream(str(file), compression="detect") as stream,
            pa_csv.open_csv(stream, **chosen) as reader,
        ):
            for batch in reader:
                if batch.num_rows:
                    table = pa.Table.from_batches([batch]).rename_columns(first.column_names)
                    yield table.replace_schema_metadata(first.schema.metadata)
                    last = batch
    except pa.ArrowInvalid as error:
        said = said_of_damage(str(file), bad, error, header=header)
        raise ValueError(said + _advice(str(error))) from error
    if last is not None and _is_open(file, last):
        raise ValueError(f"{file}: a quote is opened and never closed; the last row swallows lines")


def _is_open(file: Path, last: pa.RecordBatch) -> bool:
    """Whether a quote is never closed, so that the last row swallowed the lines after it."""
    row = last.slice(last.num_rows - 1).to_pylist()[0]
    if not any(text and "\n" in text for text in row.values()):
        return False
    quotes = 0
    with pa.input_stream(str(file), compression="detect") as stream:
        while chunk := stream.read(1 << 22):
            quotes += chunk.count(b'"')
    return quotes % 2 == 1


def _advice(said: str) -> str:
    if "UTF8" in said:
        return "; its beginning is UTF-8, the rest is not: set `encoding`, such as latin-1"
    if "straddling" in said:
        return "; a quote may be opened and never closed"
    return ""
