"""Discrete latents and a prior over them, learned together: two optimizers, one batch, one clock.

Not in here: the prior of variables whose encoder is fixed, see `prior.py`. There the encoder is
certain, rows hold numbers besides levels, and any part of a row can be given. Here the encoder
is learned too, so its tokens move while the prior learns them; this is its own order of updates.
"""

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
from genmodels.ema import EMA
from genmodels.layout import Condition, Layout
from genmodels.precision import Rounded, Rounding
from genmodels.types import Batch, Encoded

__all__ = ["VQVAE"]

AUTOENCODER = ("encoder", "quantizer", "decoder", "likelihood")


class PriorFactory(Protocol):
    """A prior that still misses what a row of tokens is."""

    def __call__(self, *, condition: Condition, length: int, codes: int) -> nn.Module: ...


class VQVAE(GenerativeModel):
    """Autoencoder: -log p(x | q(e(x))) + cost of q. Prior: -log p(t | c), t = tokens of x.

    Each update is one step of both by the same batch. No gradient goes from the prior to the
    encoder. The prior learns the tokens that the *averaged* encoder gives, which move slowly
    and are those that the averaged decoder, which draws samples, understands; so there is no
    second stage to start by hand, and a run can be stopped anywhere. The first samples are for
    the autoencoder alone: its tokens change most then, and a prior costs several times as much.

    As the encoder is certain, -log p(x | t) - log p(t | c) at its tokens bounds -log p(x | c)
    from above: log p(x | c) is that of the sum over all t, of which this is one.

    Args:
        layout, condition: see `GenerativeModel`.
        encoder: x -> vectors (B, T, F); `.length` is T.
        quantizer: vectors -> see `networks/quantizers.py`; `.lookup(tokens)` -> vectors,
            `.learn(points, tokens)` after an update, `.codes` is the number of codes.
        decoder: vectors (B, T, F) -> outputs.
        likelihood: `.log_prob(outputs, x)` -> (B,), `.sample(outputs, u)` -> encoded sample.
        prior: factory missing length T, number of codes and condition. `.log_prob(tokens, c)`
            -> (B,), `.sample(c, u, guidance=, temper=, top_p=)` -> tokens, `.uniforms`.
        optimizer, prior_optimizer: factories missing their parameters.
        prior_after: samples that the autoencoder learns alone.
        clip: largest norm of the prior's gradient.
        ema: average of all weights, to sample and to validate with.
        guidance: weight of the label when sampling: 0 leaves it out, 1 is as learned.
        temper: of the prior when sampling: above 1 flattens, below 1 sharpens.
        top_p: sum of probabilities that the likeliest tokens must reach, in (0, 1].
        rounding: whether products round to bfloat16 in training: "auto" where that is native.

    References:
        van den Oord, Vinyals, Kavukcuoglu, "Neural Discrete Representation Learning", 2017,
        sections 3.1 to 3.3 (there the prior is learned afterwards).
        Ho and Salimans, "Classifier-Free Diffusion Guidance", 2022.
    """

    measures_loss = True

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        encoder: nn.Module,
        quantizer: nn.Module,
        decoder: nn.Module,
        likelihood: nn.Module,
        prior: PriorFactory,
        optimizer: OptimizerFactory,
        prior_optimizer: OptimizerFactory,
        prior_after: int,
        clip: float,
        ema: EMA,
        guidance: float,
        temper: float,
        top_p: float,
        rounding: Rounding,
    ) -> None:
        super().__init__(layout=layout, condition=condition, latent_dim=0)
        self.drawing = checked({"guidance": guidance, "temper": temper, "top_p": top_p})
        length, codes = cast(int, encoder.length), cast(int, quantizer.codes)
        self.learned = nn.ModuleDict(
            {
                "encoder": encoder,
                "quantizer": quantizer,
                "decoder": decoder,
                "likelihood": likelihood,
                "prior": prior(condition=condition, length=length, codes=codes),
            }
        )
        self.average = cast(nn.ModuleDict, frozen_copy(self.learned)).eval()
        self.factories = (optimizer, prior_optimizer)
        self.prior_after, self.clip, self.ema = prior_after, clip, ema
        self.rounded = Rounded(rounding)

    @property
    def uniforms(self) -> int:
        """Uniform numbers that the prior needs per row; they come first."""
        return cast(int, self.learned["prior"].uniforms)

    @property
    def noise_dim(self) -> int:
        return self.uniforms + cast(int, self.learned["likelihood"].noise_dim)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        parts = (self.parameters_of(*AUTOENCODER), self.parameters_of("prior"))
        return [build_optimizer(f, p) for f, p in zip(self.factories, parts, strict=True)]

    def parameters_of(self, *names: str) -> list[nn.Parameter]:
        return [p for name in names for p in self.learned[name].parameters()]

    def update(
        self, batch: Batch, optimizers: Sequence[torch.optim.Optimizer], *, measure: bool
    ) -> Tensor:
        first, second = optimizers
        loss = self.autoencoder_phase(batch, first, measure)
        if self.num_samples >= self.prior_after:
            loss = loss + self.prior_phase(batch, second, measure)
        self.meter.add("train/loss", loss)
        return loss

    def autoencoder_phase(
        self, batch: Batch, optimizer: torch.optim.Optimizer, measure: bool
    ) -> Tensor:
        """One step of everything but the prior."""
        quantizer: Any = self.learned["quantizer"]
        with self.rounded(self.device):
            found, log_prob = self.reconstructed(batch.x, self.learned)
        reconstruction, cost = -log_prob.mean(), found.cost.mean()
        (reconstruction + cost).backward()
        params = self.parameters_of(*AUTOENCODER)
        average_gradients(params)
        if measure:
            perplexity, used = quantizer.usage(found.tokens)
            self.meter.add("train/gradient_norm", gradient_norm(params))
            self.meter.add("train/perplexity", perplexity)
            self.meter.add("train/codes_used", used)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        quantizer.learn(found.points, found.tokens)
        self.follow(AUTOENCODER, len(batch.x) * self.world_size)
        self.meter.add("train/reconstruction", reconstruction)
        self.meter.add("train/commitment", cost)
        return (reconstruction + cost).detach()

    def prior_phase(self, batch: Batch, optimizer: torch.optim.Optimizer, measure: bool) -> Tensor:
        """One step of the prior, by the tokens of the averaged encoder."""
        prior: Any = self.learned["prior"]
        with self.rounded(self.device):
            tokens = self.tokens(batch.x)
            loss = -prior.log_prob(tokens, batch.c).mean()
        loss.backward()
        params = self.parameters_of("prior")
        average_gradients(params)
        norm = clip_grad_norm_(params, self.clip)
        if measure:
            self.meter.add("train/prior/gradient_norm", norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        self.follow(("prior",), len(batch.x) * self.world_size)
        self.meter.add("train/prior/loss", loss)
        return loss.detach()

    def follow(self, names: Sequence[str], samples: int) -> None:
        """Move the average of some parts after an update by so many samples."""
        seen = self.num_samples + samples
        for name in names:
            self.ema.update(self.average[name], self.learned[name], batch=samples, samples=seen)

    def reconstructed(self, x: Tensor, modules: Any) -> tuple[Any, Tensor]:
        """What the quantizer made of x, and log p(x | its codes), shape (B,)."""
        found = modules["quantizer"](modules["encoder"](x))
        outputs = modules["decoder"](found.vectors)
        return found, modules["likelihood"].log_prob(outputs.to(x.dtype), x)

    @torch.no_grad()
    def tokens(self, x: Tensor) -> Tensor:
        """The tokens (B, T) that the averaged encoder gives x (B, ...)."""
        modules: Any = self.average
        return cast(Tensor, modules["quantizer"](modules["encoder"](x)).tokens)

    @torch.no_grad()
    def bounds(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Nats of log p(x | t) and of log p(t | c) at the tokens of x, both (B,)."""
        modules: Any = self.average
        with evaluating(modules):
            found, log_prob = self.reconstructed(batch.x, modules)
            return log_prob, modules["prior"].log_prob(found.tokens, batch.c)

    @torch.no_grad()
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Adds the negative bound of the log-likelihood of one batch to the meter."""
        given, prior = self.bounds(batch)
        bits = math.log(2.0) * math.prod(self.layout.shape)
        self.meter.add("val/loss", -given - prior)
        self.meter.add("val/reconstruction", -given)
        self.meter.add("val/prior", -prior)
        self.meter.add("val/bits_per_dimension", (-given - prior) / bits)

    @torch.no_grad()
    def log_likelihood_bound(self, batch: Batch, noise: Tensor) -> Tensor:
        """Lower bound of log p(x | c) of each row, (B,) in nats; noise (S, B, 0) is not needed."""
        given, prior = self.bounds(batch)
        return given + prior

    @torch.no_grad()
    def reconstruct(self, batch: Batch, u: Tensor) -> Encoded:
        """Encode and decode; u (B, U) uniform in [0, 1)."""
        modules: Any = self.average
        with evaluating(modules):
            outputs = modules["decoder"](modules["quantizer"].lookup(self.tokens(batch.x)))
            return cast(Encoded, modules["likelihood"].sample(outputs, u[:, self.uniforms :]))

    def sampler_modules(self) -> dict[str, nn.Module]:
        return dict(self.average.items())

    def steer(self, how: Mapping[str, Any]) -> None:
        """Draw with another `guidance`, `temper` or `top_p` from now on."""
        self.drawing = checked(self.drawing | dict(how))

    @torch.no_grad()
    def sample(self, z: Tensor, c: Tensor, u: Tensor) -> Encoded:
        modules: Any = self.average
        with evaluating(modules):
            tokens = modules["prior"].sample(c, u[:, : self.uniforms], **self.drawing)
            outputs = modules["decoder"](modules["quantizer"].lookup(tokens))
            return cast(Encoded, modules["likelihood"].sample(outputs, u[:, self.uniforms :]))


def checked(drawing: Mapping[str, Any]) -> dict[str, float]:
    """Ways to draw by name, all of them numbers in their ranges."""
    ranges = {
        "guidance": (lambda v: v >= 0, "at least 0"),
        "temper": (lambda v: v > 0, "above 0"),
        "top_p": (lambda v: 0 < v <= 1, "above 0 and at most 1"),
    }
    for name, value in drawing.items():
        if name not in ranges:
            raise ValueError(f"this model draws by {', '.join(ranges)}; it has no {name}")
        fits, words = ranges[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not fits(value):
            raise ValueError(f"{name} must be a number {words}, got {value!r}")
    return {name: float(value) for name, value in drawing.items()}
