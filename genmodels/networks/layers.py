"""Small things that several networks share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag

from genmodels.layout import Layout, TableLayout

__all__ = ["JoinedLinear", "join", "leaky_slopes", "packed", "require_table", "small_linear"]


def require_table(layout: Layout, who: str) -> TableLayout:
    """The layout if it is one of a table.

    Raises:
        ValueError: with advice, if it is not.
    """
    if not isinstance(layout, TableLayout):
        raise ValueError(
            f"{who} reads tables, but the data are images; choose a model for images, such as "
            "model=dcgan or model=conv_vae"
        )
    return layout


def small_linear(inputs: int, outputs: int, share: float) -> nn.Linear:
    """A linear layer with weights of `share` times the usual size, and no bias yet."""
    layer = nn.Linear(inputs, outputs)
    bound = share / math.sqrt(inputs)
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.zeros_(layer.bias)
    return layer


def packed(x: Tensor, pack: int) -> Tensor:
    """Rows (B, D) with each pack of rows in one line, (B / pack, pack * D).

    Raises:
        ValueError: when the rows do not divide into packs.
    """
    if len(x) % pack:
        raise ValueError(
            f"a batch of {len(x)} rows does not divide into packs of {pack} "
            "(model.discriminator.pack, batching.batch_size)"
        )
    return x.reshape(len(x) // pack, -1)


class JoinedLinear(nn.Module):
    """A linear layer on several inputs and a condition, without writing them side by side.

    y = sum_i x_i W_i^T + c W_c + b. One weight per input saves the copy, and saves the gradient
    with respect to inputs that need none, such as latents. The condition is one-hot, so c W_c
    looks rows up; a row of zeros gives zero.

    Args:
        widths: width of each input x_i.
        condition: width K of c, 0 for none.
        out: width of y.
        pack: rows of c per row of x and y, each place in the pack with weights of its own.
    """

    levels: Tensor
    places: Tensor

    def __init__(self, *, widths: Sequence[int], condition: int, out: int, pack: int = 1) -> None:
        super().__init__()
        self.condition, self.pack = condition, pack
        fan_in = sum(widths) + pack * condition
        bound = 1.0 / math.sqrt(max(1, fan_in))  # that of `nn.Linear` on the joined input
        self.weights = nn.ParameterList(
            nn.Parameter(torch.empty(out, width).uniform_(-bound, bound)) for width in widths
        )
        self.bias = nn.Parameter(torch.empty(out).uniform_(-bound, bound))
        if condition:
            table = torch.empty(1 + pack * condition, out).uniform_(-bound, bound)
            table[0] = 0.0
            self.table = nn.Parameter(table)
        places = 1.0 + condition * torch.arange(pack, dtype=torch.float32)
        self.register_buffer("places", places, False)
        self.register_buffer("levels", torch.arange(condition, dtype=torch.float32), False)

    def forward(self, *inputs: Tensor, c: Tensor) -> Tensor:
        """Inputs (B / pack, widths[i]) and c (B, K) -> (B / pack, out)."""
        y: Tensor = self.bias
        if self.condition:
            y = y + embedding_bag(self.rows(c), self.table, mode="sum", padding_idx=0)
        for x, weight in zip(inputs, self.weights, strict=True):
            y = torch.addmm(y, x, weight.t())
        return y

    def rows(self, c: Tensor) -> Tensor:
        """Where to look: (B, K) one-hot or zero -> (B / pack, pack) row numbers, 0 for zero."""
        level = (c * self.levels).sum(1).view(-1, self.pack)
        return ((level + self.places) * c.sum(1).view(-1, self.pack)).long()


def join(
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor],
    bias: Tensor,
    table: Tensor | None,
    rows: Tensor | None,
) -> Tensor:
    """sum_i x_i W_i^T + table[rows] + bias, as `JoinedLinear` without gradients in mind.

    Args:
        inputs: x_i, shape (B, width i).
        weights: W_i, shape (out, width i).
        bias: shape (out,).
        table: shape (1 + K, out), or None without a condition.
        rows: of the table, shape (B,), or None without a condition.
    """
    y = bias if table is None or rows is None else (table + bias).index_select(0, rows)
    for x, weight in zip(inputs, weights, strict=True):
        y = torch.addmm(y, x, weight.t())
    return y


def leaky_slopes(a: Tensor, slope: float, dropout: float) -> Tensor:
    """The factors by which leaky ReLU and dropout multiply their input a, without a graph.

    1 or `slope` by the sign of a, then 0 with probability `dropout`, else divided by
    1 - dropout. `a * leaky_slopes(a, ...)` is both layers, and the factors are its derivative.
    """
    with torch.no_grad():
        keep = 1.0 / (1.0 - dropout)
        slopes = torch.where(a > 0, keep, slope * keep)
        return slopes.mul_(torch.rand_like(a) >= dropout) if dropout > 0 else slopes
