"""What a writer is, and the few things that all writers share.

A dataset is written in shards: shard k holds what was drawn for the rows [k S, (k + 1) S), so that
shards can be written in any order, by several processes, and again after an interruption. A writer
turns the pieces of one shard into files; `export.py` keeps the folder that they go to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from genmodels.files import MANIFEST, sha256
from genmodels.provenance import IN_PART, NOT_SYNTHETIC
from genmodels.types import Raw

__all__ = [
    "AUGMENTED",
    "AUGMENTED_OTHERS",
    "KEPT_APART",
    "KEPT_APART_OTHERS",
    "MANIFEST",
    "MIXED",
    "NONE_REAL",
    "NO_TABLE",
    "REAL_AMONG",
    "SIMULATED",
    "STATEMENT",
    "Shard",
    "Writer",
    "file_entry",
    "is_of_ours",
    "positive",
    "sync_file",
    "sync_files",
    "synthetic_word",
]
__all__ += ["tables"]

STATEMENT = (
    "This data is synthetic: every record was drawn from a generative model, none was observed. "
    "Synthetic does not mean anonymous: whether records of the training data can be inferred "
    "depends on the model, and is measured by the report of the run."
)
SIMULATED = (
    "This data is synthetic: every record was simulated by a model whose name and parameters are "
    "told here, none was observed. It is as true to the world as that model is."
)
AUGMENTED = (
    "This data holds real records: the first {real:,} of {rows:,} were observed and are unchanged. "
    "The other {made:,} were made from them by augmentation and are as close to them as its recipe "
    "says. It is as private as the real data that is in it: handle it as you handle that."
)
AUGMENTED_OTHERS = (
    "This data holds no real records: the first {real:,} of {rows:,} are {origin} and unchanged. "
    "The other {made:,} were made from them by augmentation and are as close to them as its "
    "recipe says."
)
MIXED = (
    "This data mixes records of several sources: {counts}. {privacy} How far the others can be "
    "trusted is told by the manifest of each source."
)
REAL_AMONG = (
    "It holds real records, and is as private as the data that these come from: handle it as you "
    "handle that."
)
NONE_REAL = "None of them was observed, as their sources say."
KEPT_APART = (
    "This data is real: all of its {rows:,} records were observed and are unchanged. They were "
    "kept apart from an augmentation, to test on what was made of the others."
)
KEPT_APART_OTHERS = (
    "This data holds no real records: all of its {rows:,} are {origin} and unchanged. They were "
    "kept apart from an augmentation, to test on what was made of the others."
)
NO_TABLE = (
    "this run makes images; use format=imagefolder, format=webdataset, format=parquet or format=npz"
)


@dataclass(frozen=True)
class Shard:
    """One part of a dataset.

    Args:
        number: of this shard, from 0.
        of: how many there are.
        start: the first row asked for in it.
    """

    number: int
    of: int
    start: int

    def path(self, folder: Path, suffix: str) -> Path:
        """`data/train-00000-of-000NN<suffix>` in a dataset's folder, which is made."""
        data = folder / "data"
        data.mkdir(exist_ok=True)
        return data / f"train-{self.number:05d}-of-{self.of:05d}{suffix}"


@runtime_checkable
class Writer(Protocol):
    """Writes raw pieces to disk in one format.

    Constructors are keyword-only; a writer that needs the schema names it `schema`, and its
    YAML says `_partial_: true` so that the task can supply it.

    Attributes:
        rows_per_shard: rows asked for in each shard but the last; None: all in one.
        facts: what a manifest says of the format besides its name, plain JSON.
    """

    @property
    def rows_per_shard(self) -> int | None: ...

    @property
    def facts(self) -> Mapping[str, Any]: ...

    def write(self, pieces: Iterator[Raw], folder: Path, shard: Shard) -> list[Path]:
        """Consume the pieces of a shard, in order, into `folder`; returns its files in order.

        The bytes depend on the rows alone, not on how they come in pieces; the rows may be fewer
        than were asked for, or none, but there is at least one piece. Files of an earlier attempt
        at the same shard are replaced. Files are flushed and fsynced. Memory stays bounded by a
        few pieces.

        Raises:
            ValueError: when the pieces are not of the modality that this format holds.
            OSError: when the disk is full or not writable.
        """

    def finish(self, folder: Path, shards: int) -> Sequence[Path]:
        """Write what lists all shards, once they are all there; returns these files."""


def is_of_ours(manifest: Any) -> bool:
    """Whether this is what a dataset of ours says of itself; a run has a manifest, too."""
    told = manifest.get("synthetic") if isinstance(manifest, Mapping) else None
    return told is True or told in (IN_PART, NOT_SYNTHETIC)


def file_entry(folder: Path, file: Path) -> dict[str, Any]:
    """What a manifest says of a file of a dataset's folder: `path`, `bytes`, `sha256`."""
    return {
        "path": file.relative_to(folder).as_posix(),
        "bytes": file.stat().st_size,
        "sha256": sha256(file),
    }


def sync_file(path: Path) -> None:
    """Force a closed file's content to disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_files(files: Sequence[Path]) -> None:
    """Everything to disk: one call where the system has it, since one per file takes longer."""
    if hasattr(os, "sync"):
        os.sync()
    else:
        for file in files:
            sync_file(file)


def synthetic_word(synthetic: bool) -> str:
    """What a file that has metadata says of its rows."""
    return "true" if synthetic else IN_PART


def positive(key: str, rows: int) -> int:
    """A number of rows that a setting of a writer may have.

    Raises:
        ValueError: when it is none.
    """
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise ValueError(f"writer.{key} must be at least 1, got {rows}")
    return rows


def tables(pieces: Iterator[Raw]) -> Iterator[pa.Table]:
    """The same pieces, which must be tables.

    Raises:
        ValueError: when one is not.
    """
    for piece in pieces:
        if not isinstance(piece, pa.Table):
            raise ValueError(NO_TABLE)
        yield piece
