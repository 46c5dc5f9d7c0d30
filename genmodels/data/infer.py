"""A schema from data: what each column is, and why. The parts are in `infer_*.py`.

Nothing is dropped or repaired here: what was decided is in the schema and its notes, which a
person reads, edits and passes back.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import pyarrow as pa

from genmodels.data.columns import Texts, as_text, plain
from genmodels.data.infer_context import Context
from genmodels.data.infer_dates import day_first_of, native_dates
from genmodels.data.infer_numbers import decide_number, native_numbers
from genmodels.data.infer_text import decide_text
from genmodels.data.sources.csv_options import DECIMAL
from genmodels.schema import Column, TableSchema

__all__ = ["infer_schema", "with_target"]


def infer_schema(
    raw: pa.Table,
    *,
    target: str | None = None,
    sensitive: Sequence[str] = (),
    identifiers: Sequence[str] = (),
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    max_levels: int = 100,
    max_listed: int = 1000,
    max_integer_levels: int = 12,
    min_rows: int = 100,
) -> TableSchema:
    """Decide what each column of a table is.

    Args:
        raw: text or typed columns, as a source loads them.
        target: the column to be predicted from the others, if any.
        sensitive: columns that describe protected attributes.
        identifiers: columns to take as keys whatever they look like.
        overrides: by column, fields of `Column` that the user sets; `kind` and `missing` are
            taken into account when the rest is decided.
        max_levels: more distinct texts than this make an open category set.
        max_listed: at most so many levels of an open set are named in the schema.
        max_integer_levels: so many distinct whole numbers, or fewer, are codes of categories.
        min_rows: with fewer rows whole numbers are never taken as codes.

    Raises:
        ValueError: for names or fields that do not exist, or demands that the data contradict.
    """
    names = raw.column_names
    wishes = {name: dict(fields) for name, fields in (overrides or {}).items()}
    _check_names(wishes, names, "overrides")
    _check_names(identifiers, names, "identifiers")
    for name in identifiers:
        wishes.setdefault(name, {}).setdefault("kind", "identifier")
    limits = {
        "max_levels": max_levels,
        "max_listed": max_listed,
        "max_integer_levels": max_integer_levels,
        "min_rows": min_rows,
    }
    decimal = (raw.schema.metadata or {}).get(DECIMAL, b"").decode() or None
    columns = [_decide(n, raw[n], wishes.get(n, {}), decimal, limits) for n in names]
    _check_names([target] if target is not None else [], names, "data.target")
    _check_names(sensitive, names, "data.sensitive")
    return TableSchema(tuple(_with_role(c, target, sensitive) for c in columns))


def with_target(schema: TableSchema, target: str) -> TableSchema:
    """The same schema with another target.

    Raises:
        ValueError: when there is no such column; names the nearest.
    """
    _check_names([target], schema.names, "data.target")
    plain_roles = (replace(c, role="feature") if c.role == "target" else c for c in schema.columns)
    return TableSchema(tuple(_with_role(c, target, ()) for c in plain_roles))


def _check_names(wanted: Iterable[str], names: Sequence[str], where: str) -> None:
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            advice = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
            raise ValueError(f"{where}: there is no column {name!r}; {advice}")


def _with_role(column: Column, target: str | None, sensitive: Sequence[str]) -> Column:
    if column.name == target:
        return replace(column, role="target")
    return replace(column, role="sensitive") if column.name in sensitive else column


def _decide(
    name: str,
    chunks: pa.ChunkedArray,
    wish: dict[str, Any],
    decimal: str | None,
    limits: dict[str, int],
) -> Column:
    wish = {k: tuple(v) if isinstance(v, Sequence) and not isinstance(v, str) else v
            for k, v in wish.items()}  # fmt: skip
    _check_wish(name, wish)
    context = Context(
        name=name,
        kind=wish.get("kind"),
        missing=tuple(str(m) for m in wish.get("missing", ())),
        decimal=decimal,
        day_first=day_first_of(wish.get("format")),
        **limits,
    )
    column = _by_type(plain(chunks, name), context)
    if context.kind not in (None, column.kind):
        raise ValueError(
            f"column {name!r} is declared {context.kind}, but no row has such a value; leave its "
            "kind out or make it constant"
        )
    return replace(column, **wish | {"missing": column.missing}) if wish else column


def _check_wish(name: str, wish: dict[str, Any]) -> None:
    known = [f.name for f in fields(Column) if f.name != "name"]
    for key in wish:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            advice = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise ValueError(f"overrides of column {name!r}: unknown key {key!r}; {advice}")
    if "kind" in wish:
        Column(name, wish["kind"], levels=(0, 1))  # raises with the known kinds


def _by_type(array: pa.Array, context: Context) -> Column:
    """Decide by what the plain array holds."""
    kind, held = context.kind, array.type
    if pa.types.is_null(held):
        return decide_text(Texts.of(array.cast(pa.string())), context)
    if pa.types.is_boolean(held):
        return _booleans(array, context)
    if pa.types.is_timestamp(held):
        if kind in (None, "datetime") and array.null_count < len(array):
            return native_dates(array, context)
        return _texts(as_text(array), context)
    if pa.types.is_dictionary(held) and pa.types.is_int64(held.value_type):
        numbers = native_numbers(array.dictionary_decode(), context)
        flags = numbers.values.tolist() == [0, 1]
        asked = kind or ("boolean" if flags else "categorical")
        return decide_number(numbers, replace(context, kind=asked))
    if pa.types.is_integer(held) or pa.types.is_floating(held):
        return _numbers(array, context)
    return _texts(array, context)


def _texts(array: pa.Array, context: Context) -> Column:
    texts = Texts.of(array)
    declared = pa.types.is_dictionary(array.type)
    return decide_text(texts.without(texts.tokens(context.missing)), context, declared=declared)


def _numbers(array: pa.Array, context: Context) -> Column:
    numbers = native_numbers(array, context)
    as_numbers = (None, "continuous", "integer", "constant")
    whole_only = ("categorical", "boolean", "identifier")
    if context.kind in as_numbers or (context.kind in whole_only and numbers.is_whole):
        return decide_number(numbers, context)
    return _texts(as_text(array), context)


def _booleans(array: pa.Array, context: Context) -> Column:
    held = array.drop_null().unique().to_pylist()
    nullable = array.null_count > 0
    if context.kind not in (None, "boolean", "constant"):
        return _texts(as_text(array), context)
    if len(held) == 1 and not nullable and context.kind != "boolean":
        note = "the same value in every row"
        return Column(context.name, "constant", value=held[0], note=note)
    if not held:
        return decide_text(Texts.of(array.cast(pa.string())), context)
    note = "stored as true and false"
    return Column(context.name, "boolean", nullable=nullable, levels=(False, True), note=note)
