"""What a discriminator and a generator minimise, as functions of logits. Nothing is reduced.

Each loss returns one value per logit. `real_logits` and `fake_logits` have one shape.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import relu, softplus

__all__ = ["Hinge", "Loss", "NonSaturating", "RelativisticPairing", "Wasserstein"]


class Loss(ABC):
    """A pair of formulas.

    Attributes:
        relativistic: whether the generator's one needs real logits.
        centred: whether a logit above 0 says "real"; else differences of logits alone mean
            anything.
    """

    relativistic: ClassVar[bool] = False
    centred: ClassVar[bool] = True

    @abstractmethod
    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """One value per pair of logits, for the discriminator to minimise."""

    @abstractmethod
    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        """One value per logit, for the generator to minimise."""


class NonSaturating(Loss):
    """D: softplus(-D(x)) + softplus(D(G(z)));  G: softplus(-D(G(z))).

    References:
        Goodfellow et al., "Generative Adversarial Nets", 2014, section 3.
    """

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return softplus(-real_logits) + softplus(fake_logits)

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return softplus(-fake_logits)


class Hinge(Loss):
    """D: max(0, 1 - D(x)) + max(0, 1 + D(G(z)));  G: -D(G(z)).

    References:
        Lim and Ye, "Geometric GAN", 2017.
    """

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return relu(1.0 - real_logits) + relu(1.0 + fake_logits)

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return -fake_logits


class Wasserstein(Loss):
    """D: D(G(z)) - D(x);  G: -D(G(z)). Needs a penalty to keep D nearly 1-Lipschitz.

    References:
        Arjovsky et al., "Wasserstein GAN", 2017.
    """

    centred: ClassVar[bool] = False

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return fake_logits - real_logits

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return -fake_logits


class RelativisticPairing(Loss):
    """D: softplus(D(G(z)) - D(x));  G: softplus(D(x) - D(G(z))), pair by pair.

    References:
        Huang et al., "The GAN is dead; long live the GAN! A Modern GAN Baseline", 2024, eq. 2.
    """

    relativistic: ClassVar[bool] = True
    centred: ClassVar[bool] = False

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return softplus(fake_logits - real_logits)

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        assert real_logits is not None, "a relativistic loss is given the real logits"
        return softplus(real_logits - fake_logits)
