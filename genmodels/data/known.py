"""What is known of each example as one table: rows as they are, or class and attributes of images.

Pixels are not decoded where a source can tell the rest without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from genmodels.combinations import LABEL
from genmodels.data.columns import as_text, plain
from genmodels.data.sources.imagefolder import ImageFolder
from genmodels.schema import TableSchema
from genmodels.types import Images, Raw, Source

__all__ = ["known_of", "loosened", "stacked"]


def known_of(source: Source) -> pa.Table:
    """A table with one row per example.

    Raises:
        ValueError: when nothing is known of images, or the source cannot be read.
    """
    raw: Raw = source.known() if isinstance(source, ImageFolder) else source.load()
    if not isinstance(raw, Images):
        return raw
    columns: dict[str, pa.Array] = {}
    if raw.labels is not None:
        names = raw.class_names or tuple(map(str, range(int(raw.labels.max(initial=0)) + 1)))
        columns[LABEL] = pa.array(np.array(names, object)[raw.labels].tolist(), pa.string())
    for name, values in raw.attributes.items():
        columns[name] = _filled(values)
    if not columns:
        raise ValueError(
            "nothing is known of these images: put them into one folder per class, or list their "
            "attributes in metadata.jsonl or metadata.csv beside them"
        )
    return pa.table(columns)


def stacked(tables: Sequence[pa.Table], names: Sequence[str]) -> pa.Table:
    """The named columns of several tables, one below the other.

    Where files give a column different types, it becomes text, which a schema reads.

    Raises:
        ValueError: when a table lacks a name.
    """
    columns = []
    for name in names:
        parts = []
        for number, table in enumerate(tables):
            if name not in table.column_names:
                which = "the reference" if number else "the data"
                raise ValueError(
                    f"{which} has no {name!r}; it has {', '.join(map(repr, table.column_names))}"
                )
            parts.append(plain(table[name], name))
        kinds = {_value_type(part) for part in parts if not pa.types.is_null(part.type)}
        columns.append(pa.chunked_array(_alike(parts, kinds)))
    return pa.table(dict(zip(names, columns, strict=True)), metadata=tables[0].schema.metadata)


def loosened(schema: TableSchema) -> TableSchema:
    """The same meaning, but other levels and gaps are let in: they are to be counted."""
    return TableSchema(tuple(replace(c, closed=False, nullable=True) for c in schema.columns))


def _filled(values: np.ndarray) -> pa.Array:
    """An attribute with nulls for what is missing."""
    if values.dtype.kind == "b":
        return pa.array(values)
    if values.dtype.kind in "iuf":
        numbers = values.astype(np.float64)
        return pa.array(numbers, mask=np.isnan(numbers))
    texts = values.astype(str)
    return pa.array(texts.tolist(), pa.string(), mask=texts == "")


def _value_type(array: pa.Array) -> pa.DataType:
    return array.type.value_type if pa.types.is_dictionary(array.type) else array.type


def _alike(parts: Sequence[pa.Array], kinds: set[pa.DataType]) -> list[pa.Array]:
    if len(kinds) == 1:
        (kind,) = kinds
        return [_decoded(part).cast(kind) for part in parts]
    if kinds <= {pa.int64(), pa.float64()}:
        return [_decoded(part).cast(pa.float64(), safe=False) for part in parts]
    return [_decoded(as_text(part)).cast(pa.string()) for part in parts]


def _decoded(array: pa.Array) -> pa.Array:
    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array
