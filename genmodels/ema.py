"""Exponential moving averages of a network's weights, timed in samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["EMA"]


class EMA:
    """average <- decay * average + (1 - decay) * weights, with decay = 2^(-batch / half_life).

    With `ramp`, the half-life is at most `ramp` times the samples seen, so that the first,
    untrained weights are forgotten quickly; with `share`, at most `share` times all samples that
    training will see, so that one recipe serves short and long trainings. Running statistics are
    averaged like the weights that they belong to; counters are copied.

    Args:
        half_life: samples after which a weight's influence has halved; 0 copies the weights.
        ramp: share of the samples seen that bounds the half-life, or None for no bound.
        share: share of the whole training that bounds the half-life, or None for no bound.

    References:
        Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020.
    """

    def __init__(
        self, *, half_life: float, ramp: float | None = None, share: float | None = None
    ) -> None:
        self.half_life, self.ramp, self.share = half_life, ramp, share

    def decay(self, batch: int, samples: int, total: float = math.inf) -> float:
        """The weight that the average keeps in an update by `batch` of `samples` of `total`."""
        half_life = self.half_life
        if self.ramp is not None:
            half_life = min(half_life, self.ramp * samples)
        if self.share is not None:
            half_life = min(half_life, self.share * total)
        return 0.5 ** (batch / half_life) if half_life > 0 else 0.0

    @torch.no_grad()
    def update(
        self,
        average: nn.Module,
        module: nn.Module,
        *,
        batch: int,
        samples: int,
        total: float = math.inf,
    ) -> None:
        """Move `average` towards `module`; both must be of one architecture."""
        weight = 1.0 - self.decay(batch, samples, total)
        averages: list[Tensor] = list(average.parameters())
        weights: list[Tensor] = list(module.parameters())
        torch._foreach_lerp_(averages, weights, weight)
        pairs = list(zip(average.buffers(), module.buffers(), strict=True))
        running = [pair for pair in pairs if pair[0].is_floating_point()]
        if running:
            torch._foreach_lerp_([a for a, _ in running], [b for _, b in running], weight)
        for kept, current in pairs:
            if not kept.is_floating_point():
                kept.copy_(current)
