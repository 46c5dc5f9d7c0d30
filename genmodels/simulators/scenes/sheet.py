"""What patches are drawn on: colour, light, and which face is seen at each sample.

Faces are numbered, so that the depth of all samples is found at once from the planes of the faces,
and colours, masks and depth cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageDraw

from genmodels.simulators.scenes.camera import Plane, Point
from genmodels.simulators.scenes.solids import RGB, Patch

__all__ = ["FAR", "Box", "Sheet", "box_around"]

FAR = 1e6
"""Depth of the sky, metres."""
_SKY: Plane = (0.0, 0.0, 1.0 / FAR, FAR, FAR)
_BLACK: RGB = (0, 0, 0)
Box = tuple[int, int, int, int]
"""Left, top, right, bottom of samples."""


class Sheet:
    """A canvas of samples.

    Args:
        width, height: samples.
        lit: whether light that things send out is drawn, too.
    """

    def __init__(self, *, width: int, height: int, lit: bool) -> None:
        self.size = (width, height)
        self.colour = Image.new("RGB", self.size)
        self.glow = Image.new("RGB", self.size) if lit else None
        self.faces = Image.new("I", self.size)
        self.planes: list[Plane] = [_SKY]
        self.stuff: list[int] = [0]
        self._pens = [ImageDraw.Draw(self.colour), ImageDraw.Draw(self.faces)]
        self._light = None if self.glow is None else ImageDraw.Draw(self.glow)

    def draw(self, patches: Iterable[Patch]) -> None:
        """Draw patches over what is there, in their order."""
        colours, faces = self._pens
        width, height = self.size
        for patch in patches:
            us, vs = zip(*patch.points, strict=True)
            if max(us) < 0 or min(us) >= width or max(vs) < 0 or min(vs) >= height:
                continue
            colours.polygon(patch.points, patch.colour)
            if patch.plane is not None:
                faces.polygon(patch.points, len(self.planes))
                self.planes.append(patch.plane)
                self.stuff.append(patch.stuff)
            if self._light is not None and (patch.plane is not None or patch.glow is not None):
                self._light.polygon(patch.points, patch.glow or _BLACK)

    def clear(self, box: Box) -> None:
        """Forget the faces within a box."""
        self.faces.paste(0, box)
        self.planes, self.stuff = [_SKY], [0]

    def numbers(self, box: Box) -> np.ndarray:
        """Which face is seen, 0 where none is; shape of the box."""
        return np.asarray(self.faces.crop(box)).astype(np.intp)

    def depth(self, numbers: np.ndarray, box: Box) -> np.ndarray:
        """Depth Z of the faces of a box, metres, float32."""
        a, b, c, near, far = (
            np.take(values, numbers, mode="clip") for values in np.array(self.planes, np.float32).T
        )
        a *= np.arange(box[0], box[2], dtype=np.float32)
        b *= np.arange(box[1], box[3], dtype=np.float32)[:, None]
        a += b
        a += c
        np.maximum(a, 1.0 / FAR, out=a)
        np.reciprocal(a, out=a)
        np.maximum(a, near, out=a)
        return np.minimum(a, far, out=a)


def box_around(patches: Iterable[Patch], size: tuple[int, int]) -> Box | None:
    """The samples that patches can reach, or None when that is outside."""
    points: list[Point] = [point for patch in patches for point in patch.points]
    if not points:
        return None
    us, vs = [u for u, _ in points], [v for _, v in points]
    left, top = max(0, int(min(us)) - 1), max(0, int(min(vs)) - 1)
    right, bottom = min(size[0], int(max(us)) + 2), min(size[1], int(max(vs)) + 2)
    return (left, top, right, bottom) if left < right and top < bottom else None
