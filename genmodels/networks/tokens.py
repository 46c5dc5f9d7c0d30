"""Each variable of a row as a vector of one width: what attention reads."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from genmodels.networks.features import Features

__all__ = ["Tokens"]


class Tokens(nn.Module):
    """t_i = norm(W_i f_i) for each variable i, and a learned start token.

    f_i are the features of i, of which the first is always 1: its row of W_i is the learned
    vector of the variable. Variables with equally many features are multiplied together, so
    nothing is padded, and there are a handful of products whatever the number of variables.

    Args:
        features: f_i of each variable.
        hidden: width H of a token.
    """

    places: Tensor

    def __init__(self, *, features: Features, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        columns = features.columns()
        widths = sorted({len(own) for own in columns})
        groups = [[i for i, own in enumerate(columns) if len(own) == width] for width in widths]
        self.homes = {i: (g, r) for g, group in enumerate(groups) for r, i in enumerate(group)}
        self.begin = nn.Parameter(torch.randn(hidden))
        self.weights = nn.ParameterList()
        for g, (width, group) in enumerate(zip(widths, groups, strict=True)):
            index = torch.tensor([columns[i] for i in group], dtype=torch.long)
            self.register_buffer(f"columns{g}", index, False)
            weight = torch.randn(len(group), width, hidden) / math.sqrt(width)
            weight[:, 0] = torch.randn(len(group), hidden)
            self.weights.append(nn.Parameter(weight))
        joined = [i for group in groups for i in group]
        places = [0, *(1 + joined.index(i) for i in range(len(columns)))]
        self.register_buffer("places", torch.tensor(places, dtype=torch.long), False)

    def forward(self, fixed: Tensor, learned: Tensor) -> Tensor:
        """Features (B, A) and (B, E) -> (1 + V, B, H), the start token first."""
        whole = torch.cat([fixed, learned], 1).t()
        parts = [self.begin.expand(1, len(fixed), -1)]
        for g, weight in enumerate(self.weights):
            columns = self.get_buffer(f"columns{g}")
            read = whole.index_select(0, columns.flatten()).unflatten(0, columns.shape)
            parts.append(torch.bmm(read.transpose(1, 2), weight).float())
        return self.norm(torch.cat(parts).index_select(0, self.places))

    def of(self, i: int, fixed: Tensor, learned: Tensor) -> Tensor:
        """The token (B, H) of variable i alone, from its features."""
        group, row = self.homes[i]
        return self.norm((torch.cat([fixed, learned], 1) @ self.weights[group][row]).float())

    def start(self) -> Tensor:
        """The start token (H,)."""
        return self.norm(self.begin)

    def norm(self, tokens: Tensor) -> Tensor:
        return layer_norm(tokens, (self.hidden,))
