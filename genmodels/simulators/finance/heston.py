"""Heston's stochastic volatility, by Andersen's quadratic-exponential scheme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
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
    within,
)

__all__ = ["Heston"]

SWITCH = 1.5
"""psi above which the next variance is drawn from the exponential branch."""


class Heston:
    """dS / S = mu dt + sqrt(v) dW, dv = kappa (theta - v) dt + xi sqrt(v) dB, d<W, B> = rho dt.

    Andersen's QE scheme with his martingale correction: E[S_t] = S_0 e^(mu t) holds for any
    step; the law of a step is approximate, with an error that falls with dt and is small at a
    day. `correlation` C holds for the noise B of the variances and for that part of W which is
    independent of B: prices of assets i and j are driven by noise of correlation
    C_ij (rho_i rho_j + sqrt(1 - rho_i^2) sqrt(1 - rho_j^2)), which is C_ij where their rho agree.

    Args:
        mu: drift per year.
        kappa: speed at which the variance returns to its mean, per year, above 0.
        theta: mean of the variance per year, above 0.
        xi: volatility of the variance, above 0.
        rho: correlation of a price with its variance, in [-1, 1].
        v0: variance at the start; None: theta; "stationary": drawn for each path from the law in
            which the variance stays, Gamma(2 kappa theta / xi^2) xi^2 / (2 kappa).
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
        v0: Numbers | Literal["stationary"] | None = None,
        correlation: Rows | None = None,
        steps_per_year: float = 252.0,
    ) -> None:
        if isinstance(v0, str) and v0 != "stationary":
            raise ValueError(f"v0 must be a variance, null or stationary, got {v0}")
        self.drawn = v0 == "stationary"
        start: Numbers = theta if v0 is None or isinstance(v0, str) else v0
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
        self.notes = (*_feller(found), *_too_long(found, self.dt))
        self._state = {**told, "v0": v0, "correlation": correlation}
        self._state["steps_per_year"] = steps_per_year

    def state(self) -> dict[str, Any]:
        return self._state

    def log_returns(self, draws: BlockDraws, steps: int, inside: Inside | None = None) -> Tensor:
        price = mixed(draws.normal("noise", steps, self.assets), self.triangle)
        normal = mixed(draws.normal("variance", steps, self.assets), self.triangle)
        step = _Step.of({key: x.to(price.device) for key, x in self.values.items()}, self.dt)
        v = self._start(draws).to(price.device)
        if inside is not None:
            inside.spread = torch.empty_like(price)
        for t in range(steps):
            before = v
            v, price[t] = step(v, price[t], normal[t])
            if inside is not None and inside.spread is not None:
                inside.spread[t] = ((before + v) * (self.dt / 2)).sqrt_()
        return price

    def _start(self, draws: BlockDraws) -> Tensor:
        """The first variance, shape (R, A)."""
        if not self.drawn:
            return self.values["v0"].expand(draws.paths, self.assets)
        kappa, theta, xi = (self.values[key] for key in ("kappa", "theta", "xi"))
        scale = xi.square() / (2 * kappa)
        return draws.gamma("start", 1, theta / scale).cpu()[0] * scale


def _feller(found: dict[str, Tensor]) -> tuple[str, ...]:
    if bool((2 * found["kappa"] * found["theta"] >= found["xi"].square()).all()):
        return ()
    return (
        "2 kappa theta < xi^2 (Feller): the variance touches 0 now and then, which this scheme "
        "handles",
    )


def _too_long(found: dict[str, Tensor], dt: float) -> tuple[str, ...]:
    """M of `_Step` is finite for every variance while (K_2 + K_4 / 2) xi^2 dt is well below 1."""
    step = _Step.of(found, dt)
    if bool(((step.k2 + step.k3 / 2) * found["xi"].square() * dt < 0.5).all()):
        return ()
    return (
        "with this rho a step is too long for its size to be corrected: prices drift otherwise "
        "than mu says; raise steps_per_year",
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

    def __call__(self, v: Tensor, z: Tensor, normal: Tensor) -> tuple[Tensor, Tensor]:
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
            above = torch.special.ndtr(-normal[rare])
            then[rare], log_m[rare] = self._exponential(m[rare], psi[rare], above, asset)
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
        self, m: Tensor, psi: Tensor, above: Tensor, asset: Tensor
    ) -> tuple[Tensor, Tensor]:
        """0 with probability p, else exponential of rate beta, and ln M; `above` is 1 - U."""
        p = (psi - 1.0) / (psi + 1.0)
        beta = (1.0 - p) / m
        then = ((1.0 - p) / above).log().clamp(min=0.0) / beta
        rate = (self.k2 + self.k3 / 2)[asset]
        return then, (p + beta * (1.0 - p) / (beta - rate).clamp(min=1e-6)).log()
