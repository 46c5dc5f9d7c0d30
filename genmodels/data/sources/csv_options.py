"""How the Arrow reader reads delimited text here, and what is said of a row that it refuses."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

__all__ = ["DECIMAL", "options", "said_of_damage"]

DECIMAL = b"genmodels.decimal"
"""Metadata of a table: the decimal mark of its texts, where it is not a point."""

_MOST_BLOCK = 1 << 23


def options(
    names: list[str] | None,
    separator: str,
    *,
    block: int = _MOST_BLOCK,
    skip: bool = False,
    bad: list[pa_csv.InvalidRow] | None = None,
    encoding: str = "utf8",
) -> dict[str, Any]:
    """Arguments of `pyarrow.csv`: each column as text, empty fields are null.

    Serial, so that a bad row has a number; the block is large enough for any sane field.

    Args:
        names: of the columns; None: the first line names them.
        separator: the character between fields.
        block: bytes that are there.
        skip: the line of names, which `names` replace.
        bad: receives the row that has too few or too many fields.
        encoding: of the bytes.
    """

    def refuse(row: pa_csv.InvalidRow) -> str:
        if bad is not None:
            bad.append(row)
        return "error"

    return {
        "read_options": pa_csv.ReadOptions(
            use_threads=False,
            block_size=min(max(block, 1), _MOST_BLOCK),
            column_names=names,
            skip_rows_after_names=int(skip),
            encoding=encoding,
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


def said_of_damage(where: str, bad: list, error: Exception, *, header: bool) -> str:
    """One line on a row that was refused, or on what else the reader said."""
    if not bad:
        return f"{where} cannot be read as CSV: {error}"
    row = bad[0]
    number = "" if row.number is None else f" {row.number - int(header)}"
    text = row.text if len(row.text) <= 60 else row.text[:60] + "..."
    return (
        f"{where}: row{number} has {row.actual_columns} fields instead of "
        f"{row.expected_columns}: {text!r}; mend the row, or set `separator` if it was misread"
    )
