"""Pictures whose objects have boxes and masks, changed together with them."""

from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
from PIL import Image

from genmodels.augmentation.amounts import Plan
from genmodels.augmentation.pictures import BLOCK, Pictures
from genmodels.masks import each_mask, run_lengths, tight_box

__all__ = ["AnnotatedBlocks"]

KEPT = ("id", "image_id", "category_id", "iscrowd")
"""What holds of an object wherever it is moved to, besides its box, mask and area."""
DEEP = ("I", "F")
"""How modes of Pillow begin that other modes hold only cut off at 255."""
MODES = ("L", "LA", "RGB", "RGBA")


class AnnotatedBlocks:
    """New pictures with the objects that are left in them, each in a tight box.

    What else is told of an object, such as keypoints or what of it is seen, may be wrong after it
    was moved, and is left out then; what else is told of a picture is left out always.

    Args:
        real: rows as `COCO` loads them.
        plan: of which rows the new ones are made.
        recipe: changes pictures and masks.
    """

    def __init__(self, *, real: pa.Table, plan: Plan, recipe: Pictures) -> None:
        self._real, self._plan, self._recipe = real, plan, recipe
        self._parents = plan.parents()
        self.block_rows = BLOCK
        names = ("file_name", "blob", "width", "height")
        for file_name, blob, *told in zip(*(real[name] for name in names), strict=True):
            with _opened(blob.as_py(), file_name.as_py()) as picture:
                _check_size(picture.size, [side.as_py() for side in told], file_name.as_py())
                if picture.mode.startswith(DEEP):
                    raise ValueError(
                        f"{file_name.as_py()} has more than 8 bits per colour; convert it first"
                    )
                recipe.check(len(_plain(picture).getbands()), masks=True)

    def block(self, number: int) -> pa.Table:
        first = number * BLOCK
        rows = range(first, min(first + BLOCK, self._plan.rows))
        return pa.Table.from_pylist([self._row(row) for row in rows], schema=self._real.schema)

    def real(self, rows: pa.Table) -> pa.Table:
        return rows

    def _row(self, row: int) -> dict[str, object]:
        parent = self._real.slice(int(self._parents[row]), 1).to_pylist()[0]
        pixels = _pixels(parent["blob"], parent["file_name"])
        height, width = pixels.shape[1:]
        objects = json.loads(parent["objects"])
        masks = np.zeros((len(objects), height, width), np.uint8)
        for k, mask in enumerate(each_mask(objects, height, width, of=parent["file_name"])):
            masks[k] = mask
        made, moved = self._recipe.changed(pixels, masks, seed=self._plan.seed, row=row)
        assert moved is not None
        left, stays = [], KEPT if "geometry" in self._recipe.steps else None
        for one, mask in zip(objects, moved, strict=True):
            if (box := tight_box(mask)) is None:
                continue  # it was moved out of the picture
            told = {"bbox": box, "area": int((mask > 0).sum())}
            if one.get("segmentation"):
                told["segmentation"] = run_lengths(mask)
            left.append({**{k: v for k, v in one.items() if stays is None or k in stays}, **told})
        told = {"blob": _png(made), "file_name": "made.png", "objects": json.dumps(left)}
        return {**parent, **told, "known": "{}"}


def _check_size(found: tuple[int, int], told: list[int], name: str) -> None:
    if list(found) != told:
        raise ValueError(
            f"{name} is {found[0]} x {found[1]} pixels, and the list of annotations says "
            f"{told[0]} x {told[1]}"
        )


def _opened(blob: bytes, name: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(blob))
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"{name} cannot be read: {error}") from error


def _plain(picture: Image.Image) -> Image.Image:
    return picture if picture.mode in MODES else picture.convert("RGB")


def _pixels(blob: bytes, name: str) -> np.ndarray:
    """A file as (C, H, W) uint8."""
    with _opened(blob, name) as picture:
        array = np.asarray(_plain(picture))
    return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))


def _png(pixels: np.ndarray) -> bytes:
    array = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(file, "PNG", compress_level=1)
    return file.getvalue()
