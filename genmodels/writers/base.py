"""What a writer is, and the few things that all writers share.

A writer turns a stream of raw blocks into files inside a folder that nobody reads yet;
`dataset_folder` makes that folder appear, whole, under its final name or not at all. Shards
and the per-file formats live in the writers themselves.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

import pyarrow as pa

from genmodels.types import Raw

__all__ = ["MANIFEST", "NO_TABLE", "Writer", "dataset_folder", "name_shards", "sync_file"]
__all__ += ["table_shards"]

MANIFEST = "manifest.json"
NO_TABLE = (
    "this run makes images; use format=imagefolder, format=webdataset, format=parquet or format=npz"
)


@runtime_checkable
class Writer(Protocol):
    """Writes raw blocks to disk in one format.

    Constructors are keyword-only; a writer that needs the schema names it `schema`, and its
    YAML says `_partial_: true` so that the task can supply it.
    """

    def write(self, blocks: Iterator[Raw], folder: Path) -> list[Path]:
        """Consume every block, in order, into `folder`, and return the files in order.

        `folder` exists, is empty and is private to this call: plain file names need no further
        care, and whatever is left there after an exception is removed by the caller. Files are
        flushed and fsynced. Memory stays bounded by a few blocks.

        Raises:
            ValueError: when the blocks are not of the modality that this format holds.
            OSError: when the disk is full or not writable.
        """


@contextmanager
def dataset_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A hidden sibling of `path` to write into; renamed to `path` on success.

    On any exception, Ctrl-C included, the hidden folder is removed and `path` is as it was.

    Args:
        path: final name; it may exist only as an empty folder, unless `overwrite`.
        overwrite: replace an earlier dataset (a folder with a manifest) at `path`.

    Raises:
        FileExistsError: when `path` holds something that must not be replaced.
        OSError: when the parent is not writable.
    """
    path = path.absolute()
    refuse_existing(path, overwrite=overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    hidden.mkdir()
    try:
        yield hidden
        _replace(hidden, path)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise `FileExistsError` unless a dataset may be put at `path`."""
    if path.is_dir():
        if not any(path.iterdir()) or (overwrite and (path / MANIFEST).is_file()):
            return
        if overwrite:
            raise FileExistsError(
                f"{path} is not a dataset written by genmodels (it has no {MANIFEST}): "
                "overwrite=true replaces only such a folder; choose another out=..."
            )
        raise FileExistsError(
            f"{path} exists and is not empty; choose another out=... or add overwrite=true"
        )
    if path.exists() or path.is_symlink():
        raise FileExistsError(f"{path} exists and is not a folder; choose another out=...")


def _replace(new: Path, path: Path) -> None:
    old = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.old")
    existed = path.exists()
    if existed:
        path.rename(old)
    try:
        new.rename(path)
    except OSError:
        if existed:
            old.rename(path)
        raise
    if existed:
        shutil.rmtree(old, ignore_errors=True)


def sync_file(path: Path) -> None:
    """Force a closed file's content to disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def table_shards(blocks: Iterator[Raw], rows_per_file: int) -> Iterator[tuple[int, pa.Table]]:
    """Cut a stream of tables at multiples of `rows_per_file`: (shard number, piece).

    Raises:
        ValueError: when a block is not a table or `rows_per_file` is not positive.
    """
    if rows_per_file < 1:
        raise ValueError(f"writer.rows_per_file must be at least 1, got {rows_per_file}")
    row = 0
    for block in blocks:
        if not isinstance(block, pa.Table):
            raise ValueError(NO_TABLE)
        start = 0
        while start < block.num_rows:
            shard, used = divmod(row, rows_per_file)
            length = min(block.num_rows - start, rows_per_file - used)
            yield shard, block.slice(start, length)
            start, row = start + length, row + length


def name_shards(parts: list[Path], stem: str, suffix: str) -> list[Path]:
    """Rename shard files to `<stem>-00000-of-000NN<suffix>`, once their number is known."""
    named = []
    for i, part in enumerate(parts):
        final = part.with_name(f"{stem}-{i:05d}-of-{len(parts):05d}{suffix}")
        named.append(part.rename(final))
    return named
