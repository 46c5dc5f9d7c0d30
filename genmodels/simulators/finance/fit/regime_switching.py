"""Regime switching fitted by maximum likelihood: Hamilton's filter as a product of matrices."""

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
from genmodels.simulators.finance.regime_switching import RegimeSwitching, stationary

__all__ = ["fit_regime_switching", "log_likelihood"]

SMALLEST = 0.05
"""Least volatility of a regime over that of the returns: at 0 the likelihood has no bound."""


def fit_regime_switching(closes: np.ndarray, *, regimes: int = 2) -> Fit:
    """Maximum likelihood; regimes come in the order of their volatilities.

    Args:
        closes: shape (N + 1,).
        regimes: K, 2 to 4.

    References:
        Hamilton, 1989, section 3 (filter and likelihood).
    """
    if regimes not in (2, 3, 4):
        raise ValueError(f"simulator.fit.regimes must be 2, 3 or 4, got {regimes}")
    x, k = torch.from_numpy(returns_of(closes)), regimes
    scale, mean = float(x.std()), float(x.mean())

    def natural(free: Tensor) -> Tensor:
        volatilities = SMALLEST + torch.nn.functional.softplus(free[k : 2 * k])
        odds = free[2 * k :].view(k, k - 1).exp()  # of leaving against staying
        moves = odds / (1 + odds.sum(1, keepdim=True))
        return torch.cat([free[:k], volatilities, moves.flatten()])

    volatilities = torch.linspace(-0.5, 1.5, k).tolist()
    starts = [[0.0] * k + volatilities + [move] * (k * (k - 1)) for move in (-4.0, -2.0)]
    z = (x - mean) / scale
    theta = natural(maximum(lambda at: log_likelihood(z, natural(at), k), starts))
    theta = _ordered(theta, k)
    theta = torch.cat([theta[:k] * scale + mean, theta[k : 2 * k] * scale, theta[2 * k :]])
    errors = standard_errors(lambda at: log_likelihood(x, at, k), theta)
    pairs = [(i, j) for i in range(k) for j in range(k) if i != j]
    names = [f"means[{i}]" for i in range(k)] + [f"volatilities[{i}]" for i in range(k)]
    names += [f"transitions[{i}][{j}]" for i, j in pairs]
    matrix = _transitions(theta[2 * k :], k)
    stay = ", ".join(f"{1 / (1 - p):.0f}" if p < 1 else "all" for p in matrix.diag().tolist())
    return Fit(
        model=RegimeSwitching(
            means=theta[:k].tolist(),
            volatilities=theta[k : 2 * k].tolist(),
            transitions=matrix.tolist(),
        ),
        estimates=tuple(
            Estimate(name, value, error)
            for name, value, error in zip(names, theta.tolist(), errors, strict=True)
        ),
        method=f"maximum likelihood by Hamilton's filter, {k} regimes",
        observations=len(x),
        log_likelihood=float(log_likelihood(x, theta, k)),
        notes=(f"a regime lasts {stay} steps on average",),
    )


def _ordered(theta: Tensor, k: int) -> Tensor:
    """The same model with its calmest regime first."""
    order = theta[k : 2 * k].argsort()
    matrix = _transitions(theta[2 * k :], k)[order][:, order]
    moves = matrix[~torch.eye(k, dtype=torch.bool)]
    return torch.cat([theta[:k][order], theta[k : 2 * k][order], moves])


def _transitions(moves: Tensor, k: int) -> Tensor:
    """P (K, K) of its entries off the diagonal (K (K - 1),), row by row."""
    rows = []
    for i, row in enumerate(moves.view(k, k - 1)):
        rows.append(torch.cat([row[:i], 1 - row.sum().unsqueeze(0), row[i:]]))
    return torch.stack(rows)


def log_likelihood(x: Tensor, theta: Tensor, k: int) -> Tensor:
    """The log of pi' D_1 P D_2 ... P D_N 1, D_t = diag(N(x_t; m_k, s_k^2)), multiplied in pairs.

    Args:
        x: log-returns (N,).
        theta: K means, K volatilities, K (K - 1) transitions off the diagonal.
        k: regimes.
    """
    means, volatilities, moves = theta[:k], theta[k : 2 * k], theta[2 * k :]
    matrix = _transitions(moves, k)
    error = (x[:, None] - means) / volatilities
    density = -error.square() / 2 - volatilities.log() - math.log(2 * math.pi) / 2
    highest = density.detach().max(1, keepdim=True).values
    likelihood = (density - highest).exp()
    first = stationary(matrix) * likelihood[0]
    product, scale = _product(matrix * likelihood[1:, None, :])
    return (first @ product).sum().log() + scale + highest.sum()


def _product(factors: Tensor) -> tuple[Tensor, Tensor]:
    """The product in order of matrices (N, K, K) over e^scale, and scale."""
    scale = factors.new_zeros(())
    while len(factors) > 1:
        odd = factors[-1:] if len(factors) % 2 else factors[:0]
        even = factors[: len(factors) // 2 * 2]
        pairs = even[0::2] @ even[1::2]
        size = pairs.detach().amax((1, 2), keepdim=True)
        scale = scale + size.log().sum()
        factors = torch.cat([pairs / size, odd])
    return factors[0], scale
