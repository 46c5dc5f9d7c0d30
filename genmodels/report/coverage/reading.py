"""Data of any origin as comparable arrays for a coverage study: all are read by one schema."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from genmodels.data.known import known_of, loosened, stacked
from genmodels.data.schema_file import near
from genmodels.metrics.coverage.factors import Factor
from genmodels.metrics.tables.views import TableView, table_views
from genmodels.schema import Column, Schema, TableSchema
from genmodels.types import Source

__all__ = ["Known", "points", "read_known"]


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of each example of several data sets.

    Args:
        schema: of all.
        views: of each data set.
    """

    schema: TableSchema
    views: tuple[TableView, ...]

    @property
    def whole(self) -> TableView:
        """All rows of all data sets."""
        return self.joined(self.views)

    def joined(self, views: Sequence[TableView]) -> TableView:
        """The rows of some of them."""
        return replace(
            self.views[0],
            numbers=np.concatenate([view.numbers for view in views]),
            codes=np.concatenate([view.codes for view in views]),
        )


def read_known(
    sources: Sequence[Source],
    names: Sequence[str],
    *,
    binned: Collection[str] = (),
    told: Schema | None,
    infer: Callable[[pa.Table], TableSchema],
    parse: Callable[[pa.Table, TableSchema], pa.Table],
) -> Known:
    """Read data sets by one schema, so that a level or bin means the same in all.

    Args:
        sources: the data, then others to compare with.
        names: of what is read; empty: all that every one of them has.
        binned: names of numbers, even if so few occur that they would be taken for codes.
        told: what a schema file or a dataset says of them; inferred where it says nothing.
        infer: rows -> their schema.
        parse: (rows, schema) -> typed rows.

    Raises:
        ValueError: for a name that is not there, or data that cannot be read.
    """
    tables = [known_of(source) for source in sources]
    there = tables[0].column_names
    for name in names:
        if name not in there:
            raise ValueError(f"factors: the data have no {name!r}{near(name, there)}")
    chosen = list(names) or [n for n in there if all(n in t.column_names for t in tables)]
    if not chosen:
        raise ValueError(f"the data and the reference have nothing in common; {_listed(there)}")
    raw = stacked(tables, list(dict.fromkeys(chosen)))
    schema = loosened(_schema(raw, told, infer))
    schema = TableSchema(tuple(_number(c) if c.name in binned else c for c in schema.columns))
    typed = parse(raw, schema)
    ends = np.cumsum([table.num_rows for table in tables])
    parts = [
        typed.slice(int(end) - table.num_rows, table.num_rows)
        for table, end in zip(tables, ends, strict=True)
    ]
    return Known(schema, tuple(table_views(parts, schema)))


def _listed(names: Sequence[str]) -> str:
    return f"the data have {', '.join(map(repr, names[:20]))}"


def _schema(
    raw: pa.Table, told: Schema | None, infer: Callable[[pa.Table], TableSchema]
) -> TableSchema:
    """As told, but for what has no levels there or is not there; that is inferred."""
    known = {c.name: c for c in told.columns} if isinstance(told, TableSchema) else {}
    known = {name: c for name, c in known.items() if c.kind not in ("constant", "identifier")}
    others = [name for name in raw.column_names if name not in known]
    if others:
        known |= {c.name: c for c in infer(raw.select(others)).columns}
    return TableSchema(tuple(map(_leveled, (known[name] for name in raw.column_names))))


def _number(column: Column) -> Column:
    """A category whose levels are numbers, as a number."""
    kinds = set(map(type, column.levels or ()))
    if column.kind != "categorical" or not kinds or not kinds <= {int, float}:
        return column
    return replace(column, kind="integer" if kinds == {int} else "continuous", levels=None)


def _leveled(column: Column) -> Column:
    """A constant is a category with one level: others may be possible."""
    if column.kind != "constant" or column.value is None:
        return column
    level = str(column.value)
    return replace(column, kind="categorical", levels=(level,), value=None)


def points(factors: Sequence[Factor]) -> dict[str, list[tuple[float | str | None, ...]]]:
    """By factor, the values that stand for each level: one, both ends of a bin, None for a gap."""
    found: dict[str, list[tuple[float | str | None, ...]]] = {}
    for factor in factors:
        bins: list[tuple[float | str | None, ...]] = [part.ends for part in factor.bins]
        filled = factor.levels[: len(factor.levels) - factor.gaps]
        found[factor.name] = [*(bins or [(level,) for level in filled]), *[(None,)] * factor.gaps]
    return found
