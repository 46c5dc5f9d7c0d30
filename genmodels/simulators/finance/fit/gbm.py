"""GBM fitted in closed form."""

from __future__ import annotations

import math

import numpy as np

from genmodels.simulators.finance.fit.result import Estimate, Fit, returns_of
from genmodels.simulators.finance.gbm import GBM

__all__ = ["fit_gbm"]


def fit_gbm(closes: np.ndarray, *, steps_per_year: float = 252.0) -> Fit:
    """Maximum likelihood: x ~ N((mu - sigma^2 / 2) dt, sigma^2 dt), correlated over assets.

    With m and s^2 the mean and the variance (divisor N) of x: sigma^2 = s^2 / dt,
    mu = m / dt + sigma^2 / 2, se(sigma) = sigma / sqrt(2 N),
    se(mu) = sqrt(sigma^2 / (N dt) + sigma^4 / (2 N)); of several assets r_ij is the correlation of
    their x, se(r) = (1 - r^2) / sqrt(N).

    Args:
        closes: shape (N + 1,), or (N + 1, A) of several assets.
        steps_per_year: 1 / dt.
    """
    x = returns_of(closes, several=True)
    n, dt = len(x), 1.0 / steps_per_year
    found = x.reshape(n, -1)
    sigma = found.std(0) / math.sqrt(dt)
    mu = found.mean(0) / dt + sigma**2 / 2
    errors = np.sqrt(sigma**2 / (n * dt) + sigma**4 / (2 * n)), sigma / math.sqrt(2 * n)
    if x.ndim == 1:
        model = GBM(mu=float(mu[0]), sigma=float(sigma[0]), steps_per_year=steps_per_year)
        matrix = np.ones((1, 1))
    else:
        matrix = np.corrcoef(found.T)
        model = GBM(
            mu=mu.tolist(),
            sigma=sigma.tolist(),
            correlation=matrix.tolist(),
            steps_per_year=steps_per_year,
        )
    place = [""] if x.ndim == 1 else [f"[{a}]" for a in range(len(mu))]
    estimates = [
        Estimate(f"{name}{at}", float(value), float(error))
        for name, values, spread in (("mu", mu, errors[0]), ("sigma", sigma, errors[1]))
        for at, value, error in zip(place, values, spread, strict=True)
    ]
    for i, j in zip(*np.triu_indices(len(mu), 1), strict=True):
        r = float(matrix[i, j])
        estimates.append(Estimate(f"correlation[{i}][{j}]", r, (1 - r**2) / math.sqrt(n)))
    logs = np.log(2 * math.pi * found.var(0)).sum() + np.linalg.slogdet(matrix)[1]
    return Fit(
        model=model,
        estimates=tuple(estimates),
        method="maximum likelihood in closed form",
        observations=n,
        log_likelihood=-n / 2 * (float(logs) + len(mu)),
        notes=(
            "the drift is known no better than from the first and the last price: its error falls "
            "with the years observed, not with the number of prices",
        ),
    )
