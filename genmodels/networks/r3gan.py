"""R3GAN: residual blocks without normalisation, started so that each is the identity; any size.

Both networks are mirrors of each other. What keeps them stable is the loss and the penalties
with which they are trained, which are not here.

References:
    Huang, Gokaslan, Kuleshov, Tompkin, "The GAN is dead; long live the GAN! A Modern GAN
    Baseline", 2024 (sections 3 and 4, appendix). Zhang, Dauphin, Ma, "Fixup Initialization", 2019.
    Miyato, Koyama, "cGANs with Projection Discriminator", 2018 (equation 5).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genmodels.layout import Condition, Layout
from genmodels.networks.grids import Grid, fit_widths
from genmodels.networks.resample import Halve, Twice

__all__ = ["Discriminator", "Generator"]

SLOPE = 0.2
"""Of the leaky ReLUs."""
PATCHES = (1, 2, 4)


def plain(module: nn.Conv2d | nn.Linear, gain: float = 1.0) -> None:
    """Normal weights of standard deviation gain / sqrt(fan in), zero biases."""
    fan_in = module.weight[0].numel()
    nn.init.normal_(module.weight, std=gain / math.sqrt(fan_in))
    if module.bias is not None:
        nn.init.zeros_(module.bias)


class Block(nn.Module):
    """x + W3 f(W2 f(W1 x)), f = bias and leaky ReLU; W3 starts at zero, so the block at x.

    Args:
        channels: of x; inside there are `expansion` times as many.
        expansion: see `channels`.
        group: channels per group of the 3 x 3 convolution W2; None: all in one group.
        blocks: of the whole network: the more there are, the smaller W1 and W2 start.
    """

    def __init__(self, channels: int, *, expansion: int, group: int | None, blocks: int) -> None:
        super().__init__()
        inner = channels * expansion
        if group is not None and inner % group:
            raise ValueError(
                f"a width of {channels} gives {inner} channels inside a block, which are no "
                f"multiple of group={group}: change widths or group of the networks in `model`"
            )
        groups = 1 if group is None else inner // group
        self.first = nn.Conv2d(channels, inner, 1)
        self.second = nn.Conv2d(inner, inner, 3, padding=1, groups=groups)
        self.third = nn.Conv2d(inner, channels, 1, bias=False)
        gain = math.sqrt(2.0 / (1.0 + SLOPE**2)) * blocks**-0.25
        plain(self.first, gain)
        plain(self.second, gain)
        nn.init.zeros_(self.third.weight)

    def forward(self, x: Tensor) -> Tensor:
        h = F.leaky_relu(self.first(x), SLOPE)
        h = F.leaky_relu(self.second(h), SLOPE)
        return x + self.third(h)


def geometry(layout: Layout, patch: int, widths: Sequence[int]) -> tuple[Grid, list[int]]:
    """The grid of the images, and the channels of each resolution; see `fit_widths`.

    Raises:
        ValueError: for a patch that is none, or no widths.
    """
    if patch not in PATCHES or not widths:
        raise ValueError(
            f"patch must be 1, 2 or 4 and widths must not be empty, got {patch} and {list(widths)}"
        )
    inside = patch.bit_length() - 1
    grid = Grid.of(layout, least=max(1, inside))
    return grid, fit_widths(widths, grid.stages - inside + 1)


class Generator(nn.Module):
    """(z, c) -> images: a learned start that [z, label] scales, blocks, a doubling, blocks, ...

    Args:
        layout: shape of the images.
        condition: what the generator is told; its width K and the number of its facets are used.
        latent_dim: Z.
        widths: channels of each resolution, coarsest first; see `fit_widths`.
        blocks: per resolution.
        expansion: channels inside a block, as a multiple of its width.
        group: channels per group of the 3 x 3 convolutions; None: dense.
        patch: side of the square that the last convolution makes at once: 1, 2 or 4. The finest
            resolution of the blocks is that of the images divided by it.
        embedding: width of the vector of a label.

    Raises:
        ValueError: when widths, group or patch do not fit.
    """

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        latent_dim: int,
        widths: Sequence[int],
        blocks: int,
        expansion: int,
        group: int | None,
        patch: int,
        embedding: int,
    ) -> None:
        super().__init__()
        self.grid, sizes = geometry(layout, patch, widths)
        told = condition.width
        self.embed = nn.Linear(told, embedding, bias=False) if told else None
        self.scale = nn.Linear(latent_dim + (embedding if told else 0), sizes[0], bias=False)
        self.start = nn.Parameter(torch.randn(sizes[0], *self.grid.start))
        self.levels = _levels(sizes, blocks=blocks, expansion=expansion, group=group)
        self.ups = nn.ModuleList(
            nn.Sequential(_change(a, b), Twice()) for a, b in itertools.pairwise(sizes)
        )
        self.out = nn.Conv2d(sizes[-1], self.grid.layout.channels * patch**2, 1)
        self.patch = nn.PixelShuffle(patch)
        for layer in (self.embed, self.scale, self.out):
            if layer is not None:
                plain(layer)
        if self.embed is not None:  # what is told is as wide as a latent, however many facets
            nn.init.normal_(self.embed.weight, std=condition.facets**-0.5)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        """(B, Z), (B, K) -> outputs (B, C, H, W), unbounded."""
        given = z if self.embed is None else torch.cat([z, self.embed(c)], dim=1)
        x = self.levels[0](self.start * self.scale(given)[:, :, None, None])
        for up, level in zip(self.ups, self.levels[1:], strict=True):
            x = level(up(x))
        return self.grid.crop(self.patch(self.out(x)))


class Discriminator(nn.Module):
    """(x, c) -> one logit: blocks, a halving, blocks, ..., projection on what was told.

    logit = <h(x), E c + b> / sqrt(features), and w . h(x) where nothing is told.

    Args:
        layout: shape of the images.
        condition: what the generator was told; its width K and the number of its facets are used.
        widths, blocks, expansion, group, patch: see `Generator`.
        features: width of h.

    Raises:
        ValueError: when widths, group or patch do not fit.
    """

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        widths: Sequence[int],
        blocks: int,
        expansion: int,
        group: int | None,
        patch: int,
        features: int,
    ) -> None:
        super().__init__()
        self.grid, sizes = geometry(layout, patch, widths)
        self.patch = nn.PixelUnshuffle(patch)
        self.stem = nn.Conv2d(self.grid.layout.channels * patch**2, sizes[-1], 1)
        self.levels = _levels(sizes[::-1], blocks=blocks, expansion=expansion, group=group)
        self.downs = nn.ModuleList(
            nn.Sequential(Halve(), _change(b, a))
            for a, b in reversed(list(itertools.pairwise(sizes)))
        )
        self.pool = nn.Conv2d(sizes[0], sizes[0], self.grid.start, groups=sizes[0], bias=False)
        told = condition.width
        self.last = nn.Linear(sizes[0], features if told else 1, bias=False)
        self.embed = nn.Linear(told, features) if told else None
        for layer in (self.stem, self.pool, self.last):
            plain(layer)
        if self.embed is not None:
            nn.init.normal_(self.embed.weight, std=condition.facets**-0.5)
            nn.init.zeros_(self.embed.bias)
        self.scale = features**-0.5

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """(B, C, H, W), (B, K) -> logits (B,)."""
        x = self.levels[0](self.stem(self.patch(self.grid.pad(x))))
        for down, level in zip(self.downs, self.levels[1:], strict=True):
            x = level(down(x))
        h = self.last(self.pool(x).flatten(1))
        if self.embed is None:
            return h.squeeze(1)
        return self.scale * (h * self.embed(c)).sum(1)


def _levels(
    sizes: Sequence[int], *, blocks: int, expansion: int, group: int | None
) -> nn.ModuleList:
    """So many blocks for each resolution."""
    total = blocks * len(sizes)
    return nn.ModuleList(
        nn.Sequential(
            *(Block(n, expansion=expansion, group=group, blocks=total) for _ in range(blocks))
        )
        for n in sizes
    )


def _change(before: int, after: int) -> nn.Module:
    """From one width to another, by a 1 x 1 convolution where they differ."""
    if before == after:
        return nn.Identity()
    layer = nn.Conv2d(before, after, 1, bias=False)
    plain(layer)
    return layer
