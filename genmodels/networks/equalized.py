"""Layers of equalised learning rate: weights start at variance 1 and are scaled when used.

An optimizer that normalises its steps, such as Adam, then changes every weight by the same share
of its size, whatever the width of its layer.

References:
    Karras, Aila, Laine, Lehtinen, "Progressive Growing of GANs for Improved Quality, Stability,
    and Variation", 2018 (section 4.1).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["GAIN", "EqualConv", "EqualLinear", "leaky"]

SLOPE = 0.2
"""Of the leaky ReLUs."""
GAIN = math.sqrt(2.0)
"""Of a layer before a leaky ReLU, so that the second moment is kept, nearly."""


def leaky(x: Tensor) -> Tensor:
    """A leaky ReLU."""
    return F.leaky_relu(x, SLOPE)


class EqualLinear(nn.Module):
    """gain rate (x W^T / sqrt(inputs) + b).

    Args:
        inputs, outputs: widths.
        bias: where the biases start.
        gain: factor of the outputs.
        rate: factor of the learning rate of this layer alone.
    """

    def __init__(
        self, inputs: int, outputs: int, *, bias: float = 0.0, gain: float = 1.0, rate: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.after, self.gain = gain * rate, gain * rate / math.sqrt(inputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) -> (B, outputs)."""
        return F.linear(x, self.weight * self.gain, self.bias * self.after)


class EqualConv(nn.Module):
    """A convolution, gain (W / sqrt(fan in) * x + b).

    Args:
        inputs, outputs: channels.
        kernel: its side.
        stride: 1, which keeps the size, or more, without padding.
        bias: whether there is one.
        gain: factor of the outputs.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int,
        stride: int = 1,
        bias: bool = True,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.after, self.gain = gain, gain / math.sqrt(inputs * kernel**2)
        self.stride, self.padding = stride, kernel // 2 if stride == 1 else 0

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H', W')."""
        bias = None if self.bias is None else self.bias * self.after
        return F.conv2d(x, self.weight * self.gain, bias, self.stride, self.padding)
