"""Arrow shards `data/train-00000-of-000NN.arrow`: what readers map into memory as it is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa

from genmodels.schema import ImageSchema, TableSchema
from genmodels.types import Raw
from genmodels.writers.base import (
    NO_TABLE,
    Shard,
    positive,
    sync_file,
    synthetic_word,
    tables,
)
from genmodels.writers.row_groups import row_groups

__all__ = ["ArrowWriter"]

Compression = Literal["none", "lz4", "zstd"]


class ArrowWriter:
    """Writes tables as Arrow IPC files (Feather, version 2), categories as dictionaries.

    Args:
        schema: says whether tables or images come.
        rows_per_file: rows in each file but the last.
        row_group_rows: rows per record batch.
        compression: of the buffers; what is compressed cannot be mapped into memory as it is.
        synthetic: whether all are; False: real ones may be among them, and files say so.
    """

    def __init__(
        self,
        *,
        schema: TableSchema | ImageSchema,
        rows_per_file: int,
        row_group_rows: int,
        compression: Compression,
        synthetic: bool = True,
    ) -> None:
        if isinstance(schema, ImageSchema):
            raise ValueError(NO_TABLE)
        if compression not in get_args(Compression):
            raise ValueError(f"writer.compression must be none, lz4 or zstd, got {compression!r}")
        self.facts: dict[str, Any] = {}
        self.rows_per_shard = positive("rows_per_file", rows_per_file)
        self.told = synthetic_word(synthetic)
        self.row_group_rows = positive("row_group_rows", row_group_rows)
        self.compression = None if compression == "none" else compression

    def write(self, pieces: Iterator[Raw], folder: Path, shard: Shard) -> list[Path]:
        path = shard.path(folder, ".arrow")
        options = pa.ipc.IpcWriteOptions(compression=self.compression)
        groups = row_groups(tables(pieces), self.row_group_rows)
        first = next(groups)
        schema = first.schema.with_metadata({"genmodels.synthetic": self.told})
        with (
            pa.OSFile(str(path), "wb") as file,
            pa.ipc.new_file(file, schema, options=options) as stream,
        ):
            for group in itertools.chain([first], groups):
                stream.write_table(_plain(group).replace_schema_metadata(schema.metadata))
        sync_file(path)
        return [path]

    def finish(self, folder: Path, shards: int) -> list[Path]:
        return []


def _plain(table: pa.Table) -> pa.Table:
    """The same rows, copied, so that neither what lies under missing values nor padding differs."""
    return table.take(pa.array(np.arange(table.num_rows)))
