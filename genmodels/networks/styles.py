"""Styles: where they come from, what they are on average, and convolutions that they modulate.

References:
    Karras, Laine, Aila, "A Style-Based Generator Architecture for Generative Adversarial
    Networks", 2019 (sections 2 and 3.1, appendix B). Karras et al., "Analyzing and Improving the
    Image Quality of StyleGAN", 2020 (section 2.2).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genmodels.networks.equalized import GAIN, EqualLinear, leaky
from genmodels.networks.resample import Blur
from genmodels.precision import full_precision

__all__ = ["Centres", "Mapping", "ModulatedConv", "StyledConv"]

TINY = 1e-8


def normalised(x: Tensor) -> Tensor:
    """Rows (B, N) scaled to a mean square of 1."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + TINY)


class Mapping(nn.Module):
    """(z, c) -> w: both normalised, side by side, through layers that learn slowly.

    In full precision under autocast, as every layer of a generator follows from w.

    Args:
        latent_dim: Z.
        condition: width K of c.
        width: of w and of an embedded condition.
        depth: number of layers, at least 1.
        rate: factor of the learning rate of these layers.
    """

    def __init__(
        self, *, latent_dim: int, condition: int, width: int, depth: int, rate: float
    ) -> None:
        super().__init__()
        self.embed = nn.Linear(condition, width, bias=False) if condition else None
        if self.embed is not None:  # a look-up of one row: no layer to equalise
            nn.init.normal_(self.embed.weight)
        first = latent_dim + (width if condition else 0)
        self.layers = nn.ModuleList(
            EqualLinear(width if i else first, width, gain=GAIN, rate=rate) for i in range(depth)
        )

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        """(B, Z), (B, K) -> (B, W)."""
        with full_precision(z):
            w = normalised(z)
            if self.embed is not None:
                w = torch.cat([w, normalised(self.embed(c))], 1)
            for layer in self.layers:
                w = leaky(layer(w))
            return w


class Centres(nn.Module):
    """The running mean of w for each level of a condition; one mean where nothing is told.

    Of a condition with several facets these are means of levels of a facet, and their deviations
    from the mean of all rows add up: exactly where facets are independent, too much where they go
    together, as each then brings a part of the other.

    Each mean is kept beside the weight that it has gathered, so that it is no nearer to zero in
    the beginning, and an average of both over time is an average of the mean.

    Args:
        condition: width K of c.
        width: of w.
        inertia: share that is kept from one batch to the next that has the level.
        shares: factors (K,) that make each facet of c sum to 1; None: it does.
        usual: the mean of c (K,) over training; None: all levels count alike in the mean of all.
    """

    sums: Tensor
    weights: Tensor
    shares: Tensor
    usual: Tensor

    def __init__(
        self,
        *,
        condition: int,
        width: int,
        inertia: float,
        shares: tuple[float, ...] | None = None,
        usual: tuple[float, ...] | None = None,
    ) -> None:
        super().__init__()
        ones = torch.ones(condition)
        factors = ones if shares is None else torch.tensor(shares)
        self.register_buffer("shares", factors, persistent=False)
        mean = ones if usual is None else factors * torch.tensor(usual)
        self.register_buffer("usual", mean, persistent=False)
        self.told, self.inertia = condition > 0, inertia
        self.register_buffer("sums", torch.zeros(max(1, condition), width))
        self.register_buffer("weights", torch.zeros(max(1, condition)))

    @torch.no_grad()
    def follow(self, w: Tensor, c: Tensor) -> None:
        """Move towards the means of a batch, w (B, W) under c (B, K)."""
        with full_precision(w):
            levels = c if self.told else w.new_ones(len(w), 1)
            counts = levels.sum(0)
            means = (levels.t() @ w) / counts.clamp_min(TINY)[:, None]
            rates = (counts > 0).to(w.dtype) * (1.0 - self.inertia)
            self.sums.lerp_(means.to(self.sums.dtype), rates[:, None].to(self.sums.dtype))
            self.weights.lerp_(torch.ones_like(self.weights), rates.to(self.weights.dtype))

    def forward(self, c: Tensor) -> Tensor:
        """Conditions (B, K) -> the means of their levels (B, W).

        Where c is zero, or names a level that was never met, it is the mean of all. With P facets
        c, by its shares, sums to P, so the rest is 1 - P: the mean is not counted P times.
        """
        means = self.sums / self.weights.clamp_min(TINY)[:, None]
        if not self.told:
            return means.expand(len(c), -1)
        met = (self.weights > 0)[:, None]
        common = self.usual.to(means.dtype)[:, None] * met
        # A mean that was never met is zero.
        middle = (common * means).sum(0) / common.sum().clamp_min(TINY)
        c = c * self.shares.to(c.dtype)
        rest = 1.0 - c.sum(1, keepdim=True)
        # A sum and no product of matrices: a row does not depend on how many there are.
        own = (c[:, :, None] * torch.where(met, means, middle)).sum(1)
        return own + rest * middle


class ModulatedConv(nn.Module):
    """y_o = gain (conv(s x, W)_o / |s W_o| + b_o), with the scales s = A(w) of the input channels.

    Scaling inputs and outputs instead of weights makes it one ordinary convolution for the whole
    batch. Not demodulated it has no denominator, but W is divided by the root of its fan in.

    Args:
        inputs, outputs: channels.
        kernel: its side.
        style: width of w.
        up: whether it doubles the resolution, by a transposed convolution and a blur.
        demodulate: whether there is a denominator.
        gain: factor of the outputs.

    References:
        Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, eq. 1-3.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int,
        style: int,
        up: bool = False,
        demodulate: bool = True,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.scale = EqualLinear(style, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.share, self.gain = 1.0 / math.sqrt(inputs * kernel**2), gain
        self.padding, self.demodulate = kernel // 2, demodulate
        self.blur = Blur(padding=1, gain=4.0) if up else None

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """(B, I, H, W), (B, style) -> (B, O, H, W), or (B, O, 2H, 2W)."""
        weight = self.weight * self.share
        with full_precision(w):
            scale = self.scale(w)
            after = self._after(scale, weight)
        y = x * scale.to(x.dtype)[:, :, None, None]
        if self.blur is None:
            y = F.conv2d(y, weight, padding=self.padding)
        else:
            y = self.blur(F.conv_transpose2d(y, weight.transpose(0, 1), stride=2))
        bias = (self.bias * self.gain).to(y.dtype)[:, None, None]
        return torch.addcmul(bias, y, after.to(y.dtype)[..., None, None])

    def _after(self, scale: Tensor, weight: Tensor) -> Tensor:
        """The scales of the outputs (B, O) that go with those of the inputs (B, I)."""
        if not self.demodulate:
            return scale.new_full((weight.shape[0],), self.gain)
        lengths = F.linear(scale.square(), weight.square().sum((2, 3)))
        return self.gain * torch.rsqrt(lengths + TINY)


class StyledConv(nn.Module):
    """A modulated 3 x 3 convolution with noise, which starts at strength 0, and a leaky ReLU.

    Args:
        inputs, outputs: channels.
        style: width of w.
        up: see `ModulatedConv`.
    """

    def __init__(self, inputs: int, outputs: int, *, style: int, up: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv(inputs, outputs, kernel=3, style=style, up=up, gain=GAIN)
        self.strength = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """(B, I, H, W), (B, style), (B, 1, H', W') -> (B, O, H', W'), H' = H or 2H."""
        x = self.conv(x, w)
        if noise is not None:
            x = x + (self.strength * GAIN * noise).to(x.dtype)
        return leaky(x)
