"""Brightness, contrast, luma flip, hue and saturation of images, as one affine map of colours.

References:
    Karras, Aittala, Hellsten, Laine, Lehtinen, Aila, "Training Generative Adversarial Networks
    with Limited Data", 2020 (appendix B, color transformations).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from genmodels.adaptive.draws import Draws

__all__ = ["Colour"]

RGB = 3
AXIS = 1.0 / math.sqrt(RGB)  # the luma axis is (1, 1, 1) / sqrt(3)


class Colour(nn.Module):
    """Each transformation with probability p; of images in [-1, 1], whose middle grey is 0.

    Of three channels all of them, as one matrix and one vector per image; of any other number the
    first two alone, on all channels alike: there is no luma axis.

    Args:
        brightness: standard deviation of what is added.
        contrast: standard deviation of log2 of the factor.
        luma_flip: whether light and dark are exchanged, in every second image that is chosen.
        hue: bound of the turn about the luma axis, as a share of half a turn.
        saturation: standard deviation of log2 of the factor of the distance from the luma axis.

    References:
        Karras et al. 2020, appendix B, figure 19, lines 30 to 47.
    """

    across: Tensor

    def __init__(
        self, *, brightness: float, contrast: float, luma_flip: bool, hue: float, saturation: float
    ) -> None:
        super().__init__()
        self.brightness, self.contrast, self.luma_flip = brightness, contrast, luma_flip
        self.hue, self.saturation = hue, saturation
        across = AXIS * torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
        self.register_buffer("across", across, False)

    def forward(self, x: Tensor, p: Tensor) -> Tensor:
        """(B, C, H, W), p in [0, 1] -> (B, C, H, W)."""
        draws = Draws(x, p)
        added = draws.maybe(draws.normal(self.brightness), 0.0)
        factor = draws.maybe(draws.factor(self.contrast), 1.0)
        if x.shape[1] != RGB:
            y = x * factor[:, None, None, None] + (factor * added)[:, None, None, None]
            return y.to(x.dtype)
        matrix, vector = self._map(draws, added, factor)
        # Sums, not a product of matrices, which may be rounded in training.
        y = vector[:, :, None, None]
        for k in range(RGB):
            y = y + matrix[:, :, k, None, None] * x[:, k, None]
        return y.to(x.dtype)

    def _map(self, draws: Draws, added: Tensor, factor: Tensor) -> tuple[Tensor, Tensor]:
        """Matrix (B, 3, 3) and vector (B, 3): y = M x + v."""
        flip, angle = torch.ones_like(factor), torch.zeros_like(factor)
        strength = torch.ones_like(factor)
        if self.luma_flip:
            flip = draws.maybe(1.0 - 2.0 * draws.whole(2), 1.0)
        if self.hue > 0:
            angle = draws.maybe(draws.uniform(math.pi * self.hue), 0.0)
        if self.saturation > 0:
            strength = draws.maybe(draws.factor(self.saturation), 1.0)
        # On the luma axis a sign; across it a turn and a factor: two planes that do not mix.
        along = torch.full_like(self.across, AXIS * AXIS)
        identity = torch.eye(RGB, device=draws.device, dtype=draws.dtype)
        cos, sin = (strength * angle.cos())[:, None, None], (strength * angle.sin())[:, None, None]
        turned = cos * identity + sin * self.across + (flip[:, None, None] - cos) * along
        return turned * factor[:, None, None], (flip * factor * added)[:, None].expand(-1, RGB)
