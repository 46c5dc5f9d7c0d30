"""The discriminator's loss as one pure function, which a compiler can follow to its last gradient.

A compiler refuses a gradient that is taken of a compiled network from outside and then
differentiated again. It accepts the whole loss with the gradient inside, taken by `torch.func`.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from genmodels.algorithms.judge import (
    Augment,
    Judge,
    Loss,
    Penalty,
    judge_views,
    losses,
    one_pass,
    slopes,
)

__all__ = ["CompiledLoss", "Traced"]

log = logging.getLogger(__name__)

Backend = str | Callable[..., Any]
Parameters = dict[str, Tensor]
Values = tuple[Tensor, ...]


@dataclass
class Traced:
    """Real and fake samples with logits and gradients; see `Scored` in `penalties.py`.

    Args:
        judge: (x, c) -> logits, with whatever augmentation there is.
        real, fake: shape (B, ...).
        c: conditions (B, K) of both.
        real_logits, fake_logits: shape (B / pack,).
        real_gradient, fake_gradient: shape (B, ...), or None where none is due.
    """

    judge: Judge
    real: Tensor
    fake: Tensor
    c: Tensor
    real_logits: Tensor
    fake_logits: Tensor
    real_gradient: Tensor | None
    fake_gradient: Tensor | None

    def judge_views(self, views: Tensor) -> Tensor:
        return judge_views(self.judge, views, self.c)

    def slopes(self, x: Tensor, direction: Tensor) -> Tensor:
        return slopes(self.judge, x, direction, self.c)

    def gradient_at(self, x: Tensor) -> tuple[Tensor, Tensor]:
        logits, gradient = judged(self.judge, x, self.c, gradient=True)
        assert gradient is not None
        return logits, gradient

    def gradients(self, *, real: bool, fake: bool) -> tuple[Tensor | None, Tensor | None]:
        return self.real_gradient, self.fake_gradient


def judged(judge: Judge, x: Tensor, c: Tensor, *, gradient: bool) -> tuple[Tensor, Tensor | None]:
    """Logits, and d(sum of logits)/dx if that is asked for, in one pass."""
    if not gradient:
        return judge(x, c), None

    def total(x: Tensor) -> tuple[Tensor, Tensor]:
        logits = judge(x, c)
        return logits.sum(), logits

    slope, logits = torch.func.grad(total, has_aux=True)(x)
    return logits, slope


def trace(
    judge: Judge,
    real: Tensor,
    fake: Tensor,
    c: Tensor,
    *,
    at_real: bool,
    at_fake: bool,
    joint: bool,
) -> Traced:
    """Judge real and fake samples; the arguments mean what they mean in `judge.score`."""
    if not one_pass(joint=joint, at_real=at_real, at_fake=at_fake):
        real_logits, real_gradient = judged(judge, real, c, gradient=at_real)
        fake_logits, fake_gradient = judged(judge, fake, c, gradient=at_fake)
    else:
        both, slope = judged(judge, torch.cat([real, fake]), torch.cat([c, c]), gradient=at_real)
        real_logits, fake_logits = both.chunk(2)
        real_gradient, fake_gradient = (None, None) if slope is None else slope.chunk(2)
    return Traced(judge, real, fake, c, real_logits, fake_logits, real_gradient, fake_gradient)


class CompiledLoss:
    """The mean adversarial loss and the mean of each penalty, compiled once per set of penalties.

    The first call of each set compiles, forward and backward. If that fails, one warning says so
    and this object gives None for ever after.

    Args:
        discriminator: (x, c) -> logits; its parameters get the gradients.
        augment: x -> x, or None.
        loss: real and fake logits -> what the discriminator minimises.
        joint: whether real and fake samples may share one pass.
        backend: of `torch.compile`.
    """

    def __init__(
        self,
        *,
        discriminator: nn.Module,
        augment: Augment | None,
        loss: Loss,
        joint: bool,
        backend: Backend = "inductor",
    ) -> None:
        self.discriminator, self.augment, self.loss = discriminator, augment, loss
        self.joint, self.backend = joint, backend
        self.failed = False
        self._compiled: dict[tuple[str, ...], Callable[..., Values]] = {}

    def __call__(
        self, penalties: Mapping[str, Penalty], real: Tensor, fake: Tensor, c: Tensor
    ) -> Values | None:
        """Scalars as `judge.losses` gives them; None after a failure.

        Args:
            penalties: those that are due, by name.
            real, fake: shape (B, ...), without a graph.
            c: conditions (B, K) of both.
        """
        if self.failed:
            return None
        parameters: Parameters = dict(self.discriminator.named_parameters())
        found = self._compiled.get(tuple(penalties))
        if found is None:
            found = self._compile(penalties, parameters, real, fake, c)
        return None if found is None else found(parameters, real, fake, c)

    def _compile(
        self, penalties: Mapping[str, Penalty], parameters: Parameters, *samples: Tensor
    ) -> Callable[..., Values] | None:
        """A compiled function that has run once to its gradients, without a trace of that."""
        function = self.function(list(penalties.values()))
        try:
            compiled: Callable[..., Values] = torch.compile(
                function, backend=self.backend, fullgraph=True, dynamic=False, **_isolated()
            )
            with _same_numbers_after(samples[0].device):
                total = torch.stack(compiled(parameters, *samples)).sum()
                torch.autograd.grad(total, list(parameters.values()), allow_unused=True)
        except Exception as error:  # whatever a compiler may raise: the eager loss is as good
            self.failed = True
            cause = " ".join(str(error).split())[:300]
            log.warning(
                "model.compile=true: the discriminator's loss cannot be compiled here, so it "
                "runs uncompiled, slower and to the same result. What the compiler said: %s: %s",
                type(error).__name__,
                cause,
            )
            return None
        self._compiled[tuple(penalties)] = compiled
        return compiled

    def function(self, penalties: Iterable[Penalty]) -> Callable[..., Values]:
        """(parameters, real, fake, c) -> what `judge.losses` gives, a pure function."""
        due = list(penalties)
        at_real, at_fake = any(p.at_real for p in due), any(p.at_fake for p in due)

        def values(parameters: Parameters, real: Tensor, fake: Tensor, c: Tensor) -> Values:
            def judge(x: Tensor, c: Tensor) -> Tensor:
                seen = x if self.augment is None else self.augment(x)
                logits: Tensor = torch.func.functional_call(
                    self.discriminator, parameters, (seen, c)
                )
                return logits

            made = trace(judge, real, fake, c, at_real=at_real, at_fake=at_fake, joint=self.joint)
            return losses(self.loss, due, made)

        return values


def _isolated() -> dict[str, Any]:
    """Without this the models that one process trains share one limit of recompiles."""
    known = "isolate_recompiles" in inspect.signature(torch.compile).parameters
    return {"isolate_recompiles": True} if known else {}


def _same_numbers_after(device: torch.device) -> AbstractContextManager[None]:
    """What is drawn inside does not change what is drawn after."""
    cuda = [device.index or 0] if device.type == "cuda" else []
    return torch.random.fork_rng(devices=cuda)
