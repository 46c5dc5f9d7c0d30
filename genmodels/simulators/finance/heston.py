"""Heston's stochastic volatility, by Andersen's quadratic-exponential scheme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from genmodels.simulators.draws import BlockDraws
from genmodels.simulators.finance.parameters import (
    Numbers,
    Rows,
    above,
    at_least,
    cholesky,
    count_assets,
    mixed,
    per_asset,
    within,
)

__all__ = ["Heston"]

SWITCH = 1.5
"""psi above which the next variance is drawn from the exponential branch."""


class Heston:
    """dS / S = mu dt + sqrt(v) dW, dv = kappa (theta - v) dt + xi sqrt(v) dB, d<W, B> = rho dt.

    Andersen's QE scheme with his martingale correction: E[S_t] = S_0 e^(mu t) holds for any
    step; the law of a step is approximate, with an error that falls with dt and is small at a
    day. `correlation` is that of the part of the prices' noise that their variances do not share,
    so that returns are correlated by about (1 - rho^2) times as much.

    Args:
        mu: drift per year.
        kappa: speed at which the variance returns to its mean, per year, above 0.
        theta: mean of the variance per year, above 0.
        xi: volatility of the variance, above 0.
        rho: correlation of a price with its variance, in [-1, 1].
        v0: variance at the start; None: theta.
        correlation: A rows of A; None: independent.
        steps_per_year: 1 / dt; 252 trading days.

    References:
        Heston, A closed-form solution for options with stochastic volatility, 1993, eq. 1-4.
        Andersen, Efficient simulation of the Heston stochastic volatility model, 2008, sections
        3.2 (QE) and 4.3 (martingale correction), with gamma_1 = gamma_2 = 1/2.
    """

    name = "heston"
    lacks = (
        "gain/loss asymmetry of single moves: prices have no jumps",
        "a slow, power-law decay of the autocorrelation of |r|: it is exponential, of rate kappa",
    )

    def __init__(
        self,
        *,
        mu: Numbers,
        kappa: Numbers,
        theta: Numbers,
        xi: Numbers,
        rho: Numbers,
        v0: Numbers | None = None,
        correlation: Rows | None = None,
        steps_per_year: float = 252.0,
    ) -> None:
        start = theta if v0 is None else v0
        told = {"mu": mu, "kappa": kappa, "theta": theta, "xi": xi, "rho": rho, "v0": start}
        self.assets = count_assets(correlation, **told)
        found = {key: per_asset(key, value, self.assets) for key, value in told.items()}
        for key in ("kappa", "theta", "xi"):
            above(key, found[key], 0.0)
        within("rho", found["rho"], -1.0, 1.0)
        at_least("v0", found["v0"], 0.0)
        above("steps_per_year", found["mu"].new_tensor(steps_per_year), 0.0)
        self.values, self.dt = found, 1.0 / steps_per_year
        self.triangle = cholesky(correlation, self.assets)
        self.notes = _feller(found)
        self._state = {**told, "correlation": correlation, "steps_per_year": steps_per_year}

    def state(self) -> dict[str, Any]:
        return self._state

    def log_returns(self, draws: BlockDraws, steps: int) -> Tensor:
        price = mixed(draws.normal("noise", steps, self.assets), self.triangle)
        normal = draws.normal("variance", steps, self.assets)
        uniform = draws.uniform("regime", steps, self.assets)
        step = _Step.of({key: x.to(price.device) for key, x in self.values.items()}, self.dt)
        v = self.values["v0"].to(price.device).expand(draws.paths, self.assets)
        for t in range(steps):
            v, price[t] = step(v, price[t], normal[t], uniform[t])
        return price


def _feller(found: dict[str, Tensor]) -> tuple[str, ...]:
    if bool((2 * found["kappa"] * found["theta"] >= found["xi"].square()).all()):
        return ()
    return (
        "2 kappa theta < xi^2 (Feller): the variance touches 0 now and then, which this scheme "
        "handles",
    )


@dataclass(frozen=True)
class _Step:
    """One step of all paths; what does not depend on the variance, (A,) each."""

    decay: Tensor  # e^(-kappa dt)
    theta: Tensor
    slope: Tensor  # of the next variance's variance in v
    level: Tensor  # and its constant
    drift: Tensor  # mu dt
    k2: Tensor
    k3: Tensor  # k4 is the same, as gamma_1 = gamma_2

    @classmethod
    def of(cls, p: dict[str, Tensor], dt: float) -> _Step:
        kappa, xi, rho = p["kappa"], p["xi"], p["rho"]
        decay = (-kappa * dt).exp()
        half = dt / 2 * (kappa * rho / xi - 0.5)
        return cls(
            decay=decay,
            theta=p["theta"],
            slope=xi.square() * decay * (1 - decay) / kappa,
            level=p["theta"] * xi.square() * (1 - decay).square() / (2 * kappa),
            drift=p["mu"] * dt,
            k2=half + rho / xi,
            k3=dt / 2 * (1 - rho.square()),
        )

    def __call__(self, v: Tensor, z: Tensor, normal: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        """The next variance and the log-return, (R, A) each.

        K_0* = -ln M - (K_1 + K_3 / 2) v, M = E[e^(A v')], A = K_2 + K_4 / 2. M exists for any
        rho <= 0, and for a step of a day with any rho of markets; where it does not, it is taken
        at the border.
        """
        m = torch.addcmul(self.theta * (1 - self.decay), v, self.decay)
        psi = torch.addcmul(self.level, v, self.slope).div_(m.square())
        then, log_m = self._quadratic(m, psi.clamp(max=SWITCH), normal)
        rare = (psi > SWITCH).nonzero(as_tuple=True)
        if len(rare[0]):
            asset = rare[1]
            then[rare], log_m[rare] = self._exponential(m[rare], psi[rare], u[rare], asset)
        spread = (v + then).mul_(self.k3).sqrt_()
        x = torch.addcmul(self.drift - log_m, v, -self.k3 / 2)  # K_1 cancels
        return then, x.addcmul_(then, self.k2.expand_as(then)).addcmul_(spread, z)

    def _quadratic(self, m: Tensor, psi: Tensor, normal: Tensor) -> tuple[Tensor, Tensor]:
        """The next variance a (b + Z)^2, and ln M."""
        two = psi.reciprocal_().mul_(2.0)
        b2 = torch.addcmul(-two, two, two).sqrt_().add_(two).sub_(1.0)
        a = m / (1.0 + b2)
        then = (b2.sqrt() + normal).square_().mul_(a)
        reach = a * (self.k2 + self.k3 / 2)
        room = (1.0 - 2.0 * reach).clamp_(min=1e-6)
        return then, reach.mul_(b2).div_(room).sub_(room.log_().div_(2.0))

    def _exponential(
        self, m: Tensor, psi: Tensor, u: Tensor, asset: Tensor
    ) -> tuple[Tensor, Tensor]:
        """0 with probability p, else exponential of rate beta, and ln M."""
        p = (psi - 1.0) / (psi + 1.0)
        beta = (1.0 - p) / m
        then = ((1.0 - p) / (1.0 - u)).log().clamp(min=0.0) / beta
        rate = (self.k2 + self.k3 / 2)[asset]
        return then, (p + beta * (1.0 - p) / (beta - rate).clamp(min=1e-6)).log()
