"""The straight path: scores shift the means of later scores, without hidden layers between.

A network holds its weights S, shape (2 F, F), and the scores of a row lie side by side as
(y, x), normal scores before standardised values, shape (B, 2 F).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genmodels.arrangement import Arrangement

__all__ = ["note_score", "straight_shift", "straight_shifts", "straight_weights"]


def straight_weights(arrangement: Arrangement) -> nn.Parameter:
    """S for the F scores of a row, zeros before training."""
    scores = len(arrangement) - arrangement.scores
    return nn.Parameter(torch.zeros(2 * scores, scores))


def straight_shifts(weights: Tensor, straight: Tensor, ranks: Tensor) -> Tensor:
    """m_j = sum_{i: rank i < rank j} S_ij (y_i, x_i) of whole rows.

    Args:
        weights: S, shape (2 F, F).
        straight: scores that count, zeros for others, shape (B, 2 F).
        ranks: of the scores, shape (F,).

    Returns:
        Shape (F, B).
    """
    seen = (ranks[:, None] < ranks).to(straight.dtype).repeat(2, 1)
    return (weights * seen).t() @ straight.t()


def note_score(straight: Tensor, k: int, fixed: Tensor) -> None:
    """Add the features 1, y, x, ... (B, A) of score k, if k >= 0, to what has been drawn."""
    if k < 0:
        return
    straight[:, k] += fixed[:, 1]
    straight[:, straight.shape[1] // 2 + k] += fixed[:, 2]


def straight_shift(weights: Tensor, straight: Tensor, k: int) -> Tensor | None:
    """m_k (B,) from what has been drawn, (B, 2 F); None for a variable without a score, k < 0."""
    return straight @ weights[:, k] if k >= 0 else None
