"""Masks of objects as COCO has them: run lengths and polygons, and the boxes around them.

References:
    Lin et al., Microsoft COCO: Common objects in context, 2014, and its data format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["each_mask", "mask_of", "run_lengths", "tight_box"]

_FAR = 1e6
"""Pixels from the picture's corner within which what is told of objects must lie."""


def mask_of(annotation: Mapping[str, Any], height: int, width: int) -> np.ndarray:
    """The mask (H, W) of an object, uint8 0 and 1; its box, filled, where it has no mask.

    Raises:
        ValueError: when its form is not known.
    """
    told = annotation.get("segmentation")
    if isinstance(told, Mapping):
        return _of_runs(told.get("counts"), height, width)
    if isinstance(told, list) and told:
        return _of_polygons(told, height, width)
    return _of_box(annotation.get("bbox"), height, width)


def each_mask(
    objects: Iterable[Mapping[str, Any]], height: int, width: int, *, of: str
) -> Iterator[np.ndarray]:
    """The masks (H, W) of the objects of a picture, one after the other.

    Raises:
        ValueError: when the form of one is not known, naming the picture as `of`.
    """
    for number, one in enumerate(objects, 1):
        try:
            yield mask_of(one, height, width)
        except ValueError as error:
            raise ValueError(f"{of}: object {number}: {error}") from error


def _of_runs(counts: Any, height: int, width: int) -> np.ndarray:
    if not isinstance(counts, list):
        raise ValueError("its mask is compressed; write uncompressed run lengths or polygons")
    # Python's numbers do not overflow, as lengths of a stranger could make those of numpy do.
    most = height * width
    fit = all(isinstance(count, int) and 0 <= count <= most for count in counts)
    if not fit or sum(counts) != most:
        raise ValueError("its run lengths do not cover the image")
    values = np.repeat(np.arange(len(counts)) % 2, counts)
    return values.reshape(width, height).T.astype(np.uint8)


def _of_polygons(polygons: Sequence[Any], height: int, width: int) -> np.ndarray:
    canvas = Image.new("1", (width, height))
    for polygon in polygons:
        if not _numbers(polygon) or len(polygon) < 4 or len(polygon) % 2:
            raise ValueError("a polygon of its mask must be numbers x, y, x, y, ... in pixels")
        points = list(zip(polygon[::2], polygon[1::2], strict=True))
        ImageDraw.Draw(canvas).polygon(points, fill=1)
    return np.asarray(canvas, np.uint8)


def _of_box(box: Any, height: int, width: int) -> np.ndarray:
    if not _numbers(box) or len(box) != 4 or min(box[2:]) < 0:
        raise ValueError("its bbox must be four numbers x, y, width, height in pixels")
    x, y, w, h = box
    rows, columns = (slice(max(0, round(a)), max(0, round(a + n))) for a, n in ((y, h), (x, w)))
    mask = np.zeros((height, width), np.uint8)
    mask[rows, columns] = 1
    return mask


def _numbers(values: Any) -> bool:
    """Whether these are numbers that can be places in a picture."""
    return isinstance(values, list) and all(
        isinstance(value, int | float) and abs(value) <= _FAR for value in values
    )


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
