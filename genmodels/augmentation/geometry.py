"""Pictures turned, shifted, scaled, sheared and mirrored, masks with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchvision import tv_tensors
from torchvision.transforms import v2

from genmodels.augmentation.base import share

__all__ = ["Geometry"]


class Geometry:
    """A random affine map, and mirroring, by torchvision.

    Args:
        rotate: largest angle, in degrees, either way.
        shift: largest shift, as a share of the sides.
        scale: largest change of size: 0.2 is from 1 / 1.2 to 1.2 times.
        shear: largest angle of shear, in degrees, either way.
        flip: chance of exchanging left and right.
        vertical_flip: chance of exchanging top and bottom.
        fill: value of what comes in from outside, 0 to 255.
    """

    channels = (1, 2, 3, 4)
    moves_masks = True

    def __init__(
        self,
        *,
        rotate: float,
        shift: float,
        scale: float,
        shear: float,
        flip: float,
        vertical_flip: float,
        fill: int,
    ) -> None:
        if not 0 <= rotate <= 180:
            raise ValueError(f"recipe.geometry.rotate must be 0 to 180 degrees, got {rotate!r}")
        if not 0 <= shear < 90:
            raise ValueError(f"recipe.geometry.shear must be from 0 to below 90, got {shear!r}")
        if not 0 <= scale < float("inf"):
            raise ValueError(f"recipe.geometry.scale must be at least 0, got {scale!r}")
        if fill not in range(256):
            raise ValueError(f"recipe.geometry.fill must be 0 to 255, got {fill!r}")
        self._told = {
            "rotate": rotate,
            "shift": share("geometry.shift", shift),
            "scale": scale,
            "shear": shear,
            "flip": share("geometry.flip", flip),
            "vertical_flip": share("geometry.vertical_flip", vertical_flip),
            "fill": fill,
        }
        steps: list[Any] = []
        if flip:
            steps.append(v2.RandomHorizontalFlip(flip))
        if vertical_flip:
            steps.append(v2.RandomVerticalFlip(vertical_flip))
        if rotate or shift or scale or shear:
            steps.append(
                v2.RandomAffine(
                    rotate,
                    translate=(shift, shift),
                    scale=(1 / (1 + scale), 1 + scale),
                    shear=[-shear, shear, -shear, shear] if shear else None,
                    interpolation=v2.InterpolationMode.BILINEAR,
                    fill={tv_tensors.Image: fill, tv_tensors.Mask: 0},
                )
            )
        self._steps = steps

    def parameters(self) -> Mapping[str, Any]:
        return self._told

    def __call__(
        self, picture: tv_tensors.Image, masks: tv_tensors.Mask | None
    ) -> tuple[tv_tensors.Image, tv_tensors.Mask | None]:
        for step in self._steps:
            if masks is None:
                picture = step(picture)
            else:
                picture, masks = step(picture, masks)
        return picture, masks
