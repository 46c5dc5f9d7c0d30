"""From any image size to a grid that halves evenly, and back: the geometry of conv networks.

A network for H x W works on start * 2^stages, the smallest such size that covers H x W. What
comes in is padded to it, what goes out is cropped from it, so 8 x 8, 28 x 28, 5 x 7 and
64 x 48 need no case of their own. No weights here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from genmodels.layout import ImageLayout, Layout

__all__ = ["Grid", "fit_widths"]

LARGEST_START = 7
"""Halving goes on while the shorter side is longer than this."""


@dataclass(frozen=True)
class Grid:
    """A start grid and the number of doublings from it to the whole image.

    Args:
        layout: the images' layout.
        start: height and width of the coarsest grid.
        stages: doublings between the coarsest grid and the padded image, at least 1.
    """

    layout: ImageLayout
    start: tuple[int, int]
    stages: int

    @classmethod
    def of(cls, layout: Layout, *, least: int = 1) -> Grid:
        """The grid of a layout.

        Args:
            layout: the images' layout.
            least: doublings there must be, whatever the size of the images.

        Raises:
            ValueError: when the layout is not one of images.
        """
        images = _images(layout)
        stages = least
        while min(images.height, images.width) > LARGEST_START * 2**stages:
            stages += 1
        return cls(images, _start(images, stages), stages)

    @classmethod
    def within(cls, layout: Layout, cells: int) -> Grid:
        """The finest grid of at most `cells` positions that at least one halving gives.

        Raises:
            ValueError: when the layout is not one of images, or `cells` is below 1.
        """
        images = _images(layout)
        if cells < 1:
            raise ValueError(f"model.encoder.cells must be at least 1, got {cells}")
        stages = 1
        while math.prod(_start(images, stages)) > cells:
            stages += 1
        return cls(images, _start(images, stages), stages)

    @property
    def area(self) -> int:
        """Positions of the coarsest grid."""
        return self.start[0] * self.start[1]

    def widths(self, width: int) -> tuple[int, ...]:
        """Channels of each stage, finest first: doubled per halving, at most 8 x `width`."""
        return tuple(width * min(2**i, 8) for i in range(self.stages))

    @property
    def _margins(self) -> tuple[int, int, int, int]:
        size = 2**self.stages
        tall = self.start[0] * size - self.layout.height
        wide = self.start[1] * size - self.layout.width
        return tall // 2, tall - tall // 2, wide // 2, wide - wide // 2

    def pad(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, start_h 2^stages, start_w 2^stages), zeros around."""
        top, bottom, left, right = self._margins
        return F.pad(x, (left, right, top, bottom)) if top + bottom + left + right else x

    def crop(self, x: Tensor) -> Tensor:
        """The inverse of `pad`."""
        top, _, left, _ = self._margins
        return x[..., top : top + self.layout.height, left : left + self.layout.width]


def fit_widths(widths: Sequence[int], levels: int) -> list[int]:
    """Channels of each of so many resolutions, coarsest first.

    With more resolutions than widths the first width is used several times, with fewer the first
    ones are left out.

    Raises:
        ValueError: for no widths.
    """
    if not widths:
        raise ValueError("model.generator.widths and model.discriminator.widths must not be empty")
    return [widths[0]] * max(0, levels - len(widths)) + list(widths[-levels:])


def _images(layout: Layout) -> ImageLayout:
    if not isinstance(layout, ImageLayout):
        raise ValueError(
            "this model is for images, the data is a table; choose a model for tables such "
            "as model=tabvae or model=ctgan, or image data such as data=imagefolder"
        )
    return layout


def _start(images: ImageLayout, stages: int) -> tuple[int, int]:
    """Height and width of the smallest grid whose doublings cover the image."""
    size = 2**stages
    return -(-images.height // size), -(-images.width // size)
