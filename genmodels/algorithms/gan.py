"""Generative adversarial training: discriminator steps, then a generator step.

Formulas are losses, penalties and terms; architectures are networks; numbers are YAML. Lightning
counts each optimizer's step in `global_step`, so the clock here is `samples_seen`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from genmodels.algorithms.base import GenerativeModel, evaluating, frozen_copy
from genmodels.algorithms.judge import Augment, losses, score
from genmodels.algorithms.optimizers import (
    OptimizerFactory,
    average_gradients,
    averaged,
    build_optimizer,
    gradient_norm,
)
from genmodels.algorithms.traced import CompiledLoss
from genmodels.algorithms.warm_up import WarmUp
from genmodels.ema import EMA
from genmodels.layout import Condition, Layout
from genmodels.precision import Rounded, Rounding
from genmodels.types import Batch, Encoded

__all__ = ["GAN"]


class Loss(Protocol):
    relativistic: bool
    centred: bool

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor: ...
    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor: ...


class Penalty(Protocol):
    at_real: bool
    at_fake: bool

    def due(self, update: int) -> bool: ...
    def value(self, scored: Any) -> Tensor: ...
    def factor(self, samples: int, total: float) -> float: ...


@runtime_checkable
class Steered(Protocol):
    """An augmentation whose strength follows the discriminator or the clock."""

    def follow(
        self, sign: Tensor, *, update: int, batch: int, samples: int, total: float
    ) -> dict[str, Tensor]:
        """Move the strength, on its device; values by name to record."""


class Head(Protocol):
    noise_dim: int

    def __call__(self, outputs: Tensor) -> Tensor: ...
    def sample(self, outputs: Tensor, u: Tensor) -> Encoded: ...


@runtime_checkable
class Noisy(Protocol):
    """A generator with randomness besides its latent: (z, c, noise) -> outputs.

    Attributes:
        noise_dim: standard normal numbers per sample; without them it draws its own in training.
    """

    noise_dim: int


@runtime_checkable
class Probing(Protocol):
    """A term that asks the generator for samples of its own, in some of its updates."""

    def due(self, update: int) -> bool: ...
    def probe(self, generator: nn.Module, z: Tensor, c: Tensor) -> Tensor: ...


class GAN(GenerativeModel):
    """A generator against a discriminator.

    One batch is one discriminator step; every `discriminator_steps` batches one generator step
    follows, on fresh latents and the conditions of the last batch.

    Args:
        layout, condition, latent_dim: see `GenerativeModel`.
        generator: (z, c) -> outputs; a `Noisy` one may also be given what is random inside it.
        discriminator: (x, c) -> logits, one per sample or per pack of samples.
        head: outputs -> dense sample, differentiable; `.sample(outputs, u)` -> encoded sample.
        loss: real and fake logits -> what either network minimises.
        penalties: by name, on the gradient of the discriminator.
        terms: by name, added to the generator's loss: (outputs, batch) -> (B,), or `Probing`; None
            for a term that is left out.
        augment: differentiable x -> x seen by the discriminator only, or None. If it can
            `follow`, it is told after each discriminator step how sure the discriminator is.
        warm_up: blends the condition in, for networks that are linear in it (a generator whose
            attribute `normalises` is true is not); None: it is told in full from the start.
        generator_optimizer, discriminator_optimizer: factories missing their parameters.
        discriminator_steps: discriminator steps per generator step.
        joint: whether real and fake samples may share one pass of the discriminator (no layer
            couples the samples of a batch: it has no attribute `couples`, or it is false).
        ema: average of the generator's weights to sample from, or None.
        rounding: whether products round to bfloat16 in training: "auto" where that is native.
        compile: whether the discriminator's loss is compiled as a whole, penalties included. The
            first update then takes a minute; where it cannot be done, a warning says so.

    References:
        Goodfellow et al., "Generative Adversarial Nets", 2014, algorithm 1.
    """

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        latent_dim: int,
        generator: nn.Module,
        discriminator: nn.Module,
        head: Head,
        loss: Loss,
        generator_optimizer: OptimizerFactory,
        discriminator_optimizer: OptimizerFactory,
        penalties: dict[str, Penalty] | None = None,
        terms: dict[str, nn.Module | None] | None = None,
        augment: Augment | None = None,
        warm_up: WarmUp | None = None,
        discriminator_steps: int = 1,
        joint: bool = True,
        ema: EMA | None = None,
        rounding: Rounding = "float32",
        compile: bool = False,
    ) -> None:
        super().__init__(layout=layout, condition=condition, latent_dim=latent_dim)
        if discriminator_steps < 1:
            raise ValueError(
                f"model.discriminator_steps must be at least 1, got {discriminator_steps}"
            )
        if joint and getattr(discriminator, "couples", False):
            raise ValueError(
                "model.joint must be false with this discriminator, which compares the samples of "
                "a batch: real and fake ones in one pass would be told apart by that alone. Set "
                "model.joint=false, or model.discriminator.group=1"
            )
        if warm_up is not None and getattr(generator, "normalises", False):
            raise ValueError(
                "model.warm_up must be null with this generator, which normalises the embedding of "
                "a condition: one that is blended in would be told in full from the start. Leave "
                "warm_up out, or choose another model, such as model=r3gan"
            )
        self.generator, self.discriminator, self.head = generator, discriminator, head
        self.loss, self.augment, self.ema = loss, augment, ema
        self.steered, self.warm_up = isinstance(augment, Steered), warm_up
        self.penalties = penalties or {}
        wanted = {name: term for name, term in (terms or {}).items() if term is not None}
        self.terms = nn.ModuleDict(wanted)
        self.discriminator_steps, self.joint = discriminator_steps, joint
        self.rounded = Rounded(rounding)
        self.compiled = (
            CompiledLoss(discriminator=discriminator, augment=augment, loss=loss, joint=joint)
            if compile
            else None
        )
        self.factories = (generator_optimizer, discriminator_optimizer)
        self.average = generator if ema is None else frozen_copy(generator)

    @property
    def noise_dim(self) -> int:
        return self.head.noise_dim + self.inner_noise

    @property
    def inner_noise(self) -> int:
        """How many of the uniforms of `sample` the generator gets, as normal numbers."""
        return self.generator.noise_dim if isinstance(self.generator, Noisy) else 0

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        networks = (self.generator, self.discriminator)
        return [
            build_optimizer(factory, list(network.parameters()))
            for factory, network in zip(self.factories, networks, strict=True)
        ]

    def latents(self, batch: Batch) -> Tensor:
        size = (len(batch.x), self.latent_dim)
        return torch.randn(size, device=batch.x.device, dtype=batch.x.dtype)

    def update(
        self, batch: Batch, optimizers: Sequence[torch.optim.Optimizer], *, measure: bool
    ) -> Tensor:
        generator_optimizer, discriminator_optimizer = optimizers
        number = self.num_samples // (len(batch.x) * self.world_size)
        if self.warm_up is not None:
            self.warm_up.move(self.num_samples, self.total_samples)
            batch = Batch(batch.x, self.warm_up(batch.c))
        with self.rounded(self.device):
            loss = self.discriminator_phase(batch, discriminator_optimizer, number, measure)
            if (number + 1) % self.discriminator_steps == 0:
                loss = loss + self.generator_phase(batch, generator_optimizer, number, measure)
        return loss

    def discriminator_phase(
        self, batch: Batch, optimizer: torch.optim.Optimizer, number: int, measure: bool
    ) -> Tensor:
        """One step of the discriminator; the generator runs without a graph."""
        self.discriminator.requires_grad_(True)
        with torch.no_grad():
            fake = self.head(self.generator(self.latents(batch), batch.c))
        due = {name: p for name, p in self.penalties.items() if p.due(number)}
        total, sign, won, *values = self.discriminator_losses(due, batch, fake)
        self.meter.add("train/discriminator/loss", total)
        self.meter.add("train/discriminator/won", won)
        self.steer_augment(sign, number, len(batch.x) * self.world_size)
        for (name, penalty), found in zip(due.items(), values, strict=True):
            value = found * penalty.factor(self.num_samples, self.total_samples)
            self.meter.add(f"train/penalty/{name}", value)
            total = total + value
        self.descend(total, optimizer, self.discriminator, "discriminator", measure)
        return total.detach()

    def discriminator_losses(
        self, due: dict[str, Penalty], batch: Batch, fake: Tensor
    ) -> Sequence[Tensor]:
        """What `judge.losses` gives, with each penalty that is due."""
        if self.compiled is not None:
            found = self.compiled(due, batch.x, fake, batch.c)
            if found is not None:
                return found
        scored = score(
            self.discriminator,
            self.augment,
            batch.x,
            fake,
            batch.c,
            at_real=any(penalty.at_real for penalty in due.values()),
            at_fake=any(penalty.at_fake for penalty in due.values()),
            joint=self.joint,
        )
        return losses(self.loss, due.values(), scored)

    def steer_augment(self, sign: Tensor, number: int, size: int) -> None:
        """Let the augmentation move its strength, the same way in all processes."""
        if not self.steered:
            return
        assert isinstance(self.augment, Steered)
        clock = {"samples": self.num_samples, "total": self.total_samples}
        found = self.augment.follow(averaged(sign), update=number, batch=size, **clock)
        for name, value in found.items():
            self.meter.add(f"train/augment/{name}", value)

    def generator_phase(
        self, batch: Batch, optimizer: torch.optim.Optimizer, number: int, measure: bool
    ) -> Tensor:
        """One step of the generator; the discriminator passes gradients but takes none."""
        self.discriminator.requires_grad_(False)
        outputs = self.generator(self.latents(batch), batch.c)
        judge = self.judge(batch.c)
        real_logits = judge(batch.x) if self.loss.relativistic else None
        adversarial = self.loss.generator(real_logits, judge(self.head(outputs))).mean()
        self.meter.add("train/generator/loss", adversarial)
        total = adversarial
        for name, values in self.due_terms(outputs, batch, number // self.discriminator_steps):
            value = values.mean()
            self.meter.add(f"train/term/{name}", value)
            total = total + value
        self.descend(total, optimizer, self.generator, "generator", measure)
        if self.ema is not None:
            self.ema.update(
                self.average,
                self.generator,
                batch=len(batch.x) * self.world_size * self.discriminator_steps,
                samples=self.num_samples,
                total=self.total_samples,
            )
        return total.detach()

    def due_terms(self, outputs: Tensor, batch: Batch, update: int) -> Iterator[tuple[str, Tensor]]:
        """Names and values of the terms that count in this update of the generator."""
        for name, term in self.terms.items():
            if not isinstance(term, Probing):
                yield name, term(outputs, batch)
            elif term.due(update):
                yield name, term.probe(self.generator, self.latents(batch), batch.c)

    def judge(self, c: Tensor) -> Callable[[Tensor], Tensor]:
        augment = self.augment
        return lambda x: self.discriminator(x if augment is None else augment(x), c)

    def descend(
        self,
        loss: Tensor,
        optimizer: torch.optim.Optimizer,
        network: nn.Module,
        name: str,
        measure: bool,
    ) -> None:
        """Gradients, their average over processes, one step."""
        params = list(network.parameters())
        loss.backward()
        average_gradients(params)
        if measure:
            self.meter.add(f"train/{name}/gradient_norm", gradient_norm(params))
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def sampler_modules(self) -> dict[str, nn.Module]:
        blended = {} if self.warm_up is None else {"warm_up": self.warm_up}
        return {"generator": self.average, "head": self.get_submodule("head"), **blended}

    @torch.no_grad()
    def sample(self, z: Tensor, c: Tensor, u: Tensor) -> Encoded:
        inner = self.inner_noise
        with evaluating(*self.sampler_modules().values()):
            told = c if self.warm_up is None else self.warm_up(c)
            if not inner:
                return self.head.sample(self.average(z, told), u)
            outputs = self.average(z, told, normal(u[:, :inner]))
            return self.head.sample(outputs, u[:, inner:])

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """A GAN has no likelihood to validate; callbacks score its samples instead."""


def normal(u: Tensor) -> Tensor:
    """Uniform numbers in [0, 1), of 24 bits, as standard normal ones."""
    half = 2.0**-25
    return torch.special.ndtri(u.clamp(half, 1.0 - 2.0 * half))
