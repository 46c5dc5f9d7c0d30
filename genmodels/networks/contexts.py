"""First layers that let each variable of a row read those that come before it, in any order.

An order is given by ranks: variable j reads variable i if, and only if, rank i < rank j. The
full layer has weights of its own for each pair of variables; the summed one passes on a running
sum, so that its cost grows with the number of variables and not with its square.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from genmodels.networks.features import Features
from genmodels.precision import product_type

__all__ = ["FullContext", "SummedContext", "make_context"]

_MOST_WEIGHTS = 6_000_000


class FullContext(nn.Module):
    """a_j = b_j + sum_{i: rank i < rank j} W_ij f_i for each variable j.

    Args:
        features: f_i of each variable.
        rank: of the V variables in the usual order.
        hidden: width H of a_j.
    """

    def __init__(self, *, features: Features, rank: Tensor, hidden: int) -> None:
        super().__init__()
        self.hidden, self.count = hidden, len(rank)
        owners = [features.get_buffer(f"{kind}_owners") for kind in ("fixed", "learned")]
        for k, owner in enumerate(owners):
            self.register_buffer(f"owners{k}", owner.clone(), False)
        self.slices = (features.fixed_slices, features.learned_slices)
        self.stops = features.stops
        read = sum((rank[owner][:, None] < rank).sum(0) for owner in owners)
        bound = torch.as_tensor(read).clamp(min=1).rsqrt()[None, :, None]
        self.weights = nn.ParameterList(
            nn.Parameter((torch.rand(len(owner), len(rank), hidden) * 2 - 1) * bound)
            for owner in owners
        )
        self.bias = nn.Parameter(torch.zeros(len(rank), hidden))

    def forward(self, fixed: Tensor, learned: Tensor, rank: Tensor) -> Tensor:
        """Features (B, A) and (B, E), ranks (V,) -> a of all variables, shape (V, B, H)."""
        first, second = (
            (weight.to(product_type(weight)) * self.visible(k, rank)).flatten(1)
            for k, weight in enumerate(self.weights)
        )
        whole = fixed @ first + learned @ second
        return whole.unflatten(1, (self.count, self.hidden)).transpose(0, 1) + self.bias[:, None]

    def variable_axes(self) -> dict[str, int]:
        """Axis of the variables in each parameter."""
        return {"weights.0": 1, "weights.1": 1, "bias": 0}

    def visible(self, kind: int, rank: Tensor) -> Tensor:
        """Which features each variable may read, (features, V, 1) of 0 and 1."""
        owners = self.get_buffer(f"owners{kind}")
        return (rank[owners][:, None] < rank).unsqueeze(2).to(product_type(self.bias))

    def start(self, rows: int, device: torch.device) -> list[Tensor]:
        """What has been drawn of `rows` rows: nothing yet."""
        kind = product_type(self.bias)
        return [torch.zeros(rows, len(w), device=device, dtype=kind) for w in self.weights]

    def observe(self, drawn: list[Tensor], i: int, features: tuple[Tensor, Tensor]) -> None:
        """Note the features of variable i, zeros in rows that do not know it."""
        for held, slices, found in zip(drawn, self.slices, features, strict=True):
            if i in slices:
                held[:, slices[i]] += found

    def read(self, drawn: list[Tensor], j: int, upto: int | None) -> Tensor:
        """a_j (B, H), new, from what has been drawn: the first `upto` in the usual order."""
        out = self.bias[j].to(drawn[0].dtype).expand(len(drawn[0]), -1)
        for held, weight, stops in zip(drawn, self.weights, self.stops, strict=True):
            stop = stops[-1 if upto is None else upto]
            if stop:
                out = torch.addmm(out, held[:, :stop], weight[:stop, j].to(held.dtype))
        return out.clone() if out.stride(0) == 0 else out


class SummedContext(nn.Module):
    """a_j = b_j + D_j s_j with s_j = sum_{i: rank i < rank j} E_i f_i, a running sum.

    Args:
        features: f_i of each variable.
        rank: of the V variables in the usual order.
        hidden: width H of a_j; W at most, the rank that a linear map of the sum can have.
        width: W of the sum.
    """

    padded: Tensor

    def __init__(self, *, features: Features, rank: Tensor, hidden: int, width: int) -> None:
        super().__init__()
        self.width, self.count, self.hidden = width, len(rank), min(hidden, width)
        self.register_buffer("padded", _padded(features), False)
        wide = self.padded.shape[1]
        self.inner = nn.Parameter(torch.randn(self.count, wide, width) / math.sqrt(wide))
        bound = 1.0 / math.sqrt(width)
        self.outer = nn.Parameter((torch.rand(self.count, width, self.hidden) * 2 - 1) * bound)
        self.bias = nn.Parameter(torch.zeros(self.count, 1, self.hidden))
        self.scale = 1.0 / math.sqrt(self.count)

    def forward(self, fixed: Tensor, learned: Tensor, rank: Tensor) -> Tensor:
        """Features (B, A) and (B, E), ranks (V,) -> a of all variables, shape (V, B, H)."""
        whole = torch.cat([fixed, learned, fixed.new_zeros(len(fixed), 1)], 1).t()
        order = rank.argsort()
        read = whole.index_select(0, self.padded.index_select(0, order).flatten())
        read = read.unflatten(0, self.padded.shape).transpose(1, 2)
        terms = torch.bmm(read, self.inner.index_select(0, order) * self.scale)
        before = _sums_before(terms).index_select(0, order.argsort())
        return torch.baddbmm(self.bias, before, self.outer)

    def start(self, rows: int, device: torch.device) -> list[Tensor]:
        """What has been drawn of `rows` rows: nothing yet."""
        return [torch.zeros(rows, self.width, device=device)]

    def observe(self, drawn: list[Tensor], i: int, features: tuple[Tensor, Tensor]) -> None:
        """Note the features of variable i, zeros in rows that do not know it."""
        found = torch.cat(features, 1)
        drawn[0] += found @ self.inner[i, : found.shape[1]]

    def read(self, drawn: list[Tensor], j: int, upto: int | None) -> Tensor:
        """a_j (B, H), new, from what has been drawn."""
        return torch.addmm(self.bias[j], drawn[0] * self.scale, self.outer[j])


def make_context(
    kind: Literal["auto", "full", "summed"],
    *,
    features: Features,
    rank: Tensor,
    hidden: int,
    width: int,
) -> FullContext | SummedContext:
    """The first layer of a kind; "auto": summed where the full one would be too large.

    Raises:
        ValueError: when there is no such kind.
    """
    if kind not in ("auto", "full", "summed"):
        raise ValueError(f"model.network.context must be auto, full or summed, got {kind!r}")
    inputs = sum(len(features.get_buffer(f"{k}_owners")) for k in ("fixed", "learned"))
    if kind == "full" or (kind == "auto" and inputs * len(rank) * hidden <= _MOST_WEIGHTS):
        return FullContext(features=features, rank=rank, hidden=hidden)
    return SummedContext(features=features, rank=rank, hidden=hidden, width=width)


def _sums_before(terms: Tensor) -> Tensor:
    """sum_{i < j} of terms (V, B, W) for each j: sums in groups of about sqrt(V), and of groups.

    They are products with triangles: faster than a running sum along the first axis.
    """
    size = math.isqrt(max(0, len(terms) - 1)) + 1
    groups = -(-len(terms) // size)
    padded = pad(terms.flatten(1), (0, 0, 0, groups * size - len(terms)))
    grouped = padded.unflatten(0, (groups, size))
    within, between = (torch.ones(n, n, device=terms.device).tril(-1) for n in (size, groups))
    earlier = between.to(terms.dtype) @ grouped.sum(1)
    found = torch.baddbmm(earlier[:, None], within.to(terms.dtype).expand(groups, -1, -1), grouped)
    return found.flatten(0, 1)[: len(terms)].unflatten(1, terms.shape[1:])


def _padded(features: Features) -> Tensor:
    """Where the features of each variable lie among all of them, (V, most); absent: the last."""
    rows = features.columns()
    absent, most = sum(len(row) for row in rows), max(len(row) for row in rows)
    return torch.tensor([row + [absent] * (most - len(row)) for row in rows])
