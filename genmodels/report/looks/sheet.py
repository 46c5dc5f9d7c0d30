"""Images in rows and columns as one picture, with what is written beside, above and below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

__all__ = ["cell_side", "draw_grid", "to_rgb"]

GAP, APART = 2, 12
TEXT_HEIGHT = 12
SMALLEST_CELL = 32


def draw_grid(
    pixels: np.ndarray,
    rows: int,
    names: Sequence[str] = (),
    *,
    above: Sequence[str] = (),
    below: Sequence[str] = (),
    foot: str = "",
    smallest: int = SMALLEST_CELL,
    first: int = 0,
) -> Image.Image:
    """Images in row-major order as one RGB picture, with the names of the rows on the left.

    Args:
        pixels: (rows * columns, C, H, W) uint8; small images are enlarged by whole factors.
        rows: number of rows.
        names: one per row, or none.
        above: what stands above each column, or nothing.
        below: what stands below each image, or nothing.
        foot: a line below everything, or nothing.
        smallest: pixels that an image is high and wide at least.
        first: columns on the left that stand apart from the others.
    """
    factor = _factor(pixels, smallest, bool(names))
    cells = to_rgb(pixels).repeat(factor, 1).repeat(factor, 2)
    height, width = cells.shape[1:3]
    columns, font = len(cells) // rows, ImageFont.load_default()
    left = max((int(font.getlength(name)) + 2 * GAP + 2 for name in names), default=0)
    top, under = TEXT_HEIGHT * bool(above), TEXT_HEIGHT * bool(below)
    down = height + under + GAP
    places = [left + GAP + k * (width + GAP) + APART * (0 < first <= k) for k in range(columns)]
    wide = max(places[-1] + width + GAP, int(font.getlength(foot)) + 2 * GAP if foot else 0)
    high = top + rows * down + GAP + (TEXT_HEIGHT + 2 * GAP) * bool(foot)
    grid = Image.new("RGB", (wide, high), "white")
    draw = ImageDraw.Draw(grid)
    for i, cell in enumerate(cells):
        row, column = divmod(i, columns)
        x, y = places[column], top + GAP + row * down
        grid.paste(Image.fromarray(cell), (x, y))
        if below:
            _centred(draw, font, below[i], x + width / 2, y + height)
    for x, text in zip(places, above, strict=False):
        _centred(draw, font, text, x + width / 2, 0)
    draw.text((GAP, high - TEXT_HEIGHT - GAP), foot, fill="black", font=font)
    for row, name in enumerate(names):
        y = top + GAP + row * down + (height - TEXT_HEIGHT) // 2
        draw.text((GAP, y), name, fill="black", font=font)
    return grid


def cell_side(height: int, width: int, smallest: int = SMALLEST_CELL) -> int:
    """The longer side of an image of that size in a grid, with its gap."""
    return max(height, width) * max(1, -(-smallest // min(height, width))) + GAP


def to_rgb(pixels: np.ndarray) -> np.ndarray:
    """(N, C, H, W) -> (N, H, W, 3).

    Gray is repeated, alpha goes over white; of more than four channels the first three are shown.
    """
    channels = pixels.shape[1]
    colour = pixels[:, :1].repeat(3, 1) if channels < 3 else pixels[:, :3]
    if channels in (2, 4):
        alpha = pixels[:, -1:].astype(np.uint32)
        mixed = colour * alpha + 255 * (255 - alpha)
        colour = ((mixed + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(colour.transpose(0, 2, 3, 1))


def _factor(pixels: np.ndarray, smallest: int, named: bool) -> int:
    height, width = pixels.shape[2:]
    factor = max(1, -(-smallest // min(height, width)))
    return max(factor, -(-TEXT_HEIGHT // height)) if named else factor


def _centred(draw: ImageDraw.ImageDraw, font: Any, text: str, x: float, y: float) -> None:
    draw.text((x, y), text, fill="black", font=font, anchor="ma")
