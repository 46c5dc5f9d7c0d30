"""Images as PNG: what the writers of pictures share."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from genmodels.types import Images, Raw

__all__ = [
    "CHUNK",
    "check_level",
    "checked",
    "described",
    "encoded",
    "png",
    "threads",
]

STATEMENT = "Synthetic: made by genmodels, not a photograph of anything."
IN_PART = "Of a dataset that holds real pictures or pictures made from them: its list says which."
CHUNK = 64
"""Images that a thread encodes at a time."""


def check_level(level: int) -> int:
    """The compression level of PNG, or `ValueError` when it is none."""
    if level not in range(10):
        raise ValueError(f"writer.compress_level must be 0 to 9, got {level}")
    return level


def checked(block: Raw) -> Images:
    """The block, with names for its classes if it has labels.

    Raises:
        ValueError: when it is a table, or has more channels than PNG holds.
    """
    if not isinstance(block, Images):
        raise ValueError("this run makes tables; use format=parquet, format=csv or format=npz")
    channels = block.pixels.shape[1]
    if channels not in (1, 2, 3, 4):
        raise ValueError(f"PNG holds 1 to 4 channels, these images have {channels}; use format=npz")
    if block.labels is None or block.class_names:
        return block
    names = tuple(str(i) for i in range(int(block.labels.max()) + 1))
    return replace(block, class_names=names)


def png(pixels: np.ndarray, level: int, *, synthetic: bool = True, noisy: bool = False) -> bytes:
    """One image (C, H, W) uint8 as a PNG file that says that it is synthetic, or need not be.

    One channel is gray, two are gray with alpha, three RGB, four RGBA.

    Args:
        pixels: of the image.
        level: of compression, 0 to 9.
        synthetic: whether the file says so.
        noisy: in noise nothing longer than a run comes twice, so that a search for it only
            takes time: of scenes, files are a tenth smaller without, in three quarters of it.
    """
    info, file = PngInfo(), io.BytesIO()
    info.add_text("Comment", STATEMENT if synthetic else IN_PART)
    array = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    picture = Image.fromarray(np.ascontiguousarray(array))
    strategy = zlib.Z_RLE if noisy else zlib.Z_DEFAULT_STRATEGY
    picture.save(file, "PNG", compress_level=level, compress_type=strategy, pnginfo=info)
    return file.getvalue()


def encoded(
    images: Images, level: int, pool: ThreadPoolExecutor, *, synthetic: bool = True
) -> list[bytes]:
    """All images as PNG files, in order."""

    def work(start: int) -> list[bytes]:
        part = images.pixels[start : start + CHUNK]
        return [png(pixels, level, synthetic=synthetic) for pixels in part]

    parts = pool.map(work, range(0, len(images), CHUNK))
    return [one for part in parts for one in part]


@contextmanager
def threads(workers: int | None) -> Iterator[ThreadPoolExecutor]:
    """Threads that encode; None: one per core, at most 8. What is not begun is given up."""
    pool = ThreadPoolExecutor(workers or min(8, os.cpu_count() or 1))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def described(images: Images, row: int, number: int) -> dict[str, Any]:
    """What is known of one image: its number in the dataset, its class and its attributes.

    Args:
        images: of a block.
        row: in the block.
        number: in the dataset; with the seed in the manifest it says which draw it is.
    """
    known = {name: values[row].item() for name, values in images.attributes.items()}
    if images.labels is None:
        return {"index": number} | known
    label = int(images.labels[row])
    return {"label": label, "class_name": images.class_names[label], "index": number} | known
