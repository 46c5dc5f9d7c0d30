"""From vectors to codes of a finite set and back; gradients pass as if nothing had been rounded.

Everything is computed in full precision: which code is nearest must not depend on rounding. In
several processes a learned codebook is the same in all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from genmodels.precision import full_precision

__all__ = ["FSQ", "Codebook", "Quantized", "usage"]


@dataclass(frozen=True, eq=False, slots=True)
class Quantized:
    """What became of vectors (B, T, F).

    Args:
        vectors: of the codes, shape (B, T, F); gradients go to what was rounded.
        tokens: numbers of the codes, int64, shape (B, T).
        points: what was rounded, shape (B, T, D).
        cost: to be paid for what the rounding changed, shape (B,).
    """

    vectors: Tensor
    tokens: Tensor
    points: Tensor
    cost: Tensor


class FSQ(nn.Module):
    """Each of D numbers is bounded and rounded to one of a few levels: no codebook to learn.

    y = tanh(z + shift) (L - 1) (1 + e) / 2 - offset, rounded, of which L values are possible.
    The code is the vector of the rounded y / (L // 2), its number has the digits y + L // 2.

    Args:
        levels: L of each of the D numbers, at least 2; there are as many codes as their product.
        features: width F of the vectors that come and go.

    References:
        Mentzer et al., "Finite Scalar Quantization: VQ-VAE Made Simple", 2024, section 3.
    """

    reach: Tensor
    offset: Tensor
    shift: Tensor
    middle: Tensor
    steps: Tensor
    levels: Tensor

    def __init__(self, *, levels: Sequence[int], features: int) -> None:
        super().__init__()
        if not levels or min(levels) < 2:
            raise ValueError(
                f"model.quantizer.levels must be numbers of at least 2, got {list(levels)}"
            )
        self.codes, self.features = math.prod(levels), features
        counts = torch.tensor(levels)
        reach = (counts - 1.0) * (1.0 + 1e-3) / 2.0
        offset = torch.where(counts % 2 == 0, 0.5, 0.0)
        steps = torch.tensor([1, *levels[:-1]]).cumprod(0)
        named = {"reach": reach, "offset": offset, "shift": torch.atanh(offset / reach)}
        named |= {"levels": counts, "middle": counts // 2, "steps": steps}
        for name, value in named.items():
            self.register_buffer(name, value, False)
        self.into = _into(features, len(levels))
        self.out = nn.Linear(len(levels), features)

    def forward(self, h: Tensor) -> Quantized:
        """Vectors (B, T, F) -> codes."""
        with full_precision(h):
            z = self.into(layer_norm(h.to(self.into.weight.dtype), (self.features,)))
            bounded = torch.tanh(z + self.shift) * self.reach - self.offset
            rounded = bounded + (bounded.round() - bounded).detach()
            tokens = ((rounded.detach().long() + self.middle) * self.steps).sum(2)
            return Quantized(
                vectors=self.out(rounded / self.middle),
                tokens=tokens,
                points=bounded,
                cost=h.new_zeros(len(h), dtype=torch.float32),
            )

    def lookup(self, tokens: Tensor) -> Tensor:
        """Numbers of codes (B, T) -> their vectors (B, T, F)."""
        with full_precision(tokens):
            digits = tokens[..., None] // self.steps % self.levels
            out: Tensor = self.out((digits - self.middle) / self.middle)
        return out

    def usage(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Perplexity of the codes in tokens, and the share of the codes that occur."""
        return usage(tokens, self.codes)

    def learn(self, points: Tensor, tokens: Tensor) -> None:
        """Nothing: the codes are where they are."""


class Codebook(nn.Module):
    """The nearest of K learned codes, which follow the mean of the points they stand for.

    N_k <- g N_k + (1 - g) n_k, m_k <- g m_k + (1 - g) sum of points of k, e_k = m_k / N_k with
    N_k + eps smoothed to keep its sum. A code whose N_k falls below a share of the mean takes
    the place of a random point of the batch, and so do all codes in the first update.

    Args:
        codes: K.
        width: D of a code. A narrow one keeps more codes in use.
        features: width F of the vectors that come and go.
        decay: g, per update.
        commitment: weight of the squared distance of a point from its code, nats.
        dead: below this share of the mean use a code starts anew, in [0, 1); 0: never.
        epsilon: of the Laplace smoothing.

    References:
        van den Oord, Vinyals, Kavukcuoglu, "Neural Discrete Representation Learning", 2017,
        equation 3 and appendix A.1.
        Dhariwal et al., "Jukebox", 2020, section 3 (restart of dead codes).
        Yu et al., "Vector-quantized Image Modeling with Improved VQGAN", 2022, section 3.2
        (narrow codes).
    """

    book: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(
        self,
        *,
        codes: int,
        width: int,
        features: int,
        decay: float,
        commitment: float,
        dead: float,
        epsilon: float,
    ) -> None:
        super().__init__()
        if codes < 2:
            raise ValueError(f"model.quantizer.codes must be at least 2, got {codes}")
        if not 0.0 <= dead < 1.0:
            raise ValueError(f"model.quantizer.dead must be in [0, 1), got {dead}")
        self.codes, self.features = codes, features
        self.decay, self.commitment, self.dead, self.epsilon = decay, commitment, dead, epsilon
        book = torch.randn(codes, width)
        counts = torch.zeros(codes) if dead > 0 else torch.ones(codes)
        self.register_buffer("book", book)
        self.register_buffer("counts", counts)
        self.register_buffer("sums", book * counts[:, None])
        self.into = _into(features, width)
        self.out = nn.Linear(width, features)

    def forward(self, h: Tensor) -> Quantized:
        """Vectors (B, T, F) -> codes."""
        with full_precision(h):
            z = self.into(layer_norm(h.to(self.into.weight.dtype), (self.features,)))
            with torch.no_grad():
                distances = self.book.square().sum(1) - 2.0 * (z @ self.book.t())
                tokens = distances.argmin(2)
                nearest = self.book[tokens]
            return Quantized(
                vectors=self.out(z + (nearest - z).detach()),
                tokens=tokens,
                points=z,
                cost=self.commitment * (z - nearest).square().sum((1, 2)),
            )

    def lookup(self, tokens: Tensor) -> Tensor:
        """Numbers of codes (B, T) -> their vectors (B, T, F)."""
        with full_precision(tokens):
            out: Tensor = self.out(self.book[tokens])
        return out

    def usage(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Perplexity of the codes in tokens, and the share of the codes that occur."""
        return usage(tokens, self.codes)

    @torch.no_grad()
    def learn(self, points: Tensor, tokens: Tensor) -> None:
        """Move the codes after an update.

        Args:
            points: what was rounded, shape (B, T, D).
            tokens: to which codes, shape (B, T).
        """
        z, chosen = points.detach().flatten(0, 1), tokens.flatten()
        counts = z.new_zeros(self.codes).index_add_(0, chosen, z.new_ones(len(z)))
        sums = torch.zeros_like(self.book).index_add_(0, chosen, z)
        counts, sums = _total(counts), _total(sums)
        self.counts.lerp_(counts, 1.0 - self.decay)
        self.sums.lerp_(sums, 1.0 - self.decay)
        mean = counts.sum() / self.codes
        if self.dead > 0:
            picked = torch.randint(len(z), (self.codes,), device=z.device)
            fresh = _from_first(z[picked])
            dead = self.counts < self.dead * mean
            self.counts.copy_(torch.where(dead, mean, self.counts))
            self.sums.copy_(torch.where(dead[:, None], fresh * mean, self.sums))
        total = self.counts.sum()
        smooth = (self.counts + self.epsilon) / (total + self.codes * self.epsilon) * total
        self.book.copy_(self.sums / smooth[:, None])


def usage(tokens: Tensor, codes: int) -> tuple[Tensor, Tensor]:
    """How evenly codes are used: perplexity exp(-sum p log p), and the share of codes that occur.

    Args:
        tokens: numbers below `codes`, any shape.
        codes: how many there are.

    Returns:
        Two scalars; the perplexity is between 1 and `codes`.
    """
    flat = tokens.flatten()
    ones = torch.ones(len(flat), device=flat.device)
    counts = torch.zeros(codes, device=flat.device).index_add_(0, flat, ones)
    p = counts / len(flat)
    return torch.exp(torch.special.entr(p).sum()), (counts > 0).float().mean()


def _into(features: int, width: int) -> nn.Linear:
    """From normalised features to numbers of variance 1."""
    layer = nn.Linear(features, width)
    nn.init.normal_(layer.weight, std=1.0 / math.sqrt(features))
    nn.init.zeros_(layer.bias)
    return layer


def _several() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _total(x: Tensor) -> Tensor:
    """The sum over all processes."""
    if _several():
        torch.distributed.all_reduce(x)
    return x


def _from_first(x: Tensor) -> Tensor:
    """What the first process has."""
    if _several():
        torch.distributed.broadcast(x, 0)
    return x
