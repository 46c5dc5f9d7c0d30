"""A convolutional encoder and decoder of residual blocks; any image size, class-conditional.

Normalisation is per image (groups of channels), so an image is encoded and decoded alike alone
or in a batch. The condition enters each residual block as a bias. What the decoder's outputs
mean is the likelihood's business.

References:
    Kingma, Welling, "Auto-Encoding Variational Bayes", 2014. Sohn, Lee, Yan, "Learning
    Structured Output Representation using Deep Conditional Generative Models", 2015.
    He et al., "Identity Mappings in Deep Residual Networks", 2016 (figure 4e). Wu, He, "Group
    Normalization", 2018.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genmodels.layout import Condition, Layout
from genmodels.networks.grids import Grid

__all__ = ["Decoder", "Encoder"]

LOG_VARIANCES = (-14.0, 6.0)
"""The range of an encoder's log variances: beyond it the exponential is of no use or infinite."""


def group_norm(channels: int) -> nn.GroupNorm:
    """At most 8 groups, as many as divide the channels."""
    return nn.GroupNorm(math.gcd(8, channels), channels)


class ResidualBlock(nn.Module):
    """x + conv(act(norm(conv(act(norm(x))) + V c))), starting as the identity."""

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = group_norm(channels), group_norm(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.style = nn.Linear(condition, channels, bias=False) if condition else None
        nn.init.normal_(self.conv2.weight, std=1e-3)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        if self.style is not None:
            h = h + self.style(c)[:, :, None, None]
        return x + self.conv2(F.silu(self.norm2(h)))


class Stage(nn.Module):
    """act(norm(block(x, c))) at one size of the grid; `block` may be left out.

    Args:
        channels: of input and output.
        condition: its width K.
        residual: whether there is a residual block.
    """

    def __init__(self, channels: int, condition: int, *, residual: bool) -> None:
        super().__init__()
        self.block = ResidualBlock(channels, condition) if residual else None
        self.norm = group_norm(channels)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return F.silu(self.norm(x if self.block is None else self.block(x, c)))


def stages(channels: tuple[int, ...], condition: int) -> list[Stage]:
    """One per entry of `channels`, finest first.

    The finest of several has no residual block: it would cost as much as all the others.
    """
    only = len(channels) == 1
    return [Stage(n, condition, residual=only or i > 0) for i, n in enumerate(channels)]


class Encoder(nn.Module):
    """(x, c) -> mean and log variance of z: one halving per stage, then a hidden layer.

    Args:
        layout: shape of the images.
        condition: what is known about the image; only its width K is used.
        latent_dim: Z.
        width: channels of the finest stage; each coarser stage doubles them (at most 8 x).
        features: width of the hidden layer before mean and variance.
    """

    def __init__(
        self, *, layout: Layout, condition: Condition, latent_dim: int, width: int, features: int
    ) -> None:
        super().__init__()
        self.grid = Grid.of(layout)
        channels = self.grid.widths(width)
        inputs = (self.grid.layout.channels, *channels[:-1])
        self.downs = nn.ModuleList(
            nn.Conv2d(i, o, 4, 2, 1) for i, o in zip(inputs, channels, strict=True)
        )
        self.stages = nn.ModuleList(stages(channels, condition.width))
        self.hidden = nn.Linear(channels[-1] * self.grid.area + condition.width, features)
        self.posterior = nn.Linear(features, 2 * latent_dim)

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W), (B, K) -> mean (B, Z) and log variance (B, Z)."""
        x = self.grid.pad(x)
        for down, stage in zip(self.downs, self.stages, strict=True):
            x = stage(down(x), c)
        h = F.silu(self.hidden(torch.cat([x.flatten(1), c], dim=1)))
        mean, log_variance = self.posterior(h).chunk(2, dim=1)
        return mean, log_variance.clamp(*LOG_VARIANCES)


class Decoder(nn.Module):
    """(z, c) -> outputs: a hidden layer, then one doubling per stage.

    Args:
        layout: shape of the images.
        condition: what is known about the image; only its width K is used.
        latent_dim: Z.
        width: channels of the finest stage; each coarser stage doubles them (at most 8 x).
        features: width of the hidden layer after z.
        maps: feature maps that the likelihood reads; None: as many as the images have channels.
    """

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        latent_dim: int,
        width: int,
        features: int,
        maps: int | None = None,
    ) -> None:
        super().__init__()
        self.grid = Grid.of(layout)
        channels = self.grid.widths(width)
        inputs = (self.grid.layout.channels if maps is None else maps, *channels[:-1])
        self.hidden = nn.Linear(latent_dim + condition.width, features)
        self.stem = nn.Linear(features, channels[-1] * self.grid.area)
        self.stages = nn.ModuleList(stages(channels, condition.width)[::-1])
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(i, o, 4, 2, 1)
            for i, o in zip(channels[::-1], inputs[::-1], strict=True)
        )

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        """(B, Z), (B, K) -> outputs (B, maps, H, W), unbounded."""
        h = F.silu(self.hidden(torch.cat([z, c], dim=1)))
        x = self.stem(h).unflatten(1, (-1, *self.grid.start))
        for stage, up in zip(self.stages, self.ups, strict=True):
            x = up(stage(x, c))
        return self.grid.crop(x)
