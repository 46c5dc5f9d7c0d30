"""`.npz` that NumPy reads without trusting it: `data/train.npz`, or shards of it.

Images: `images` (uint8, NHW for one channel, else NHWC), `labels`, `class_names` and one array per
attribute. Tables: one array per column. Blocks go to a spool file first, because a `.npy` header
states the number of rows; what is held in memory is one block, and at the end one column.
"""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from genmodels.types import Images, Raw
from genmodels.writers.base import Shard, positive, sync_file

__all__ = ["NPZWriter", "column_arrays"]

Arrays = Iterator[tuple[str, np.ndarray]]


class NPZWriter:
    """Writes images or a table as compressed `.npz` without objects in it.

    Missing values are NaN in numbers (whole numbers become float64 then) and NaT in times;
    text and booleans get a second array `<column>.missing`. Times with a zone are in UTC.

    Args:
        rows_per_file: rows in each file but the last; None: all in one.
        compress_level: 0 (stored) to 9 (smallest).
    """

    def __init__(self, *, rows_per_file: int | None = None, compress_level: int = 1) -> None:
        if compress_level not in range(10):
            raise ValueError(f"writer.compress_level must be 0 to 9, got {compress_level}")
        self.compress_level = compress_level
        self.facts: dict[str, Any] = {}
        self.rows_per_shard = (
            None if rows_per_file is None else positive("rows_per_file", rows_per_file)
        )

    def write(self, pieces: Iterator[Raw], folder: Path, shard: Shard) -> list[Path]:
        path = shard.path(folder, ".npz")
        if self.rows_per_shard is None:
            path = path.with_name("train.npz")
        first, spool = next(pieces), path.with_suffix(".spool")
        pieces = itertools.chain([first], pieces)
        try:
            arrays = _images(pieces, spool) if isinstance(first, Images) else _table(pieces, spool)
            self._archive(arrays, path)
        finally:
            spool.unlink(missing_ok=True)
        sync_file(path)
        return [path]

    def finish(self, folder: Path, shards: int) -> list[Path]:
        return []

    def _archive(self, arrays: Arrays, path: Path) -> None:
        level = self.compress_level
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
            for name, array in arrays:
                # `open` notes no time of day, unlike `write`: equal data, equal bytes.
                with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, array, allow_pickle=False)


def _images(blocks: Iterator[Raw], spool: Path) -> Arrays:
    labels: list[np.ndarray] = []
    known: dict[str, list[np.ndarray]] = {}
    names: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    rows = 0
    with spool.open("wb") as file:
        for block in blocks:
            if not isinstance(block, Images):
                raise ValueError("the blocks are images first and tables later")
            pixels = block.pixels
            pixels = pixels[:, 0] if pixels.shape[1] == 1 else pixels.transpose(0, 2, 3, 1)
            file.write(np.ascontiguousarray(pixels).data)
            shape, rows, names = pixels.shape[1:], rows + len(pixels), block.class_names
            if block.labels is not None:
                labels.append(block.labels)
            for name, values in block.attributes.items():
                known.setdefault(name, []).append(values)
    empty = np.empty((0, *shape), np.uint8)
    images = np.memmap(spool, np.uint8, "r", shape=(rows, *shape)) if rows else empty
    yield "images", images
    if labels:
        yield "labels", np.concatenate(labels).astype(np.int64)
    if labels and names:
        yield "class_names", np.array(names, dtype=np.str_)
    for name, parts in known.items():
        yield name, np.concatenate(parts)


def _table(blocks: Iterator[Raw], spool: Path) -> Arrays:
    first = next(blocks)
    assert isinstance(first, pa.Table)
    with pa.OSFile(str(spool), "wb") as file, pa.ipc.new_stream(file, first.schema) as stream:
        for block in itertools.chain([first], blocks):
            if not isinstance(block, pa.Table):
                raise ValueError("the blocks are tables first and images later")
            stream.write_table(block)
    with pa.memory_map(str(spool)) as file, pa.ipc.open_stream(file) as stream:
        table = stream.read_all()
        for name in table.column_names:
            yield from column_arrays(name, table[name])


def column_arrays(name: str, column: pa.ChunkedArray) -> Arrays:
    """A column as one array, and its missing values as a second one where they need it.

    Args:
        name: of the column.
        column: N values of any type that a schema can mean.

    Returns:
        Pairs of name and array (N,), none of it of objects.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind):
        wide = column.cast(pa.float64()) if pa.types.is_null(kind) else column
        yield name, wide.to_numpy()
    elif pa.types.is_timestamp(kind):
        yield name, column.cast(pa.timestamp("us")).to_numpy()
    else:
        boolean = pa.types.is_boolean(kind)
        filled = (column if boolean else column.cast(pa.string())).fill_null(
            False if boolean else ""
        )
        yield name, filled.to_numpy().astype(np.bool_ if boolean else np.str_)
        if column.null_count:
            yield f"{name}.missing", column.is_null().to_numpy()
