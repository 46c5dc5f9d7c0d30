"""Pictures one after another as a GIF that repeats, of bounded size."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image

__all__ = ["encode_gif"]

SHADES = (128, 32, 16)
SAMPLED = 8  # pictures that choose the colours of all


def encode_gif(frames: Sequence[Image.Image], *, milliseconds: int, most_bytes: int) -> bytes:
    """The smallest loss that fits: fewer colours, then every second picture for twice as long.

    Args:
        frames: RGB, all of one size, one or more; equal ones in a row become one, shown longer.
        milliseconds: that each is shown; GIF counts in tens.
        most_bytes: of the file; two pictures of 16 colours are written whatever they need.
    """
    while True:
        for shades in SHADES:
            found = _encoded(frames, shades, milliseconds)
            if len(found) <= most_bytes:
                return found
        if len(frames) <= 2:
            return found
        frames, milliseconds = frames[::2], 2 * milliseconds


def _encoded(frames: Sequence[Image.Image], shades: int, milliseconds: int) -> bytes:
    # One palette for all, so that what stands still does not flicker.
    chosen = frames[:: max(1, len(frames) // SAMPLED)]
    together = Image.fromarray(np.concatenate([np.asarray(frame) for frame in chosen]))
    palette = together.quantize(shades)
    first, *others = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    out = BytesIO()
    first.save(
        out, "GIF", save_all=True, append_images=others, duration=milliseconds, loop=0, disposal=1
    )
    return out.getvalue()
