"""GBM fitted in closed form."""

from __future__ import annotations

import math

import numpy as np

from genmodels.simulators.finance.fit.result import Estimate, Fit, returns_of
from genmodels.simulators.finance.gbm import GBM

__all__ = ["fit_gbm"]


def fit_gbm(closes: np.ndarray, *, steps_per_year: float = 252.0) -> Fit:
    """Maximum likelihood: x ~ N((mu - sigma^2 / 2) dt, sigma^2 dt).

    With m and s^2 the mean and the variance (divisor N) of x: sigma^2 = s^2 / dt,
    mu = m / dt + sigma^2 / 2, se(sigma) = sigma / sqrt(2 N),
    se(mu) = sqrt(sigma^2 / (N dt) + sigma^4 / (2 N)).

    Args:
        closes: shape (N + 1,).
        steps_per_year: 1 / dt.
    """
    x = returns_of(closes)
    n, dt, variance = len(x), 1.0 / steps_per_year, float(x.var())
    sigma = math.sqrt(variance / dt)
    mu = float(x.mean()) / dt + sigma**2 / 2
    return Fit(
        model=GBM(mu=mu, sigma=sigma, steps_per_year=steps_per_year),
        estimates=(
            Estimate("mu", mu, math.sqrt(sigma**2 / (n * dt) + sigma**4 / (2 * n))),
            Estimate("sigma", sigma, sigma / math.sqrt(2 * n)),
        ),
        method="maximum likelihood in closed form",
        observations=n,
        log_likelihood=-n / 2 * (math.log(2 * math.pi * variance) + 1),
        notes=(
            "the drift is known no better than from the first and the last price: its error falls "
            "with the years observed, not with the number of prices",
        ),
    )
