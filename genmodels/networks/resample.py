"""Twice or half the resolution by a small blur, in plain convolutions. No weights here."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Halve", "Twice"]


def blur() -> Tensor:
    """[1, 3, 3, 1] in both directions, of sum 1, shape (1, 1, 4, 4)."""
    line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8.0
    return torch.outer(line, line)[None, None]


class Twice(nn.Module):
    """(B, C, H, W) -> (B, C, 2H, 2W): zeros in between, then the blur; bilinear inside."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", 4.0 * blur(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        # One channel at a time in the batch: a kernel per channel is slow on many devices.
        flat = x.reshape(-1, 1, *x.shape[2:])
        y = F.conv_transpose2d(flat, self.kernel.to(x.dtype), stride=2, padding=1)
        return y.view(*x.shape[:2], *y.shape[2:])


class Halve(nn.Module):
    """(B, C, H, W) -> (B, C, H/2, W/2), H and W even: the blur, then every second position."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", blur(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        flat = x.reshape(-1, 1, *x.shape[2:])
        y = F.conv2d(flat, self.kernel.to(x.dtype), stride=2, padding=1)
        return y.view(*x.shape[:2], *y.shape[2:])
