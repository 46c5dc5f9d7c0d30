"""One small network per column of a table, each reading the columns that come before it.

All of them are evaluated side by side in training, as batched products, and one after the other
in sampling. The heads are in `likelihoods/mixed.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from genmodels.arrangement import Arrangement
from genmodels.layout import Layout
from genmodels.networks.contexts import FullContext, make_context
from genmodels.networks.features import Features
from genmodels.networks.straight import (
    note_score,
    straight_shift,
    straight_shifts,
    straight_weights,
)

__all__ = ["Columnwise", "Drawn"]


@dataclass
class Drawn:
    """What has been drawn of B rows so far.

    Args:
        read: for the first layer.
        straight: normal scores and standardised values of the scores, shape (B, 2 F).
    """

    read: list[Tensor]
    straight: Tensor


class Columnwise(nn.Module):
    """h_j = h + silu(W_2 drop(h) + b_2), h = silu(a_j), for each variable j.

    a_j comes from the features of the variables i before j, which are those of a lower rank. A
    straight path without hidden layers, m_j = sum_{i: rank i < rank j} S_ij (y_i, x_i), shifts
    the means of the scores.

    Args:
        layout: of a table with V columns or parts of them, the *variables*.
        target: the column that is drawn last, as what predicts best; None: as in the table.
        hidden: width H of the hidden layers; after a summed first layer `summed` at most.
        layers: hidden layers after the first one.
        dropout: share of hidden units dropped while training, the same for all columns of a row.
        cells: of the piecewise linear code of a number, at most.
        most_cells: of all numbers together.
        embedding: width of the vector of a level.
        context: "full" first layer, "summed" one for very wide tables, "auto".
        summed: width of the running sum of a summed first layer.
    """

    rank: Tensor

    def __init__(
        self,
        *,
        layout: Layout,
        target: str | None,
        hidden: int,
        layers: int,
        dropout: float,
        cells: int,
        most_cells: int,
        embedding: int,
        context: Literal["auto", "full", "summed"],
        summed: int,
    ) -> None:
        super().__init__()
        arrangement = Arrangement(layout)
        self.arrangement, self.dropout = arrangement, dropout
        self.order = arrangement.order(target)
        rank = arrangement.ranks(target)
        self.register_buffer("rank", rank, False)
        self.features = Features(
            arrangement=arrangement,
            order=self.order,
            cells=cells,
            most_cells=most_cells,
            embedding=embedding,
        )
        self.context = make_context(
            context, features=self.features, rank=rank, hidden=hidden, width=summed
        )
        self.hidden = hidden = self.context.hidden
        bound, count = 1.0 / math.sqrt(hidden), len(arrangement)
        self.weights = nn.ParameterList(
            nn.Parameter((torch.rand(count, hidden, hidden) * 2 - 1) * bound) for _ in range(layers)
        )
        self.biases = nn.ParameterList(
            nn.Parameter(torch.zeros(count, 1, hidden)) for _ in range(layers)
        )
        self.straight = straight_weights(arrangement)

    def forward(self, values: Tensor, codes: Tensor, rank: Tensor) -> tuple[Tensor, Tensor]:
        """Whole rows: scores (B, F), levels (B, Q), and the order, ranks (V,).

        Returns:
            h of all variables as they are arranged, (V, B, H), and shifts of the means, (F, B).
        """
        fixed, learned, straight = self.features(values, codes)
        h = silu(self.context(fixed, learned, rank).contiguous())
        for weight, bias in zip(self.weights, self.biases, strict=True):
            h = h + silu(torch.baddbmm(bias, self.drop(h), weight))
        ranks = rank[self.arrangement.scores :]
        return self.drop(h), straight_shifts(self.straight, straight, ranks)

    def variable_axes(self) -> dict[str, tuple[int, slice]] | None:
        """Axis of the variables in each parameter, and which; None if all share the first layer."""
        if not isinstance(self.context, FullContext):
            return None
        everything = slice(0, len(self.rank))
        found = {
            f"context.{key}": (axis, everything)
            for key, axis in self.context.variable_axes().items()
        }
        hidden = {f"{kind}.{k}" for kind in ("weights", "biases") for k in range(len(self.weights))}
        found |= dict.fromkeys(hidden, (0, everything))
        return found | {"straight": (1, slice(self.arrangement.scores, len(self.rank)))}

    def drop(self, h: Tensor) -> Tensor:
        if not self.training or self.dropout <= 0:
            return h
        kept = torch.rand(h.shape[1:], device=h.device) >= self.dropout
        return h * (kept / (1.0 - self.dropout)).to(h.dtype)

    def start(self, rows: int) -> Drawn:
        """`rows` rows of which nothing has been drawn yet."""
        device = self.rank.device
        straight = torch.zeros(rows, len(self.straight), device=device)
        return Drawn(self.context.start(rows, device), straight)

    def observe(
        self,
        drawn: Drawn,
        i: int,
        value: Tensor | None,
        code: Tensor | None,
        rows: Tensor | None,
    ) -> None:
        """Note that variable i has the score (B,) and the level (B,), in some rows or in all."""
        features = self.features.of(i, value, code, rows)
        self.context.observe(drawn.read, i, features)
        note_score(drawn.straight, i - self.arrangement.scores, features[0])

    def read(self, drawn: Drawn, j: int, upto: int | None) -> tuple[Tensor, Tensor | None]:
        """h_j (B, H) and the shift of its mean (B,) or None, see `algorithms/drawing.py`."""
        h = silu(self.context.read(drawn.read, j, upto), inplace=True)
        for weight, bias in zip(self.weights, self.biases, strict=True):
            h = h + silu(torch.addmm(bias[j], h, weight[j]), inplace=True)
        k = j - self.arrangement.scores
        return h, straight_shift(self.straight, drawn.straight, k)
