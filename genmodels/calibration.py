"""A fixed change of how each variable of a row is drawn, so that it is distributed as wished.

What is added to the logits of its levels, and where its scores go. Who finds these, and who draws,
is written elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Adjustment", "Calibration", "ScoreMap"]


class ScoreMap:
    """A never decreasing map of scores: piecewise linear, constant beyond its ends.

    Args:
        at: scores, never decreasing, float64 (K,), K at least 2.
        to: where they go, never decreasing, float64 (K,).
    """

    def __init__(self, *, at: Tensor, to: Tensor) -> None:
        self.at, self.to = at, to

    def __call__(self, scores: Tensor) -> Tensor:
        """Scores (B,), any finite ones -> scores (B,) of the same kind."""
        y = scores.double()
        right = torch.searchsorted(self.at, y, right=True).clamp(1, len(self.at) - 1)
        low, high = self.at[right - 1], self.at[right]
        width = high - low
        place = torch.where(width > 0.0, (y - low) / width, (y >= high).double())
        start, stop = self.to[right - 1], self.to[right]
        return torch.lerp(start, stop, place.clamp(0.0, 1.0)).to(scores.dtype)


@dataclass(frozen=True, eq=False)
class Adjustment:
    """How the draw of one variable is changed.

    Args:
        offset: added to the logits of its levels, float32 (levels,); None: nothing.
        curve: from scores that are not yet cut to [-1, 1] to scores in it; None: the cut.
    """

    offset: Tensor | None = None
    curve: Callable[[Tensor], Tensor] | None = None


Calibration = tuple[Adjustment, ...]
"""One adjustment per variable, in the order in which the model keeps them."""
