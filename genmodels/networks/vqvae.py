"""The encoder and decoder of images with discrete latents: an image as a grid of vectors.

What is between the two, the rounding of each vector to one of a few codes, is in
`quantizers.py`. The label does not occur here: it belongs to the prior of the codes.

References:
    van den Oord, Vinyals, Kavukcuoglu, "Neural Discrete Representation Learning", 2017.
    Esser, Rombach, Ommer, "Taming Transformers for High-Resolution Image Synthesis", 2021.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from genmodels.layout import Layout
from genmodels.networks.conv_vae import ResidualBlock, group_norm
from genmodels.networks.grids import Grid

__all__ = ["Decoder", "Encoder"]


class Stage(nn.Module):
    """act(norm(x)) after `blocks` residual blocks, at one size of the grid."""

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ResidualBlock(channels, 0) for _ in range(blocks))
        self.norm = group_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        untold = x.new_zeros(len(x), 0)
        for block in self.blocks:
            x = block(x, untold)
        return F.silu(self.norm(x))


def stages(channels: tuple[int, ...], blocks: int) -> list[Stage]:
    """One per entry of `channels`, finest first.

    The finest of several has no residual blocks: they would cost more than all the others.
    """
    only = len(channels) == 1
    return [Stage(n, blocks if only or i > 0 else 0) for i, n in enumerate(channels)]


class Encoder(nn.Module):
    """x -> one vector per position of a coarse grid, in raster order.

    Args:
        layout: shape of the images.
        cells: at most so many positions; the finest grid within that is taken, from one halving.
        width: channels of the finest stage; each coarser stage doubles them (at most 8 x).
        blocks: residual blocks of each stage but the finest.
        features: width F of a vector.
    """

    def __init__(
        self, *, layout: Layout, cells: int, width: int, blocks: int, features: int
    ) -> None:
        super().__init__()
        self.grid = Grid.within(layout, cells)
        channels = self.grid.widths(width)
        inputs = (self.grid.layout.channels, *channels[:-1])
        self.downs = nn.ModuleList(
            nn.Conv2d(i, o, 4, 2, 1) for i, o in zip(inputs, channels, strict=True)
        )
        self.stages = nn.ModuleList(stages(channels, blocks))
        self.out = nn.Conv2d(channels[-1], features, 1)

    @property
    def length(self) -> int:
        """Positions T of the coarse grid."""
        return self.grid.area

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, T, F)."""
        x = self.grid.pad(x)
        for down, stage in zip(self.downs, self.stages, strict=True):
            x = stage(down(x))
        return self.out(x).flatten(2).transpose(1, 2)


class Decoder(nn.Module):
    """One vector per position of the coarse grid -> outputs, by one doubling per stage.

    Args:
        layout: shape of the images.
        cells, width, blocks, features: as for `Encoder`.
    """

    def __init__(
        self, *, layout: Layout, cells: int, width: int, blocks: int, features: int
    ) -> None:
        super().__init__()
        self.grid = Grid.within(layout, cells)
        channels = self.grid.widths(width)
        outputs = (self.grid.layout.channels, *channels[:-1])
        self.into = nn.Conv2d(features, channels[-1], 3, padding=1)
        self.stages = nn.ModuleList(stages(channels, blocks)[::-1])
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(i, o, 4, 2, 1)
            for i, o in zip(channels[::-1], outputs[::-1], strict=True)
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """(B, T, F) -> outputs (B, C, H, W), unbounded."""
        x = self.into(vectors.transpose(1, 2).unflatten(2, self.grid.start))
        for stage, up in zip(self.stages, self.ups, strict=True):
            x = up(stage(x))
        return self.grid.crop(x)
