"""YOLO's form of labels: a line per object, `class x y width height`, as shares of the picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genmodels.files import write_text

__all__ = ["label_lines", "write_yolo"]


def label_lines(objects: Sequence[Mapping[str, Any]], size: tuple[int, ...]) -> str:
    """Labels of one picture.

    Args:
        objects: with `label` and `bbox`, left, top, width, height in pixels.
        size: height and width of the picture.
    """
    height, width = size
    lines = []
    for one in objects:
        left, top, wide, tall = one["bbox"]
        shares = ((left + wide / 2) / width, (top + tall / 2) / height, wide / width, tall / height)
        lines.append(f"{one['label']} " + " ".join(f"{share:.6f}" for share in shares) + "\n")
    return "".join(lines)


def write_yolo(folder: Path, class_names: Sequence[str]) -> list[Path]:
    """Write `classes.txt`, and `data.yaml`, which names the folder of pictures and the classes."""
    names, data = folder / "classes.txt", folder / "data.yaml"
    write_text(names, "".join(f"{name}\n" for name in class_names))
    lines = ["# For YOLO. Validate on data of another seed, or on real ones: val is train here."]
    lines += ["path: .", "train: images", "val: images", "names:"]
    lines += [f"  {k}: {json.dumps(name)}" for k, name in enumerate(class_names)]
    write_text(data, "\n".join(lines) + "\n")
    return [names, data]
