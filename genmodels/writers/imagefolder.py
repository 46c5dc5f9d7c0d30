"""PNG files that every image library reads: `train/<class>/000123.png`, and their list.

`train/metadata.jsonl` has one line per file with `file_name`, `label`, `class_name`, `index` and
attributes; folder names are class names made safe for file systems, so the exact names are in that
list.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO

from genmodels.files import atomic_path
from genmodels.types import Images, Raw
from genmodels.writers.base import Shard, positive, sync_files
from genmodels.writers.png import CHUNK, check_level, checked, described, png, threads

__all__ = ["ImageFolderWriter", "folder_names"]

UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')


class ImageFolderWriter:
    """Writes images as PNG, one folder per class, or flat when they have no labels.

    Each file says in a text chunk that it is synthetic. One channel is gray, two are gray with
    alpha, three RGB, four RGBA.

    Args:
        images_per_shard: files that are made sure of at a time: so many are lost at most when
            writing is interrupted.
        compress_level: 0 (stored) to 9 (smallest) of PNG.
        workers: encoding threads, or None for one per core.
        synthetic: whether all are; False: real ones may be among them, and files say so.
    """

    def __init__(
        self,
        *,
        images_per_shard: int = 10_000,
        compress_level: int = 1,
        workers: int | None = None,
        synthetic: bool = True,
    ) -> None:
        self.facts: dict[str, Any] = {}
        self.rows_per_shard = positive("images_per_shard", images_per_shard)
        self.compress_level = check_level(compress_level)
        self.workers = workers
        self.synthetic = synthetic

    def write(self, pieces: Iterator[Raw], folder: Path, shard: Shard) -> list[Path]:
        root = folder / "train"
        root.mkdir(exist_ok=True)
        files, listed = list[Path](), _listed(root, shard.number)
        with threads(self.workers) as pool, listed.open("w", encoding="utf-8") as lines:
            for piece in pieces:
                images, start = checked(piece), shard.start + len(files)
                names = _file_names(images, start)
                paths = [root / name for name in names]
                for parent in {path.parent for path in paths}:
                    parent.mkdir(exist_ok=True)
                self._encode(images, paths, pool)
                _describe(images, names, start, lines)
                files += paths
        sync_files([*files, listed])
        return files

    def finish(self, folder: Path, shards: int) -> list[Path]:
        root = folder / "train"
        metadata, parts = root / "metadata.jsonl", [_listed(root, k) for k in range(shards)]
        if not metadata.exists():  # or else an interrupted process came so far
            with atomic_path(metadata) as temporary, temporary.open("wb") as whole:
                for part in parts:
                    with part.open("rb") as lines:
                        shutil.copyfileobj(lines, whole)
        for part in parts:
            part.unlink(missing_ok=True)
        return [metadata]

    def _encode(self, images: Images, paths: list[Path], pool: ThreadPoolExecutor) -> None:
        def work(start: int) -> None:
            for i in range(start, min(start + CHUNK, len(paths))):
                picture = png(images.pixels[i], self.compress_level, synthetic=self.synthetic)
                paths[i].write_bytes(picture)

        for _ in pool.map(work, range(0, len(paths), CHUNK)):
            pass


def _listed(root: Path, shard: int) -> Path:
    """The lines of one shard, until all are joined."""
    return root / f".metadata-{shard:05d}.jsonl"


def folder_names(class_names: tuple[str, ...]) -> tuple[str, ...]:
    """Class names as distinct, visible names of folders on any file system."""
    safe: list[str] = []
    for i, name in enumerate(class_names):
        folder = UNSAFE.sub("_", name).rstrip(". ")[:100] or "_"
        folder = f"_{folder[1:]}" if folder.startswith(".") else folder
        taken = {other.casefold() for other in safe}
        safe.append(f"{folder}-{i}" if folder.casefold() in taken else folder)
    return tuple(safe)


def _file_names(images: Images, start: int) -> list[str]:
    numbers = range(start, start + len(images))
    if images.labels is None:
        return [f"{i:06d}.png" for i in numbers]
    folders = folder_names(images.class_names)
    labels = images.labels.tolist()
    return [f"{folders[label]}/{i:06d}.png" for i, label in zip(numbers, labels, strict=True)]


def _describe(images: Images, names: list[str], start: int, lines: TextIO) -> None:
    rows = ({"file_name": x, **described(images, i, start + i)} for i, x in enumerate(names))
    lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
