"""A condition that is blended in: a network first learns what all samples share, then what is told.

References:
    Shahbazi, Danelljan, Paudel, Van Gool, "Collapse by Conditioning: Training Class-conditional
    GANs with Limited Data", 2022 (section 4, transitional training).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genmodels.schedules import Schedule

__all__ = ["WarmUp"]


class WarmUp(nn.Module):
    """c -> lambda c, lambda in [0, 1] from a schedule of the samples seen.

    Of networks that are linear in c this scales the embedding of the condition, in the generator
    and in the discriminator's projection, as in the paper. Not for networks that look a level up
    or normalise its embedding. lambda is a buffer, saved with the weights for sampling: samples
    are told what those weights were trained with.

    Args:
        schedule: of lambda, such as a ramp over the first share of the training.

    References:
        Shahbazi et al. 2022, equations 1 and 2.
    """

    factor: Tensor

    def __init__(self, *, schedule: Schedule) -> None:
        super().__init__()
        self.schedule = schedule
        self.register_buffer("factor", torch.tensor(float(schedule(0))))

    def move(self, samples: int, total: float) -> None:
        """To the value after `samples` of `total` samples, on the device."""
        self.factor.fill_(min(1.0, max(0.0, self.schedule(samples, total))))

    def forward(self, c: Tensor) -> Tensor:
        """(B, K) -> (B, K)."""
        return c * self.factor
