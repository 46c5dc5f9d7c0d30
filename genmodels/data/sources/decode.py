"""From one image file, of whatever mode and size, to one uint8 array of an agreed shape.

The policy (size, resize, channels, alpha) is declared, never guessed per file; what `auto` came
to is decided in `imagefolder.py` and logged there. Nothing here walks folders.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import IO, Literal

import numpy as np
from PIL import Image, ImageOps

from genmodels.data.sources.parallel import for_chunks
from genmodels.pixels import room

__all__ = [
    "BROKEN",
    "Alpha",
    "Header",
    "Policy",
    "Resize",
    "check_size",
    "decode",
    "read_header",
    "resize_pixels",
]

Resize = Literal["fit", "crop", "stretch", "pad"]
Alpha = Literal["drop", "keep", "white"]

BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip
"""What Pillow raises for a file that it cannot read; SyntaxError is its word for a bad header."""

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
GRAY = ("1", "L", "LA", "La", "I;16", "I;16B", "I;16L", "I;16N")
NO_RANGE = ("I", "F", "I;16S", "I;32", "F;32")
ROTATED = (5, 6, 7, 8)  # EXIF orientations that swap height and width
EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How every file becomes the same kind of array.

    Args:
        size: (height, width), or None to keep each file's own.
        resize: `fit` scales to cover the size and cuts the centre; `crop` cuts the centre
            without scaling; `stretch` ignores the aspect ratio; `pad` scales to lie inside the
            size and fills the rest with zeros. Scaling is bicubic with antialiasing.
        channels: 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGBA).
        alpha: for 1 and 3 channels: `white` blends transparent parts with white, anything else
            forgets the alpha channel.
        max_pixels: files that claim more are refused before they are decoded.
    """

    size: tuple[int, int] | None
    resize: Resize
    channels: int
    alpha: Alpha
    max_pixels: int


@dataclass(frozen=True)
class Header:
    """What a file says of itself before it is decoded, its EXIF orientation applied."""

    height: int
    width: int
    gray: bool
    alpha: bool


def read_header(path: str | IO[bytes], max_pixels: int) -> Header:
    """Read size and mode without decoding.

    Raises:
        One of `BROKEN` when the file is no image, too large, or of a mode without a range.
    """
    with Image.open(path) as picture:
        _refuse(picture, max_pixels)
        width, height = picture.size
        # For PNG, asking for EXIF data would decode the whole file.
        known = picture.format != "PNG" or "exif" in picture.info
        if known and picture.getexif().get(EXIF_ORIENTATION) in ROTATED:
            width, height = height, width
        return Header(height, width, picture.mode in GRAY, picture.has_transparency_data)


def decode(path: str | IO[bytes], policy: Policy) -> np.ndarray:
    """Read one file as uint8, shape (C, H, W).

    Raises:
        One of `BROKEN` when the file cannot be decoded or does not fit the policy.
    """
    with Image.open(path) as opened:
        _refuse(opened, policy.max_pixels)
        if policy.size is not None and policy.resize != "crop":
            side = 2 * max(policy.size)
            opened.draft(opened.mode, (side, side))  # JPEG: decode at a fraction of the size
        picture: Image.Image = opened
        ImageOps.exif_transpose(picture, in_place=True)
        picture = _to_channels(picture, policy.channels, policy.alpha)
        if policy.size is not None:
            picture = _to_size(picture, policy.size, policy.resize)
        array = np.asarray(picture)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def resize_pixels(
    pixels: np.ndarray, size: tuple[int, int] | None, resize: Resize, workers: int | None = None
) -> np.ndarray:
    """Bring an array (N, C, H, W) uint8 to (N, C, *size), each channel for itself."""
    if size is None or pixels.shape[2:] == size:
        return pixels
    if resize == "crop" and (pixels.shape[2] < size[0] or pixels.shape[3] < size[1]):
        raise ValueError(_too_small(pixels.shape[2], pixels.shape[3], size))
    out = room((*pixels.shape[:2], *size))

    def work(start: int, stop: int) -> None:
        for i in range(start, stop):
            for channel, plane in enumerate(pixels[i]):
                picture = Image.fromarray(np.ascontiguousarray(plane))
                out[i, channel] = np.asarray(_to_size(picture, size, resize))

    for _ in for_chunks(work, len(pixels), workers=workers, what="resizing images"):
        pass
    return out


def check_size(size: int | list[int] | tuple[int, int] | None) -> tuple[int, int] | None:
    """`data.size` as (height, width).

    Raises:
        ValueError: unless it is null, one positive whole number, or two.
    """
    if size is None:
        return None
    pair = tuple(size) if isinstance(size, list | tuple) else (size, size)
    if len(pair) != 2 or not all(type(s) is int and s > 0 for s in pair):
        raise ValueError(f"data.size must be null, a number or [height,width], got {size!r}")
    return pair


def _refuse(picture: Image.Image, max_pixels: int) -> None:
    pixels = picture.width * picture.height
    if pixels > max_pixels:
        raise ValueError(f"claims {pixels} pixels, more than data.max_pixels={max_pixels}")
    if picture.mode in NO_RANGE:
        raise ValueError(
            f"has 32-bit or signed values (mode {picture.mode}), which have no agreed range; "
            "convert it to 8 or 16 bits"
        )


def _to_channels(picture: Image.Image, channels: int, alpha: Alpha) -> Image.Image:
    if picture.mode.startswith("I;16"):
        picture = _eight_bits(picture)
    if picture.mode in ("CMYK", "HSV", "LAB", "YCbCr"):
        picture = picture.convert("RGB")
    mode = MODES[channels]
    if channels in (1, 3) and picture.has_transparency_data:
        picture = picture.convert("RGBA")
        if alpha == "white":
            white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
            picture = Image.alpha_composite(white, picture)
        picture = picture.convert("RGB")
    if channels == 2 and picture.mode not in ("L", "LA"):
        picture = picture.convert("RGBA")
    return picture if picture.mode == mode else picture.convert(mode)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """16 bits to 8, rounded: 65535 -> 255."""
    values = (np.asarray(picture).astype(np.uint32) + 128) // 257
    return Image.fromarray(values.astype(np.uint8))


def _to_size(picture: Image.Image, size: tuple[int, int], resize: Resize) -> Image.Image:
    height, width = size
    if picture.size == (width, height):
        return picture
    if resize == "crop":
        if picture.width < width or picture.height < height:
            raise ValueError(_too_small(picture.height, picture.width, size))
        left, top = (picture.width - width) // 2, (picture.height - height) // 2
        return picture.crop((left, top, left + width, top + height))
    scale: dict[str, Callable[[], Image.Image]] = {
        "fit": partial(ImageOps.fit, picture, (width, height), Image.Resampling.BICUBIC),
        "stretch": partial(picture.resize, (width, height), Image.Resampling.BICUBIC),
        "pad": partial(ImageOps.pad, picture, (width, height), Image.Resampling.BICUBIC),
    }
    return scale[resize]()


def _too_small(height: int, width: int, size: tuple[int, int]) -> str:
    return (
        f"is {height}x{width} (height x width), smaller than data.size={size[0]}x{size[1]}: "
        "data.resize=crop does not enlarge; use fit, stretch or pad"
    )
