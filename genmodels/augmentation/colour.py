"""Pictures in other light: brightness, contrast, saturation, hue; blurred; with noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

__all__ = ["Blur", "Colour", "Noise", "on_colours", "two_numbers"]

Masks: TypeAlias = tv_tensors.Mask | None


class Colour:
    """Random brightness, contrast, saturation and hue, by torchvision; transparency stays.

    Args:
        brightness, contrast, saturation: largest change: 0.2 is from 0.8 to 1.2 times.
        hue: largest turn of the colour wheel, in [0, 0.5].
    """

    channels = (1, 2, 3, 4)
    moves_masks = True

    def __init__(
        self, *, brightness: float, contrast: float, saturation: float, hue: float
    ) -> None:
        told = {"brightness": brightness, "contrast": contrast, "saturation": saturation}
        for key, value in told.items():
            if not 0 <= value < float("inf"):
                raise ValueError(f"recipe.colour.{key} must be at least 0, got {value!r}")
        if not 0 <= hue <= 0.5:
            raise ValueError(f"recipe.colour.hue must be in [0, 0.5], got {hue!r}")
        self._told = {**told, "hue": hue}
        self._gray = v2.ColorJitter(brightness, contrast)
        self._step = v2.ColorJitter(brightness, contrast, saturation, hue)

    def parameters(self) -> Mapping[str, Any]:
        return self._told

    def __call__(self, picture: tv_tensors.Image, masks: Masks) -> tuple[tv_tensors.Image, Masks]:
        step = self._gray if picture.shape[0] < 3 else self._step
        return on_colours(picture, step), masks


class Blur:
    """Gaussian blur of random width.

    Args:
        sigma: smallest and largest standard deviation, in pixels.
    """

    channels = (1, 2, 3, 4)
    moves_masks = True

    def __init__(self, *, sigma: list[float]) -> None:
        low, high = two_numbers("blur.sigma", sigma)
        if low == 0:
            raise ValueError(f"recipe.blur.sigma must be above 0, got {sigma}")
        self.sigma = (low, high)
        size = 2 * max(1, round(3 * high)) + 1
        self._size = size

    def parameters(self) -> Mapping[str, Any]:
        return {"sigma": list(self.sigma)}

    def __call__(self, picture: tv_tensors.Image, masks: Masks) -> tuple[tv_tensors.Image, Masks]:
        # the kernel is reflected at the edge, which it must not pass
        most = min(picture.shape[-2:])
        size = min(self._size, 2 * (most - 1) + 1)
        blur = v2.GaussianBlur(max(1, size), self.sigma)
        return tv_tensors.Image(blur(picture)), masks


class Noise:
    """Gaussian noise on each pixel and colour; transparency stays.

    Args:
        sigma: smallest and largest standard deviation, as a share of the full range.
    """

    channels = (1, 2, 3, 4)
    moves_masks = True

    def __init__(self, *, sigma: list[float]) -> None:
        self.sigma = two_numbers("noise.sigma", sigma)

    def parameters(self) -> Mapping[str, Any]:
        return {"sigma": list(self.sigma)}

    def __call__(self, picture: tv_tensors.Image, masks: Masks) -> tuple[tv_tensors.Image, Masks]:
        low, high = self.sigma

        def noisy(colours: torch.Tensor) -> torch.Tensor:
            sigma = low + (high - low) * torch.rand(())
            noise = 255 * sigma * torch.randn(colours.shape)
            return (colours + noise).round().clamp(0, 255).to(torch.uint8)

        return on_colours(picture, noisy), masks


def on_colours(picture: tv_tensors.Image, step: Callable[[Any], torch.Tensor]) -> tv_tensors.Image:
    """A step on the colours of a picture (C, H, W), its transparency left as it is."""
    colours = 1 if picture.shape[0] < 3 else 3
    made = step(tv_tensors.Image(picture[:colours]))
    return tv_tensors.Image(torch.cat([made.as_subclass(torch.Tensor), picture[colours:]]))


def two_numbers(key: str, told: Any) -> tuple[float, float]:
    """Two numbers, the smaller first.

    Raises:
        ValueError: when it is something else.
    """
    numbers = isinstance(told, list | tuple) and len(told) == 2 and all(
        isinstance(x, int | float) and not isinstance(x, bool) for x in told
    )  # fmt: skip
    if not numbers or not 0 <= told[0] <= told[1] < float("inf"):
        raise ValueError(f"recipe.{key} must be [smallest,largest], both from 0, got {told!r}")
    return float(told[0]), float(told[1])
