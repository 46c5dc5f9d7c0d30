"""A density of latents that is fitted after the fact, and takes the place of N(0, 1) in sampling.

Where an encoder's latents of all training rows together are not standard normal, a decoder meets
latents in sampling that it never met in training. See `priors.py` for priors that are learned
together with the rest.
"""

from __future__ import annotations

import math
import warnings
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from genmodels.layout import Condition

__all__ = ["ExPostMixture"]


class ExPostMixture(nn.Module):
    """p(z | c) = sum_m w_cm N(z; m_cm, L_cm L_cm^T), for each level of the condition its own.

    Of combinations of attributes there are too many for that: one mixture is for all.

    Fitted to one draw of each row's posterior. No component has fewer rows than `least` or a
    variance below `floor`, so that none is a training row; a level with fewer rows than that
    keeps the standard normal.

    Args:
        condition: what latents are told apart by.
        latent_dim: width Z of z.
        components: per level, at most.
        covariance: "full", or "diag" without correlations.
        least: rows per component, at least.
        floor: added to every variance.
        rows: of the training data that are looked at, at most.
        seed: of the draws and of the fit.

    References:
        Ghosh et al., "From Variational to Deterministic Autoencoders", 2020, section 4.
    """

    uniforms = 1
    weights: Tensor
    means: Tensor
    factors: Tensor

    def __init__(
        self,
        *,
        condition: Condition,
        latent_dim: int,
        components: int,
        covariance: Literal["full", "diag"],
        least: int,
        floor: float,
        rows: int,
        seed: int,
    ) -> None:
        super().__init__()
        if min(components, least, rows) < 1 or floor <= 0.0:
            raise ValueError(
                "model.ex_post needs components, least and rows of at least 1 and a floor above "
                f"0, got {components}, {least}, {rows} and {floor}"
            )
        if covariance not in ("full", "diag"):
            raise ValueError(f"model.ex_post.covariance must be full or diag, got {covariance!r}")
        self.components, self.covariance = components, covariance
        self.least, self.floor, self.rows, self.seed = least, floor, rows, seed
        self.told = condition.width > 0 and condition.combinations is None
        levels, z = condition.width if self.told else 1, latent_dim
        self.register_buffer("weights", torch.zeros(levels, components))
        self.register_buffer("means", torch.zeros(levels, components, z))
        self.register_buffer("factors", torch.zeros(levels, components, z, z))
        self._forget()

    def _forget(self) -> None:
        """A standard normal for every level."""
        self.weights.zero_()[:, 0] = 1.0
        self.means.zero_()
        eye = torch.eye(self.means.shape[2], device=self.factors.device)
        self.factors.copy_(eye.expand_as(self.factors))

    def levels(self, c: Tensor) -> Tensor:
        """The level that each condition (B, K) names, int64 (B,)."""
        if not self.told:
            return torch.zeros(len(c), dtype=torch.int64, device=c.device)
        return c.argmax(1)

    @torch.no_grad()
    def fit(self, mean: Tensor, log_variance: Tensor, c: Tensor) -> None:
        """Fit to posteriors N(mean, exp(log_variance)), each (N, Z), under conditions (N, K)."""
        rng = np.random.default_rng(self.seed)
        m, s = (t.double().cpu().numpy() for t in (mean, (0.5 * log_variance).exp()))
        z = m + s * rng.standard_normal(m.shape)
        levels = self.levels(c).cpu().numpy()
        self._forget()
        for level in np.unique(levels):
            own = z[levels == level]
            if len(own) >= self.least and np.isfinite(own).all():
                self._fit_level(int(level), own)

    def _fit_level(self, level: int, z: np.ndarray) -> None:
        """The largest mixture, by halving, whose components all have enough rows."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        count = min(self.components, len(z) // self.least)
        while True:
            mixture = GaussianMixture(
                count, covariance_type=self.covariance, reg_covar=self.floor, max_iter=50,
                init_params="k-means++", random_state=self.seed,
            )  # fmt: skip
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the bound on steps is meant
                mixture.fit(z)
            if count == 1 or mixture.weights_.min() * len(z) >= self.least:
                break
            count //= 2
        covariances = mixture.covariances_
        full = covariances if self.covariance == "full" else [np.diag(v) for v in covariances]
        self.weights[level].zero_()
        fitted = (mixture.weights_, mixture.means_, np.linalg.cholesky(np.stack(list(full))))
        for kept, values in zip((self.weights, self.means, self.factors), fitted, strict=True):
            kept[level, :count] = torch.from_numpy(np.asarray(values)).to(kept)

    def log_prob(self, z: Tensor, c: Tensor) -> Tensor:
        """Latents (B, Z) under conditions (B, K) -> nats (B,)."""
        level = self.levels(c)
        factors = self.factors[level]
        centred = (z[:, None] - self.means[level]).unsqueeze(3)
        scaled = torch.linalg.solve_triangular(factors, centred, upper=False).squeeze(3)
        log_det = factors.diagonal(dim1=2, dim2=3).log().sum(2)
        unit = 0.5 * z.shape[1] * math.log(2.0 * math.pi)
        terms = self.weights[level].log() - log_det - unit - 0.5 * scaled.square().sum(2)
        return torch.logsumexp(terms, 1)

    def sample(self, noise: Tensor, u: Tensor, c: Tensor) -> Tensor:
        """Standard normal (B, Z), uniform (B, 1) and conditions (B, K) -> latents (B, Z)."""
        level = self.levels(c)
        upto = self.weights[level].double().cumsum(1)
        k = (upto[:, :-1] <= u[:, :1] * upto[:, -1:]).sum(1)
        # A sum and no product of matrices: a row does not depend on how many there are.
        moved = (self.factors[level, k] * noise.to(self.factors.dtype)[:, None]).sum(2)
        return self.means[level, k] + moved
