"""Updates that are better left out, without asking the device whether to."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["Skip"]


class Skip(nn.Module):
    """Sets the gradient to zero where its norm is above a limit or not finite.

    The optimizer then moves by its momentum alone. After `most` such updates in a row, the loss
    that is handed on is not finite: nothing is learned any more, and the training must end.

    Args:
        limit: largest norm.
        most: updates in a row that may be left out.

    References:
        Child, "Very Deep VAEs Generalize Autoregressive Models", 2021 (section 4: gradient
        skipping).
    """

    in_a_row: Tensor

    def __init__(self, *, limit: float, most: int = 100) -> None:
        super().__init__()
        if limit <= 0.0:
            raise ValueError(f"model.skip must be above 0 or null, got {limit}")
        self.limit, self.most = limit, most
        self.register_buffer("in_a_row", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def forward(self, params: Sequence[nn.Parameter], norm: Tensor) -> Tensor:
        """Whether the gradients stay, bool (), given their norm before any clipping."""
        kept = norm <= self.limit  # of a norm that is not a number: no
        for p in params:
            if p.grad is not None:
                p.grad.masked_fill_(~kept, 0.0)
        self.in_a_row.copy_(torch.where(kept, 0, self.in_a_row + 1))
        return kept

    def handed_on(self, loss: Tensor, kept: Tensor) -> Tensor:
        """The loss, zero where the update was left out, not a number where too many were."""
        zero = torch.zeros_like(loss)
        left_out = torch.where(self.in_a_row > self.most, torch.full_like(loss, torch.nan), zero)
        return torch.where(kept, loss, left_out)
