"""One transformer for all columns of a table: each asks those before it, in any order.

A variable is a token once it is known, and a question while it is not. Tokens do not read each
other, so what a question reads depends on what is known, not on the order in which it became
known. The heads are in `likelihoods/mixed.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genmodels.arrangement import Arrangement
from genmodels.layout import Layout
from genmodels.networks.attention import AttentionBlock
from genmodels.networks.features import Features
from genmodels.networks.straight import (
    note_score,
    straight_shift,
    straight_shifts,
    straight_weights,
)
from genmodels.networks.tokens import Tokens

__all__ = ["Held", "Transformer"]


@dataclass
class Held:
    """What has been drawn of B rows so far.

    Args:
        tokens: the start token, then those of the variables in the usual order, (B, 1 + V, H).
        visible: which of them a row knows, bool (B, 1 + V).
        straight: normal scores and standardised values of the scores, shape (B, 2 F).
    """

    tokens: Tensor
    visible: Tensor
    straight: Tensor


class Transformer(nn.Module):
    """h_j = norm(x_j) after x_j <- x_j + attention(x_j, t), x_j <- x_j + mlp(x_j) in each block.

    x_j starts as a learned vector of variable j, which is what is asked. The tokens t are a
    start token and t_i = norm(W_i f_i) of the variables i of a lower rank, where f_i are the
    features of i. All variables share the blocks. A straight path without hidden layers shifts
    the means of the scores (see `networks/straight.py`).

    A row costs V^2 H in the attention and V H^2 elsewhere: meant for up to a few hundred
    variables. Beyond, take smaller batches, or the network "columnwise".

    Args:
        layout: of a table with V columns or parts of them, the *variables*.
        target: the column that is drawn last, as what predicts best; None: as in the table.
        hidden: width H of tokens, questions and answers.
        layers: number of blocks.
        heads: of the attention; H must be a multiple of it.
        expansion: hidden units of a block's perceptron, as a multiple of H.
        dropout: share of units dropped while training, the same for all columns of a row.
        cells: of the piecewise linear code of a number, at most.
        most_cells: of all numbers together.
        embedding: width of the vector of a level.

    References:
        Vaswani et al., "Attention Is All You Need", 2017, section 3.2.
        Yang et al., "XLNet", 2019, section 2.3 (the query knows its target, not its content).
        Shazeer, "GLU Variants Improve Transformer", 2020 (SwiGLU).
    """

    rank: Tensor

    def __init__(
        self,
        *,
        layout: Layout,
        target: str | None,
        hidden: int,
        layers: int,
        heads: int,
        expansion: float,
        dropout: float,
        cells: int,
        most_cells: int,
        embedding: int,
    ) -> None:
        super().__init__()
        if hidden % heads:
            raise ValueError(
                f"model.network.hidden must be a multiple of model.network.heads, got {hidden} "
                f"and {heads}"
            )
        if layers < 1:
            raise ValueError(f"model.network.layers must be at least 1, got {layers}")
        arrangement = Arrangement(layout)
        self.arrangement, self.dropout = arrangement, dropout
        self.order = arrangement.order(target)
        self.register_buffer("rank", arrangement.ranks(target), False)
        self.slots = [1 + int(rank) for rank in self.rank]
        self.features = Features(
            arrangement=arrangement,
            order=self.order,
            cells=cells,
            most_cells=most_cells,
            embedding=embedding,
        )
        self.hidden = hidden
        self.tokens = Tokens(features=self.features, hidden=hidden)
        self.questions = nn.Parameter(torch.randn(len(arrangement), hidden))
        self.blocks = nn.ModuleList(
            AttentionBlock(
                hidden=hidden, heads=heads, inner=round(expansion * hidden), layers=layers
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(hidden)
        self.straight = straight_weights(arrangement)

    def forward(self, values: Tensor, codes: Tensor, rank: Tensor) -> tuple[Tensor, Tensor]:
        """Whole rows: scores (B, F), levels (B, Q), and the order, ranks (V,).

        Returns:
            h of all variables as they are arranged, (V, B, H), and shifts of the means, (F, B).
        """
        fixed, learned, straight = self.features(values, codes)
        tokens = self.tokens(fixed, learned)
        before = rank < rank[:, None]
        visible = torch.cat([torch.ones_like(before[:, :1]), before], 1)
        x = self.questions[:, None]
        for block in self.blocks:
            x = block(x, tokens, visible, self.kept(tokens))
        shift = straight_shifts(self.straight, straight, rank[self.arrangement.scores :])
        return self.norm(x), shift

    def kept(self, tokens: Tensor) -> tuple[Tensor, Tensor] | None:
        """Factors (B, H) for the two outputs of a block: 0 for dropped units."""
        if not self.training or self.dropout <= 0:
            return None
        drawn = torch.rand(2, *tokens.shape[1:], device=tokens.device) >= self.dropout
        first, second = (drawn / (1.0 - self.dropout)).unbind(0)
        return first, second

    def start(self, rows: int) -> Held:
        """`rows` rows of which nothing has been drawn yet."""
        device, count = self.rank.device, len(self.order)
        tokens = torch.zeros(rows, 1 + count, self.questions.shape[1], device=device)
        tokens[:, 0] = self.tokens.start()
        visible = torch.zeros(rows, 1 + count, dtype=torch.bool, device=device)
        visible[:, 0] = True
        return Held(tokens, visible, torch.zeros(rows, len(self.straight), device=device))

    def observe(
        self,
        drawn: Held,
        i: int,
        value: Tensor | None,
        code: Tensor | None,
        rows: Tensor | None,
    ) -> None:
        """Note that variable i has the score (B,) and the level (B,), in some rows or in all."""
        fixed, learned = self.features.of(i, value, code, rows)
        slot, token = self.slots[i], self.tokens.of(i, fixed, learned)
        if rows is None:
            drawn.tokens[:, slot] = token
            drawn.visible[:, slot] = True
        else:
            former = drawn.tokens[:, slot]
            drawn.tokens[:, slot] = torch.where(rows[:, None], token.to(former.dtype), former)
            drawn.visible[:, slot] |= rows
        note_score(drawn.straight, i - self.arrangement.scores, fixed)

    def read(self, drawn: Held, j: int, upto: int | None) -> tuple[Tensor, Tensor | None]:
        """h_j (B, H) and the shift of its mean (B,) or None, see `algorithms/drawing.py`."""
        tokens = drawn.tokens if upto is None else drawn.tokens[:, : 1 + upto]
        visible = drawn.visible if upto is None else None
        x = self.questions[j : j + 1]
        for block in self.blocks:
            assert isinstance(block, AttentionBlock)
            x = block.read(x, tokens, visible)
        k = j - self.arrangement.scores
        return self.norm(x), straight_shift(self.straight, drawn.straight, k)
