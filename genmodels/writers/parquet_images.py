"""Images as Parquet, as Hugging Face `datasets` has them: PNG in a column, labels, attributes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from genmodels.types import Images, Raw
from genmodels.writers.base import synthetic_word
from genmodels.writers.png import checked, encoded, threads
from genmodels.writers.row_groups import row_groups

__all__ = ["write_images"]

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write_images(
    pieces: Iterator[Raw],
    path: Path,
    *,
    start: int,
    per_group: int,
    compression: str,
    level: int,
    synthetic: bool = True,
) -> None:
    """Write `image` {bytes, path}, `label` and a column per attribute.

    Args:
        pieces: of images; all with labels or all without.
        path: of the file.
        start: number of the first image.
        per_group: images in each row group but the last.
        compression: codec of the pages; of little use, as PNG is compressed.
        level: of PNG, 0 to 9.
        synthetic: whether all are.

    Raises:
        ValueError: when a piece holds no images, or they have too many channels.
    """
    first = checked(next(pieces))
    schema = _schema(first, synthetic)
    options: dict[str, Any] = {"compression": compression, "use_dictionary": ["label"]}
    with (
        threads(None) as pool,
        pq.ParquetWriter(path, schema, write_statistics=False, **options) as writer,
    ):
        make = partial(encoded, level=level, pool=pool, synthetic=synthetic)
        tables = _tables(itertools.chain([first], pieces), start, schema, make)
        for table in row_groups(tables, per_group):
            writer.write_table(table)


def _tables(
    pieces: Iterator[Raw], start: int, schema: pa.Schema, make: Callable[[Images], list[bytes]]
) -> Iterator[pa.Table]:
    for piece in pieces:
        images = checked(piece)
        yield _table(images, start, make(images), schema)
        start += len(images)


def _schema(images: Images, synthetic: bool) -> pa.Schema:
    """Arrow types, and what `datasets` makes of them."""
    fields, features = [pa.field("image", IMAGE)], {"image": {"_type": "Image"}}
    if images.labels is not None:
        fields.append(pa.field("label", pa.int64()))
        label: Any = {"names": list(images.class_names), "_type": "ClassLabel"}
        features["label"] = label
    for name, values in images.attributes.items():
        kind = {"b": pa.bool_(), "f": pa.float64()}.get(values.dtype.kind, pa.string())
        fields.append(pa.field(name, kind))
        dtype = {"b": "bool", "f": "float64"}.get(values.dtype.kind, "string")
        features[name] = {"dtype": dtype, "_type": "Value"}
    told = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema(fields, metadata={"genmodels.synthetic": synthetic_word(synthetic), **told})


def _table(images: Images, start: int, blobs: list[bytes], schema: pa.Schema) -> pa.Table:
    rows = [{"bytes": x, "path": f"{i:06d}.png"} for i, x in enumerate(blobs, start)]
    columns = [pa.array(rows, IMAGE)]
    if images.labels is not None:
        columns.append(pa.array(images.labels, pa.int64()))
    for name, values in images.attributes.items():
        columns.append(pa.array(values.tolist(), schema.field(name).type))
    return pa.Table.from_arrays(columns, schema=schema)
