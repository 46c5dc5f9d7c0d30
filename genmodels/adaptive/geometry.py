"""Flips, turns, shifts and scales of images, collected into one affine map and applied at once.

The resampling is made of gathers and sums, not of `grid_sample`, whose forward derivative torch
does not have: so any penalty on the gradient of a discriminator may look through it, whichever way
it takes that gradient.

References:
    Karras, Aittala, Hellsten, Laine, Lehtinen, Aila, "Training Generative Adversarial Networks
    with Limited Data", 2020 (appendix B, pixel blitting and general geometric transformations).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genmodels.adaptive.draws import Draws

__all__ = ["Affine", "Geometry", "resample"]


@dataclass(frozen=True, eq=False)
class Affine:
    """(x, y) -> (a x + b y + s, c x + d y + t), one map per image, in pixels from the centre.

    Composed number by number: a product of matrices may be rounded in training, and a coordinate
    that is rounded to 8 bits is elsewhere.

    Args:
        a, b, s, c, d, t: shape (B,).
    """

    a: Tensor
    b: Tensor
    s: Tensor
    c: Tensor
    d: Tensor
    t: Tensor

    @classmethod
    def identity(cls, like: Tensor) -> Affine:
        one, zero = torch.ones_like(like), torch.zeros_like(like)
        return cls(one, zero, zero, zero, one, zero)

    def scaled(self, x: Tensor, y: Tensor) -> Affine:
        """This map after a scaling about the centre."""
        return Affine(self.a * x, self.b * y, self.s, self.c * x, self.d * y, self.t)

    def moved(self, x: Tensor, y: Tensor) -> Affine:
        """This map after a shift."""
        s = self.a * x + self.b * y + self.s
        return Affine(self.a, self.b, s, self.c, self.d, self.c * x + self.d * y + self.t)

    def turned(self, cos: Tensor, sin: Tensor) -> Affine:
        """This map after a turn about the centre."""
        a, b = self.a * cos + self.b * sin, self.b * cos - self.a * sin
        c, d = self.c * cos + self.d * sin, self.d * cos - self.c * sin
        return Affine(a, b, self.s, c, d, self.t)


class Geometry(nn.Module):
    """Flip, quarter turns, whole shift; scale, turn, stretch, turn, shift: each with probability p.

    In this order. What would come from outside the image is its mirror image. Values lie between
    those of the four nearest pixels, without the paper's supersampling, so that a turned image is
    a little softer than there; whole shifts, flips and quarter turns copy pixels as they are.

    Args:
        flip: whether left and right are exchanged, in every second image that is chosen; not for
            digits and letters.
        quarter_turns: whether there are turns by multiples of 90 degrees; square images only.
        translation: bound of the shift by whole pixels, as a share of width and height.
        scale: standard deviation of log2 of the scale.
        rotation: bound of the turns, as a share of half a turn.
        stretch: standard deviation of log2 of the stretch in x (and of the pinch in y).
        shift: standard deviation of the fractional shift, as a share of width and height.

    References:
        Karras et al. 2020, appendix B, figure 19, lines 3 to 29.
    """

    def __init__(
        self,
        *,
        flip: bool,
        quarter_turns: bool,
        translation: float,
        scale: float,
        rotation: float,
        stretch: float,
        shift: float,
    ) -> None:
        super().__init__()
        self.flip, self.quarter_turns, self.translation = flip, quarter_turns, translation
        self.scale, self.rotation, self.stretch, self.shift = scale, rotation, stretch, shift

    def forward(self, x: Tensor, p: Tensor) -> Tensor:
        """(B, C, H, W), p in [0, 1] -> (B, C, H, W)."""
        return resample(x, self.maps(x, p))

    def maps(self, x: Tensor, p: Tensor) -> Affine:
        """From a place in what is made to the place in `x` that it shows, for each image."""
        draws, (height, width) = Draws(x, p), x.shape[2:]
        found = Affine.identity(draws.normal(0.0))
        found = self._copied(found, draws, height, width)
        return self._general(found, draws, height, width)

    def _copied(self, found: Affine, draws: Draws, height: int, width: int) -> Affine:
        """Those that move whole pixels."""
        if self.flip:
            sign = draws.maybe(1.0 - 2.0 * draws.whole(2), 1.0)
            found = found.scaled(sign, torch.ones_like(sign))
        if self.quarter_turns and height == width:
            turns = draws.maybe(draws.whole(4), 0.0)
            cos = (turns == 0).to(turns.dtype) - (turns == 2).to(turns.dtype)
            sin = (turns == 1).to(turns.dtype) - (turns == 3).to(turns.dtype)
            found = found.turned(cos, sin)
        if self.translation > 0:
            x, y = (
                draws.maybe((draws.uniform(self.translation) * side).round(), 0.0)
                for side in (width, height)
            )
            found = found.moved(x, y)
        return found

    def _general(self, found: Affine, draws: Draws, height: int, width: int) -> Affine:
        """Those that fall between pixels; two turns, of which at least one happens with p."""
        of_two = 1.0 - (1.0 - draws.p).sqrt()
        if self.scale > 0:
            factor = draws.maybe(draws.factor(self.scale), 1.0)
            found = found.scaled(factor, factor)
        found = self._turned(found, draws, of_two)
        if self.stretch > 0:
            factor = draws.maybe(draws.factor(self.stretch), 1.0)
            found = found.scaled(factor, 1.0 / factor)
        found = self._turned(found, draws, of_two)
        if self.shift > 0:
            x, y = (draws.maybe(draws.normal(self.shift) * side, 0.0) for side in (width, height))
            found = found.moved(x, y)
        return found

    def _turned(self, found: Affine, draws: Draws, p: Tensor) -> Affine:
        if self.rotation <= 0:
            return found
        angle = draws.maybe(draws.uniform(math.pi * self.rotation), 0.0, p)
        return found.turned(angle.cos(), angle.sin())


def resample(x: Tensor, maps: Affine) -> Tensor:
    """What the places that `maps` names show: bilinear, mirrored at the middle of the edge pixels.

    Args:
        x: shape (B, C, H, W).
        maps: from places in the result to places in x.

    Returns:
        Shape (B, C, H, W).
    """
    height, width = x.shape[2:]
    across = torch.arange(width, device=x.device, dtype=maps.a.dtype) - (width - 1) / 2.0
    down = torch.arange(height, device=x.device, dtype=maps.a.dtype) - (height - 1) / 2.0
    a, b, s, c, d, t = (
        value[:, None, None] for value in (maps.a, maps.b, maps.s, maps.c, maps.d, maps.t)
    )
    right = _mirrored(a * across + b * down[:, None] + s + (width - 1) / 2.0, width)
    below = _mirrored(c * across + d * down[:, None] + t + (height - 1) / 2.0, height)
    left, top = right.floor(), below.floor()
    beside, under = (left + 1).clamp(max=width - 1), (top + 1).clamp(max=height - 1)
    part_x, part_y = (right - left)[:, None].to(x.dtype), (below - top)[:, None].to(x.dtype)
    # A copy: of a tangent that is laid out in another way the compiler makes no view.
    flat = (x * 1.0).flatten(2)

    def at(row: Tensor, place: Tensor) -> Tensor:
        index = (row * width + place).long().flatten(1)[:, None].expand(-1, x.shape[1], -1)
        return flat.gather(2, index).unflatten(2, (height, width))

    upper = torch.lerp(at(top, left), at(top, beside), part_x)
    lower = torch.lerp(at(under, left), at(under, beside), part_x)
    return torch.lerp(upper, lower, part_y)


def _mirrored(place: Tensor, size: int) -> Tensor:
    """Folded into [0, size - 1], as between two mirrors."""
    if size == 1:
        return torch.zeros_like(place)
    last = float(size - 1)
    return last - (place.abs() % (2.0 * last) - last).abs()
