"""A block in which questions read tokens that are given, and think about what they read."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention, silu

from genmodels.precision import full_precision

__all__ = ["AttentionBlock"]


class AttentionBlock(nn.Module):
    """x <- x + O attention(Q norm(x), K t, V t), x <- x + D (silu(G norm(x)) * U norm(x)).

    Args:
        hidden: width H.
        heads: of the attention.
        inner: hidden units of the perceptron.
        layers: blocks in a row; the outputs of each are small before training.
    """

    def __init__(self, *, hidden: int, heads: int, inner: int, layers: int) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(2))
        self.query = nn.Linear(hidden, hidden, bias=False)
        self.key = nn.Linear(hidden, hidden, bias=False)
        self.value = nn.Linear(hidden, hidden, bias=False)
        self.out = nn.Linear(hidden, hidden, bias=False)
        self.up = nn.Linear(hidden, 2 * inner)
        self.down = nn.Linear(inner, hidden)
        for last in (self.out, self.down):
            nn.init.normal_(last.weight, 0.0, 1.0 / math.sqrt(2 * layers * last.in_features))

    def forward(
        self, x: Tensor, tokens: Tensor, visible: Tensor, kept: tuple[Tensor, Tensor] | None
    ) -> Tensor:
        """Questions (V, B or 1, H) read tokens (T, B, H) where visible (V, T) -> (V, B, H)."""
        q, k, v = (
            part.unflatten(2, (self.heads, -1)).permute(1, 2, 0, 3)
            for part in (self.query(self.norms[0](x)), self.key(tokens), self.value(tokens))
        )
        found = _attend(q.expand(len(k), -1, -1, -1), k, v, visible)
        answer = self.out(found.permute(2, 0, 1, 3).flatten(2))
        x = x + (answer if kept is None else answer * kept[0])
        change = self.think(x)
        return x + (change if kept is None else change * kept[1])

    def among(self, x: Tensor, visible: Tensor, kept: tuple[Tensor, Tensor] | None) -> Tensor:
        """Tokens (T, B, H) read each other where visible (T, T) -> (T, B, H)."""
        return self(x, self.norms[0](x), visible, kept)

    def step(self, x: Tensor, keys: Tensor, values: Tensor, place: int) -> Tensor:
        """One more token (B, H) reads itself and those before it, as `among` does -> (B, H).

        Args:
            x: the token.
            keys, values: of the tokens before it, (B, heads, T, H / heads); its own are added.
            place: how many there are before it.
        """
        own = self.norms[0](x)
        q, k, v = (
            part.unflatten(1, (self.heads, -1))
            for part in (self.query(own), self.key(own), self.value(own))
        )
        keys[:, :, place], values[:, :, place] = k, v
        seen = slice(place + 1)
        found = scaled_dot_product_attention(
            q[:, :, None].to(keys.dtype), keys[:, :, seen], values[:, :, seen]
        )
        x = x + self.out(found.flatten(1))
        return x + self.think(x)

    def think(self, x: Tensor) -> Tensor:
        gate, up = self.up(self.norms[1](x)).chunk(2, -1)
        out: Tensor = self.down(silu(gate) * up)
        return out

    def read(self, x: Tensor, tokens: Tensor, visible: Tensor | None) -> Tensor:
        """Questions (B or 1, H) read tokens (B, T, H) where visible (B, T) -> (B, H).

        K and V are moved from the tokens to the one question: q (K t) = (q K) t.
        """
        size = x.shape[1] // self.heads
        q = self.query(self.norms[0](x)).unflatten(1, (self.heads, -1)).transpose(0, 1)
        q = torch.bmm(q, self.key.weight.unflatten(0, (self.heads, -1))).transpose(0, 1)
        q = q.expand(len(tokens), -1, -1) / math.sqrt(size)
        logits = torch.bmm(q, tokens.transpose(1, 2))
        if visible is not None:
            logits = logits.masked_fill(~visible[:, None], -torch.inf)
        seen = torch.bmm(logits.softmax(2), tokens).transpose(0, 1)
        value = self.value.weight.unflatten(0, (self.heads, -1)).transpose(1, 2)
        found = torch.bmm(seen, value).transpose(0, 1).flatten(1)
        x = x + self.out(found)
        return x + self.think(x)


def _attend(q: Tensor, k: Tensor, v: Tensor, visible: Tensor) -> Tensor:
    """Attention (B, heads, V, .) without weights of all pairs in memory at once.

    On a CPU the derivative is several times as fast in float32 as in fewer bits.
    """
    if q.device.type != "cpu" or q.dtype.itemsize >= 4:
        return scaled_dot_product_attention(q, k, v, attn_mask=visible)
    with full_precision(q):
        return scaled_dot_product_attention(q.float(), k.float(), v.float(), attn_mask=visible)
