"""Merton's jump diffusion fitted by maximum likelihood."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from genmodels.simulators.finance.fit.result import (
    Estimate,
    Fit,
    maximum,
    returns_of,
    standard_errors,
)
from genmodels.simulators.finance.merton import Merton

__all__ = ["fit_merton", "log_likelihood"]

NAMES = ("mu", "sigma", "intensity", "jump_mean", "jump_std")
MOST_JUMPS = 12
"""Of a step: with at most 1 expected, 13 or more have a probability of 6e-11."""
SMALLEST = 0.05
"""Least standard deviation of the diffusion over that of the returns: at 0 the likelihood of a
return that occurs twice has no bound."""


def fit_merton(closes: np.ndarray, *, steps_per_year: float = 252.0) -> Fit:
    """Maximum likelihood of a Poisson mixture of normals, with bounds that make it finite.

    f(x) = sum_n e^(-l) l^n / n! N(x; (mu - lambda k - sigma^2 / 2) dt + n m, sigma^2 dt + n s^2),
    l = lambda dt in (0, 1).

    Args:
        closes: shape (N + 1,).
        steps_per_year: 1 / dt.

    References:
        Honoré, Pitfalls in estimating jump-diffusion models, 1998: why bounds are needed.
    """
    x = torch.from_numpy(returns_of(closes))
    dt, scale, mean = 1.0 / steps_per_year, float(x.std()), float(x.mean())
    z = (x - mean) / scale

    def natural(free: Tensor) -> Tensor:
        """(drift of the standardised diffusion, its deviation, l, jump mean, jump deviation)."""
        deviation = SMALLEST + torch.nn.functional.softplus(free[1])
        jump = 1e-3 + torch.nn.functional.softplus(free[4])
        return torch.stack([free[0], deviation, free[2].sigmoid(), free[3], jump])

    starts = [[0.0, 0.2, logit, 0.0, size] for logit in (-5.0, -3.0, -1.0) for size in (0.5, 2.0)]
    free = maximum(lambda at: _mixture(z, natural(at)), starts)
    drift, deviation, rate, jump_mean, jump_std = natural(free).tolist()
    sigma, m, s = deviation * scale / math.sqrt(dt), jump_mean * scale, jump_std * scale
    intensity = rate / dt
    growth = math.exp(m + s**2 / 2) - 1
    mu = (drift * scale + mean) / dt + intensity * growth + sigma**2 / 2
    at = torch.tensor([mu, sigma, intensity, m, s], dtype=torch.float64)
    errors = standard_errors(lambda theta: log_likelihood(x, theta, dt), at)
    values = dict(zip(NAMES, at.tolist(), strict=True))
    return Fit(
        model=Merton(**values, steps_per_year=steps_per_year),
        estimates=tuple(
            Estimate(name, value, error)
            for (name, value), error in zip(values.items(), errors, strict=True)
        ),
        method="maximum likelihood of the Poisson mixture, bounded",
        observations=len(x),
        log_likelihood=float(log_likelihood(x, at, dt)),
        notes=("jumps soak up volatility clustering, which this model does not have",),
    )


def log_likelihood(x: Tensor, theta: Tensor, dt: float) -> Tensor:
    """Of log-returns (N,) at (mu, sigma, intensity, jump_mean, jump_std)."""
    mu, sigma, intensity, m, s = theta
    growth = (m + s.square() / 2).exp() - 1
    drift = (mu - intensity * growth - sigma.square() / 2) * dt
    return _mixture(x, torch.stack([drift, sigma * dt**0.5, intensity * dt, m, s]))


def _mixture(x: Tensor, theta: Tensor) -> Tensor:
    """Its parts in a step: drift, deviation, rate, mean and deviation of a jump."""
    drift, deviation, rate, m, s = theta
    n = torch.arange(MOST_JUMPS + 1, dtype=x.dtype)
    weight = n * rate.log() - rate - (n + 1).lgamma()
    variance = deviation.square() + n * s.square()
    error = x[:, None] - drift - n * m
    parts = weight - (2 * math.pi * variance).log() / 2 - error.square() / (2 * variance)
    return parts.logsumexp(1).sum()
