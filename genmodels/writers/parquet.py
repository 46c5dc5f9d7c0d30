"""Parquet shards `data/train-00000-of-000NN.parquet`; of images see `parquet_images.py`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from genmodels.types import Images, Raw
from genmodels.writers.base import name_shards, sync_file, table_shards
from genmodels.writers.parquet_images import write_images
from genmodels.writers.png import check_level
from genmodels.writers.row_groups import row_groups

__all__ = ["ParquetWriter"]

_REPEATS = 4  # rows per distinct integer that make a dictionary smaller and faster


class ParquetWriter:
    """Writes tables as Parquet, categories as dictionaries, with their Arrow types; and images.

    Dictionary encoding is used where values repeat: not for floats, times, and integers that
    are mostly distinct in the first block; page statistics are left out: on synthetic rows in
    random order they prune nothing.

    Args:
        rows_per_file: rows in each file but the last.
        row_group_rows: rows per row group; larger is faster and smaller on disk.
        compression: codec of the pages.
        images_per_file: the same of images, which are PNG files in a column.
        images_per_group: images per row group: what a reader takes into memory at a time.
        compress_level: of PNG, 0 (stored) to 9 (smallest).
    """

    def __init__(
        self,
        *,
        rows_per_file: int,
        row_group_rows: int,
        compression: Literal["none", "snappy", "lz4", "zstd"],
        images_per_file: int = 50_000,
        images_per_group: int = 500,
        compress_level: int = 1,
    ) -> None:
        counts = {
            "row_group_rows": row_group_rows,
            "images_per_file": images_per_file,
            "images_per_group": images_per_group,
        }
        for name, count in counts.items():
            if count < 1:
                raise ValueError(f"writer.{name} must be at least 1, got {count}")
        if compression not in ("none", "snappy", "lz4", "zstd"):
            raise ValueError(
                f"writer.compression must be none, snappy, lz4 or zstd, got {compression!r}"
            )
        self.rows_per_file = rows_per_file
        self.row_group_rows = row_group_rows
        self.compression = compression
        self.images_per_file = images_per_file
        self.images_per_group = images_per_group
        self.compress_level = check_level(compress_level)

    def write(self, blocks: Iterator[Raw], folder: Path) -> list[Path]:
        data = folder / "data"
        data.mkdir()
        first = next(blocks, None)
        blocks = itertools.chain([] if first is None else [first], blocks)
        if isinstance(first, Images):
            return write_images(
                blocks,
                data,
                per_file=self.images_per_file,
                per_group=self.images_per_group,
                compression=self.compression,
                level=self.compress_level,
            )
        parts: list[Path] = []
        shards = itertools.groupby(table_shards(blocks, self.rows_per_file), lambda x: x[0])
        for shard, pieces in shards:
            part = data / f"part-{shard}"
            self._write_file((piece for _, piece in pieces), part)
            parts.append(part)
        return name_shards(parts, "train", ".parquet")

    def _write_file(self, pieces: Iterator[pa.Table], path: Path) -> None:
        first = next(pieces)
        schema = first.schema.with_metadata({"genmodels.synthetic": "true"})
        options = {
            "compression": self.compression,
            "use_dictionary": [name for name in schema.names if _repeats(first[name])],
            "write_statistics": False,
        }
        with pq.ParquetWriter(path, schema, **options) as writer:
            for group in row_groups(itertools.chain([first], pieces), self.row_group_rows):
                writer.write_table(group.replace_schema_metadata(schema.metadata))
        sync_file(path)


def _repeats(column: pa.ChunkedArray) -> bool:
    """Whether a dictionary pays: categories always, numbers of which each comes several times."""
    if pa.types.is_integer(column.type):
        return pc.count_distinct(column).as_py() * _REPEATS <= len(column)
    return not (pa.types.is_floating(column.type) or pa.types.is_temporal(column.type))
