"""Published policies of many operations each, by torchvision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from genmodels.augmentation.base import share

__all__ = ["AutoAugment", "TrivialAugment"]

_PUBLISHED_SHIFT = 32.0
Masks: TypeAlias = tv_tensors.Mask | None


class TrivialAugment:
    """One operation of fourteen at a random strength: the wide policy, shifts held within bounds.

    The policy shifts by up to 32 pixels, out of sight in a small picture, whose label would then
    be false.

    Args:
        shift: largest shift, as a share of the sides.

    References:
        Mueller and Hutter, TrivialAugment: Tuning-free yet state-of-the-art data augmentation,
        2021.
    """

    channels = (1, 3)
    moves_masks = False

    def __init__(self, *, shift: float) -> None:
        self.shift = share("policy.shift", shift)
        self._step = v2.TrivialAugmentWide()
        space = dict(self._step._AUGMENTATION_SPACE)
        for key, across in (("TranslateX", True), ("TranslateY", False)):
            space[key] = (self._shifts(across), True)
        self._step._AUGMENTATION_SPACE = space

    def parameters(self) -> Mapping[str, Any]:
        return {"policy": "trivial wide", "shift": self.shift}

    def _shifts(self, across: bool) -> Callable[[int, int, int], torch.Tensor]:
        """Shifts of all strengths in pixels, as torchvision asks for them."""

        def shifts(bins: int, height: int, width: int) -> torch.Tensor:
            side = width if across else height
            return torch.linspace(0.0, min(_PUBLISHED_SHIFT, self.shift * side), bins)

        return shifts

    def __call__(self, picture: tv_tensors.Image, masks: Masks) -> tuple[tv_tensors.Image, Masks]:
        return tv_tensors.Image(self._step(picture)), masks


class AutoAugment:
    """One of 25 pairs of operations that were learned on a set of pictures.

    Args:
        learned_on: the set.

    References:
        Cubuk, Zoph, Mane, Vasudevan and Le, AutoAugment: Learning augmentation strategies from
        data, 2019.
    """

    channels = (1, 3)
    moves_masks = False

    def __init__(self, *, learned_on: Literal["imagenet", "cifar10", "svhn"]) -> None:
        policies = {
            "imagenet": v2.AutoAugmentPolicy.IMAGENET,
            "cifar10": v2.AutoAugmentPolicy.CIFAR10,
            "svhn": v2.AutoAugmentPolicy.SVHN,
        }
        if learned_on not in policies:
            known = ", ".join(policies)
            raise ValueError(f"recipe.policy.learned_on must be one of {known}, got {learned_on!r}")
        self.learned_on = learned_on
        self._step = v2.AutoAugment(policies[learned_on])

    def parameters(self) -> Mapping[str, Any]:
        return {"learned_on": self.learned_on}

    def __call__(self, picture: tv_tensors.Image, masks: Masks) -> tuple[tv_tensors.Image, Masks]:
        return tv_tensors.Image(self._step(picture)), masks
