"""Simulated scenes with all their labels, in the forms that trainers of detectors read.

    images/000123.png               and images/metadata.jsonl: parameters and objects of each
    annotations/instances.json      COCO: boxes, masks as run lengths, areas, visibility
    labels/000123.txt               YOLO: class, middle, width and height as shares
    masks/instance/000123.png       k where the k-th object is seen, else 0
    masks/semantic/000123.png       what each pixel shows, see classes.json
    depth/000123.png                16 bits, unit in classes.json; 0: sky
    classes.txt  classes.json  data.yaml

What lists all scenes is kept in parts, one per shard, until all are there.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from PIL import Image

from genmodels.files import read_json, write_json
from genmodels.types import Images, Raw, Truth
from genmodels.writers.base import Shard, positive, sync_files
from genmodels.writers.coco import annotation, image_entry, join_coco, join_lines
from genmodels.writers.png import check_level, checked, described, png, threads
from genmodels.writers.yolo import label_lines, write_yolo

__all__ = ["ScenesWriter"]

_FOLDERS = ("images", "labels", "masks/instance", "masks/semantic", "depth")
_PARTS = ("metadata", "images", "annotations")
_CHUNK = 8
"""Scenes that a thread encodes at a time."""


class ScenesWriter:
    """Writes scenes and their labels.

    Args:
        images_per_shard: scenes that are made sure of at a time: so many are lost at most when
            writing is interrupted.
        compress_level: 0 (stored) to 9 (smallest) of PNG.
        workers: encoding threads, or None for one per core.
    """

    def __init__(
        self,
        *,
        images_per_shard: int = 2_000,
        compress_level: int = 1,
        workers: int | None = None,
    ) -> None:
        self.facts: dict[str, Any] = {}
        self.rows_per_shard = positive("images_per_shard", images_per_shard)
        self.compress_level = check_level(compress_level)
        self.workers = workers

    def write(self, pieces: Iterator[Raw], folder: Path, shard: Shard) -> list[Path]:
        for name in _FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        files, number = list[Path](), shard.start
        parts = _parts(folder, shard.number)
        with threads(self.workers) as pool:
            opened = [part.open("w", encoding="utf-8") for part in parts]
            try:
                for piece in pieces:
                    images, truth = _scenes(piece)
                    _head(folder, shard.number, truth)
                    files += self._encode(images, truth, folder, number, pool)
                    _list(images, truth, number, opened)
                    number += len(images)
            finally:
                for file in opened:
                    file.close()
        sync_files([*files, *parts])
        return files

    def finish(self, folder: Path, shards: int) -> list[Path]:
        head = folder / "classes.json"
        if not head.exists():  # or else an interrupted process came so far
            write_json(head, read_json(_head_of(folder, 0)))
        told = read_json(head)
        every = [_parts(folder, k) for k in range(shards)]
        metadata = folder / "images" / "metadata.jsonl"
        coco = folder / "annotations" / "instances.json"
        lines, *entries = zip(*every, strict=True)
        join_lines(metadata, lines)
        join_coco(coco, told["classes"], entries)
        lists = write_yolo(folder, told["classes"])
        for k, parts in enumerate(every):
            for part in (*parts, _head_of(folder, k)):
                part.unlink(missing_ok=True)
        return [metadata, coco, head, *lists]

    def _encode(
        self, images: Images, truth: Truth, folder: Path, start: int, pool: ThreadPoolExecutor
    ) -> list[Path]:
        """The files of some scenes, in order."""

        def work(first: int) -> list[Path]:
            rows = range(first, min(first + _CHUNK, len(images)))
            return [path for row in rows for path in self._files(images, truth, folder, start, row)]

        return [path for part in pool.map(work, range(0, len(images), _CHUNK)) for path in part]

    def _files(
        self, images: Images, truth: Truth, folder: Path, start: int, row: int
    ) -> list[Path]:
        name, level = f"{start + row:06d}", self.compress_level
        size = truth.instances.shape[1:]
        contents = {
            f"images/{name}.png": png(images.pixels[row], level, noisy=True),
            f"labels/{name}.txt": label_lines(truth.objects[row], size).encode(),
            f"masks/instance/{name}.png": _codes(truth.instances[row], level),
            f"masks/semantic/{name}.png": _codes(truth.semantics[row], level),
            f"depth/{name}.png": _codes(truth.depth[row], level),
        }
        paths = []
        for place, content in contents.items():
            path = folder / place
            path.write_bytes(content)
            paths.append(path)
        return paths


def _scenes(piece: Raw) -> tuple[Images, Truth]:
    """A piece whose truth is known.

    Raises:
        ValueError: when it is not.
    """
    if isinstance(piece, Images) and piece.truth is not None:
        return checked(piece), piece.truth
    raise ValueError(
        "format=scenes holds scenes with their labels, which these rows are not; use "
        "format=imagefolder, or simulator.rows=scene"
    )


def _codes(codes: np.ndarray, level: int) -> bytes:
    """Whole numbers (H, W) as a PNG file of one channel, of 8 or 16 bits."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(codes)).save(file, "PNG", compress_level=level)
    return file.getvalue()


def _parts(folder: Path, shard: int) -> list[Path]:
    """What one shard adds to the lists."""
    return [folder / f".{name}-{shard:05d}.jsonl" for name in _PARTS]


def _head_of(folder: Path, shard: int) -> Path:
    return folder / f".classes-{shard:05d}.json"


def _head(folder: Path, shard: int, truth: Truth) -> None:
    """What numbers of classes and of depth mean, once per shard."""
    path = _head_of(folder, shard)
    if not path.exists():
        told = {
            "classes": list(truth.class_names),
            "semantic": list(truth.semantic_names),
            "depth_unit_m": truth.depth_unit,
        }
        write_json(path, told)


def _list(images: Images, truth: Truth, start: int, opened: Sequence[TextIO]) -> None:
    """Add scenes to the lists of their shard."""
    metadata, entries, annotations = opened
    for row in range(len(images)):
        number = start + row
        name, objects = f"{number:06d}.png", truth.objects[row]
        told = {
            "file_name": name,
            **described(images, row, number),
            "scene": truth.scenes[row],
            "objects": list(objects),
        }
        _say(metadata, told)
        _say(entries, image_entry(number, name, truth.instances[row].shape, truth.scenes[row]))
        for k, one in enumerate(objects, 1):
            _say(annotations, annotation(number, k, one, truth.instances[row]))


def _say(file: TextIO, told: Any) -> None:
    file.write(json.dumps(told, ensure_ascii=False, separators=(", ", ": ")) + "\n")
