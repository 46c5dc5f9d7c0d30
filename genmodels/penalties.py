"""Penalties on the gradient of a discriminator with respect to what it reads.

Each returns one value per logit, weight included; one that looks at a share of the batch returns
as many values as it looked at logits. A logit may judge several samples (packing): the gradient
norm is then over all of them together.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from genmodels.schedules import Schedule, value_at

__all__ = [
    "R1",
    "R2",
    "Exact",
    "FiniteDifference",
    "ForwardDerivative",
    "GradientPenalty",
    "Penalty",
    "Scored",
    "SquaredNorm",
]


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

    def judge_views(self, views: Tensor) -> Tensor:
        """Logits (V, b / pack) of V views (V, b, ...) of the first b samples, in full precision.

        What is drawn on the way, by an augmentation or a dropout, is drawn once for all views.
        """

    def slopes(self, x: Tensor, direction: Tensor) -> Tensor:
        """Slopes d logits(x + t direction) / dt at t = 0, shape (b / pack,), in full precision.

        x and direction (b, ...) stand in for the first b samples.
        """

    def gradient_at(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits at x and d(sum of logits)/dx, differentiable in the discriminator's weights."""

    def gradients(self, *, real: bool, fake: bool) -> tuple[Tensor | None, Tensor | None]:
        """d(sum of logits)/dx at the real and at the fake samples, from the forward pass made."""


def squared_norms(gradient: Tensor, logits: int) -> Tensor:
    """Squared Euclidean norm per logit: (B, ...) -> (logits,), B a multiple of `logits`."""
    return gradient.reshape(logits, -1).square().sum(1)


class SquaredNorm(Protocol):
    """A way to the squared norm of the gradient at the real or at the fake samples.

    Attributes:
        from_pass: whether it takes the gradient of the forward pass that was made anyway, which
            must then have been made for samples that require one.
    """

    from_pass: bool

    def __call__(self, scored: Scored, *, real: bool) -> Tensor:
        """|d logit / dx|^2, one value per logit that was looked at."""


class Exact:
    """|grad D(x)|^2 by a second backward pass, for every logit: no noise, and the slowest."""

    from_pass = True

    def __call__(self, scored: Scored, *, real: bool) -> Tensor:
        gradient = scored.gradients(real=real, fake=not real)[0 if real else 1]
        assert gradient is not None
        logits = scored.real_logits if real else scored.fake_logits
        return squared_norms(gradient, len(logits))


class FiniteDifference:
    """|grad D(x)|^2 by the difference between two views: forward passes alone.

    ((D(x + sigma e / 2) - D(x - sigma e / 2)) / sigma)^2 with e standard normal, whose mean over e
    tends to |grad D(x)|^2 as sigma tends to 0. One direction has a relative variance of 2.

    Args:
        sigma: distance of the views, of samples in [-1, 1]; too small a one drowns in rounding.
        share: of the batch that is looked at, in (0, 1].

    Raises:
        ValueError: when a number is out of its range.

    References:
        Kim et al., "Scalable GANs with Transformers", 2025 (approximated R1 and R2).
    """

    from_pass = False

    def __init__(self, *, sigma: float, share: float) -> None:
        if sigma <= 0:
            raise ValueError(f"FiniteDifference: sigma must be above 0, got {sigma}")
        self.sigma, self.share = sigma, checked_share(share)

    def __call__(self, scored: Scored, *, real: bool) -> Tensor:
        x = looked_at(scored, self.share, real=real)
        half = torch.randn_like(x) * (self.sigma / 2.0)
        logits = scored.judge_views(torch.stack([x + half, x - half]))
        return ((logits[0] - logits[1]) / self.sigma).square()


class ForwardDerivative:
    """|grad D(x)|^2 by the derivative along a random direction, without a second backward pass.

    (e . grad D(x))^2 with e standard normal, whose mean over e is |grad D(x)|^2: what
    `FiniteDifference` tends to, without its rounding.

    Args:
        share: of the batch that is looked at, in (0, 1].

    Raises:
        ValueError: when the share is out of its range.

    References:
        Hutchinson, "A stochastic estimator of the trace of the influence matrix for Laplacian
        smoothing splines", 1989.
    """

    from_pass = False

    def __init__(self, *, share: float) -> None:
        self.share = checked_share(share)

    def __call__(self, scored: Scored, *, real: bool) -> Tensor:
        x = looked_at(scored, self.share, real=real)
        return scored.slopes(x, torch.randn_like(x)).square()


def checked_share(share: float) -> float:
    """A share of a batch as it is, if it is one."""
    if not 0.0 < share <= 1.0:
        raise ValueError(f"a penalty's share of the batch must be in (0, 1], got {share}")
    return share


def looked_at(scored: Scored, share: float, *, real: bool) -> Tensor:
    """The first samples of a batch, of whole packs, at least one; batches come shuffled."""
    x, logits = (scored.real, len(scored.real_logits))
    if not real:
        x, logits = (scored.fake, len(scored.fake_logits))
    chosen = max(1, int(share * logits + 0.5))
    return x[: chosen * (len(x) // logits)]


class Penalty(ABC):
    """A penalty that is taken every `every` updates and then counts `every` times.

    Args:
        weight: factor, or its schedule over the samples seen.
        every: number of updates between two evaluations, at least 1.
    """

    name: ClassVar[str]
    at_real: bool = False
    at_fake: bool = False

    def __init__(self, *, weight: float | Schedule, every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"penalty {self.name!r}: `every` must be at least 1, got {every}")
        self.weight, self.every = weight, every

    def due(self, update: int) -> bool:
        return update % self.every == 0

    def __call__(self, scored: Scored, samples: int = 0) -> Tensor:
        """One value per logit, times weight and `every`."""
        return self.value(scored) * self.factor(samples)

    def factor(self, samples: int, total: float = math.inf) -> float:
        """What a value counts after `samples` of `total` samples."""
        return value_at(self.weight, samples, total) * self.every

    @abstractmethod
    def value(self, scored: Scored) -> Tensor:
        """The formula without its weight, one value per logit."""


class R1(Penalty):
    """|grad D(x)|^2 / 2 at real samples.

    Args:
        weight, every: see `Penalty`.
        norm: how the squared norm is found.

    References:
        Mescheder et al., "Which Training Methods for GANs do actually Converge?", 2018, eq. 9.
    """

    name: ClassVar[str] = "r1"

    def __init__(
        self, *, weight: float | Schedule, every: int = 1, norm: SquaredNorm | None = None
    ) -> None:
        super().__init__(weight=weight, every=every)
        self.norm = norm or Exact()
        self.at_real = self.norm.from_pass

    def value(self, scored: Scored) -> Tensor:
        return self.norm(scored, real=True) / 2.0


class R2(Penalty):
    """|grad D(G(z))|^2 / 2 at generated samples (Mescheder et al. 2018, eq. 10).

    Args:
        weight, every: see `Penalty`.
        norm: how the squared norm is found.
    """

    name: ClassVar[str] = "r2"

    def __init__(
        self, *, weight: float | Schedule, every: int = 1, norm: SquaredNorm | None = None
    ) -> None:
        super().__init__(weight=weight, every=every)
        self.norm = norm or Exact()
        self.at_fake = self.norm.from_pass

    def value(self, scored: Scored) -> Tensor:
        return self.norm(scored, real=False) / 2.0


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
