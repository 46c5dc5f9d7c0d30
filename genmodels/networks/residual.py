"""Residual fully connected networks for tables: a generator and a discriminator without dropout
and without normalisation over the batch. The head is elsewhere.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, silu

from genmodels.layout import Condition, Layout, TableLayout
from genmodels.networks.layers import JoinedLinear, packed, require_table, small_linear
from genmodels.precision import full_precision
from genmodels.scores import FURTHEST, SPREAD, middles, piecewise_linear
from genmodels.variables import log_frequencies

__all__ = ["Discriminator", "Generator"]


class Generator(nn.Module):
    """h = W (z, c), h <- h + V_k silu(U_k norm(h)) for each block, then one linear layer.

    Scores are computed in full precision under autocast, as 8 bits would leave a grid in them.

    Args:
        layout: outputs have its width D.
        condition: c has its width K.
        latent_dim: z has this width.
        hidden: width H.
        blocks: number of residual blocks.
    """

    order: Tensor

    def __init__(
        self, *, layout: Layout, condition: Condition, latent_dim: int, hidden: int, blocks: int
    ) -> None:
        super().__init__()
        table = require_table(layout, "residual.Generator")
        self.layout = table
        self.first = JoinedLinear(widths=[latent_dim], condition=condition.width, out=hidden)
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(blocks + 1))
        self.inner = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(blocks))
        self.outer = nn.ModuleList(small_linear(hidden, hidden, 0.1) for _ in range(blocks))
        scores = len(table.continuous)
        self.scores = small_linear(hidden, scores, 0.25)
        self.levels = small_linear(hidden, table.width - scores, 0.5)
        at = set(table.continuous)
        places = [*table.continuous, *(i for i in range(table.width) if i not in at)]
        self.register_buffer("order", torch.tensor(places).argsort(), False)

    @torch.no_grad()
    def start_from(self, codes: Tensor) -> None:
        """Let the biases of the levels be their log-frequencies in rows (N, Q)."""
        start = 0
        for q, block in enumerate(self.layout.categorical):
            own = self.levels.bias[start : start + block.width]
            own.copy_(log_frequencies(codes[:, q], block.width))
            start += block.width

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        """Latents (B, Z) and c (B, K) -> outputs (B, D)."""
        h = self.first(z, c=c)
        *norms, last = self.norms
        for norm, inner, outer in zip(norms, self.inner, self.outer, strict=True):
            h = h + outer(silu(inner(norm(h))))
        h = silu(last(h))
        levels = self.levels(h)
        with full_precision(z):
            scores = self.scores(h.to(z.dtype))
        return torch.cat([scores, levels.to(z.dtype)], 1).index_select(1, self.order)


class Discriminator(nn.Module):
    """h = W f(x) + W_c c, h <- h + V_k a(U_k a(h)) for each block, one logit per pack; a leaky.

    f(x) are the dense row, and fixed features that show the order of numbers: of a score the
    normal score y and the piecewise linear code of u = Phi(y) in `cells` cells; of an ordered
    level its normal score and its standardised value.

    Args:
        layout: x has its width D.
        condition: c has its width K.
        hidden: width H.
        blocks: number of residual blocks.
        pack: rows that are judged together; batches must be a multiple of it.
        cells: of the piecewise linear code of a score.
        slope: of the leaky ReLU below zero.

    References:
        Huang et al., "The GAN is dead; long live the GAN! A Modern GAN Baseline", 2024,
        section 3 (no normalisation; small residual branches before training).
        Lin et al., "PacGAN: The power of two samples in generative adversarial networks", 2018.
        Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep Learning", 2022,
        section 3.1 (piecewise linear code).
    """

    scalars: Tensor
    ordered: Tensor
    steps: Tensor

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        hidden: int,
        blocks: int,
        pack: int,
        cells: int,
        slope: float = 0.2,
    ) -> None:
        super().__init__()
        table = require_table(layout, "residual.Discriminator")
        self.pack, self.slope = pack, slope
        places = torch.tensor(table.continuous, dtype=torch.long)
        self.register_buffer("scalars", places, False)
        self.register_buffer("steps", torch.arange(cells, dtype=torch.float32), False)
        self.register_buffer("ordered", _ordered(table), False)
        self.width = table.width + self.ordered.shape[1] + len(places) * (1 + cells)
        self.first = JoinedLinear(
            widths=[self.width * pack], condition=condition.width, out=hidden, pack=pack
        )
        self.inner = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(blocks))
        self.outer = nn.ModuleList(small_linear(hidden, hidden, 0.1) for _ in range(blocks))
        self.out = nn.Linear(hidden, 1)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """Rows (B, D) and c (B, K) -> logits (B / pack,)."""
        h = self.first(packed(self.features(x), self.pack), c=c)
        for inner, outer in zip(self.inner, self.outer, strict=True):
            h = h + outer(self.leaky(inner(self.leaky(h))))
        return self.out(self.leaky(h)).squeeze(1).to(x.dtype)

    def leaky(self, h: Tensor) -> Tensor:
        return leaky_relu(h, self.slope)

    def features(self, x: Tensor) -> Tensor:
        """Rows (B, D) -> f(x), shape (B, features)."""
        parts = [x]
        if self.ordered.shape[1]:
            parts.append((x @ self.ordered).to(x.dtype))
        if len(self.scalars):
            y = x.index_select(1, self.scalars) * SPREAD
            code = piecewise_linear(torch.special.ndtr(y), self.steps)
            parts += [y, (code * 2.0 - 1.0).flatten(1)]
        return torch.cat(parts, 1)


def _ordered(table: TableLayout) -> Tensor:
    """(D, 2 O): one-hots of the O ordered blocks -> normal scores and standardised values."""
    blocks = [b for b in table.categorical if b.places]
    out = torch.zeros(table.width, 2 * len(blocks))
    for k, block in enumerate(blocks):
        start, seen = table.slices[block.name].start, len(block.places)
        normal = torch.special.ndtri(middles(seen)).float()
        for column, values in enumerate((normal, torch.tensor(block.places))):
            found = values.clamp(-FURTHEST, FURTHEST)
            out[start : start + seen, 2 * k + column] = found
    return out
