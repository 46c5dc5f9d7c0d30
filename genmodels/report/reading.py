"""Bringing data of any origin to the terms of the training data before it is judged.

A holdout or a synthetic data set may hold categories that training lacked, gaps, or further
columns. That is for the report to count, not a reason to refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import pyarrow as pa

from genmodels.data.schema_file import near
from genmodels.schema import Schema, TableSchema
from genmodels.types import Images, Raw

__all__ = ["kind_of", "read_alike", "with_sensitive"]

APART = ("identifier", "constant")


def kind_of(raw: Raw) -> Literal["table", "images"]:
    """The word for this kind of data in schemas and configs."""
    return "images" if isinstance(raw, Images) else "table"


def read_alike(raw: Raw, schema: Schema, parse: Callable[[Raw, Schema], Raw], *, what: str) -> Raw:
    """Type `raw` as the schema says, but let in what the training data did not have.

    Args:
        raw: as loaded.
        schema: of the training data.
        parse: (raw, schema) -> typed raw.
        what: the name of this data in messages, such as "synthetic".

    Raises:
        ValueError: when it is another kind of data, or a learnt column is not there.
    """
    if kind_of(raw) != schema.state()["kind"]:
        raise ValueError(
            f"the {what} data are of another kind ({kind_of(raw)}) than the training data "
            f"({schema.state()['kind']})"
        )
    if isinstance(raw, Images) or not isinstance(schema, TableSchema):
        return parse(raw, schema)
    lost = [c.name for c in schema.columns if c.name not in raw.column_names]
    learnt = [c.name for c in schema.columns if c.name in lost and c.kind not in APART]
    if learnt:
        raise ValueError(
            f"the {what} data have no column {', '.join(map(repr, learnt))}; "
            f"they have {', '.join(map(repr, raw.column_names[:20]))}"
        )
    kept = TableSchema(
        tuple(replace(c, closed=False, nullable=True) for c in schema.columns if c.name not in lost)
    )
    others = [name for name in raw.column_names if name not in kept.names]
    typed = parse(raw.select(list(kept.names)), kept)
    assert isinstance(typed, pa.Table)
    for name in others:
        typed = typed.append_column(name, raw.column(name))
    return typed


def with_sensitive(schema: Schema, names: Sequence[str]) -> Schema:
    """The schema with the role "sensitive" for the named columns, and for no others.

    Without names the schema stays as it is.

    Raises:
        ValueError: for data without columns, a column that is not there, or the target.
    """
    if not names:
        return schema
    if not isinstance(schema, TableSchema):
        raise ValueError("sensitive= names columns that make groups; images have none")
    for name in names:
        if name not in schema.names:
            known = list(schema.names)
            raise ValueError(f"sensitive: there is no column {name!r}{near(name, known)}")
        if schema[name].role == "target":
            raise ValueError(f"sensitive: {name!r} is the target; name attributes besides it")
    plain = (replace(c, role="feature") if c.role == "sensitive" else c for c in schema.columns)
    return TableSchema(tuple(replace(c, role="sensitive") if c.name in names else c for c in plain))
