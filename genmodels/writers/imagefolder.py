"""PNG files that every image library reads: `train/<class>/000123.png`, and their list.

`train/metadata.jsonl` has one line per file with `file_name`, `label` and `class_name`; folder
names are class names made safe for file systems, so the exact names are in that list.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from genmodels.types import Images, Raw
from genmodels.writers.base import sync_file

__all__ = ["ImageFolderWriter", "folder_names"]

STATEMENT = "Synthetic: drawn from a generative model by genmodels, not a photograph of anything."
CHUNK = 64
UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')


class ImageFolderWriter:
    """Writes images as PNG, one folder per class, or flat when they have no labels.

    Each file says in a text chunk that it is synthetic. One channel is gray, two are gray with
    alpha, three RGB, four RGBA.

    Args:
        compress_level: 0 (stored) to 9 (smallest) of PNG.
        workers: encoding threads, or None for one per core.
    """

    def __init__(self, *, compress_level: int = 1, workers: int | None = None) -> None:
        if compress_level not in range(10):
            raise ValueError(f"writer.compress_level must be 0 to 9, got {compress_level}")
        self.compress_level = compress_level
        self.workers = workers

    def write(self, blocks: Iterator[Raw], folder: Path) -> list[Path]:
        root = folder / "train"
        root.mkdir()
        metadata = root / "metadata.jsonl"
        files: list[Path] = []
        pool = ThreadPoolExecutor(self.workers or min(8, os.cpu_count() or 1))
        try:
            with metadata.open("w", encoding="utf-8") as lines:
                for block in blocks:
                    images = _checked(block)
                    names = _file_names(images, len(files))
                    self._encode(images, [root / name for name in names], pool)
                    _describe(images, names, lines)
                    files += [root / name for name in names]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        _sync([*files, metadata])
        return [*files, metadata]

    def _encode(self, images: Images, paths: list[Path], pool: ThreadPoolExecutor) -> None:
        for parent in {path.parent for path in paths}:
            parent.mkdir(exist_ok=True)
        info = PngInfo()
        info.add_text("Comment", STATEMENT)

        def work(start: int) -> None:
            for i in range(start, min(start + CHUNK, len(paths))):
                picture = _picture(images.pixels[i])
                picture.save(paths[i], "PNG", compress_level=self.compress_level, pnginfo=info)

        for _ in pool.map(work, range(0, len(paths), CHUNK)):
            pass


def folder_names(class_names: tuple[str, ...]) -> tuple[str, ...]:
    """Class names as distinct, visible names of folders on any file system."""
    safe: list[str] = []
    for i, name in enumerate(class_names):
        folder = UNSAFE.sub("_", name).rstrip(". ")[:100] or "_"
        folder = f"_{folder[1:]}" if folder.startswith(".") else folder
        taken = {other.casefold() for other in safe}
        safe.append(f"{folder}-{i}" if folder.casefold() in taken else folder)
    return tuple(safe)


def _checked(block: Raw) -> Images:
    if not isinstance(block, Images):
        raise ValueError("this run makes tables; use format=parquet, format=csv or format=npz")
    channels = block.pixels.shape[1]
    if channels not in (1, 2, 3, 4):
        raise ValueError(f"PNG holds 1 to 4 channels, these images have {channels}; use format=npz")
    if block.labels is None or block.class_names:
        return block
    names = tuple(str(i) for i in range(int(block.labels.max()) + 1))
    return Images(block.pixels, block.labels, names)


def _picture(pixels: np.ndarray) -> Image.Image:
    """(C, H, W) uint8 -> L, LA, RGB or RGBA."""
    array = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    return Image.fromarray(np.ascontiguousarray(array))


def _file_names(images: Images, start: int) -> list[str]:
    numbers = range(start, start + len(images))
    if images.labels is None:
        return [f"{i:06d}.png" for i in numbers]
    folders = folder_names(images.class_names)
    labels = images.labels.tolist()
    return [f"{folders[label]}/{i:06d}.png" for i, label in zip(numbers, labels, strict=True)]


def _describe(images: Images, names: list[str], lines: TextIO) -> None:
    if images.labels is None:
        rows = [{"file_name": name} for name in names]
    else:
        rows = [
            {"file_name": name, "label": label, "class_name": images.class_names[label]}
            for name, label in zip(names, images.labels.tolist(), strict=True)
        ]
    lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _sync(files: list[Path]) -> None:
    """Everything to disk: one call where the system has it, since one per file takes longer."""
    if hasattr(os, "sync"):
        os.sync()
    else:
        for file in files:
            sync_file(file)
