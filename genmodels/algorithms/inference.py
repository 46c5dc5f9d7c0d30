"""From what an encoder found and one draw of noise to a decoder's outputs and their price in nats.

Two kinds of latent: one vector with a Gaussian posterior, or a hierarchy in which a decoder draws
level after level. What is made of the price is the algorithm's business.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from genmodels.algorithms.posterior import draw_posterior
from genmodels.types import Batch

__all__ = ["Hierarchy", "encode", "importance_weighted", "infer"]


@runtime_checkable
class Hierarchy(Protocol):
    """A decoder with latents at several levels, each drawn given those before it.

    As a map of a latent vector z (B, Z), standard normal, it is a decoder like any other.
    """

    latent_dim: int

    def infer(
        self, activations: Any, c: Tensor, noise: Tensor, *, sampled: bool
    ) -> tuple[Tensor, Tensor]:
        """Draw every level from its posterior and decode.

        Args:
            activations: what the encoder made of (x, c).
            c: conditions (B, K).
            noise: standard normal (B, Z).
            sampled: whether the divergence is log q - log p at the draw, not its expectation.

        Returns:
            Outputs, and the divergence of each of L levels in nats, (B, L).
        """


def encode(modules: Mapping[str, Any], batch: Batch) -> Any:
    """What `infer` needs of a batch; one pass of the encoder, for any number of draws."""
    found = modules["encoder"](batch.x, batch.c)
    if isinstance(modules["decoder"], Hierarchy):
        return found
    mean, log_variance = (part.to(batch.x.dtype) for part in found)
    return mean, log_variance


def infer(
    modules: Mapping[str, Any], encoded: Any, c: Tensor, noise: Tensor, *, sampled: bool
) -> tuple[Tensor, Tensor]:
    """Outputs of one draw of the latent, and its divergence from the prior.

    Args:
        modules: encoder, decoder and perhaps a prior, by name.
        encoded: of `encode`.
        c: conditions (B, K).
        noise: standard normal (B, Z).
        sampled: whether the divergence is log q - log p at the draw, as it always is with a
            learned prior; else it is exact.

    Returns:
        Outputs, and the divergence in nats: per latent dimension (B, Z) or level (B, L) where it
        is exact or of a hierarchy, else in all (B, 1).
    """
    decoder = modules["decoder"]
    if isinstance(decoder, Hierarchy):
        outputs, divergence = decoder.infer(encoded, c, noise, sampled=sampled)
        return outputs, divergence
    mean, log_variance = encoded
    z, divergence = draw_posterior(mean, log_variance, noise)
    unit = math.log(2.0 * math.pi)
    if "prior" in modules:
        log_q = -0.5 * (noise.square() + log_variance + unit).sum(1)
        divergence = (log_q - modules["prior"].log_prob(z)).unsqueeze(1)
    elif sampled:
        divergence = 0.5 * (z.square() - noise.square() - log_variance).sum(1, keepdim=True)
    return decoder(z, c), divergence


def importance_weighted(log_weights: Tensor) -> Tensor:
    """The log of the mean of K weights, given as log weights (K, B), one per draw: (B,)."""
    return torch.logsumexp(log_weights, 0) - math.log(len(log_weights))
