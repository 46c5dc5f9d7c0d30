"""Variational training: one optimizer descends the negative evidence lower bound."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from genmodels.algorithms.base import GenerativeModel, evaluating, frozen_copy
from genmodels.algorithms.optimizers import (
    OptimizerFactory,
    average_gradients,
    build_optimizer,
    gradient_norm,
)
from genmodels.algorithms.posterior import draw_posterior
from genmodels.ema import EMA
from genmodels.layout import Condition, Expand, Layout
from genmodels.precision import Rounded, Rounding
from genmodels.schedules import Schedule, value_at
from genmodels.types import Batch, Encoded

__all__ = ["VAE"]


class Likelihood(Protocol):
    noise_dim: int

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor: ...
    def sample(self, outputs: Tensor, u: Tensor) -> Encoded: ...


class Prior(Protocol):
    uniforms: int

    def log_prob(self, z: Tensor) -> Tensor: ...
    def sample(self, noise: Tensor, u: Tensor) -> Tensor: ...


class VAE(GenerativeModel):
    """loss = -reconstruction_weight * E_q[log p(x | z, c)] + beta * KL(q(z | x, c) || p(z)).

    Without a prior, p(z) = N(0, 1) and the divergence is exact; with one, the divergence is
    log q(z | x, c) - log p(z) at the draw of z that the first term uses.

    Args:
        layout, condition, latent_dim: see `GenerativeModel`.
        encoder: (x, c) -> mean and log-variance, each (B, Z).
        decoder: (z, c) -> outputs.
        likelihood: `.log_prob(outputs, x)` -> (B,), `.sample(outputs, u)` -> encoded sample.
        optimizer: factory missing its parameters.
        beta: weight of the KL divergence, or its schedule over the samples seen.
        reconstruction_weight: weight of the log-likelihood.
        free_bits: nats per latent dimension (mean over the batch) that cost nothing; without a
            learned prior only.
        prior: `.log_prob(z)` -> (B,), `.sample(noise, u)` -> z with u (B, `uniforms`), learned
            with the rest; None: standard normal.
        ema: average of all weights, to sample and to validate with; None: the last ones.
        clip: largest norm of the gradient; None: any.
        rounding: whether products round to bfloat16 in training: "auto" where that is native.

    References:
        Kingma and Welling, "Auto-Encoding Variational Bayes", 2014, eq. 10.
        Higgins et al., "beta-VAE", 2017, eq. 4.
        Kingma et al., "Improved Variational Inference with Inverse Autoregressive Flow", 2016,
        eq. 15 (free bits).
    """

    measures_loss = True

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        latent_dim: int,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        optimizer: OptimizerFactory,
        beta: float | Schedule = 1.0,
        reconstruction_weight: float = 1.0,
        free_bits: float = 0.0,
        prior: nn.Module | None = None,
        ema: EMA | None = None,
        clip: float | None = None,
        rounding: Rounding = "float32",
    ) -> None:
        super().__init__(layout=layout, condition=condition, latent_dim=latent_dim)
        if prior is not None and free_bits > 0:
            raise ValueError(
                "model.free_bits counts nats per latent dimension, which a learned prior does "
                "not tell apart: set model.free_bits=0 or model.prior=null"
            )
        self.reads = getattr(encoder, "reads", Expand)
        self.encoder, self.decoder, self.likelihood = encoder, decoder, likelihood
        self.factory, self.beta, self.free_bits = optimizer, beta, free_bits
        self.reconstruction_weight = reconstruction_weight
        self.prior, self.ema, self.clip = prior, ema, clip
        self.rounded = Rounded(rounding)
        self.average: nn.ModuleDict | None = None
        if ema is not None:
            copies = {name: frozen_copy(module) for name, module in self.learned().items()}
            self.average = nn.ModuleDict(copies).eval()

    @property
    def noise_dim(self) -> int:
        return self.likelihood.noise_dim + self.uniforms

    @property
    def uniforms(self) -> int:
        """Uniform numbers that the prior needs per row; they come first."""
        return 0 if self.prior is None else cast(Prior, self.prior).uniforms

    def learned(self) -> dict[str, nn.Module]:
        """The modules that the optimizer moves, by name."""
        named = {"encoder": self.encoder, "decoder": self.decoder}
        named["likelihood"] = self.get_submodule("likelihood")
        return named if self.prior is None else named | {"prior": self.prior}

    def trained(self) -> list[nn.Parameter]:
        return [p for module in self.learned().values() for p in module.parameters()]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return build_optimizer(self.factory, self.trained())

    def evidence(
        self,
        batch: Batch,
        modules: Mapping[str, Any] | None = None,
        noise: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """One-sample log-likelihood (B,) and divergence, per dimension (B, Z) or in all (B, 1).

        Args:
            batch: x (B, ...) and c (B, K).
            modules: by name; None: those that are trained.
            noise: standard normal (B, Z); None: drawn here.
        """
        used: Mapping[str, Any] = self.learned() if modules is None else modules
        mean, log_variance = (part.to(batch.x.dtype) for part in used["encoder"](batch.x, batch.c))
        noise = torch.randn_like(mean) if noise is None else noise
        z, divergence = draw_posterior(mean, log_variance, noise)
        if self.prior is not None:
            log_q = -0.5 * (noise.square() + log_variance + math.log(2.0 * math.pi)).sum(1)
            divergence = (log_q - used["prior"].log_prob(z)).unsqueeze(1)
        outputs = used["decoder"](z, batch.c)
        return used["likelihood"].log_prob(outputs, batch.x), divergence

    def update(
        self, batch: Batch, optimizers: Sequence[torch.optim.Optimizer], *, measure: bool
    ) -> Tensor:
        (optimizer,) = optimizers
        with self.rounded(self.device):
            log_prob, divergence = self.evidence(batch)
        reconstruction, kl = -log_prob.mean(), divergence.sum() / len(divergence)
        cost = kl
        if self.free_bits > 0:
            cost = divergence.mean(0).clamp(min=self.free_bits).sum()
        beta = value_at(self.beta, self.num_samples, self.total_samples)
        loss = self.reconstruction_weight * reconstruction + beta * cost
        loss.backward()
        params = self.trained()
        average_gradients(params)
        norm = None if self.clip is None else clip_grad_norm_(params, self.clip)
        if measure:
            found = gradient_norm(params) if norm is None else norm
            self.meter.add("train/gradient_norm", found)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        self.follow(len(batch.x) * self.world_size)
        self.meter.add("train/reconstruction", reconstruction)
        self.meter.add("train/kl", kl)
        self.meter.add("train/loss", loss)
        return loss.detach()

    def follow(self, samples: int) -> None:
        """Move the average, if there is one, after an update by so many samples."""
        if self.ema is None or self.average is None:
            return
        seen, total = self.num_samples + samples, self.total_samples
        for name, module in self.learned().items():
            self.ema.update(self.average[name], module, batch=samples, samples=seen, total=total)

    @torch.no_grad()
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Adds the negative evidence lower bound of one batch to the meter."""
        modules = self.sampler_modules()
        with evaluating(*modules.values()):
            log_prob, divergence = self.evidence(batch, modules)
        self.meter.add("val/loss", divergence.sum(1) - log_prob)

    @torch.no_grad()
    def log_likelihood_bound(self, batch: Batch, noise: Tensor) -> Tensor:
        """Evidence lower bound of each row, by S draws of its latent.

        1/S sum_s log p(x | z_s, c) - KL(q(z | x, c) || p(z)), z_s = m + s noise_s

        Args:
            batch: x (B, ...) and c (B, K).
            noise: standard normal, shape (S, B, Z).

        Returns:
            Nats, shape (B,).
        """
        modules = self.sampler_modules()
        with evaluating(*modules.values()):
            found = []
            for draw in noise:
                log_prob, divergence = self.evidence(batch, modules, draw)
                found.append(log_prob - divergence.sum(1))
            return torch.stack(found).mean(0)

    @torch.no_grad()
    def reconstruct(self, batch: Batch, u: Tensor) -> Encoded:
        """Encode to the posterior mean and decode; u (B, U) uniform in [0, 1)."""
        modules = cast(dict[str, Any], self.sampler_modules())
        with evaluating(*modules.values()):
            mean, _ = modules["encoder"](batch.x, batch.c)
            outputs = modules["decoder"](mean, batch.c)
            return cast(Encoded, modules["likelihood"].sample(outputs, u[:, self.uniforms :]))

    def sampler_modules(self) -> dict[str, nn.Module]:
        return self.learned() if self.average is None else dict(self.average.items())

    @torch.no_grad()
    def sample(self, z: Tensor, c: Tensor, u: Tensor) -> Encoded:
        modules = cast(dict[str, Any], self.sampler_modules())
        with evaluating(*modules.values()):
            if self.prior is not None:
                z = modules["prior"].sample(z, u[:, : self.uniforms])
            outputs = modules["decoder"](z, c)
            return cast(Encoded, modules["likelihood"].sample(outputs, u[:, self.uniforms :]))
