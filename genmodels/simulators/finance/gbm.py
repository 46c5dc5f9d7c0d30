"""Geometric Brownian motion, drawn exactly."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from genmodels.simulators.draws import BlockDraws
from genmodels.simulators.finance.model import Inside
from genmodels.simulators.finance.parameters import (
    Numbers,
    Rows,
    above,
    at_least,
    cholesky,
    count_assets,
    mixed,
    per_asset,
)

__all__ = ["GBM"]

NONE_OF = (
    "heavy tails: log-returns are normal, their excess kurtosis is 0",
    "volatility clustering: returns are independent, so |r| has no autocorrelation",
    "leverage effect: a fall does not raise the volatility after it",
    "gain/loss asymmetry: log-returns are symmetric about their mean",
    "aggregational normality: returns are normal at every horizon already",
)


class GBM:
    """dS = mu S dt + sigma S dW, so that E[S_t] = S_0 e^(mu t).

    Exact: x = (mu - sigma^2 / 2) dt + sigma sqrt(dt) z.

    Args:
        mu: drift per year.
        sigma: volatility per square root of a year, 0 or larger.
        correlation: of the Brownian motions, A rows of A; None: independent.
        steps_per_year: 1 / dt; 252 trading days.

    References:
        Black and Scholes, The pricing of options and corporate liabilities, 1973.
    """

    name = "gbm"
    lacks = NONE_OF
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        mu: Numbers,
        sigma: Numbers,
        correlation: Rows | None = None,
        steps_per_year: float = 252.0,
    ) -> None:
        self.assets = count_assets(correlation, mu=mu, sigma=sigma)
        self.mu = per_asset("mu", mu, self.assets)
        self.sigma = per_asset("sigma", sigma, self.assets)
        at_least("sigma", self.sigma, 0.0)
        above("steps_per_year", self.mu.new_tensor(steps_per_year), 0.0)
        self.dt = 1.0 / steps_per_year
        self.triangle = cholesky(correlation, self.assets)
        self._state = {
            "mu": mu,
            "sigma": sigma,
            "correlation": correlation,
            "steps_per_year": steps_per_year,
        }

    def state(self) -> dict[str, Any]:
        return self._state

    def log_returns(self, draws: BlockDraws, steps: int, inside: Inside | None = None) -> Tensor:
        noise = mixed(draws.normal("noise", steps, self.assets), self.triangle)
        sigma, mu = self.sigma.to(noise.device), self.mu.to(noise.device)
        drift = (mu - sigma.square() / 2) * self.dt
        if inside is not None:
            inside.spread = sigma * self.dt**0.5
        return noise.mul_(sigma * self.dt**0.5).add_(drift)
