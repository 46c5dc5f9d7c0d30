"""Whole rows of a table at once: the encoder and the decoder of a VAE over mixed variables.

Rows come compact, as scores and levels (see `Compact`). What the decoder's hidden vectors say
about each variable is in `likelihoods/rows.py`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, silu

from genmodels.arrangement import Arrangement, Compact
from genmodels.layout import Condition, Layout
from genmodels.networks.features import Features
from genmodels.networks.layers import small_linear
from genmodels.precision import full_precision

__all__ = ["RowDecoder", "RowEncoder"]


class RowEncoder(nn.Module):
    """h = W f(x), h <- h + W_k silu(U_k norm(h)) for each block, then mean and log-variance.

    f are the features of all variables side by side, see `Features`.

    Args:
        layout: of a table.
        condition: c has its width K.
        latent_dim: width Z of mean and log-variance.
        hidden: width H.
        blocks: number of residual blocks.
        dropout: share of hidden units dropped while training.
        cells: of the piecewise linear code of a number, at most.
        most_cells: of all numbers together.
        embedding: width of the vector of a level.
    """

    reads = Compact

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        latent_dim: int,
        hidden: int,
        blocks: int,
        dropout: float,
        cells: int,
        most_cells: int,
        embedding: int,
    ) -> None:
        super().__init__()
        arrangement = Arrangement(layout)
        self.parts = Compact(layout)
        self.features = Features(
            arrangement=arrangement,
            order=range(len(arrangement)),
            cells=cells,
            most_cells=most_cells,
            embedding=embedding,
        )
        owners = (self.features.get_buffer(f"{kind}_owners") for kind in ("fixed", "learned"))
        width = sum(len(owner) for owner in owners) + condition.width
        self.first = nn.Linear(width, hidden)
        self.blocks = nn.ModuleList(_Block(hidden, dropout) for _ in range(blocks))
        self.out = nn.Linear(hidden, 2 * latent_dim)

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Compact rows (B, F + Q) and c (B, K) -> mean (B, Z), log-variance (B, Z)."""
        fixed, learned, _ = self.features(*self.parts.parts(x))
        h = self.first(torch.cat([fixed, learned, c], 1))
        for block in self.blocks:
            h = block(h)
        with full_precision(x):  # 8 bits would leave a grid in latents
            mean, log_variance = self.out(silu(h.to(x.dtype))).chunk(2, 1)
        return mean, log_variance


class RowDecoder(nn.Module):
    """h = W (z, c), residual blocks as in `RowEncoder`, then h_j = silu(V_j h) per variable j.

    Args:
        layout: of a table with V variables.
        condition: c has its width K.
        latent_dim: z has this width.
        hidden: width H.
        blocks: number of residual blocks.
        dropout: share of hidden units dropped while training.
        narrow: width N of each h_j.
    """

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        latent_dim: int,
        hidden: int,
        blocks: int,
        dropout: float,
        narrow: int,
    ) -> None:
        super().__init__()
        self.count, self.narrow = len(Arrangement(layout)), narrow
        self.first = nn.Linear(latent_dim + condition.width, hidden)
        self.blocks = nn.ModuleList(_Block(hidden, dropout) for _ in range(blocks))
        self.last = nn.Linear(hidden, self.count * narrow)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        """Latents (B, Z) and c (B, K) -> hidden vectors of the variables, (V, B, N)."""
        h = self.first(torch.cat([z, c], 1) if c.shape[1] else z)
        for block in self.blocks:
            h = block(h)
        found = silu(self.last(silu(h)))
        return found.unflatten(1, (self.count, self.narrow)).transpose(0, 1)


class _Block(nn.Module):
    """h + W silu(U norm(h)), where W is small before training."""

    def __init__(self, hidden: int, share: float) -> None:
        super().__init__()
        self.share = share
        self.norm = nn.LayerNorm(hidden)
        self.inner = nn.Linear(hidden, hidden)
        self.outer = small_linear(hidden, hidden, 0.1)

    def forward(self, h: Tensor) -> Tensor:
        inner = silu(self.inner(self.norm(h)))
        return h + self.outer(dropout(inner, self.share, self.training))
