"""CSV files that we wrote with texts made harmless for spreadsheets, and what they said before."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from genmodels.files import MANIFEST, read_json
from genmodels.spreadsheets import restored

__all__ = ["is_guarded", "restored_table"]


def is_guarded(file: Path) -> bool:
    """Whether this is a file of a dataset whose texts were made harmless for spreadsheets."""
    manifest = file.absolute().parent.parent / MANIFEST
    try:
        return read_json(manifest).get("formula_guard") is True
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def restored_table(table: pa.Table) -> pa.Table:
    """The texts, and names, as they were before they were guarded."""
    columns = [restored(column.combine_chunks()) for column in table.columns]
    names = restored(pa.array(table.column_names)).to_pylist()
    return pa.table(columns, names=names).replace_schema_metadata(table.schema.metadata)
