"""Twice or half the resolution by a small blur, in plain convolutions. No weights here."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Blur", "Halve", "Twice"]


def blur() -> Tensor:
    """[1, 3, 3, 1] in both directions, of sum 1, shape (1, 1, 4, 4)."""
    line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8.0
    return torch.outer(line, line)[None, None]


def spread(x: Tensor, kernel: Tensor) -> tuple[Tensor, Tensor, int]:
    """An input, a kernel and a number of groups that filter every channel by itself.

    On a processor one kernel per channel is twenty times as fast as one channel at a time in the
    batch; on many other devices a kernel per channel is slow.
    """
    kernel = kernel.to(x.dtype)
    if x.device.type == "cpu":
        channels = x.shape[1]
        return x, kernel.expand(channels, 1, *kernel.shape[2:]), channels
    return x.reshape(-1, 1, *x.shape[2:]), kernel, 1


class Twice(nn.Module):
    """(B, C, H, W) -> (B, C, 2H, 2W): zeros in between, then the blur; bilinear inside."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", 4.0 * blur(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        given, kernel, groups = spread(x, self.kernel)
        y = F.conv_transpose2d(given, kernel, stride=2, padding=1, groups=groups)
        return y.view(*x.shape[:2], *y.shape[2:])


class Halve(nn.Module):
    """(B, C, H, W) -> (B, C, H/2, W/2), H and W even: the blur, then every second position."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", blur(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        given, kernel, groups = spread(x, self.kernel)
        y = F.conv2d(given, kernel, stride=2, padding=1, groups=groups)
        return y.view(*x.shape[:2], *y.shape[2:])


class Blur(nn.Module):
    """(B, C, H, W) -> (B, C, H + 2 padding - 3, W + 2 padding - 3): the blur alone.

    Args:
        padding: zeros around, at least 0.
        gain: factor of the result.
    """

    kernel: Tensor

    def __init__(self, *, padding: int, gain: float = 1.0) -> None:
        super().__init__()
        self.padding = padding
        self.register_buffer("kernel", gain * blur(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        given, kernel, groups = spread(x, self.kernel)
        y = F.conv2d(given, kernel, padding=self.padding, groups=groups)
        return y.view(*x.shape[:2], *y.shape[2:])
