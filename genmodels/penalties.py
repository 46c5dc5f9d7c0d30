"""Penalties on the gradient of a discriminator with respect to what it reads.

Each returns one value per logit, weight included. A logit may judge several samples (packing):
the gradient norm is then over all of them together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from genmodels.schedules import Schedule, value_at

__all__ = ["R1", "R2", "GradientPenalty", "Penalty", "Scored"]


class Scored(Protocol):
    """What a discriminator has said about one batch of real and fake samples.

    Attributes:
        real: real samples, shape (B, ...).
        fake: generated samples, detached, shape (B, ...).
        real_logits: shape (B / pack,).
        fake_logits: shape (B / pack,).
    """

    @property
    def real(self) -> Tensor: ...
    @property
    def fake(self) -> Tensor: ...
    @property
    def real_logits(self) -> Tensor: ...
    @property
    def fake_logits(self) -> Tensor: ...

    def judge(self, x: Tensor) -> Tensor:
        """Logits of other samples (B, ...), under the same conditions and augmentation."""

    def gradient_at(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits at x and d(sum of logits)/dx, differentiable in the discriminator's weights."""

    def gradients(self, *, real: bool, fake: bool) -> tuple[Tensor | None, Tensor | None]:
        """d(sum of logits)/dx at the real and at the fake samples, from the forward pass made."""


def squared_norms(gradient: Tensor, logits: int) -> Tensor:
    """Squared Euclidean norm per logit: (B, ...) -> (logits,), B a multiple of `logits`."""
    return gradient.reshape(logits, -1).square().sum(1)


class Penalty(ABC):
    """A penalty that is taken every `every` updates and then counts `every` times.

    Args:
        weight: factor, or its schedule over the samples seen.
        every: number of updates between two evaluations, at least 1.
    """

    name: ClassVar[str]
    at_real: ClassVar[bool] = False
    at_fake: ClassVar[bool] = False

    def __init__(self, *, weight: float | Schedule, every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"penalty {self.name!r}: `every` must be at least 1, got {every}")
        self.weight, self.every = weight, every

    def due(self, update: int) -> bool:
        return update % self.every == 0

    def __call__(self, scored: Scored, samples: int = 0) -> Tensor:
        """One value per logit, times weight and `every`."""
        return self.value(scored) * (value_at(self.weight, samples) * self.every)

    @abstractmethod
    def value(self, scored: Scored) -> Tensor:
        """The formula without its weight, one value per logit."""


class R1(Penalty):
    """|grad D(x)|^2 / 2 at real samples.

    References:
        Mescheder et al., "Which Training Methods for GANs do actually Converge?", 2018, eq. 9.
    """

    name: ClassVar[str] = "r1"
    at_real: ClassVar[bool] = True

    def value(self, scored: Scored) -> Tensor:
        gradient, _ = scored.gradients(real=True, fake=False)
        assert gradient is not None
        return squared_norms(gradient, len(scored.real_logits)) / 2.0


class R2(Penalty):
    """|grad D(G(z))|^2 / 2 at generated samples (Mescheder et al. 2018, eq. 10)."""

    name: ClassVar[str] = "r2"
    at_fake: ClassVar[bool] = True

    def value(self, scored: Scored) -> Tensor:
        _, gradient = scored.gradients(real=False, fake=True)
        assert gradient is not None
        return squared_norms(gradient, len(scored.fake_logits)) / 2.0


class GradientPenalty(Penalty):
    """(|grad D(x')| - 1)^2 at x' uniform between a real and a generated sample.

    One mixing number is drawn per logit, so a pack is mixed as one sample.

    References:
        Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, eq. 3.
    """

    name: ClassVar[str] = "gradient"

    def value(self, scored: Scored) -> Tensor:
        real, fake, logits = scored.real, scored.fake, len(scored.real_logits)
        mix = torch.rand(logits, 1, device=real.device, dtype=real.dtype)
        mixed = torch.lerp(fake.reshape(logits, -1), real.reshape(logits, -1), mix)
        _, gradient = scored.gradient_at(mixed.view_as(real))
        norms = (squared_norms(gradient, logits) + 1e-12).sqrt()
        return (norms - 1.0).square()
