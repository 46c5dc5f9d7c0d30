"""What a discriminator sees instead of the images themselves: differentiable, at random per image.

Shapes are fixed and nothing waits for the device, so an augmentation may stand in a compiled
step. Random numbers come from the device's global generator. Both networks are trained through
it, which is why the generator does not learn to augment.

References:
    Zhao, Liu, Lin, Zhu, Han, "Differentiable Augmentation for Data-Efficient GAN Training", 2020
    (section 3.3 and appendix).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Colour", "Compose", "Cutout", "Flip", "Translation"]


def uniform(x: Tensor, lower: float, upper: float) -> Tensor:
    """One number per image, shape (B, 1, 1, 1)."""
    draw = torch.rand(len(x), 1, 1, 1, device=x.device, dtype=x.dtype)
    return draw * (upper - lower) + lower


def offsets(x: Tensor, lower: int, upper: int) -> Tensor:
    """One whole number in [lower, upper] per image, shape (B, 1)."""
    return torch.randint(lower, upper + 1, (len(x), 1), device=x.device)


class Compose(nn.Module):
    """One augmentation after the other; none at all leaves the images as they are.

    Args:
        steps: by name, in order.
    """

    def __init__(self, *, steps: dict[str, nn.Module]) -> None:
        super().__init__()
        self.steps = nn.ModuleDict(steps)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        for step in self.steps.values():
            x = step(x)
        return x


class Colour(nn.Module):
    """Brightness, saturation and contrast, each drawn once per image.

    x + b, b in U(-brightness, brightness); then away from the mean over channels by a factor in
    U(1 - saturation, 1 + saturation), which changes nothing with one channel; then away from the
    mean over the whole image by a factor in U(1 - contrast, 1 + contrast).

    Args:
        brightness: 0.5 in the paper, of a range of [-1, 1].
        saturation: 1.0 in the paper.
        contrast: 0.5 in the paper.
    """

    def __init__(self, *, brightness: float, saturation: float, contrast: float) -> None:
        super().__init__()
        self.brightness, self.saturation, self.contrast = brightness, saturation, contrast

    def forward(self, x: Tensor) -> Tensor:
        x = x + uniform(x, -self.brightness, self.brightness)
        if x.shape[1] > 1:
            mean = x.mean(1, keepdim=True)
            x = torch.lerp(mean, x, uniform(x, 1.0 - self.saturation, 1.0 + self.saturation))
        mean = x.mean((1, 2, 3), keepdim=True)
        return torch.lerp(mean, x, uniform(x, 1.0 - self.contrast, 1.0 + self.contrast))


class Translation(nn.Module):
    """A shift by whole positions in both directions; what enters is `fill`.

    Args:
        share: largest shift as a share of height and width; 1/8 in the paper.
        fill: value of what enters: 0 in the paper, -1 for a black background.
    """

    def __init__(self, *, share: float, fill: float) -> None:
        super().__init__()
        self.share, self.fill = share, fill

    def forward(self, x: Tensor) -> Tensor:
        for axis in (2, 3):
            x = self._shift(x, axis)
        return x

    def _shift(self, x: Tensor, axis: int) -> Tensor:
        size = x.shape[axis]
        most = int(size * self.share + 0.5)
        source = torch.arange(size, device=x.device) + offsets(x, -most, most)
        shape = (-1, 1, size, 1) if axis == 2 else (-1, 1, 1, size)
        inside = ((source >= 0) & (source < size)).view(shape)
        index = source.clamp(0, size - 1).view(shape).expand_as(x)
        return torch.where(inside, x.gather(axis, index), self.fill)


class Cutout(nn.Module):
    """A rectangle at a random place is set to 0.

    The centre may lie anywhere in the image, so that the rectangle may reach beyond it.

    Args:
        share: sides of the rectangle as a share of height and width; 1/2 in the paper.
    """

    def __init__(self, *, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        rows = self._covered(x, x.shape[2])[:, None, :, None]
        columns = self._covered(x, x.shape[3])[:, None, None, :]
        return x.masked_fill(rows & columns, 0.0)

    def _covered(self, x: Tensor, size: int) -> Tensor:
        """Whether a position lies in the rectangle's extent, shape (B, size)."""
        extent = int(size * self.share + 0.5)
        start = offsets(x, 0, size - extent % 2) - extent // 2
        position = torch.arange(size, device=x.device)
        return (position >= start) & (position < start + extent)


class Flip(nn.Module):
    """Left and right exchanged with probability one half; not for digits and letters."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(uniform(x, 0.0, 1.0) < 0.5, x, x.flip(3))
