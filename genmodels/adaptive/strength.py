"""How strong an augmentation is, p in [0, 1], and what moves it: nothing, a schedule, or what the
discriminator says. p is a buffer: it is saved with the model and nobody waits for it.

References:
    Karras, Aittala, Hellsten, Laine, Lehtinen, Aila, "Training Generative Adversarial Networks
    with Limited Data", 2020 (section 3).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from genmodels.schedules import Schedule

__all__ = ["Fixed", "Overfitting", "Scheduled", "Strength"]


class Strength(nn.Module, ABC):
    """A probability p.

    Args:
        p: at the start.

    Raises:
        ValueError: when p is none.
    """

    p: Tensor

    def __init__(self, *, p: float) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"model.augment.strength: p must be in [0, 1], got {p}")
        self.register_buffer("p", torch.tensor(float(p)))

    @abstractmethod
    def follow(self, sign: Tensor, *, update: int, batch: int, samples: int, total: float) -> None:
        """Move p after an update of the discriminator, in place.

        Args:
            sign: mean sign of what the discriminator says in favour of the real samples, a
                scalar in [-1, 1].
            update: number of the update, from 0.
            batch: real samples per update, over all processes.
            samples: seen before this update.
            total: seen at the end of training, inf without an end.
        """


class Fixed(Strength):
    """p stays as it is.

    Args:
        p: in [0, 1].
    """

    def follow(self, sign: Tensor, *, update: int, batch: int, samples: int, total: float) -> None:
        """Nothing moves."""


class Scheduled(Strength):
    """p follows the samples seen.

    Args:
        schedule: its values are in [0, 1]; a share of the training where it has an end.
    """

    def __init__(self, *, schedule: Schedule) -> None:
        super().__init__(p=schedule(0))
        self.schedule = schedule

    def follow(self, sign: Tensor, *, update: int, batch: int, samples: int, total: float) -> None:
        self.p.fill_(min(1.0, max(0.0, self.schedule(samples + batch, total))))


class Overfitting(Strength):
    """p rises while the discriminator is too sure of the training samples, and falls again.

    Every `every` updates p <- clip(p + sgn(r - target) * every * batch / span, 0, most), r the
    mean over these updates of sgn(D(x)) at real samples, as the discriminator sees them.

    A loss of differences has logits without a zero: there r is the mean of sgn(D(x) - D(G(z)))
    over the pairs, as the difference is what such a loss calls the logit of "x is real"
    (Jolicoeur-Martineau 2019, section 4). If logits were normal with equal variances for real and
    fake, an r of 0.6 over samples were one of 0.77 over pairs; so a target of 0.6 over pairs asks
    for more augmentation, and 0.77 for the paper's.

    Args:
        target: of r, in (-1, 1); 0.6 in the paper.
        every: updates between two moves; 4 in the paper.
        samples: seen while p goes from 0 to 1, the span; 500,000 in the paper; or None.
        share: the same as a share of the training, above 0, or None. Without an end p stays.
        most: upper bound of p; from about 0.8 the generator may learn to augment (section 2.2).
        start: p at the start.

    Raises:
        ValueError: when a number is out of its range, or not one of `samples` and `share` is
            given.

    References:
        Karras et al. 2020, equation 1 and section 3.1. Jolicoeur-Martineau, "The relativistic
        discriminator: a key element missing from standard GAN", 2019.
    """

    seen: Tensor

    def __init__(
        self,
        *,
        target: float,
        every: int,
        most: float,
        samples: float | None = None,
        share: float | None = None,
        start: float = 0.0,
    ) -> None:
        super().__init__(p=start)
        if every < 1 or not -1.0 < target < 1.0 or not start <= most <= 1.0:
            raise ValueError(
                "model.augment.strength needs every >= 1, a target between -1 and 1 and start <= "
                f"most <= 1, got every={every}, target={target}, start={start} and most={most}"
            )
        span = share if samples is None else samples
        if (samples is None) == (share is None) or span is None or span <= 0:
            raise ValueError(
                "model.augment.strength needs either samples or share above 0, in which p goes "
                f"from 0 to 1; got samples={samples} and share={share}"
            )
        self.target, self.every, self.most = target, every, most
        self.samples, self.share = samples, share
        self.register_buffer("seen", torch.zeros(()))  # sum of the signs since the last move

    def follow(self, sign: Tensor, *, update: int, batch: int, samples: int, total: float) -> None:
        self.seen.add_(sign)
        if (update + 1) % self.every:
            return
        span = self.samples if self.share is None else self.share * total
        assert span is not None
        step = 0.0 if math.isinf(span) else self.every * batch / span
        direction = (self.seen / self.every - self.target).sign()
        self.p.add_(direction, alpha=step).clamp_(0.0, self.most)
        self.seen.zero_()
