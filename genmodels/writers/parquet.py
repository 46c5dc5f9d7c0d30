"""Parquet shards `data/train-00000-of-000NN.parquet`; of images see `parquet_images.py`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from genmodels.schema import ImageSchema, TableSchema
from genmodels.types import Raw
from genmodels.writers.base import Shard, positive, sync_file, synthetic_word, tables
from genmodels.writers.parquet_images import write_images
from genmodels.writers.png import check_level
from genmodels.writers.row_groups import row_groups

__all__ = ["ParquetWriter"]

_REPEATS = 4  # rows per distinct integer that make a dictionary smaller and faster


class ParquetWriter:
    """Writes tables as Parquet, categories as dictionaries, with their Arrow types; and images.

    Dictionary encoding is used where values repeat: not for floats, times, and integers that
    are mostly distinct in the first row group; page statistics are left out: on synthetic rows in
    random order they prune nothing.

    Args:
        schema: says whether tables or images come.
        rows_per_file: rows in each file but the last.
        row_group_rows: rows per row group; larger is faster and smaller on disk.
        compression: codec of the pages.
        images_per_file: the same of images, which are PNG files in a column.
        images_per_group: images per row group: what a reader takes into memory at a time.
        compress_level: of PNG, 0 (stored) to 9 (smallest).
        synthetic: whether all are; False: real ones may be among them, and files say so.
    """

    def __init__(
        self,
        *,
        schema: TableSchema | ImageSchema,
        rows_per_file: int,
        row_group_rows: int,
        compression: Literal["none", "snappy", "lz4", "zstd"],
        images_per_file: int = 50_000,
        images_per_group: int = 500,
        compress_level: int = 1,
        synthetic: bool = True,
    ) -> None:
        if compression not in ("none", "snappy", "lz4", "zstd"):
            raise ValueError(
                f"writer.compression must be none, snappy, lz4 or zstd, got {compression!r}"
            )
        self.images = isinstance(schema, ImageSchema)
        per_file = positive("rows_per_file", rows_per_file)
        images = positive("images_per_file", images_per_file)
        self.facts: dict[str, Any] = {}
        self.rows_per_shard = images if self.images else per_file
        self.row_group_rows = positive("row_group_rows", row_group_rows)
        self.images_per_group = positive("images_per_group", images_per_group)
        self.compression = compression
        self.synthetic = synthetic
        self.compress_level = check_level(compress_level)

    def write(self, pieces: Iterator[Raw], folder: Path, shard: Shard) -> list[Path]:
        path = shard.path(folder, ".parquet")
        if self.images:
            write_images(
                pieces,
                path,
                start=shard.start,
                per_group=self.images_per_group,
                compression=self.compression,
                level=self.compress_level,
                synthetic=self.synthetic,
            )
        else:
            self._write_table(tables(pieces), path)
        sync_file(path)
        return [path]

    def finish(self, folder: Path, shards: int) -> list[Path]:
        return []

    def _write_table(self, pieces: Iterator[pa.Table], path: Path) -> None:
        groups = row_groups(pieces, self.row_group_rows)
        first = next(groups)
        schema = first.schema.with_metadata({"genmodels.synthetic": synthetic_word(self.synthetic)})
        options = {
            "compression": self.compression,
            "use_dictionary": [name for name in schema.names if _repeats(first[name])],
            "write_statistics": False,
        }
        with pq.ParquetWriter(path, schema, **options) as writer:
            for group in itertools.chain([first], groups):
                writer.write_table(group.replace_schema_metadata(schema.metadata))


def _repeats(column: pa.ChunkedArray) -> bool:
    """Whether a dictionary pays: categories always, numbers of which each comes several times."""
    if pa.types.is_integer(column.type):
        return pc.count_distinct(column).as_py() * _REPEATS <= len(column)
    return not (pa.types.is_floating(column.type) or pa.types.is_temporal(column.type))
