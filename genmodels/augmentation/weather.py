"""Photographs in other weather: fog, rain, snow and darkness, painted without knowing depth.

What is higher in the picture counts as farther away, as on a road or a meadow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d
from torchvision import tv_tensors

from genmodels.augmentation.colour import on_colours, two_numbers

__all__ = ["KINDS", "Weather"]

KINDS = ("fog", "rain", "snow", "darkness")
_DENSEST = 3.0
"""Optical depth of the thickest fog at the top of the picture."""
_AIR, _STREAK, _FLAKE = 0.82, 0.85, 0.97
"""Brightness of lit fog, of falling water and of snow, as shares of white."""


class Weather:
    """One of several kinds of weather, at a random strength.

    Args:
        kinds: of fog, rain, snow, darkness.
        strength: smallest and largest, in [0, 1].
    """

    channels = (1, 2, 3, 4)
    moves_masks = True

    def __init__(self, *, kinds: Sequence[str], strength: list[float]) -> None:
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown or not kinds:
            known = ", ".join(KINDS)
            raise ValueError(f"recipe.weather.kinds must be some of {known}, got {list(kinds)}")
        self.kinds = tuple(kinds)
        self.strength = two_numbers("weather.strength", strength)
        if self.strength[1] > 1:
            raise ValueError(f"recipe.weather.strength must be in [0, 1], got {list(strength)}")

    def parameters(self) -> Mapping[str, Any]:
        return {"kinds": list(self.kinds), "strength": list(self.strength)}

    def __call__(
        self, picture: tv_tensors.Image, masks: tv_tensors.Mask | None
    ) -> tuple[tv_tensors.Image, tv_tensors.Mask | None]:
        kind = self.kinds[int(torch.randint(len(self.kinds), ()))]
        low, high = self.strength
        strength = low + (high - low) * float(torch.rand(()))
        paint = {"fog": fog, "rain": rain, "snow": snow, "darkness": darkness}[kind]

        def painted(colours: Tensor) -> Tensor:
            made = paint(colours.as_subclass(Tensor).double() / 255, strength)
            return (255 * made).round().clamp(0, 255).to(torch.uint8)

        return on_colours(picture, painted), masks


def fog(x: Tensor, strength: float) -> Tensor:
    """T x + (1 - t) A with t = exp(-b d), d falling from 1 at the top to 0.2 at the bottom.

    Args:
        x: colours in [0, 1], (C, H, W).
        strength: in [0, 1].

    References:
        Koschmieder, Theorie der horizontalen Sichtweite, 1924.
    """
    far = torch.linspace(1.0, 0.2, x.shape[1], dtype=x.dtype)[None, :, None]
    t = torch.exp(-_DENSEST * strength * far)
    return t * x + (1 - t) * _AIR


def rain(x: Tensor, strength: float) -> Tensor:
    """Slanted bright streaks over a picture that is a little darker and flatter."""
    _, height, width = x.shape
    drops = (torch.rand(height, width, dtype=x.dtype) < 0.004 + 0.016 * strength).to(x.dtype)
    length = max(3, round(height * (0.04 + 0.08 * strength)))
    slant = math.tan(math.radians(float(torch.rand(())) * 30 - 15))
    streaks = _spread(drops, _line(length, slant)).clamp(0, 1)
    dim = x * (1 - 0.25 * strength)
    veil = 0.6 * (0.4 + 0.6 * strength) * streaks
    return dim * (1 - veil) + _STREAK * veil


def snow(x: Tensor, strength: float) -> Tensor:
    """Flakes of several sizes, and a whiter, paler picture."""
    _, height, width = x.shape
    flakes = torch.zeros(height, width, dtype=x.dtype)
    for size in (0.004, 0.008, 0.014):
        sigma = max(0.4, size * height)
        chance = min(0.1, (0.1 + 0.5 * strength) * 0.08 / (1 + 6 * sigma * sigma))
        seeds = (torch.rand(height, width, dtype=x.dtype) < chance).to(x.dtype)
        flakes = torch.maximum(flakes, _spread(seeds, _spot(sigma)).clamp(0, 1))
    pale = x + 0.25 * strength * (_FLAKE - x)
    return pale * (1 - flakes) + _FLAKE * flakes


def darkness(x: Tensor, strength: float) -> Tensor:
    """G x^(1 + 1.2 s), red and green weaker than blue, with the noise of a camera at night."""
    dim = (1 - 0.75 * strength) * x ** (1 + 1.2 * strength)
    if x.shape[0] == 3:
        tint = torch.tensor([1 - 0.2 * strength, 1 - 0.12 * strength, 1.0], dtype=x.dtype)
        dim = dim * tint[:, None, None]
    return (dim + 0.03 * strength * torch.randn(x.shape, dtype=x.dtype)).clamp(0, 1)


def _line(length: int, slant: float) -> Tensor:
    """A kernel that draws a thin slanted line, (L, W)."""
    half = math.ceil(abs(slant) * length / 2) + 1
    kernel = torch.zeros(length, 2 * half + 1, dtype=torch.float64)
    for y in range(length):
        x = half + slant * (y - length / 2)
        left = math.floor(x)
        for place, weight in ((left, left + 1 - x), (left + 1, x - left)):
            if 0 <= place <= 2 * half:
                kernel[y, place] += weight
    return kernel


def _spot(sigma: float) -> Tensor:
    """A kernel that draws a round soft spot with 1 in its middle, (K, K)."""
    reach = max(1, math.ceil(2 * sigma))
    at = torch.arange(-reach, reach + 1, dtype=torch.float64)
    bell = torch.exp(-(at**2) / (2 * sigma**2))
    return bell[:, None] * bell[None, :]


def _spread(seeds: Tensor, kernel: Tensor) -> Tensor:
    """Each seed (H, W) becomes a copy of the kernel."""
    pads = kernel.shape[0] // 2, kernel.shape[1] // 2
    made = conv2d(seeds[None, None], kernel.flip(0, 1)[None, None], padding=pads)[0, 0]
    return made[: seeds.shape[0], : seeds.shape[1]]
