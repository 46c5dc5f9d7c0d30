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

    With `hard`, training too gives one-hots of arg max (o + g), with the gradient of x as above
    (straight through), and a gated score is multiplied by level 0 of its states, so that it is 0
    where it does not count, as in real rows.

    Args:
        layout: of a table.
        temperature: tau; smaller is closer to one-hot.
        hard: whether training gives one-hots and zeros, or what is near to them.

    References:
        Jang et al., "Categorical Reparameterization with Gumbel-Softmax", 2017, eq. 2 and
        section 2.2 (straight through).
    """

    scalars: Tensor
    offsets: Tensor
    gated: Tensor
    gates: Tensor

    def __init__(self, *, layout: Layout, temperature: float = 0.2, hard: bool = False) -> None:
        super().__init__()
        table = require_table(layout, "heads.TableHead")
        self.temperature, self.hard = temperature, hard
        self.groups = Groups(table)
        self.noise_dim = len(table.categorical)
        self.register_buffer("scalars", torch.tensor(table.continuous, dtype=torch.long), False)
        gated = [k for k, block in enumerate(table.blocks) if block.gated]
        starts = [table.slices[block.name].start for block in table.blocks]
        index = {
            "offsets": table.offsets,
            "gated": [starts[k] for k in gated],
            "gates": [starts[k + 1] for k in gated],  # level 0 of the states that follow
        }
        for name, places in index.items():
            self.register_buffer(name, torch.tensor(places, dtype=torch.long), False)

    def forward(self, outputs: Tensor) -> Tensor:
        """Outputs (B, D) -> dense samples (B, D)."""
        outputs = outputs.to(torch.promote_types(outputs.dtype, torch.float32))
        # A draw of exactly 0 would be an infinite noise, and a block of one level not a number.
        tiny = torch.finfo(outputs.dtype).tiny
        noise = torch.rand_like(outputs).clamp_min_(tiny).log_().neg_().log_()
        noisy = outputs - noise
        soft = self.groups.softmax(noisy / self.temperature)
        if self.hard:
            soft = soft + (self.one_hots(noisy.detach()) - soft.detach())
        x = soft.index_copy(1, self.scalars, outputs.index_select(1, self.scalars).tanh())
        if not self.hard or not len(self.gated):
            return x
        open_gates = x.index_select(1, self.gates)
        return x.index_copy(1, self.gated, x.index_select(1, self.gated) * open_gates)

    def one_hots(self, noisy: Tensor) -> Tensor:
        """The largest of each block (B, D) -> one-hots (B, D), zero at scalars."""
        chosen = self.groups.argmax(noisy).long() + self.offsets
        return torch.zeros_like(noisy).scatter_(1, chosen, 1.0)

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
                "tables, such as model=tabvae or model=ctgan"
            )

    def forward(self, outputs: Tensor) -> Tensor:
        """Outputs (B, C, H, W) -> dense samples in (-1, 1)."""
        return outputs.tanh()

    def sample(self, outputs: Tensor, u: Tensor) -> Encoded:
        """Outputs (B, C, H, W) -> pixels uint8."""
        grey = outputs.float().tanh().add(1.0).mul(127.5).round_()
        return {"pixels": grey.clamp_(0.0, 255.0).to(torch.uint8)}
