"""Merton's jump diffusion, drawn exactly."""

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
    finite,
    mixed,
    per_asset,
)

__all__ = ["Merton"]

MOST_JUMPS = 1e6


class Merton:
    """dS / S = (mu - lambda k) dt + sigma dW + (e^J - 1) dN, J ~ N(m, s^2), N of rate lambda.

    Exact: of n ~ Poisson(lambda dt) jumps in a step,
    x = (mu - lambda k - sigma^2 / 2) dt + sigma sqrt(dt) z + n m + sqrt(n) s z',
    with k = exp(m + s^2 / 2) - 1, so that E[S_t] = S_0 e^(mu t). Jumps of different assets are
    independent, or happen to all at once and are of correlated sizes.

    Args:
        mu: drift per year, jumps included.
        sigma: volatility of the diffusion per square root of a year, 0 or larger.
        intensity: lambda, expected jumps per year, 0 or larger.
        jump_mean, jump_std: m and s of the logarithm of a jump.
        correlation: of the Brownian motions, A rows of A; None: independent.
        common_jumps: whether all assets jump together, with sizes correlated as the Brownian
            motions are; they have one intensity then.
        steps_per_year: 1 / dt; 252 trading days.

    References:
        Merton, Option pricing when underlying stock returns are discontinuous, 1976, eq. 1-4.
    """

    name = "merton"
    lacks = (
        "volatility clustering: returns are independent, so |r| has no autocorrelation",
        "leverage effect: a fall does not raise the volatility after it",
        "a power-law tail: tails of returns fall faster than any power (all moments exist)",
    )
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        mu: Numbers,
        sigma: Numbers,
        intensity: Numbers,
        jump_mean: Numbers,
        jump_std: Numbers,
        correlation: Rows | None = None,
        common_jumps: bool = False,
        steps_per_year: float = 252.0,
    ) -> None:
        told: dict[str, Numbers] = {
            "mu": mu,
            "sigma": sigma,
            "intensity": intensity,
            "jump_mean": jump_mean,
            "jump_std": jump_std,
        }
        self.assets = count_assets(correlation, **told)
        found = {key: per_asset(key, value, self.assets) for key, value in told.items()}
        for key in ("sigma", "intensity", "jump_std"):
            at_least(key, found[key], 0.0)
        above("steps_per_year", found["mu"].new_tensor(steps_per_year), 0.0)
        self.mu, self.sigma, self.intensity = found["mu"], found["sigma"], found["intensity"]
        self.jump_mean, self.jump_std = found["jump_mean"], found["jump_std"]
        self.dt = 1.0 / steps_per_year
        if bool((self.intensity * self.dt > MOST_JUMPS).any()):
            raise ValueError(
                f"intensity must be at most {MOST_JUMPS:g} jumps in a step, "
                f"got {float((self.intensity * self.dt).max()):g}"
            )
        if common_jumps and len(self.intensity.unique()) > 1:
            raise ValueError("with common_jumps all assets have one intensity, not several")
        finite("the mean size of a jump", self._growth(self.jump_mean, self.jump_std))
        self.common_jumps = bool(common_jumps)
        self.triangle = cholesky(correlation, self.assets)
        self._state = {**told, "correlation": correlation, "common_jumps": self.common_jumps}
        self._state["steps_per_year"] = steps_per_year

    def state(self) -> dict[str, Any]:
        return self._state

    def log_returns(self, draws: BlockDraws, steps: int, inside: Inside | None = None) -> Tensor:
        noise = mixed(draws.normal("noise", steps, self.assets), self.triangle)
        here = noise.device
        sigma, m, s = (x.to(here) for x in (self.sigma, self.jump_mean, self.jump_std))
        growth = self._growth(m, s)
        drift = (self.mu.to(here) - self.intensity.to(here) * growth - sigma.square() / 2) * self.dt
        x = noise.mul_(sigma * self.dt**0.5).add_(drift)
        rate = self.intensity[:1] if self.common_jumps else self.intensity
        jumps = draws.poisson("jumps", steps, rate * self.dt)
        sizes = draws.normal("jump_sizes", steps, self.assets)
        if self.common_jumps:
            sizes = mixed(sizes, self.triangle)
        if inside is not None:
            of_jumps = self.intensity.to(here) * (m.square() + s.square())
            inside.jump_share = of_jumps / (of_jumps + sigma.square()).clamp(min=1e-300)
            inside.spread = sigma * self.dt**0.5
            inside.jumps = jumps * m + sizes * jumps.sqrt() * s
        return x.addcmul_(jumps, m.expand_as(x)).add_(sizes.mul_(jumps.sqrt_()).mul_(s))

    @staticmethod
    def _growth(m: Tensor, s: Tensor) -> Tensor:
        """K = E[e^J] - 1."""
        return (m + s.square() / 2).exp() - 1
