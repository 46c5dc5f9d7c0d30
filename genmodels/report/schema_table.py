"""What was decided about each column, as a table for the terminal."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from rich.table import Table
from rich.text import Text

from genmodels.data.sources.parts import notes_of
from genmodels.report.page.texts import flat, short
from genmodels.schema import Column, TableSchema

__all__ = ["schema_table"]

SHOWN = 4
WIDTH = 24
LONGEST = 60
LOOKED_AT = 10_000


def schema_table(schema: TableSchema, raw: pa.Table) -> Table:
    """One line per column: kind, missing share, what values look like, and why.

    Args:
        schema: of `raw`.
        raw: the table as its source loads it; first rows are looked at for examples.
    """
    out = Table(
        title=f"{raw.num_rows:,} rows, {raw.num_columns} columns",
        caption=Text("\n".join(map(flat, notes_of(raw)))) if notes_of(raw) else None,
        caption_justify="left",
        header_style="bold",
    )
    for heading in ("column", "kind", "missing", "values", "why"):
        out.add_column(heading, overflow="fold")
    for column in schema.columns:
        kind = column.kind if column.role == "feature" else f"{column.kind} ({column.role})"
        cells = (kind, _missing(column, raw), _values(column, raw), flat(column.note))
        out.add_row(Text(short(column.name, LONGEST)), *(Text(cell) for cell in cells))
    return out


def _missing(column: Column, raw: pa.Table) -> str:
    if column.name not in raw.column_names or not column.nullable:
        return ""
    values = raw[column.name]
    empty = values.null_count
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        trimmed = pc.utf8_trim_whitespace(values)
        words = pa.array(["", *column.missing], kind)
        empty += pc.sum(pc.is_in(trimmed, value_set=words)).as_py() or 0
    percent = 100 * empty / max(raw.num_rows, 1)
    if percent == 0:
        return "yes"
    return f"{percent:.1f} %" if percent >= 0.1 else "< 0.1 %"


def _values(column: Column, raw: pa.Table) -> str:
    if column.levels is not None and column.kind in ("categorical", "boolean"):
        return _some([str(level) for level in column.levels], len(column.levels))
    if column.kind == "constant":
        return "" if column.value is None else _short(str(column.value))
    if column.minimum is not None and column.kind in ("continuous", "integer", "datetime"):
        return f"{_short(str(column.minimum))} to {_short(str(column.maximum))}"
    if column.name not in raw.column_names:
        return ""
    some = raw[column.name].slice(0, LOOKED_AT).drop_null()
    return _some([str(v) for v in some.slice(0, SHOWN).to_pylist()], len(some))


def _some(texts: list[str], count: int) -> str:
    more = ", ..." if count > SHOWN else ""
    return ", ".join(_short(text) for text in texts[:SHOWN]) + more


def _short(text: str) -> str:
    line = flat(text)
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."
