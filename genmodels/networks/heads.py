"""Outputs -> differentiable samples (training) and encoded samples (sampling)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genmodels.layout import Groups, ImageLayout, Layout
from genmodels.networks.layers import require_table
from genmodels.types import Encoded

__all__ = ["ImageHead", "TableHead"]


class TableHead(nn.Module):
    """tanh on scalars, Gumbel-softmax on categorical blocks.

    Training: x = softmax((o + g) / tau), g standard Gumbel. Sampling: a level drawn from
    softmax(o), which is what arg max (o + g) draws from, whatever tau is.

    Args:
        layout: of a table.
        temperature: tau; smaller is closer to one-hot.

    References:
        Jang et al., "Categorical Reparameterization with Gumbel-Softmax", 2017, eq. 2.
    """

    scalars: Tensor

    def __init__(self, *, layout: Layout, temperature: float = 0.2) -> None:
        super().__init__()
        table = require_table(layout, "heads.TableHead")
        self.temperature = temperature
        self.groups = Groups(table)
        self.noise_dim = len(table.categorical)
        self.register_buffer("scalars", torch.tensor(table.continuous, dtype=torch.long), False)

    def forward(self, outputs: Tensor) -> Tensor:
        """Outputs (B, D) -> dense samples (B, D)."""
        outputs = outputs.to(torch.promote_types(outputs.dtype, torch.float32))
        # A draw of exactly 0 would be an infinite noise, and a block of one level not a number.
        tiny = torch.finfo(outputs.dtype).tiny
        noise = torch.rand_like(outputs).clamp_min_(tiny).log_().neg_().log_()
        soft = self.groups.softmax((outputs - noise) / self.temperature)
        return soft.index_copy(1, self.scalars, outputs.index_select(1, self.scalars).tanh())

    def sample(self, outputs: Tensor, u: Tensor) -> Encoded:
        """Outputs (B, D) and uniforms (B, Q) -> values (B, F) and codes (B, Q)."""
        outputs = outputs.float()
        values = outputs.index_select(1, self.scalars).tanh()
        return {"values": values, "codes": self.groups.draw(outputs, u)}


class ImageHead(nn.Module):
    """tanh; sampled as the nearest of 256 grey levels.

    Args:
        layout: of images.
    """

    noise_dim = 0

    def __init__(self, *, layout: Layout) -> None:
        super().__init__()
        if not isinstance(layout, ImageLayout):
            raise ValueError(
                "heads.ImageHead makes images, but the data are a table; choose a model for "
                "tables, such as model=ctgan or model=tvae"
            )

    def forward(self, outputs: Tensor) -> Tensor:
        """Outputs (B, C, H, W) -> dense samples in (-1, 1)."""
        return outputs.tanh()

    def sample(self, outputs: Tensor, u: Tensor) -> Encoded:
        """Outputs (B, C, H, W) -> pixels uint8."""
        grey = outputs.float().tanh().add(1.0).mul(127.5).round_()
        return {"pixels": grey.clamp_(0.0, 255.0).to(torch.uint8)}
