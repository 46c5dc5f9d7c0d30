"""Where rows come from: real, generated, simulated or augmented, told beside them.

A dataset that mixes them names the column, or the attribute of images, in its manifest, so that
who learns from it leaves it out: it is no feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.schema import Attribute, Column, ImageSchema, Schema, TableSchema
from genmodels.types import Images, Raw, num_rows

__all__ = [
    "IN_PART",
    "NOT_SYNTHETIC",
    "ORIGINS",
    "check_name",
    "named_in",
    "origins_of",
    "schema_with_origins",
    "with_origins",
    "without_origins",
]

ORIGINS = ("real", "generated", "simulated", "augmented")
IN_PART = "in part"
"""What `synthetic` of a manifest says where real rows are among the others."""
NOT_SYNTHETIC = "no"
"""What it says where all of them are real."""
NOTE = "where the row comes from; no feature: it is left out when the dataset is read"


def named_in(manifest: Any) -> str | None:
    """The name of what tells where rows come from; None where a manifest tells of none."""
    told = manifest.get("provenance") if isinstance(manifest, Mapping) else None
    name = told.get("name") if isinstance(told, Mapping) else None
    return name if isinstance(name, str) and name else None


def check_name(name: str | None, schema: Schema, known: Sequence[str] = ()) -> None:
    """Refuse a name that the data use already.

    Args:
        name: of the column or attribute to add; None: none is added.
        schema: of the data.
        known: further names that are taken.

    Raises:
        ValueError: naming it, and what to do.
    """
    if name is None:
        return
    if not name.strip():
        raise ValueError("provenance must be a name, or null for none; got an empty one")
    names = [*known, *(schema.names if isinstance(schema, TableSchema) else ())]
    if name in names:
        raise ValueError(
            f"provenance={name}: the data have {name!r} already; choose another name, or "
            "provenance=null for none"
        )
    if isinstance(schema, ImageSchema):
        Attribute(name, "categorical", ORIGINS)  # raises for names that datasets use otherwise


def schema_with_origins(schema: Schema, name: str | None) -> Schema:
    """The schema of rows that tell where they come from."""
    if name is None:
        return schema
    if isinstance(schema, TableSchema):
        column = Column(name, "categorical", levels=ORIGINS, note=NOTE)
        return TableSchema((*schema.columns, column))
    told = Attribute(name, "categorical", ORIGINS)
    return replace(schema, attributes=(*schema.attributes, told))


def with_origins(raw: Raw, name: str | None, codes: np.ndarray | int) -> Raw:
    """The rows with where they come from beside them, last.

    Args:
        raw: N rows.
        name: of the column or attribute; None: as they are.
        codes: positions in `ORIGINS`, shape (N,), or one of all rows.
    """
    if name is None:
        return raw
    every = np.broadcast_to(np.asarray(codes, np.int32), (num_rows(raw),))
    if isinstance(raw, Images):
        return replace(raw, attributes={**raw.attributes, name: np.array(ORIGINS)[every]})
    values = pa.DictionaryArray.from_arrays(pa.array(every), pa.array(ORIGINS))
    return raw.append_column(name, values)


def origins_of(raw: Raw, name: str) -> np.ndarray:
    """Positions in `ORIGINS`, shape (N,), that rows tell of themselves.

    Raises:
        ValueError: when one tells something else.
    """
    if isinstance(raw, Images):
        told = pa.array(raw.attributes[name].tolist(), pa.string())
    else:
        column = raw[name].combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        told = column.cast(pa.string())
    codes = pc.fill_null(pc.index_in(told, pa.array(ORIGINS)), -1)
    found = np.asarray(codes, np.int32)
    if (found < 0).any():
        wrong = told[int(np.argmax(found < 0))].as_py()
        raise ValueError(
            f"{name!r} must tell {', '.join(ORIGINS)} of each row, and one says {wrong!r}"
        )
    return found


def without_origins(raw: Raw, name: str) -> Raw:
    """The rows without where they come from."""
    if isinstance(raw, Images):
        rest = {key: values for key, values in raw.attributes.items() if key != name}
        return replace(raw, attributes=rest)
    return raw.drop_columns([name])
