"""A transformer over the tokens of a grid: which code comes next, given the label.

The tokens come from `quantizers.py`; nothing in here knows what they stand for.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genmodels.inversion import invert
from genmodels.layout import Condition
from genmodels.networks.attention import AttentionBlock

__all__ = ["TokenTransformer", "guided", "sharpened"]


class TokenTransformer(nn.Module):
    """log p(t | c) = sum_i log p(t_i | t_1 ... t_(i-1), c), positions in raster order.

    The first position reads a start token with the label in it. In training the label is left
    out now and then, so that the same network also knows p(t), which guidance needs.

    Args:
        condition: c has its width K; zeros stand for a label that is not told.
        length: tokens T of a row.
        codes: values of a token.
        hidden: width H.
        layers: number of blocks.
        heads: of the attention; H must be a multiple of it.
        expansion: hidden units of a block's perceptron, as a multiple of H.
        dropout: share of units dropped while training.
        label_dropout: share of rows that are not told their label while training.

    References:
        Vaswani et al., "Attention Is All You Need", 2017. Esser, Rombach, Ommer, "Taming
        Transformers for High-Resolution Image Synthesis", 2021, section 3.2.
        Ho and Salimans, "Classifier-Free Diffusion Guidance", 2022, algorithm 1.
        Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020 (top-p).
    """

    causal: Tensor

    def __init__(
        self,
        *,
        condition: Condition,
        length: int,
        codes: int,
        hidden: int,
        layers: int,
        heads: int,
        expansion: float,
        dropout: float,
        label_dropout: float,
    ) -> None:
        super().__init__()
        if hidden % heads:
            raise ValueError(
                f"model.prior.hidden must be a multiple of model.prior.heads, got {hidden} "
                f"and {heads}"
            )
        if layers < 1:
            raise ValueError(f"model.prior.layers must be at least 1, got {layers}")
        self.length, self.codes, self.heads = length, codes, heads
        self.dropout, self.label_dropout = dropout, label_dropout
        self.start = nn.Parameter(torch.randn(hidden) * 0.5)
        width = condition.width
        self.label = nn.Linear(width, hidden, bias=False) if width else None
        self.embedding = nn.Embedding(codes, hidden)
        self.places = nn.Parameter(torch.randn(length, hidden) * 0.5)
        self.blocks = nn.ModuleList(
            AttentionBlock(
                hidden=hidden, heads=heads, inner=round(expansion * hidden), layers=layers
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(hidden)
        self.head = nn.Linear(hidden, codes)
        nn.init.normal_(self.head.weight, std=0.02)
        if self.label is not None:
            nn.init.normal_(self.label.weight, std=condition.facets**-0.5)
        self.register_buffer("causal", torch.ones(length, length, dtype=torch.bool).tril(), False)

    @property
    def uniforms(self) -> int:
        """Uniform numbers that a row needs."""
        return self.length

    def forward(self, tokens: Tensor, c: Tensor) -> Tensor:
        """Tokens (B, T) and labels (B, K) -> logits of each token given those before, (B, T, V)."""
        read = self.embedding(tokens[:, :-1].t())
        x = torch.cat([self.first(self.told(c))[None], read]) + self.places[:, None]
        for block in self.blocks:
            assert isinstance(block, AttentionBlock)
            x = block.among(x, self.causal, self.kept(x))
        out: Tensor = self.head(self.norm(x)).transpose(0, 1)
        return out

    def log_prob(self, tokens: Tensor, c: Tensor) -> Tensor:
        """Log-probability (B,) of rows of tokens (B, T), given labels (B, K), in nats."""
        logits = self(tokens, c).to(self.places.dtype)
        found = cross_entropy(logits.flatten(0, 1), tokens.flatten(), reduction="none")
        return -found.view(tokens.shape).sum(1)

    def told(self, c: Tensor) -> Tensor:
        """Labels, some of them left out while training."""
        if not self.training or self.label_dropout <= 0 or self.label is None:
            return c
        return c * (torch.rand(len(c), 1, device=c.device) >= self.label_dropout)

    def first(self, c: Tensor) -> Tensor:
        """The start tokens (B, H) of labels (B, K)."""
        start = self.start.expand(len(c), -1)
        return start if self.label is None else start + self.label(c)

    def kept(self, x: Tensor) -> tuple[Tensor, Tensor] | None:
        """Factors for the two outputs of a block, as (T, B, H): 0 for dropped units."""
        if not self.training or self.dropout <= 0:
            return None
        drawn = torch.rand(2, *x.shape, device=x.device) >= self.dropout
        first, second = (drawn / (1.0 - self.dropout)).unbind(0)
        return first, second

    @torch.no_grad()
    def sample(
        self,
        c: Tensor,
        u: Tensor,
        *,
        guidance: float = 1.0,
        temper: float = 1.0,
        top_p: float = 1.0,
    ) -> Tensor:
        """Rows of tokens, each by inversion of its distribution at a uniform number.

        Args:
            c: labels (B, K).
            u: uniform in [0, 1), shape (B, T).
            guidance: 1: as learned; 0: as if no label were told; above 1: more of the label.
            temper: logits are divided by it: above 1 flattens, below 1 sharpens.
            top_p: only the likeliest tokens whose probabilities reach this sum, in (0, 1].

        Returns:
            int64, shape (B, T).
        """
        views = self.views(c, guidance)
        kept = [self.empty(len(views)) for _ in self.blocks]
        x, drawn = self.first(views), []
        for place in range(self.length):
            logits = self.step(x, kept, place)
            logits = sharpened(guided(logits, len(c), guidance), temper, top_p)
            drawn.append(invert(logits, u[:, place]))
            x = self.embedding(drawn[-1]).repeat(len(views) // len(c), 1)
        return torch.stack(drawn, 1)

    def views(self, c: Tensor, guidance: float) -> Tensor:
        """The labels that are asked with: c itself, none, or both, one after the other."""
        if guidance == 1.0 or self.label is None:
            return c
        none = torch.zeros_like(c)
        return none if guidance == 0.0 else torch.cat([c, none])

    def empty(self, rows: int) -> tuple[Tensor, Tensor]:
        """Room for the keys and the values of a block."""
        size = self.places.shape[1] // self.heads
        keys, values = self.places.new_zeros(2, rows, self.heads, self.length, size)
        return keys, values

    def step(self, x: Tensor, kept: list[tuple[Tensor, Tensor]], place: int) -> Tensor:
        """The logits (B, V) of one place, given the token before it (B, H) and all others."""
        x = x + self.places[place]
        for block, (keys, values) in zip(self.blocks, kept, strict=True):
            assert isinstance(block, AttentionBlock)
            x = block.step(x, keys, values, place)
        out: Tensor = self.head(self.norm(x)).to(self.places.dtype)
        return out


def guided(logits: Tensor, rows: int, guidance: float) -> Tensor:
    """Logits l_0 + g (l_c - l_0) of rows; l_c come first, then l_0, or there is one of them."""
    if len(logits) == rows:
        return logits
    told, untold = logits.split(rows)
    return torch.lerp(untold, told, guidance)


def sharpened(logits: Tensor, temper: float, top_p: float) -> Tensor:
    """Logits (B, V) over a temper, minus infinity for all but the likeliest tokens."""
    logits = logits / temper
    if top_p >= 1.0:
        return logits
    ordered, places = logits.sort(1, descending=True)
    p = ordered.softmax(1)
    beyond = p.cumsum(1) - p >= top_p
    return logits.masked_fill(beyond.scatter(1, places, beyond), -torch.inf)
