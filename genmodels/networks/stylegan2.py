"""StyleGAN2: a generator that styles modulate layer by layer, a residual discriminator; any size.

Plain convolutions alone: nothing has to be compiled. Loss, penalties and the regularisation of
path lengths are not here.

References:
    Karras, Laine, Aila, "A Style-Based Generator Architecture for Generative Adversarial
    Networks", 2019. Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020.
    Karras et al., "Training Generative Adversarial Networks with Limited Data", 2020. Miyato,
    Koyama, "cGANs with Projection Discriminator", 2018 (equation 5).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from genmodels.layout import Condition, Layout
from genmodels.networks.equalized import GAIN, EqualConv, EqualLinear, leaky
from genmodels.networks.grids import Grid, fit_widths
from genmodels.networks.resample import Blur, Halve, Twice
from genmodels.networks.styles import Centres, Mapping, ModulatedConv, StyledConv
from genmodels.precision import full_precision

__all__ = ["Discriminator", "Generator", "MinibatchDeviation"]


class Generator(nn.Module):
    """(z, c) -> w -> outputs: a learned start, two styled convolutions per resolution, a sum.

    Each resolution adds to the outputs of the one before, doubled. Every convolution has a style:
    in training, with probability `mixing`, those after a random layer come from another latent.

    Noise is drawn in training, and given when sampling, as everything that is drawn there: row i
    of (B, noise_dim) holds the standard normal numbers of all layers for sample i.

    Args:
        layout: shape of the outputs.
        condition: what the generator is told; its width K and the number of its facets are used.
        latent_dim: Z.
        widths: channels of each resolution, coarsest first; see `fit_widths`.
        style: width W of w.
        depth: layers from z to w.
        rate: factor of their learning rate.
        mixing: probability of two latents in one sample, in [0, 1].
        inertia: of the mean of w, see `Centres`.

    Attributes:
        noise_dim: numbers of noise per sample.
        normalises: whether the embedding of a condition is scaled to one length: it is.
        truncation: psi; outside of training w becomes mean + psi (w - mean), with the mean of the
            level that c names. 1 changes nothing, 0 leaves one sample per level besides its noise.

    Raises:
        ValueError: when there are no widths, or mixing is no probability.
    """

    layers: Tensor
    normalises = True

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        latent_dim: int,
        widths: Sequence[int],
        style: int,
        depth: int,
        rate: float,
        mixing: float,
        inertia: float,
    ) -> None:
        super().__init__()
        if not 0.0 <= mixing <= 1.0:
            raise ValueError(f"model.generator.mixing must be in [0, 1], got {mixing}")
        self.grid = Grid.of(layout)
        sizes = fit_widths(widths, self.grid.stages + 1)
        told = condition.width
        self.mapping = Mapping(
            latent_dim=latent_dim, condition=told, width=style, depth=depth, rate=rate
        )
        self.centres = _centres(condition, style, inertia)
        self.mixing, self.truncation = mixing, 1.0
        self.start = nn.Parameter(torch.randn(sizes[0], *self.grid.start))
        self.first = StyledConv(sizes[0], sizes[0], style=style)
        self.ups = nn.ModuleList(
            StyledConv(a, b, style=style, up=True) for a, b in itertools.pairwise(sizes)
        )
        self.convs = nn.ModuleList(StyledConv(n, n, style=style) for n in sizes[1:])
        channels = self.grid.layout.channels
        self.pictures = nn.ModuleList(
            ModulatedConv(n, channels, kernel=1, style=style, demodulate=False) for n in sizes
        )
        self.twice = Twice()
        self.sides = _sides(self.grid)
        self.noise_dim = sum(map(math.prod, self.sides))
        self.register_buffer("layers", torch.arange(2 * len(sizes)), persistent=False)

    def forward(self, z: Tensor, c: Tensor, noise: Tensor | None = None) -> Tensor:
        """(B, Z), (B, K) and perhaps (B, noise_dim) -> outputs (B, C, H, W), unbounded."""
        return self.synthesise(self.styles(z, c), noise)

    def style(self, z: Tensor, c: Tensor) -> Tensor:
        """(B, Z), (B, K) -> w (B, W), neither mixed nor truncated."""
        w: Tensor = self.mapping(z, c)
        return w

    def styles(self, z: Tensor, c: Tensor) -> Tensor:
        """(B, Z), (B, K) -> the w of each layer: (B, L, W), or (B, W) where all are one."""
        w = self.style(z, c)
        if self.training:
            self.centres.follow(w.detach(), c)
            return self.mixed(w, z, c) if self.mixing > 0 else w
        if self.truncation == 1.0:
            return w
        centres = self.centres(c).to(w.dtype)
        return centres + self.truncation * (w - centres)

    def mixed(self, w: Tensor, z: Tensor, c: Tensor) -> Tensor:
        """Each w (B, W) for the first layers, that of a fresh latent for the rest: (B, L, W)."""
        other = self.style(torch.randn_like(z), c)
        size = (len(z), 1)
        cut = torch.randint(1, len(self.layers), size, device=z.device)
        alone = torch.rand(size, device=z.device) >= self.mixing
        own = alone | (self.layers < cut)
        return torch.where(own[:, :, None], w[:, None], other[:, None])

    def synthesise(self, w: Tensor, noise: Tensor | None = None) -> Tensor:
        """Styles w (B, W), or one for each of L layers (B, L, W) -> outputs (B, C, H, W).

        Without noise (B, noise_dim) it is drawn in training, and left out otherwise.
        """
        if noise is None and self.training:
            noise = torch.randn(len(w), self.noise_dim, device=w.device, dtype=w.dtype)
        maps = iter(self._maps(noise))
        each = [w] * len(self.layers) if w.ndim == 2 else list(w.unbind(1))
        x = self.first(self.start.expand(len(w), -1, -1, -1), each[0], next(maps))
        # The sum over resolutions is kept in full precision under autocast.
        picture = self.pictures[0](x, each[1]).to(w.dtype)
        for k, (up, conv) in enumerate(zip(self.ups, self.convs, strict=True)):
            x = up(x, each[2 * k + 1], next(maps))
            x = conv(x, each[2 * k + 2], next(maps))
            picture = self.twice(picture) + self.pictures[k + 1](x, each[2 * k + 3]).to(w.dtype)
        return self.grid.crop(picture)

    def _maps(self, noise: Tensor | None) -> list[Tensor | None]:
        """(B, noise_dim) -> (B, 1, H, W) for each convolution, in their order."""
        if noise is None:
            return [None] * len(self.sides)
        parts = noise.split([math.prod(side) for side in self.sides], 1)
        return [p.unflatten(1, (1, *side)) for p, side in zip(parts, self.sides, strict=True)]


class MinibatchDeviation(nn.Module):
    """One more channel: how much the samples of a group differ, averaged over all positions.

    Groups are neighbours in the batch, so that their gradients stay in one process. A batch that
    does not divide into groups of that size has as few smaller ones as can be, their sizes equal
    or one apart. None has a single sample, which differs from nothing, if the batch has more.

    Args:
        group: most samples per group (3 instead of 2 where a batch is odd).

    References:
        Karras et al., "Progressive Growing of GANs", 2018, section 3.
    """

    def __init__(self, group: int) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C + 1, H, W)."""
        size, larger = divmod(len(x), self._count(len(x)))
        cut = larger * (size + 1)
        if larger:
            each = torch.cat([_deviations(x[:cut], size + 1), _deviations(x[cut:], size)])
        else:
            each = _deviations(x, size)
        return torch.cat([x, each[:, None, None, None].expand(-1, 1, *x.shape[2:])], 1)

    def _count(self, rows: int) -> int:
        """How many groups: as few as hold `group` each at most, but none of one."""
        if self.group == 1:
            return rows
        return min(math.ceil(rows / self.group), max(1, rows // 2))


def _deviations(x: Tensor, size: int) -> Tensor:
    """(B, C, H, W) in groups of one size -> the mean deviation in the group of each (B,)."""
    with full_precision(x):
        groups = x.to(torch.promote_types(x.dtype, torch.float32)).unflatten(0, (-1, size))
        centred = groups - groups.mean(1, keepdim=True)
        deviation = (centred.square().mean(1) + 1e-8).sqrt().mean((1, 2, 3))
    return deviation.to(x.dtype).repeat_interleave(size)


class Halving(nn.Module):
    """(B, I, H, W) -> (B, O, H/2, W/2): two convolutions, beside a 1 x 1 one of the halved input.

    Both ways count alike: their sum is divided by sqrt(2), here where each is computed.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        share = math.sqrt(0.5)
        self.first = EqualConv(inputs, inputs, kernel=3, gain=GAIN)
        self.blur = Blur(padding=2)
        self.second = EqualConv(inputs, outputs, kernel=3, stride=2, gain=GAIN * share)
        self.halve = Halve()
        self.skip = EqualConv(inputs, outputs, kernel=1, bias=False, gain=share)

    def forward(self, x: Tensor) -> Tensor:
        h = leaky(self.second(self.blur(leaky(self.first(x)))))
        return h + self.skip(self.halve(x))


class Discriminator(nn.Module):
    """(x, c) -> one logit: residual halvings, the deviation in a group, two layers, projection.

    logit = <h(x), E c + b> / sqrt(features), and w . h(x) where nothing is told.

    Args:
        layout: shape of the samples.
        condition: what the generator was told; its width K and the number of its facets are used.
        widths: channels of each resolution, coarsest first; see `fit_widths`.
        features: width of h.
        group: samples whose differences are shown to each other; 1: none.

    Attributes:
        couples: whether the verdict on a sample depends on others of its batch.

    Raises:
        ValueError: when there are no widths, or the group is empty.
    """

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        widths: Sequence[int],
        features: int,
        group: int,
    ) -> None:
        super().__init__()
        if group < 1:
            raise ValueError(f"model.discriminator.group must be at least 1, got {group}")
        self.grid = Grid.of(layout)
        sizes = fit_widths(widths, self.grid.stages + 1)[::-1]
        self.couples = group > 1
        self.stem = EqualConv(self.grid.layout.channels, sizes[0], kernel=1, gain=GAIN)
        self.halvings = nn.ModuleList(Halving(a, b) for a, b in itertools.pairwise(sizes))
        self.deviation = MinibatchDeviation(group) if self.couples else nn.Identity()
        self.conv = EqualConv(sizes[-1] + int(self.couples), sizes[-1], kernel=3, gain=GAIN)
        self.hidden = EqualLinear(sizes[-1] * self.grid.area, features, gain=GAIN)
        told = condition.width
        self.last = EqualLinear(features, features if told else 1)
        self.embed = nn.Linear(told, features) if told else None
        if self.embed is not None:
            nn.init.normal_(self.embed.weight, std=condition.facets**-0.5)
            nn.init.zeros_(self.embed.bias)
        self.scale = features**-0.5

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """(B, C, H, W), (B, K) -> logits (B,)."""
        x = leaky(self.stem(self.grid.pad(x)))
        for halving in self.halvings:
            x = halving(x)
        x = leaky(self.conv(self.deviation(x)))
        h = self.last(leaky(self.hidden(x.flatten(1))))
        if self.embed is None:
            return h.squeeze(1)
        return self.scale * (h * self.embed(c)).sum(1)


def _centres(condition: Condition, style: int, inertia: float) -> Centres:
    """Of w under a condition; levels of several facets are weighed by how usual they are."""
    known, width = condition.combinations, condition.width
    if known is None:
        return Centres(condition=width, width=style, inertia=inertia)
    usual = np.array(condition.groups[0].frequencies) @ known.features
    parts = {"shares": known.shares, "usual": tuple(usual.tolist())}
    return Centres(condition=width, width=style, inertia=inertia, **parts)


def _sides(grid: Grid) -> list[tuple[int, int]]:
    """Height and width of the noise of each convolution: one at the start, two per doubling."""
    sides = [grid.start]
    for stage in range(1, grid.stages + 1):
        sides += [(grid.start[0] * 2**stage, grid.start[1] * 2**stage)] * 2
    return sides
