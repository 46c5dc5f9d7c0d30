"""Image features without training: fixed random convolutions, the same on every machine."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["random_features", "shrink", "width_of"]

WIDTH = (32, 64)


def shrink(pixels: np.ndarray, side: int) -> Tensor:
    """Pixels as float32 in [-1, 1], the longer side averaged down to at most `side`.

    Args:
        pixels: uint8, shape (N, C, H, W).
        side: largest height and width afterwards, in pixels.

    Returns:
        Shape (N, C, h, w).
    """
    x = torch.from_numpy(np.ascontiguousarray(pixels)).float().div_(127.5).sub_(1.0)
    height, width = x.shape[-2:]
    scale = side / max(height, width)
    if scale >= 1:
        return x
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return F.interpolate(x, size, mode="bilinear", antialias=True, align_corners=False)


def random_features(pixels: np.ndarray, *, side: int = 32) -> np.ndarray:
    """Pooled responses of two random convolution layers.

    Args:
        pixels: uint8, shape (N, C, H, W).
        side: see `shrink`.

    Returns:
        Shape (N, 16 C + 384), float64, not standardised.
    """
    kernels = _kernels(pixels.shape[1])
    out = [
        _responses(shrink(pixels[i : i + 512], side), kernels) for i in range(0, len(pixels), 512)
    ]
    return np.concatenate(out) if out else np.zeros((0, width_of(pixels.shape[1])))


def width_of(channels: int) -> int:
    """Number of features of images with so many channels."""
    return 16 * channels + 4 * sum(WIDTH)


def _kernels(channels: int) -> list[Tensor]:
    rng = np.random.default_rng(20201)
    return [
        torch.from_numpy(rng.normal(size=(b, a, 3, 3)).astype(np.float32) * (2 / (9 * a)) ** 0.5)
        for a, b in pairwise((channels, *WIDTH))
    ]


@torch.no_grad()
def _responses(x: Tensor, kernels: list[Tensor]) -> np.ndarray:
    pooled = [F.adaptive_avg_pool2d(x, 4).flatten(1)]
    for kernel in kernels:
        stride = 2 if min(x.shape[-2:]) > 8 else 1
        x = F.relu(F.conv2d(x, kernel, padding=1, stride=stride))
        pooled.append(F.adaptive_avg_pool2d(x, 2).flatten(1))
    return torch.cat(pooled, 1).double().numpy()
