"""A hierarchy of latents at many sizes, from one position to the whole image; class-conditional.

An encoder leaves its activations at each size. A decoder goes from coarse to fine; each of its
blocks draws latents given everything drawn before, in training with a look at the activations.
All latents of an image together are one flat standard normal vector: what a block's prior says
is how its share of that vector is shifted and scaled. There is no batch normalisation, so an
image is treated alike alone or in a batch.

References:
    Child, "Very Deep VAEs Generalize Autoregressive Models and Can Outperform Them on Images",
    2021 (section 3: blocks, initial values). Vahdat and Kautz, "NVAE: A Deep Hierarchical
    Variational Autoencoder", 2020 (equation 3: posteriors relative to the prior).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genmodels.layout import Condition, Layout
from genmodels.networks.grids import Grid

__all__ = ["Decoder", "Encoder", "sizes_of"]

UNIT = math.log(math.e - 1.0)
"""softplus(UNIT) = 1: a network's output of zero means a scale of 1."""
LARGEST_BIAS = 64 * 64
"""Positions up to which a size has a learned value of its own at each of them."""


def sizes_of(grid: Grid) -> list[tuple[int, int]]:
    """Heights and widths of the hierarchy, finest first; the last is one position."""
    tall, wide = grid.start
    halvings = range(grid.stages, -1, -1)
    found = [(tall * 2**i, wide * 2**i) for i in halvings]
    return found if found[-1] == (1, 1) else [*found, (1, 1)]


def per_size(values: Sequence[float], count: int, key: str) -> list[float]:
    """One value per size, finest first; the last one given holds for all coarser sizes.

    Raises:
        ValueError: when there is none, or one is negative.
    """
    if not values or min(values) < 0:
        raise ValueError(f"model.{key} needs numbers from 0, finest size first, got {values}")
    return [values[min(i, len(values) - 1)] for i in range(count)]


def spread(raw: Tensor) -> Tensor:
    """A scale above 5e-4 from a network's output; 1 at 0."""
    return F.softplus(raw.clamp(-8.0, 8.0) + UNIT)


class Bottleneck(nn.Module):
    """Four convolutions with a GELU before each, narrow in between; (B, I, h, w) -> (B, O, h, w).

    Args:
        inputs, outputs: channels.
        narrow: channels in between.
        size: height and width; where both are small, all convolutions are 1 x 1.
        residual: whether the input is added.
        scale: factor of the last layer's first weights; its bias starts at 0.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        narrow: int,
        size: tuple[int, int],
        *,
        residual: bool,
        scale: float,
    ) -> None:
        super().__init__()
        kernel = 3 if max(size) > 2 else 1
        self.residual = residual
        self.convs = nn.ModuleList(
            [
                nn.Conv2d(inputs, narrow, 1),
                nn.Conv2d(narrow, narrow, kernel, padding=kernel // 2),
                nn.Conv2d(narrow, narrow, kernel, padding=kernel // 2),
            ]
        )
        self.last = nn.Conv2d(narrow, outputs, 1)
        with torch.no_grad():
            self.last.weight.mul_(scale)
            nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        h = x
        for conv in self.convs:
            h = conv(F.gelu(h))
        h = self.last(F.gelu(h))
        return x + h if self.residual else h


class Encoder(nn.Module):
    """(x, c) -> activations at each size, finest first; the condition is the decoder's business.

    Args:
        layout: shape of the images.
        width: channels W, the same at each size and as in the decoder.
        narrow: channels inside the blocks.
        blocks: residual blocks per size, finest first; the last number holds for coarser sizes.
            0 first: the finest size is passed by one convolution of stride 2.
    """

    def __init__(self, *, layout: Layout, width: int, narrow: int, blocks: Sequence[int]) -> None:
        super().__init__()
        self.grid = Grid.of(layout)
        sizes = sizes_of(self.grid)
        counts = [int(n) for n in per_size(blocks, len(sizes), "encoder.blocks")]
        self.strided = counts[0] == 0
        kernel = (4, 2, 1) if self.strided else (3, 1, 1)
        self.stem = nn.Conv2d(self.grid.layout.channels, width, *kernel)
        self.sizes = sizes[1:] if self.strided else sizes
        scale = max(sum(counts), 1) ** -0.5
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(
                    Bottleneck(width, width, narrow, size, residual=True, scale=scale)
                    for _ in range(count)
                )
            )
            for size, count in zip(self.sizes, counts[len(sizes) - len(self.sizes) :], strict=True)
        )

    def forward(self, x: Tensor, c: Tensor) -> list[Tensor]:
        """(B, C, H, W), (B, K) -> (B, W, h, w) for each size that has an activation."""
        x, found = self.stem(self.grid.pad(x)), []
        for size, stage in zip(self.sizes, self.stages, strict=True):
            if x.shape[2:] != size:
                x = x.mean((2, 3), keepdim=True) if size == (1, 1) else F.avg_pool2d(x, 2)
            x = stage(x)
            found.append(x)
        return found


class TopDown(nn.Module):
    """One draw of latents, given what the decoder knows so far: x (B, W, h, w) -> the same.

    Args:
        width, narrow: channels outside and inside.
        latents: channels of the latents.
        condition: its width K.
        size: height and width.
        scale: factor of the first weights of what is added to x.
    """

    def __init__(
        self, width: int, narrow: int, latents: int, condition: int, size: tuple[int, int],
        scale: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.parts = (latents, latents, width)
        self.shape = (latents, *size)
        self.prior = Bottleneck(width, sum(self.parts), narrow, size, residual=False, scale=0.0)
        self.posterior = Bottleneck(2 * width, 2 * latents, narrow, size, residual=False, scale=0.0)
        self.project = nn.Conv2d(latents, width, 1)
        self.residual = Bottleneck(width, width, narrow, size, residual=True, scale=scale)
        self.style = nn.Linear(condition, 2 * width, bias=False) if condition else None
        with torch.no_grad():
            self.project.weight.mul_(scale)

    def told(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """The features with the condition added: for the prior and for the posterior."""
        if self.style is None:
            return x, x
        first, second = self.style(c)[:, :, None, None].chunk(2, 1)
        return x + first, x + second

    def place(self, x: Tensor, told: Tensor, standard: Tensor) -> Tensor:
        """Features after latents that are `standard` (B, z, h, w) in the units of the prior."""
        mean, raw, known = self.prior(told).split(self.parts, 1)
        return self.residual(x + known + self.project(mean + spread(raw) * standard))

    def forward(self, x: Tensor, c: Tensor, standard: Tensor) -> Tensor:
        return self.place(x, self.told(x, c)[0], standard)

    def infer(
        self, x: Tensor, activation: Tensor, c: Tensor, noise: Tensor, *, sampled: bool
    ) -> tuple[Tensor, Tensor]:
        """Features after latents from the posterior, and the divergence in nats (B,).

        In units of the prior the posterior is N(d, t^2) against N(0, 1), whatever the prior is.
        """
        for_prior, for_posterior = self.told(x, c)
        shift, raw = self.posterior(torch.cat([for_posterior, activation], 1)).chunk(2, 1)
        shift, scale = shift.to(noise.dtype), spread(raw.to(noise.dtype))
        standard = shift + scale * noise
        if sampled:
            nats = 0.5 * (standard.square() - noise.square())
        else:
            nats = 0.5 * (shift.square() + scale.square() - 1.0)
        divergence = (nats - scale.log()).flatten(1).sum(1)
        return self.place(x, for_prior, standard), divergence


class Decoder(nn.Module):
    """(z, c) -> outputs, by blocks that each draw a share of z, coarse to fine.

    Args:
        layout: shape of the images.
        condition: what is known about the image; only its width K is used.
        width: channels W, the same at each size and as in the encoder.
        narrow: channels inside the blocks.
        latents: channels of the latents of a block.
        blocks: per size, finest first; the last number holds for coarser sizes. 0 first: the
            finest size is reached by one transposed convolution; the encoder must agree.
        temperature: standard deviation of the latents in sampling per size, finest first, where
            1 is what was learned and less gives likelier images.
        maps: feature maps that the likelihood reads; None: as many as the images have channels.
    """

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        width: int,
        narrow: int,
        latents: int,
        blocks: Sequence[int],
        temperature: Sequence[float] = (1.0,),
        maps: int | None = None,
    ) -> None:
        super().__init__()
        self.grid = Grid.of(layout)
        sizes = sizes_of(self.grid)
        counts = [int(n) for n in per_size(blocks, len(sizes), "decoder.blocks")]
        warmth = per_size(temperature, len(sizes), "decoder.temperature")
        if sum(counts) == 0:
            raise ValueError("model.decoder.blocks needs a block at some size")
        self.strided = counts[0] == 0
        scale = sum(counts) ** -0.5
        order = [s for s in range(len(sizes) - 1, -1, -1) if not (self.strided and s == 0)]
        self.sizes = [sizes[s] for s in order]
        self.levels = nn.ModuleList(
            nn.ModuleList(
                TopDown(width, narrow, latents, condition.width, sizes[s], scale)
                for _ in range(counts[s])
            )
            for s in order
        )
        shares = [math.prod(b.shape) for b in self.blocks()]
        self.shares, self.latent_dim = shares, sum(shares)
        self.warmth = [warmth[s] for s in order for _ in range(counts[s])]
        self.biases = nn.ParameterList(
            nn.Parameter(torch.zeros(width, *size))
            for size in self.sizes
            if math.prod(size) <= LARGEST_BIAS
        )
        self.gain = nn.Parameter(torch.ones(width, 1, 1))
        outputs = self.grid.layout.channels if maps is None else maps
        self.out: nn.Module = nn.Conv2d(width, outputs, 3, 1, 1)
        if self.strided:
            self.out = nn.ConvTranspose2d(width, outputs, 4, 2, 1)

    def by_size(self) -> list[list[TopDown]]:
        """The blocks of each size, in the order of drawing."""
        levels = cast(list[nn.ModuleList], list(self.levels))
        return [cast(list[TopDown], list(level)) for level in levels]

    def blocks(self) -> list[TopDown]:
        """All of them, in the order of drawing."""
        return [block for level in self.by_size() for block in level]

    def pieces(self, flat: Tensor) -> list[Tensor]:
        """(B, Z) -> each block's share, (B, z, h, w), in the order of drawing."""
        parts = flat.split(self.shares, 1)
        return [p.unflatten(1, b.shape) for p, b in zip(parts, self.blocks(), strict=True)]

    def rise(self, x: Tensor | None, number: int, like: Tensor) -> Tensor:
        """Features at the next size, nearest neighbours, with what is learned for its positions."""
        size = self.sizes[number]
        if x is None:
            x = like.new_zeros(len(like), len(self.gain), *size)
        elif x.shape[2:] != size:
            x = F.interpolate(x, size=size, mode="nearest")
        return x + self.biases[number] if number < len(self.biases) else x

    def finish(self, x: Tensor) -> Tensor:
        return self.grid.crop(self.out(x * self.gain))

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        """(B, Z), (B, K) -> outputs (B, maps, H, W), unbounded."""
        shares = iter([p * t for p, t in zip(self.pieces(z), self.warmth, strict=True)])
        x = None
        for number, level in enumerate(self.by_size()):
            x = self.rise(x, number, z)
            for block in level:
                x = block(x, c, next(shares))
        assert x is not None
        return self.finish(x)

    def infer(
        self, activations: list[Tensor], c: Tensor, noise: Tensor, *, sampled: bool
    ) -> tuple[Tensor, Tensor]:
        """Decode by latents from the posteriors.

        Args:
            activations: of the encoder, finest first.
            c: conditions (B, K).
            noise: standard normal (B, Z).
            sampled: whether a divergence is log q - log p at the draw, not its expectation.

        Returns:
            Outputs (B, maps, H, W), and the divergence of each block in nats, (B, L).
        """
        shares, nats = iter(self.pieces(noise)), []
        x: Tensor | None = None
        for number, level in enumerate(self.by_size()):
            x = self.rise(x, number, noise)
            seen = activations[len(activations) - 1 - number]
            for block in level:
                x, divergence = block.infer(x, seen, c, next(shares), sampled=sampled)
                nats.append(divergence)
        assert x is not None
        return self.finish(x), torch.stack(nats, 1)
