"""Variational training: one optimizer descends the negative evidence lower bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from genmodels.algorithms.base import GenerativeModel, evaluating
from genmodels.algorithms.optimizers import (
    OptimizerFactory,
    average_gradients,
    build_optimizer,
    gradient_norm,
)
from genmodels.algorithms.posterior import draw_posterior
from genmodels.layout import Condition, Layout
from genmodels.schedules import Schedule, value_at
from genmodels.types import Batch, Encoded

__all__ = ["VAE"]


class Likelihood(Protocol):
    noise_dim: int

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor: ...
    def sample(self, outputs: Tensor, u: Tensor) -> Encoded: ...


class VAE(GenerativeModel):
    """loss = -reconstruction_weight * E_q[log p(x | z, c)] + beta * KL(q(z | x, c) || N(0, 1)).

    Args:
        layout, condition, latent_dim: see `GenerativeModel`.
        encoder: (x, c) -> mean and log-variance, each (B, Z).
        decoder: (z, c) -> outputs.
        likelihood: `.log_prob(outputs, x)` -> (B,), `.sample(outputs, u)` -> encoded sample.
        optimizer: factory missing its parameters.
        beta: weight of the KL divergence, or its schedule over the samples seen.
        reconstruction_weight: weight of the log-likelihood.
        free_bits: nats per latent dimension (mean over the batch) that cost nothing.

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
    ) -> None:
        super().__init__(layout=layout, condition=condition, latent_dim=latent_dim)
        self.encoder, self.decoder, self.likelihood = encoder, decoder, likelihood
        self.factory, self.beta, self.free_bits = optimizer, beta, free_bits
        self.reconstruction_weight = reconstruction_weight

    @property
    def noise_dim(self) -> int:
        return self.likelihood.noise_dim

    def trained(self) -> list[nn.Parameter]:
        return [p for module in self.sampler_modules().values() for p in module.parameters()]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return build_optimizer(self.factory, self.trained())

    def evidence(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """One-sample log-likelihood (B,) and KL divergence per dimension (B, Z)."""
        mean, log_variance = (part.to(batch.x.dtype) for part in self.encoder(batch.x, batch.c))
        z, divergence = draw_posterior(mean, log_variance, torch.randn_like(mean))
        return self.likelihood.log_prob(self.decoder(z, batch.c), batch.x), divergence

    def update(
        self, batch: Batch, optimizers: Sequence[torch.optim.Optimizer], *, measure: bool
    ) -> Tensor:
        (optimizer,) = optimizers
        log_prob, divergence = self.evidence(batch)
        reconstruction, kl = -log_prob.mean(), divergence.sum() / len(divergence)
        cost = kl
        if self.free_bits > 0:
            cost = divergence.mean(0).clamp(min=self.free_bits).sum()
        beta = value_at(self.beta, self.num_samples)
        loss = self.reconstruction_weight * reconstruction + beta * cost
        loss.backward()
        params = self.trained()
        average_gradients(params)
        if measure:
            self.meter.add("train/gradient_norm", gradient_norm(params))
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        self.meter.add("train/reconstruction", reconstruction)
        self.meter.add("train/kl", kl)
        self.meter.add("train/loss", loss)
        return loss.detach()

    @torch.no_grad()
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Adds the negative evidence lower bound of one batch to the meter."""
        log_prob, divergence = self.evidence(batch)
        self.meter.add("val/loss", divergence.sum(1) - log_prob)

    @torch.no_grad()
    def log_likelihood_bound(self, batch: Batch, noise: Tensor) -> Tensor:
        """Evidence lower bound of each row, by S draws of its latent.

        1/S sum_s log p(x | z_s, c) - KL(q(z | x, c) || N(0, 1)), z_s = m + s noise_s

        Args:
            batch: x (B, ...) and c (B, K).
            noise: standard normal, shape (S, B, Z).

        Returns:
            Nats, shape (B,).
        """
        with evaluating(*self.sampler_modules().values()):
            mean, log_variance = (p.to(batch.x.dtype) for p in self.encoder(batch.x, batch.c))
            found = []
            for draw in noise:
                z, divergence = draw_posterior(mean, log_variance, draw)
                log_prob = self.likelihood.log_prob(self.decoder(z, batch.c), batch.x)
                found.append(log_prob - divergence.sum(1))
            return torch.stack(found).mean(0)

    @torch.no_grad()
    def reconstruct(self, batch: Batch, u: Tensor) -> Encoded:
        """Encode to the posterior mean and decode; u (B, U) uniform in [0, 1)."""
        with evaluating(*self.sampler_modules().values()):
            mean, _ = self.encoder(batch.x, batch.c)
            return self.likelihood.sample(self.decoder(mean, batch.c), u)

    def sampler_modules(self) -> dict[str, nn.Module]:
        return {
            "encoder": self.encoder,
            "decoder": self.decoder,
            "likelihood": self.get_submodule("likelihood"),
        }

    @torch.no_grad()
    def sample(self, z: Tensor, c: Tensor, u: Tensor) -> Encoded:
        with evaluating(*self.sampler_modules().values()):
            return self.likelihood.sample(self.decoder(z, c), u)
