"""Variational training: one optimizer descends the negative evidence lower bound."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from genmodels.algorithms.base import GenerativeModel, evaluating, frozen_copy
from genmodels.algorithms.inference import Hierarchy, encode, importance_weighted, infer
from genmodels.algorithms.optimizers import (
    OptimizerFactory,
    average_gradients,
    build_optimizer,
    gradient_norm,
)
from genmodels.algorithms.skipping import Skip
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


class ExPost(Protocol):
    uniforms: int
    rows: int

    def fit(self, mean: Tensor, log_variance: Tensor, c: Tensor) -> None: ...
    def sample(self, noise: Tensor, u: Tensor, c: Tensor) -> Tensor: ...


class VAE(GenerativeModel):
    """loss = -reconstruction_weight * E_q[log p(x | z, c)] + beta * KL(q(z | x, c) || p(z)).

    Without a prior, p(z) = N(0, 1) and the divergence is exact; with one, the divergence is
    log q(z | x, c) - log p(z) at the draw of z that the first term uses. With K > 1 draws,
    loss = -E[log mean_k exp(reconstruction_weight * log p(x | z_k, c) - beta * log(q / p)(z_k))],
    which bounds the log-likelihood where both weights are 1.

    Args:
        layout, condition: see `GenerativeModel`.
        latent_dim: see `GenerativeModel`; None: what the decoder of a hierarchy says.
        encoder: (x, c) -> mean and log-variance, each (B, Z), or what a hierarchy's decoder reads.
        decoder: (z, c) -> outputs; perhaps a `Hierarchy`.
        likelihood: `.log_prob(outputs, x)` -> (B,), `.sample(outputs, u)` -> encoded sample.
        optimizer: factory missing its parameters.
        beta: weight of the KL divergence, or its schedule over the samples seen.
        reconstruction_weight: weight of the log-likelihood.
        free_bits: nats per latent dimension or level of a hierarchy (mean over the batch) that
            cost nothing; without a learned prior and with one draw only.
        draws: K, of the latent of each sample in an update; 1: the evidence lower bound.
        prior: `.log_prob(z)` -> (B,), `.sample(noise, u)` -> z with u (B, `uniforms`), learned
            with the rest; None: standard normal.
        ex_post: takes the place of the prior when sampling, fitted to the latents of training
            samples: `.fit(mean, log_variance, c)`, `.sample(noise, u, c)` -> z; None: nothing.
        ema: average of all weights, to sample and to validate with; None: the last ones.
        clip: largest norm of the gradient; None: any.
        skip: norm of the gradient per dimension of a sample above which, as where it is not
            finite, an update counts as one without a gradient; None: every update counts.
        rounding: whether products round to bfloat16 in training: "auto" where that is native.

    References:
        Kingma and Welling, "Auto-Encoding Variational Bayes", 2014, eq. 10.
        Higgins et al., "beta-VAE", 2017, eq. 4.
        Kingma et al., "Improved Variational Inference with Inverse Autoregressive Flow", 2016,
        eq. 15 (free bits).
        Burda, Grosse, Salakhutdinov, "Importance Weighted Autoencoders", 2016, eq. 8 (draws).
        Ghosh et al., "From Variational to Deterministic Autoencoders", 2020, section 4 (ex post).
    """

    measures_loss = True

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        latent_dim: int | None,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        optimizer: OptimizerFactory,
        beta: float | Schedule = 1.0,
        reconstruction_weight: float = 1.0,
        free_bits: float = 0.0,
        draws: int = 1,
        prior: nn.Module | None = None,
        ex_post: nn.Module | None = None,
        ema: EMA | None = None,
        clip: float | None = None,
        skip: float | None = None,
        rounding: Rounding = "float32",
    ) -> None:
        width = _latent_dim(latent_dim, decoder)
        super().__init__(layout=layout, condition=condition, latent_dim=width)
        _check_parts(decoder, prior, ex_post, free_bits, draws)
        self.reads = getattr(encoder, "reads", Expand)
        self.encoder, self.decoder, self.likelihood = encoder, decoder, likelihood
        self.factory, self.beta, self.free_bits = optimizer, beta, free_bits
        self.reconstruction_weight = reconstruction_weight
        self.draws, self.prior, self.ex_post, self.ema = draws, prior, ex_post, ema
        self.clip = clip
        self.skip = None if skip is None else Skip(limit=skip * math.prod(layout.shape))
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
        """Uniform numbers that drawing a latent needs per row; they come first."""
        drawn_by = self.prior if self.ex_post is None else self.ex_post
        return 0 if drawn_by is None else cast(Prior, drawn_by).uniforms

    def learned(self) -> dict[str, nn.Module]:
        """The modules that the optimizer moves, by name."""
        named = {"encoder": self.encoder, "decoder": self.decoder}
        named["likelihood"] = self.get_submodule("likelihood")
        return named if self.prior is None else named | {"prior": self.prior}

    def trained(self) -> list[nn.Parameter]:
        return [p for module in self.learned().values() for p in module.parameters()]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return build_optimizer(self.factory, self.trained())

    def noise(self, batch: Batch, draws: int) -> Tensor:
        """Standard normal numbers for so many draws of the latent of a batch, (draws, B, Z)."""
        size = (draws, len(batch.x), self.latent_dim)
        return torch.randn(size, dtype=batch.x.dtype, device=batch.x.device)

    def evidence(
        self,
        batch: Batch,
        modules: Mapping[str, Any] | None = None,
        noise: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """One-sample log-likelihood (B,) and divergence, see `infer`.

        Args:
            batch: x (B, ...) and c (B, K).
            modules: by name; None: those that are trained.
            noise: standard normal (B, Z); None: drawn here.
        """
        used: Mapping[str, Any] = self.learned() if modules is None else modules
        encoded = encode(used, batch)
        noise = self.noise(batch, 1)[0] if noise is None else noise
        outputs, divergence = infer(used, encoded, batch.c, noise, sampled=False)
        return used["likelihood"].log_prob(outputs, batch.x), divergence

    def sampled_evidence(
        self, batch: Batch, modules: Mapping[str, Any], noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Log-likelihoods and divergences at K draws, both (K, B); noise (K, B, Z)."""
        encoded = encode(modules, batch)
        found = []
        for draw in noise:
            outputs, divergence = infer(modules, encoded, batch.c, draw, sampled=True)
            log_prob = modules["likelihood"].log_prob(outputs, batch.x)
            found.append(torch.stack([log_prob, divergence.sum(1)]))
        log_probs, divergences = torch.stack(found, 1)
        return log_probs, divergences

    def objective(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """The loss, and its parts before they are weighted: reconstruction and divergence."""
        beta = value_at(self.beta, self.num_samples, self.total_samples)
        if self.draws > 1:
            with self.rounded(self.device):
                noise = self.noise(batch, self.draws)
                log_probs, divergences = self.sampled_evidence(batch, self.learned(), noise)
            weights = self.reconstruction_weight * log_probs - beta * divergences
            return -importance_weighted(weights).mean(), -log_probs.mean(), divergences.mean()
        with self.rounded(self.device):
            log_prob, divergence = self.evidence(batch)
        reconstruction, kl = -log_prob.mean(), divergence.sum() / len(divergence)
        cost = kl
        if self.free_bits > 0:
            cost = divergence.mean(0).clamp(min=self.free_bits).sum()
        return self.reconstruction_weight * reconstruction + beta * cost, reconstruction, kl

    def update(
        self, batch: Batch, optimizers: Sequence[torch.optim.Optimizer], *, measure: bool
    ) -> Tensor:
        (optimizer,) = optimizers
        loss, reconstruction, kl = self.objective(batch)
        loss.backward()
        handed_on = self.tame(loss.detach(), measure)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        self.follow(len(batch.x) * self.world_size)
        self.meter.add("train/reconstruction", reconstruction)
        self.meter.add("train/kl", kl)
        self.meter.add("train/loss", loss)
        return handed_on

    def tame(self, loss: Tensor, measure: bool) -> Tensor:
        """Average, clip or leave out the gradients; the loss that is handed on."""
        params = self.trained()
        average_gradients(params)
        norm = None if self.clip is None else clip_grad_norm_(params, self.clip)
        if norm is None and (measure or self.skip is not None):
            norm = gradient_norm(params)
        if measure and norm is not None:
            self.meter.add("train/gradient_norm", norm)
        if self.skip is None or norm is None:
            return loss
        kept = self.skip(params, norm)
        self.meter.add("train/skipped", (~kept).float())
        return self.skip.handed_on(loss, kept)

    def follow(self, samples: int) -> None:
        """Move the average, if there is one, after an update by so many samples."""
        if self.ema is None or self.average is None:
            return
        seen, total = self.num_samples + samples, self.total_samples
        for name, module in self.learned().items():
            self.ema.update(self.average[name], module, batch=samples, samples=seen, total=total)

    @torch.no_grad()
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Adds the negative bound of one batch to the meter, and its bits where it has them."""
        bound = self.log_likelihood_bound(batch, self.noise(batch, self.draws))
        self.meter.add("val/loss", -bound)
        if self.no_bits == "":
            self.meter.add("val/bits_per_dimension", self.bits_per_dimension(bound))

    @property
    def no_bits(self) -> str | None:
        """Why a bound is no number of bits per dimension; "" if it is, None where nobody asks."""
        return cast("str | None", getattr(self.likelihood, "improper", None))

    def bits_per_dimension(self, bound: Tensor) -> Tensor:
        """-bound / (D log 2) of bounds in nats, of samples with D dimensions."""
        return -bound / (math.prod(self.layout.shape) * math.log(2.0))

    @torch.no_grad()
    def log_likelihood_bound(self, batch: Batch, noise: Tensor) -> Tensor:
        """Evidence lower bound of each row, by S draws of its latent.

        1/S sum_s log p(x | z_s, c) - KL(q(z | x, c) || p(z)), z_s = m + s noise_s; of a model that
        learns by several draws the importance-weighted bound, log 1/S sum_s (p(x, z_s | c) / q).

        Args:
            batch: x (B, ...) and c (B, K).
            noise: standard normal, shape (S, B, Z).

        Returns:
            Nats, shape (B,).
        """
        modules = self.sampler_modules()
        with evaluating(*modules.values()):
            if self.draws > 1:
                log_probs, divergences = self.sampled_evidence(batch, modules, noise)
                return importance_weighted(log_probs - divergences)
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
            noise = torch.zeros_like(self.noise(batch, 1)[0])
            encoded = encode(modules, batch)
            outputs, _ = infer(modules, encoded, batch.c, noise, sampled=False)
            return cast(Encoded, modules["likelihood"].sample(outputs, u[:, self.uniforms :]))

    @torch.no_grad()
    def posterior_mean(self, batch: Batch) -> Tensor:
        """Where the encoder places samples: means (B, Z) of their posteriors.

        Raises:
            ValueError: when the latent is a hierarchy, which is drawn level after level.
        """
        modules = self.sampler_modules()
        if isinstance(modules["decoder"], Hierarchy):
            raise ValueError("the latents of a hierarchy are drawn one level after the other")
        with evaluating(*modules.values()):
            return cast(Tensor, encode(modules, batch)[0])

    @torch.no_grad()
    def settle(self, batches: Callable[[int], Iterator[Batch]]) -> None:
        """Fit what draws latents ex post to those of at most so many training samples."""
        if self.ex_post is None:
            return
        drawn_by, modules, found = cast(ExPost, self.ex_post), self.sampler_modules(), []
        with evaluating(*modules.values()):
            for batch in batches(drawn_by.rows):
                found.append((*encode(modules, batch), batch.c))
        drawn_by.fit(*(torch.cat(parts) for parts in zip(*found, strict=True)))

    def sampler_modules(self) -> dict[str, nn.Module]:
        used = self.learned() if self.average is None else dict(self.average.items())
        return used if self.ex_post is None else used | {"ex_post": self.ex_post}

    @torch.no_grad()
    def sample(self, z: Tensor, c: Tensor, u: Tensor) -> Encoded:
        modules = cast(dict[str, Any], self.sampler_modules())
        with evaluating(*modules.values()):
            if self.ex_post is not None:
                z = modules["ex_post"].sample(z, u[:, : self.uniforms], c)
            elif self.prior is not None:
                z = modules["prior"].sample(z, u[:, : self.uniforms])
            outputs = modules["decoder"](z, c)
            return cast(Encoded, modules["likelihood"].sample(outputs, u[:, self.uniforms :]))


def _latent_dim(asked: int | None, decoder: nn.Module) -> int:
    """Width of the latent: the decoder of a hierarchy knows its own."""
    own = decoder.latent_dim if isinstance(decoder, Hierarchy) else None
    if own is None and asked is None:
        raise ValueError(
            "model.latent_dim is null, but this decoder does not set it: give a number"
        )
    if own is not None and asked is not None and asked != own:
        raise ValueError(f"the decoder has {own} latents: set model.latent_dim=null, not {asked}")
    return cast(int, own if asked is None else asked)


def _check_parts(
    decoder: nn.Module,
    prior: nn.Module | None,
    ex_post: nn.Module | None,
    free_bits: float,
    draws: int,
) -> None:
    """Refuse parts that do not go together."""
    if draws < 1:
        raise ValueError(f"model.draws must be at least 1, got {draws}")
    if draws > 1 and free_bits > 0:
        raise ValueError(
            "model.free_bits needs the exact divergence, which several draws do not use: set "
            "model.free_bits=0 or model.draws=1"
        )
    if prior is not None and free_bits > 0:
        raise ValueError(
            "model.free_bits counts nats per latent dimension, which a learned prior does "
            "not tell apart: set model.free_bits=0 or model.prior=null"
        )
    if prior is not None and ex_post is not None:
        raise ValueError(
            "a learned prior is there already when latents are drawn: set ex_post=none or "
            "model.prior=null"
        )
    if isinstance(decoder, Hierarchy) and not (prior is None and ex_post is None):
        raise ValueError(
            "a hierarchy of latents has its own prior: set ex_post=none and model.prior=null"
        )
