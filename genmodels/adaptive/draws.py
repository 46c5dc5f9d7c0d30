"""What an augmentation draws per image: a value with probability p, else what changes nothing.

Everything is drawn whatever p is, so that random numbers do not depend on it, and nothing waits
for the device, so that p may change between two runs of a compiled step.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["Draws"]


class Draws:
    """Numbers of shape (B,) on the device of a batch, in float32 or what is wider.

    Args:
        x: the batch, shape (B, ...).
        p: probability with which a value is taken, a scalar tensor in [0, 1].
    """

    def __init__(self, x: Tensor, p: Tensor) -> None:
        self.size, self.device, self.p = len(x), x.device, p
        self.dtype = torch.promote_types(x.dtype, torch.float32)

    def _random(self) -> Tensor:
        return torch.rand(self.size, device=self.device, dtype=self.dtype)

    def maybe(self, value: Tensor, neutral: float, p: Tensor | None = None) -> Tensor:
        """`value` (B,) with probability p, its own or that of all, else `neutral`."""
        taken = self._random() < (self.p if p is None else p)
        return torch.where(taken, value, neutral)

    def uniform(self, bound: float) -> Tensor:
        """In [-bound, bound)."""
        return (self._random() * 2.0 - 1.0) * bound

    def normal(self, deviation: float) -> Tensor:
        return torch.randn(self.size, device=self.device, dtype=self.dtype) * deviation

    def factor(self, deviation: float) -> Tensor:
        """2 ** N(0, deviation)."""
        return torch.exp2(self.normal(deviation))

    def whole(self, count: int) -> Tensor:
        """One of 0, ..., count - 1, as a float."""
        drawn = torch.randint(count, (self.size,), device=self.device)
        return drawn.to(self.dtype)
