"""COCO's form of annotations, written line by line so that no list need be in memory.

References:
    Lin et al., "Microsoft COCO: Common Objects in Context", 2014; cocodataset.org/#format-data.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from genmodels.files import atomic_path
from genmodels.masks import run_lengths

__all__ = ["annotation", "image_entry", "join_coco", "join_lines"]

_PER_IMAGE = 256
"""Numbers of annotations that belong to one image, so that shards need not know of each other."""
_TOLD_ELSEWHERE = ("class", "label", "bbox", "area")


def image_entry(
    number: int, name: str, shape: tuple[int, ...], scene: Mapping[str, Any]
) -> dict[str, Any]:
    """An image of COCO, with what its scene is."""
    height, width = shape
    return {"id": number, "file_name": name, "width": width, "height": height, "scene": scene}


def annotation(
    number: int, k: int, one: Mapping[str, Any], instances: np.ndarray
) -> dict[str, Any]:
    """The k-th object of an image; categories are numbered from 1, as in COCO."""
    return {
        "id": number * _PER_IMAGE + k,
        "image_id": number,
        "category_id": one["label"] + 1,
        "bbox": one["bbox"],
        "area": one["area"],
        "iscrowd": 0,
        "segmentation": run_lengths(instances == k),
        **{key: value for key, value in one.items() if key not in _TOLD_ELSEWHERE},
    }


def join_lines(path: Path, parts: Sequence[Path]) -> None:
    """Join files of lines, unless that is done already."""
    if path.exists():
        return
    with atomic_path(path) as temporary, temporary.open("wb") as whole:
        for part in parts:
            with part.open("rb") as lines:
                shutil.copyfileobj(lines, whole)


def join_coco(path: Path, class_names: Sequence[str], parts: Sequence[Sequence[Path]]) -> None:
    """Join what shards list, unless that is done already.

    Args:
        path: to write.
        class_names: of categories.
        parts: files of lines, of images and of annotations.
    """
    if path.exists():
        return
    with atomic_path(path) as temporary, temporary.open("wb") as whole:
        categories = [
            {"id": k, "name": name, "supercategory": "traffic"}
            for k, name in enumerate(class_names, 1)
        ]
        info = {"description": "Synthetic: simulated by genmodels", "version": "1.0"}
        head = {"info": info, "licenses": [], "categories": categories}
        whole.write(json.dumps(head, ensure_ascii=False)[:-1].encode())
        for name, files in zip(("images", "annotations"), parts, strict=True):
            whole.write(f',\n"{name}": ['.encode())
            _array(files, whole)
            whole.write(b"]")
        whole.write(b"}\n")


def _array(files: Sequence[Path], whole: BinaryIO) -> None:
    """Lines of JSON as the elements of a list."""
    between = b"\n"
    for file in files:
        with file.open("rb") as lines:
            for line in lines:
                whole.write(between + line.rstrip(b"\n"))
                between = b",\n"
