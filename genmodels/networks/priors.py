"""Learned priors of a continuous latent: densities that can be drawn from in one pass.

Each knows `log_prob(z)` and `sample(noise, u)`; a standard normal needs no class, it is what a
VAE has without a prior.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax, silu

from genmodels.precision import full_precision

__all__ = ["CouplingFlow", "MixtureOfGaussians"]

_SCALES = (-5.0, 2.0)  # of the logarithm of a component's scale


class MixtureOfGaussians(nn.Module):
    """p(z) = sum_k w_k N(z; m_k, diag(s_k^2)), with learned weights, means and scales.

    Args:
        latent_dim: width Z of z.
        components: number K.
        spread: standard deviation of the means before training.

    References:
        Dilokthanakul et al., "Deep Unsupervised Clustering with Gaussian Mixture Variational
        Autoencoders", 2016, section 3 (mixture as the prior).
    """

    uniforms = 1

    def __init__(self, *, latent_dim: int, components: int, spread: float = 1.0) -> None:
        super().__init__()
        if components < 1:
            raise ValueError(f"model.prior.components must be at least 1, got {components}")
        self.logits = nn.Parameter(torch.zeros(components))
        self.means = nn.Parameter(torch.randn(components, latent_dim) * spread)
        self.log_scales = nn.Parameter(torch.zeros(components, latent_dim))

    def log_prob(self, z: Tensor) -> Tensor:
        """Latents (B, Z) -> nats (B,)."""
        with full_precision(z):
            z = z.to(self.means.dtype)
            log_scales = self.log_scales.clamp(*_SCALES)
            precision = (-2.0 * log_scales).exp()
            scaled = self.means * precision
            # |z - m|^2 / s^2 as products of matrices: no (B, K, Z) tensor is made.
            distance = (self.means * scaled).sum(1) - 2.0 * z @ scaled.t()
            distance = distance + z.square() @ precision.t()
            constant = log_scales.sum(1) + 0.5 * z.shape[1] * math.log(2.0 * math.pi)
            terms = log_softmax(self.logits, 0) - constant - 0.5 * distance
            return torch.logsumexp(terms, 1)

    def sample(self, noise: Tensor, u: Tensor) -> Tensor:
        """Standard normal (B, Z) and uniform (B, 1): for the place and for the component."""
        upto = log_softmax(self.logits, 0).exp().double().cumsum(0)
        target = u[:, 0].double() * upto[-1]
        k = torch.searchsorted(upto[:-1].contiguous(), target, right=True)
        scales = self.log_scales.clamp(*_SCALES).exp()
        return torch.addcmul(self.means[k], scales[k], noise.to(scales.dtype))


class CouplingFlow(nn.Module):
    """p(z) = b(f(z)) |det df/dz|, where f is a chain of affine couplings.

    b is a standard normal, or a mixture of Gaussians that is learned with the rest.

    One coupling leaves the half a of its inputs and moves the other, b <- (b - t(a)) e^{-s(a)};
    the halves change places from one to the next, and fixed permutations mix them.
    f is the identity before training.

    Args:
        latent_dim: width Z of z, at least 2.
        couplings: number of couplings.
        hidden: width of the two hidden layers of each.
        limit: |s| stays below it.
        components: of b; 0: standard normal.

    References:
        Dinh et al., "Density estimation using Real NVP", 2017, eq. 7 and 8.
    """

    def __init__(
        self,
        *,
        latent_dim: int,
        couplings: int,
        hidden: int,
        limit: float = 2.0,
        components: int = 0,
    ) -> None:
        super().__init__()
        if latent_dim < 2:
            raise ValueError(
                f"a coupling flow needs model.latent_dim of at least 2, got {latent_dim}"
            )
        self.layers = nn.ModuleList(
            _Coupling(latent_dim, hidden, limit, shift=number) for number in range(couplings)
        )
        self.base: MixtureOfGaussians | None = None
        if components:
            self.base = MixtureOfGaussians(latent_dim=latent_dim, components=components)

    @property
    def uniforms(self) -> int:
        return 0 if self.base is None else self.base.uniforms

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Latents (B, Z) -> f(z) (B, Z) and log |det df/dz| (B,)."""
        total = z.new_zeros(len(z))
        for layer in self.layers:
            z, log_det = layer(z)
            total = total + log_det
        return z, total

    def log_prob(self, z: Tensor) -> Tensor:
        """Latents (B, Z) -> nats (B,)."""
        with full_precision(z):
            e, log_det = self(z)
            if self.base is not None:
                return log_det + self.base.log_prob(e)
            unit = 0.5 * z.shape[1] * math.log(2.0 * math.pi)
            return log_det - 0.5 * e.square().sum(1) - unit

    def sample(self, noise: Tensor, u: Tensor) -> Tensor:
        """Standard normal (B, Z) and uniform (B, `uniforms`) -> latents."""
        z = noise if self.base is None else self.base.sample(noise, u)
        for layer in reversed(self.layers):
            z = cast(_Coupling, layer).inverse(z)
        return z


class _Coupling(nn.Module):
    """One affine coupling between a permutation and its inverse, which costs nothing to keep."""

    kept: Tensor
    moved: Tensor
    back: Tensor

    def __init__(self, width: int, hidden: int, limit: float, *, shift: int) -> None:
        super().__init__()
        # Permutations are part of the model, so they are drawn by a stream of their own.
        generator = torch.Generator().manual_seed(shift // 2)
        order = torch.randperm(width, generator=generator)
        half = width // 2
        kept, moved = (order[:half], order[half:]) if shift % 2 else (order[half:], order[:half])
        self.limit = limit
        for name, index in (("kept", kept), ("moved", moved)):
            self.register_buffer(name, index, False)
        self.register_buffer("back", torch.cat([kept, moved]).argsort(), False)
        self.first = nn.Linear(len(kept), hidden)
        self.second = nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, 2 * len(moved))
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def terms(self, a: Tensor) -> tuple[Tensor, Tensor]:
        """s(a) and t(a)."""
        h = silu(self.first(a))
        h = h + silu(self.second(h))
        s, t = self.last(h).chunk(2, 1)
        return self.limit * torch.tanh(s / self.limit), t

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        a, b = z.index_select(1, self.kept), z.index_select(1, self.moved)
        s, t = self.terms(a)
        out = torch.cat([a, (b - t) * (-s).exp()], 1).index_select(1, self.back)
        return out, -s.sum(1)

    def inverse(self, e: Tensor) -> Tensor:
        a, b = e.index_select(1, self.kept), e.index_select(1, self.moved)
        s, t = self.terms(a)
        return torch.cat([a, torch.addcmul(t, b, s.exp())], 1).index_select(1, self.back)
