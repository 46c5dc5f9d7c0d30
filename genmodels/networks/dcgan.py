"""DCGAN: strided convolutions, transposed on the way up; any image size, class-conditional.

Batch normalisation lives in the generator alone: a discriminator without it treats each image
by itself, so real and fake may share one forward and gradient penalties are exact. What a
loss, penalty or augmentation does is not here.

References:
    Radford, Metz, Chintala, "Unsupervised Representation Learning with Deep Convolutional
    Generative Adversarial Networks", 2016 (section 3). Miyato, Koyama, "cGANs with Projection
    Discriminator", 2018 (equation 5). Dumoulin, Shlens, Kudlur, "A Learned Representation for
    Artistic Style", 2017 (equation 5: class-conditional gains).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genmodels.layout import Condition, Layout
from genmodels.networks.grids import Grid

__all__ = ["Discriminator", "Generator"]

SLOPE = 0.2
"""Of the leaky ReLUs in the discriminator."""


def initialise(module: nn.Conv2d | nn.ConvTranspose2d | nn.Linear) -> None:
    """He initialisation, zero biases."""
    if isinstance(module, nn.ConvTranspose2d):
        # With stride 2 each output position sees a quarter of the kernel.
        taps = module.in_channels * module.weight[0, 0].numel() / 4
        nn.init.normal_(module.weight, std=(2.0 / taps) ** 0.5)
    else:
        nn.init.kaiming_normal_(module.weight, a=SLOPE)
    if module.bias is not None:
        nn.init.zeros_(module.bias)


class ConditionalNorm(nn.Module):
    """Batch normalisation with a gain and bias that depend on the condition.

    y = (gain + G c) * (x - mean) / std + (bias + S c); with K = 0 plain batch normalisation.
    """

    def __init__(self, channels: int, condition: Condition) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        told = condition.width
        self.style = nn.Linear(told, 2 * channels, bias=False) if told else None
        if self.style is not None:
            nn.init.normal_(self.style.weight, std=0.1 * condition.facets**-0.5)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        x = self.norm(x)
        if self.style is None:
            return x
        gain, bias = self.style(c)[:, :, None, None].chunk(2, dim=1)
        return torch.addcmul(x + bias, x, gain)


class Generator(nn.Module):
    """(z, c) -> images: a linear map to the start grid, then one doubling per stage.

    Args:
        layout: shape of the images.
        condition: what the generator is told; its width K and the number of its facets are used.
        latent_dim: Z.
        width: channels of the finest stage; each coarser stage doubles them (at most 8 x).
    """

    def __init__(
        self, *, layout: Layout, condition: Condition, latent_dim: int, width: int
    ) -> None:
        super().__init__()
        self.grid = Grid.of(layout)
        channels = self.grid.widths(width)[::-1]
        inputs = latent_dim + condition.width
        self.stem = nn.Linear(inputs, channels[0] * self.grid.area, bias=False)
        self.norms = nn.ModuleList(ConditionalNorm(n, condition) for n in channels)
        outputs = (*channels[1:], self.grid.layout.channels)
        last = len(channels) - 1
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(channels[i], outputs[i], 4, 2, 1, bias=i == last)
            for i in range(len(channels))
        )
        for layer in (self.stem, *self.ups):
            initialise(layer)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        """(B, Z), (B, K) -> outputs (B, C, H, W), unbounded."""
        x = self.stem(torch.cat([z, c], dim=1)).unflatten(1, (-1, *self.grid.start))
        for norm, up in zip(self.norms, self.ups, strict=True):
            x = up(F.relu(norm(x, c)))
        return self.grid.crop(x)


class Discriminator(nn.Module):
    """(x, c) -> one logit: one halving per stage, a hidden layer, projection on the condition.

    logit = w . h(x) + <E c, h(x)> / sqrt(features).

    Args:
        layout: shape of the images.
        condition: what the generator was told; its width K and the number of its facets are used.
        width: channels of the finest stage; each coarser stage doubles them (at most 8 x).
        features: width of the hidden layer before the logit.
    """

    def __init__(self, *, layout: Layout, condition: Condition, width: int, features: int) -> None:
        super().__init__()
        self.grid = Grid.of(layout)
        channels = self.grid.widths(width)
        inputs = (self.grid.layout.channels, *channels[:-1])
        self.downs = nn.ModuleList(
            nn.Conv2d(i, o, 4, 2, 1) for i, o in zip(inputs, channels, strict=True)
        )
        self.hidden = nn.Linear(channels[-1] * self.grid.area, features)
        self.logit = nn.Linear(features, 1)
        self.embed = nn.Linear(condition.width, features, bias=False) if condition.width else None
        for layer in (*self.downs, self.hidden):
            initialise(layer)
        nn.init.normal_(self.logit.weight, std=features**-0.5)
        if self.embed is not None:
            nn.init.normal_(self.embed.weight, std=condition.facets**-0.5)
        self.scale = features**-0.5

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """(B, C, H, W), (B, K) -> logits (B,)."""
        x = self.grid.pad(x)
        for down in self.downs:
            x = F.leaky_relu(down(x), SLOPE)
        h = F.leaky_relu(self.hidden(x.flatten(1)), SLOPE)
        logit = self.logit(h).squeeze(1)
        if self.embed is None:
            return logit
        return logit + self.scale * (self.embed(c) * h).sum(1)
