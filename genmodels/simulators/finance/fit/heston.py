"""Heston fitted to moments of returns, with the caveat that this deserves."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from genmodels.simulators.finance.fit.result import Estimate, Fit, returns_of
from genmodels.simulators.finance.heston import Heston

__all__ = ["fit_heston"]

LAGS = 100
BLOCK, REPEATS = 250, 200
CAVEAT = (
    "returns alone do not identify this model: they show the variance through noise, and kappa, xi "
    "and rho trade off against each other. Standard errors are of a bootstrap of these moments, "
    "not of the model; take option prices to calibrate it"
)


def fit_heston(
    closes: np.ndarray, *, steps_per_year: float = 252.0, v0: Any = None, seed: int = 0
) -> Fit:
    """Method of moments, to first order in dt; standard errors by a moving-block bootstrap.

    theta = var(x) / dt; c_k = cov(x_t^2, x_{t+k}^2) = dt^2 V e^(-kappa k dt), k = 1 ... 100, by
    least squares, V = theta xi^2 / (2 kappa) the variance of v; rho from
    sum_k cov(x_t, x_{t+k}^2) = rho xi theta dt^2 sum_k e^(-kappa k dt).

    Args:
        closes: shape (N + 1,), N at least 500.
        steps_per_year: 1 / dt.
        v0: of the model, see `Heston`; nothing is fitted by it.
        seed: of the bootstrap.

    References:
        Cox, Ingersoll and Ross, 1985 (moments of v); Künsch, The jackknife and the bootstrap for
        general stationary observations, 1989 (blocks).
    """
    x, dt = returns_of(closes), 1.0 / steps_per_year
    if len(x) < 2 * BLOCK:
        raise ValueError(f"heston needs at least {2 * BLOCK + 1} prices, got {len(x) + 1}")
    rng = np.random.default_rng(seed)
    values = _moments(x, dt)
    blocks = -(-len(x) // BLOCK)
    again = []
    for _ in range(REPEATS):
        starts = rng.integers(0, len(x) - BLOCK + 1, blocks)
        again.append(_moments(np.concatenate([x[s : s + BLOCK] for s in starts]), dt))
    errors = np.std(again, axis=0, ddof=1)
    names = ("mu", "kappa", "theta", "xi", "rho")
    found: dict[str, Any] = dict(zip(names, values.tolist(), strict=True))
    model = Heston(**found, v0=v0, steps_per_year=steps_per_year)
    return Fit(
        model=model,
        estimates=tuple(
            Estimate(name, value, float(error))
            for (name, value), error in zip(found.items(), errors, strict=True)
        ),
        method="method of moments",
        observations=len(x),
        notes=(CAVEAT, *model.notes),
    )


def _moments(x: np.ndarray, dt: float) -> np.ndarray:
    """(mu, kappa, theta, xi, rho) of log-returns."""
    e = x - x.mean()
    square, theta = e**2 - e.var(), float(e.var()) / dt
    lags = np.arange(1, LAGS + 1)
    clustering = np.array([(square[:-k] * square[k:]).mean() for k in lags])
    leverage = np.array([(e[:-k] * square[k:]).mean() for k in lags])

    def level(kappa: float) -> float:
        decay = np.exp(-kappa * lags * dt)
        return max(float(clustering @ decay / (decay @ decay)), 0.0)

    def misfit(log_kappa: float) -> float:
        kappa = float(np.exp(log_kappa))
        gap = clustering - level(kappa) * np.exp(-kappa * lags * dt)
        return float(gap @ gap) / float(clustering @ clustering)

    bounds = (np.log(0.1), np.log(100.0))
    kappa = float(np.exp(minimize_scalar(misfit, bounds=bounds, method="bounded").x))
    variance = max(level(kappa) / dt**2, 1e-4 * theta**2)
    xi = float(np.sqrt(2 * kappa * variance / theta))
    decay = np.exp(-kappa * lags * dt)
    rho = float(leverage.sum() / (xi * theta * dt**2 * decay.sum()))
    mu = float(x.mean()) / dt + theta / 2
    return np.array([mu, kappa, theta, xi, np.clip(rho, -0.99, 0.99)])
