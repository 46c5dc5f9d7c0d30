"""Masks of objects as COCO has them: run lengths and polygons, and the boxes around them.

References:
    Lin et al., Microsoft COCO: Common objects in context, 2014, and its data format.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["mask_of", "run_lengths", "tight_box"]


def mask_of(annotation: Mapping[str, Any], height: int, width: int) -> np.ndarray:
    """The mask (H, W) of an object, uint8 0 and 1; its box, filled, where it has no mask.

    Raises:
        ValueError: when its form is not known.
    """
    told = annotation.get("segmentation")
    if isinstance(told, Mapping) and isinstance(told.get("counts"), list):
        counts = np.asarray(told["counts"], np.int64)
        if counts.sum() != height * width or (counts < 0).any():
            raise ValueError("its run lengths do not cover the image")
        values = np.repeat(np.arange(len(counts)) % 2, counts)
        return values.reshape(width, height).T.astype(np.uint8)
    if isinstance(told, Mapping):
        raise ValueError("its mask is compressed; write uncompressed run lengths or polygons")
    canvas = Image.new("1", (width, height))
    if isinstance(told, list) and told:
        for polygon in told:
            points = list(zip(polygon[::2], polygon[1::2], strict=True))
            ImageDraw.Draw(canvas).polygon(points, fill=1)
        return np.asarray(canvas, np.uint8)
    x, y, w, h = annotation["bbox"]
    mask = np.zeros((height, width), np.uint8)
    mask[max(0, round(y)) : round(y + h), max(0, round(x)) : round(x + w)] = 1
    return mask


def run_lengths(mask: np.ndarray) -> dict[str, Any]:
    """Uncompressed run lengths of a mask (H, W), down its columns, zeros first."""
    flat = (mask.T > 0).ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate([[0], edges, [len(flat)]])).tolist()
    return {"counts": [0, *counts] if flat[0] else counts, "size": list(mask.shape)}


def tight_box(mask: np.ndarray) -> list[int] | None:
    """[x, y, width, height] of the smallest box around a mask (H, W); None where it is empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    return [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1]
