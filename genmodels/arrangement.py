"""The variables of a row in the order in which networks keep them: like beside like.

Variables with levels come first, sorted by how many they have; then numbers with states, then
plain scores. Heads of one size are thus slices of one tensor, and nothing is padded much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genmodels.layout import Layout, TableLayout
from genmodels.types import Encoded
from genmodels.variables import Variable, variables

__all__ = ["Arrangement", "Bucket", "Compact"]


@dataclass(frozen=True)
class Bucket:
    """Variables `start` ... `stop` - 1 have at most `width` levels each, and alike many."""

    start: int
    stop: int
    width: int


class Arrangement:
    """V variables, kept side by side by the size of their heads.

    Args:
        layout: of a table.

    Attributes:
        variables: in the order in which they are kept.
        places: where each variable of `variables(layout)` is kept, V numbers.
        levels: variables 0 ... levels - 1 have levels.
        scores: variables scores ... V - 1 have a score.
        buckets: of the variables with levels, in order, without gaps.
    """

    def __init__(self, layout: Layout) -> None:
        if not isinstance(layout, TableLayout):
            raise ValueError(
                "this model draws the variables of a table one after the other, but the data are "
                "images; choose a model for images, such as model=conv_vae or model=dcgan"
            )
        plain = variables(layout)
        kept = sorted(range(len(plain)), key=lambda i: _size(plain[i]))
        self.variables: tuple[Variable, ...] = tuple(plain[i] for i in kept)
        self.places = tuple(kept.index(i) for i in range(len(plain)))
        self.levels = sum(v.code is not None for v in self.variables)
        self.scores = sum(v.value is None for v in self.variables)
        self.buckets = tuple(self._buckets())

    def __len__(self) -> int:
        return len(self.variables)

    def order(self, target: str | None) -> Sequence[int]:
        """Where the variables are kept, in the order in which they are drawn: the target last."""
        ordered = list(self.places)
        named = [f"{variable.name}." for variable in self.variables]
        aims = [i for i in ordered if target and named[i].startswith(f"{target}.")]
        return [*(i for i in ordered if i not in aims), *aims]

    def ranks(self, target: str | None) -> Tensor:
        """When each variable is drawn in that order: 0 ... V - 1 where they are kept, (V,)."""
        return torch.tensor(self.order(target)).argsort().float()

    def _buckets(self) -> Sequence[Bucket]:
        sizes = [_size(v) for v in self.variables[: self.levels]]
        starts = [i for i, size in enumerate(sizes) if i == 0 or size != sizes[i - 1]]
        stops = [*starts[1:], len(sizes)]
        return [
            Bucket(start, stop, max(v.levels for v in self.variables[start:stop]))
            for start, stop in zip(starts, stops, strict=bool(starts))
            if start < stop
        ]


def _size(variable: Variable) -> tuple[bool, bool, int]:
    """What is kept side by side: first levels alone, then numbers with states, then scores."""
    width = math.ceil(math.log2(variable.levels)) if variable.levels > 1 else 0
    return variable.value is not None, variable.code is None, width


class Compact(nn.Module):
    """Encoded rows side by side: (B, F) scores and (B, Q) levels -> (B, F + Q) float32.

    Levels are whole numbers below 2^24, which float32 holds exactly.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        if not isinstance(layout, TableLayout):
            raise ValueError("only rows with levels and scores can be set side by side")
        self.scores = len(layout.continuous)

    def forward(self, encoded: Encoded) -> Tensor:
        return torch.cat([encoded["values"], encoded["codes"].float()], 1)

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, F + Q) -> scores (B, F) and levels (B, Q), int64."""
        return x[:, : self.scores], x[:, self.scores :].long()
