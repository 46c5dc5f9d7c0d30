"""A transformer that fills in the tokens of a grid in any order, many at once, given the label.

Beside `token_transformer.py`, which takes them one by one: there a row costs as many steps as it
has tokens, each of them small; here a few steps, each over the whole grid. So this one is for
accelerators, where a step costs the same however much is in it.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genmodels.inversion import invert
from genmodels.networks.attention import AttentionBlock
from genmodels.networks.token_transformer import TokenTransformer, guided, sharpened

__all__ = ["MaskedTransformer", "schedule"]


class MaskedTransformer(TokenTransformer):
    """p(t_i | t_v, c) of every token i that is hidden, given any set v of visible ones.

    Training hides a random set of a random size; the loss is then a bound that holds for drawing
    token by token in a random order. Sampling draws several tokens in each step, as if they were
    independent given what is visible: with `steps` equal to T that is the model of the bound, with
    fewer it is faster and less true.

    Args:
        steps: of sampling, at least 1, at most T are taken; each draws more tokens than the last.
        options: see `TokenTransformer`.

    References:
        Chang et al., "MaskGIT: Masked Generative Image Transformer", 2022, sections 3.1 and 3.2
        (cosine schedule; there the most certain tokens are kept, here the order is drawn).
        Uria, Murray, Larochelle, "A Deep and Tractable Density Estimator", 2014, equation 9, and
        Hoogeboom et al., "Autoregressive Diffusion Models", 2022, equation 5 (the bound).
    """

    everywhere: Tensor
    orders: Tensor

    def __init__(self, *, steps: int, **options: Any) -> None:
        super().__init__(**options)
        if steps < 1:
            raise ValueError(f"model.prior.steps must be at least 1, got {steps}")
        self.counts = schedule(self.length, min(steps, self.length))
        self.unknown = nn.Parameter(torch.randn(self.places.shape[1]) * 0.5)
        self.register_buffer("everywhere", torch.ones_like(self.causal), False)
        self.register_buffer("orders", fixed_ranks(self.length), False)

    @property
    def uniforms(self) -> int:
        """Uniform numbers that a row needs: one for each token, one for its place in the order."""
        return 2 * self.length

    def forward(self, tokens: Tensor, c: Tensor, visible: Tensor | None = None) -> Tensor:
        """Logits (B, T, V) of every token, given labels (B, K) and the visible tokens.

        Args:
            tokens: (B, T); those that are hidden are not read.
            c: labels.
            visible: (B, T), true where a token may be read; None: nowhere.
        """
        start = self.first(self.told(c))
        read = self.unknown.expand(*tokens.shape, -1)
        if visible is not None:
            read = torch.where(visible[..., None], self.embedding(tokens), read)
        x = (read + self.places + start[:, None]).transpose(0, 1)
        for block in self.blocks:
            assert isinstance(block, AttentionBlock)
            x = block.among(x, self.everywhere, self.kept(x))
        out: Tensor = self.head(self.norm(x)).transpose(0, 1)
        return out

    def log_prob(self, tokens: Tensor, c: Tensor) -> Tensor:
        """One draw of a lower bound (B,) of the log-probability of rows of tokens (B, T), in nats.

        The sum of log p(t_i | visible) over the H hidden tokens, times T / H; its mean over
        orders and over H from 1 to T is the bound. Outside of training, the row's place in the
        batch chooses both, so that the same batch gives the same figure.
        """
        ranks, seen = self.hiding(tokens)
        visible = ranks < seen
        logits = self(tokens, c, visible).to(self.places.dtype)
        found = cross_entropy(logits.flatten(0, 1), tokens.flatten(), reduction="none")
        hidden = found.view(tokens.shape).masked_fill(visible, 0.0).sum(1)
        return -hidden * self.length / (self.length - seen.squeeze(1))

    def hiding(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Ranks (B, T) of the tokens in an order of each row, and how many are seen, (B, 1)."""
        rows = len(tokens)
        if self.training:
            ranks = torch.rand(tokens.shape, device=tokens.device).argsort(1)
            return ranks, torch.randint(self.length, (rows, 1), device=tokens.device)
        row = torch.arange(rows, device=tokens.device)
        return self.orders.index_select(0, row % len(self.orders)), (row % self.length)[:, None]

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
        """Rows of tokens, see `TokenTransformer.sample`; u (B, 2 T): tokens, then the order."""
        views = self.views(c, guidance)
        times = len(views) // len(c)
        values, keys = u.split(self.length, 1)
        order = keys.argsort(dim=1, stable=True)
        tokens = torch.zeros_like(order)
        visible = torch.zeros_like(tokens, dtype=torch.bool)
        done = 0
        for count in self.counts:
            new = order[:, done : done + count]
            logits = self(
                tokens.repeat(times, 1), views, visible.repeat(times, 1) if done else None
            )
            asked = new.repeat(times, 1)[..., None].expand(-1, -1, self.codes)
            few = guided(logits.to(self.places.dtype).gather(1, asked), len(c), guidance)
            flat = sharpened(few.flatten(0, 1), temper, top_p)
            drawn = invert(flat, values.gather(1, new).flatten()).view(new.shape)
            tokens.scatter_(1, new, drawn)
            visible.scatter_(1, new, True)
            done += count
        return tokens


def schedule(length: int, steps: int) -> tuple[int, ...]:
    """Tokens drawn in each step: what is left after step s is T cos(pi s / (2 steps)), >= 1 drawn.

    Args:
        length: tokens T.
        steps: from 1 to T.

    Returns:
        Positive counts, ascending but for rounding, whose sum is T.
    """
    counts, left = [], length
    for step in range(1, steps + 1):
        aim = math.floor(length * math.cos(math.pi * step / (2 * steps)) + 1e-9)
        after = 0 if step == steps else max(min(aim, left - 1), steps - step)
        counts.append(left - after)
        left = after
    return tuple(counts)


def fixed_ranks(length: int, orders: int = 251) -> Tensor:
    """Ranks of tokens in random orders that are always the same, (orders, T).

    A prime number of them, so that orders and sizes, which both follow the place in a batch, meet
    in all pairs.
    """
    draws = torch.rand(orders, length, generator=torch.Generator().manual_seed(0))
    return draws.argsort(1)
