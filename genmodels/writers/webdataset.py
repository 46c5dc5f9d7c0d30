"""Tar shards `data/train-00000-of-000NN.tar` as WebDataset reads them.

Each image is `000123.png`, its class `000123.cls` (a number in text) and what else is known of it
`000123.json`; equal data make equal bytes.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genmodels.types import Images, Raw
from genmodels.writers.base import Shard, positive, sync_file
from genmodels.writers.png import check_level, checked, described, encoded, threads

__all__ = ["WebDatasetWriter"]


class WebDatasetWriter:
    """Writes images as tar shards of PNG files.

    Args:
        rows_per_file: images in each shard but the last.
        compress_level: 0 (stored) to 9 (smallest) of PNG.
        workers: encoding threads, or None for one per core.
        synthetic: whether all are; False: real ones may be among them, and files say so.
    """

    def __init__(
        self,
        *,
        rows_per_file: int = 10_000,
        compress_level: int = 1,
        workers: int | None = None,
        synthetic: bool = True,
    ) -> None:
        self.facts: dict[str, Any] = {}
        self.rows_per_shard = positive("rows_per_file", rows_per_file)
        self.compress_level = check_level(compress_level)
        self.workers = workers
        self.synthetic = synthetic

    def write(self, pieces: Iterator[Raw], folder: Path, shard: Shard) -> list[Path]:
        path, number = shard.path(folder, ".tar"), shard.start
        with (
            threads(self.workers) as pool,
            tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            for piece in pieces:
                images = checked(piece)
                level, synthetic = self.compress_level, self.synthetic
                blobs = encoded(images, level, pool, synthetic=synthetic)
                _add_all(archive, images, number, blobs)
                number += len(images)
        sync_file(path)
        return [path]

    def finish(self, folder: Path, shards: int) -> list[Path]:
        return []


def _add_all(archive: tarfile.TarFile, images: Images, start: int, blobs: list[bytes]) -> None:
    for row, blob in enumerate(blobs):
        facts = described(images, row, start + row)
        key = f"{start + row:06d}"
        _add(archive, f"{key}.png", blob)
        if "label" in facts:
            _add(archive, f"{key}.cls", str(facts["label"]).encode())
        _add(archive, f"{key}.json", json.dumps(facts, ensure_ascii=False).encode())


def _add(archive: tarfile.TarFile, name: str, blob: bytes) -> None:
    """One member: `TarInfo` of itself has no owner and no time."""
    member = tarfile.TarInfo(name)
    member.size = len(blob)
    archive.addfile(member, io.BytesIO(blob))
