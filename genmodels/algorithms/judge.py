"""A discriminator's verdict on one batch, as penalties see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor

from genmodels.precision import full_precision

__all__ = [
    "Augment",
    "HasInputGradient",
    "Judge",
    "Loss",
    "Penalty",
    "Scored",
    "judge_views",
    "losses",
    "one_pass",
    "score",
    "slopes",
    "verdict",
]

Augment = Callable[[Tensor], Tensor]
Judge = Callable[[Tensor, Tensor], Tensor]


class Penalty(Protocol):
    """What is taken of a gradient of the discriminator; see `penalties.py`."""

    at_real: bool
    at_fake: bool

    def value(self, scored: Any) -> Tensor: ...


class Loss(Protocol):
    """What the discriminator minimises; see `losses.py`."""

    @property
    def centred(self) -> bool: ...

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor: ...


@runtime_checkable
class HasInputGradient(Protocol):
    """A discriminator that knows its own input gradient in closed form."""

    def input_gradient(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and d(sum of logits)/dx, differentiable in the weights."""


def at_least_float32(x: Tensor) -> Tensor:
    """The same numbers with 24 significant bits or more."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def judge_views(judge: Judge, views: Tensor, c: Tensor) -> Tensor:
    """Logits of several views of the first samples; see `Scored.judge_views` in `penalties.py`.

    Args:
        judge: (x, c) -> logits, with whatever augmentation there is.
        views: shape (V, b, ...).
        c: conditions (B, K), B >= b.
    """
    told = at_least_float32(c[: views.shape[1]])
    with full_precision(views):
        every = torch.func.vmap(lambda x: judge(x, told), randomness="same")
        return every(at_least_float32(views))


def slopes(judge: Judge, x: Tensor, direction: Tensor, c: Tensor) -> Tensor:
    """Slopes of the logits along a direction; see `Scored.slopes` in `penalties.py`.

    Args:
        judge: (x, c) -> logits, with whatever augmentation there is.
        x, direction: shape (b, ...).
        c: conditions (B, K), B >= b.
    """
    told = at_least_float32(c[: len(x)])
    start, along = at_least_float32(x), at_least_float32(direction)
    with full_precision(x):
        found = torch.func.jvp(lambda x: judge(x, told), (start,), (along,))
    return cast(Tensor, found[1])


@dataclass
class Scored:
    """Real and fake samples with their logits; see the protocol in `penalties.py`.

    Args:
        discriminator: (x, c) -> logits.
        augment: applied to whatever is judged, or None.
        real: shape (B, ...).
        fake: shape (B, ...), without a graph.
        c: conditions (B, K) of both.
        inputs: what was judged, in one piece or two, each requiring a gradient if one is due.
        logits: the verdict on each of `inputs`.
    """

    discriminator: Judge
    augment: Augment | None
    real: Tensor
    fake: Tensor
    c: Tensor
    inputs: tuple[Tensor, ...]
    logits: tuple[Tensor, ...]
    _gradients: list[Tensor] = field(default_factory=list)

    @property
    def real_logits(self) -> Tensor:
        return self.logits[0] if len(self.logits) == 2 else self.logits[0].chunk(2)[0]

    @property
    def fake_logits(self) -> Tensor:
        return self.logits[1] if len(self.logits) == 2 else self.logits[0].chunk(2)[1]

    def judge(self, x: Tensor) -> Tensor:
        return self._judge_any(x, self.c)

    def judge_views(self, views: Tensor) -> Tensor:
        return judge_views(self._judge_any, views, self.c)

    def slopes(self, x: Tensor, direction: Tensor) -> Tensor:
        return slopes(self._judge_any, x, direction, self.c)

    def _judge_any(self, x: Tensor, c: Tensor) -> Tensor:
        return self.discriminator(x if self.augment is None else self.augment(x), c)

    def gradient_at(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if self.augment is None and isinstance(self.discriminator, HasInputGradient):
            return self.discriminator.input_gradient(x, self.c)
        x = x.detach().requires_grad_()
        logits = self.judge(x)
        return logits, torch.autograd.grad(logits.sum(), x, create_graph=True)[0]

    def gradients(self, *, real: bool, fake: bool) -> tuple[Tensor | None, Tensor | None]:
        if len(self.inputs) == 1:
            if not self._gradients:
                joint = torch.autograd.grad(self.logits[0].sum(), self.inputs, create_graph=True)
                self._gradients = list(joint[0].chunk(2))
            return self._gradients[0], self._gradients[1]
        pairs = zip(self.logits, self.inputs, (real, fake), strict=True)
        found = [
            torch.autograd.grad(logits.sum(), x, create_graph=True)[0] if wanted else None
            for logits, x, wanted in pairs
        ]
        return found[0], found[1]


def one_pass(*, joint: bool, at_real: bool, at_fake: bool) -> bool:
    """Whether real and fake samples share a pass of a discriminator that allows it.

    With a gradient at one half alone, two passes are cheaper than a gradient through both.
    """
    return joint and at_real == at_fake


def losses(loss: Loss, penalties: Iterable[Penalty], scored: Any) -> tuple[Tensor, ...]:
    """Means over the batch: the adversarial loss, the two of `verdict`, each penalty unweighted."""
    adversarial = loss.discriminator(scored.real_logits, scored.fake_logits).mean()
    sign, won = verdict(loss, scored.real_logits.detach(), scored.fake_logits.detach())
    return (adversarial, sign, won, *(penalty.value(scored).mean() for penalty in penalties))


def verdict(loss: Loss, real_logits: Tensor, fake_logits: Tensor) -> tuple[Tensor, Tensor]:
    """How sure a discriminator is: two scalars without a graph.

    The mean sign in favour of the real samples, of each logit or, where a logit has no zero, of
    each pair's difference; and the share of pairs whose real sample has the higher logit.
    """
    lead = at_least_float32(real_logits - fake_logits)
    sign = at_least_float32(real_logits).sign().mean() if loss.centred else lead.sign().mean()
    return sign, (lead > 0).to(lead.dtype).mean()


def score(
    discriminator: Judge,
    augment: Augment | None,
    real: Tensor,
    fake: Tensor,
    c: Tensor,
    *,
    at_real: bool,
    at_fake: bool,
    joint: bool,
) -> Scored:
    """Judge real and fake samples, in one forward pass where that costs nothing extra.

    Args:
        at_real: whether a gradient at the real samples will be asked for.
        at_fake: the same at the fake ones.
        joint: whether the discriminator judges each sample (or pack) on its own, so that both
            halves may share a pass, see `one_pass`.
    """
    if one_pass(joint=joint, at_real=at_real, at_fake=at_fake):
        inputs: tuple[Tensor, ...] = (torch.cat([real, fake]).requires_grad_(at_real),)
        conditions = [torch.cat([c, c])]
    else:
        inputs = (real.detach().requires_grad_(at_real), fake.detach().requires_grad_(at_fake))
        conditions = [c, c]
    views = inputs if augment is None else tuple(augment(x) for x in inputs)
    logits = tuple(discriminator(x, k) for x, k in zip(views, conditions, strict=True))
    return Scored(discriminator, augment, real, fake, c, inputs, logits)
