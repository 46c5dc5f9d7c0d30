"""GARCH(1, 1), with the leverage term of Glosten, Jagannathan and Runkle, and Student-t noise."""

from __future__ import annotations

from typing import Any

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
    numbers,
    per_asset,
)

__all__ = ["GARCH"]

HEAVY = (
    "these parameters have no finite fourth moment: the kurtosis of simulated returns grows with "
    "their number, and may be far above that of real ones"
)


class GARCH:
    """x_t = mu + e_t, e_t = sqrt(h_t) z_t, h_t = omega + (alpha + gamma 1[e < 0]) e^2 + beta h.

    e and h on the right are those of step t - 1; z has variance 1. `burn_in` steps before the first
    it starts at the unconditional variance omega / (1 - alpha - beta - gamma / 2). Noise of several
    assets is multivariate normal, or multivariate Student-t (one mixing variable for all).

    Args:
        mu: mean of a log-return, per step.
        omega: constant of the variance, per step, above 0.
        alpha, beta: of the last squared shock and the last variance, 0 or larger.
        gamma: more than alpha for a negative shock; alpha + gamma is 0 or larger.
        nu: degrees of freedom of the noise, above 2; None: normal.
        correlation: of the noise, A rows of A; None: independent.
        burn_in: steps before the first that are thrown away, so that volatility differs from path
            to path as it does in the long run; with 0 all paths start at the same.

    References:
        Bollerslev, Generalized autoregressive conditional heteroskedasticity, 1986, eq. 1-3.
        Glosten, Jagannathan and Runkle, On the relation between the expected value and the
        volatility of the nominal excess return on stocks, 1993.
    """

    name = "garch"

    def __init__(
        self,
        *,
        mu: Numbers,
        omega: Numbers,
        alpha: Numbers,
        beta: Numbers,
        gamma: Numbers = 0.0,
        nu: float | None = None,
        correlation: Rows | None = None,
        burn_in: int = 0,
    ) -> None:
        told = {"mu": mu, "omega": omega, "alpha": alpha, "beta": beta, "gamma": gamma}
        self.assets = count_assets(correlation, **told)
        found = {key: per_asset(key, value, self.assets) for key, value in told.items()}
        above("omega", found["omega"], 0.0)
        at_least("alpha", found["alpha"], 0.0)
        at_least("beta", found["beta"], 0.0)
        at_least("alpha + gamma", found["alpha"] + found["gamma"], 0.0)
        persistence = found["alpha"] + found["beta"] + found["gamma"] / 2
        if bool((persistence >= 1).any()):
            raise ValueError(
                "alpha + beta + gamma / 2 must be below 1, or the variance has no mean; it is "
                f"{float(persistence.max()):g}"
            )
        if nu is not None and not 2.0 < float(numbers("nu", [nu])) < float("inf"):
            raise ValueError(f"nu must be above 2 (null for normal noise), got {nu:g}")
        if isinstance(burn_in, bool) or not isinstance(burn_in, int) or burn_in < 0:
            raise ValueError(f"burn_in must be a number of steps, 0 or more, got {burn_in!r}")
        self.values, self.nu, self.burn_in = found, nu, burn_in
        self.variance = found["omega"] / (1 - persistence)
        self.triangle = cholesky(correlation, self.assets)
        self.notes = () if self._has_kurtosis() else (HEAVY,)
        self._state = {**told, "nu": nu, "correlation": correlation, "burn_in": burn_in}

    @property
    def lacks(self) -> tuple[str, ...]:
        """What depends on gamma and nu, and what no GARCH(1, 1) makes."""
        lines = []
        if bool((self.values["gamma"] == 0).all()):
            lines.append("leverage effect: without gamma a fall and a rise count the same")
        if self.nu is None:
            lines.append("heavy tails of the noise itself: given the volatility, r is normal")
        return (
            *lines,
            "a slow, power-law decay of the autocorrelation of |r|: it is exponential",
            "gain/loss asymmetry: given the volatility, a rise is as likely as a fall of its size",
        )

    def _has_kurtosis(self) -> bool:
        """E e^4 is finite: E z^4 (alpha^2 + alpha gamma + gamma^2 / 2) + 2 beta E a + beta^2 < 1.

        a = alpha + gamma 1[z < 0]; E z^4 is 3, or 3 (nu - 2) / (nu - 4) for nu above 4.
        """
        if self.nu is not None and self.nu <= 4:
            return False
        fourth = 3.0 if self.nu is None else 3 * (self.nu - 2) / (self.nu - 4)
        alpha, beta, gamma = (self.values[key] for key in ("alpha", "beta", "gamma"))
        square = alpha.square() + alpha * gamma + gamma.square() / 2
        total = fourth * square + 2 * beta * (alpha + gamma / 2) + beta.square()
        return bool((total < 1).all())

    def state(self) -> dict[str, Any]:
        return self._state

    def log_returns(self, draws: BlockDraws, steps: int, inside: Inside | None = None) -> Tensor:
        asked, steps = steps, steps + self.burn_in
        scale = None
        x = mixed(draws.normal("noise", steps, self.assets), self.triangle)
        if self.nu is not None:
            # t of variance 1: z sqrt((nu - 2) / chi2), and chi2 = 2 Gamma(nu / 2).
            mixing = draws.gamma("mixing", steps, x.new_tensor([self.nu / 2]))
            scale = ((self.nu - 2) / 2 / mixing).sqrt_()
            x.mul_(scale)
        mu, omega, alpha, beta, gamma = (
            self.values[key].to(x.device) for key in ("mu", "omega", "alpha", "beta", "gamma")
        )
        leverage = bool((gamma != 0).any())
        h = self.variance.to(x.device).expand(draws.paths, self.assets)
        spread = None if inside is None else torch.empty_like(x)
        for t in range(steps):
            deviation = h.sqrt()
            if spread is not None:
                spread[t] = deviation
            shock = x[t].mul_(deviation)
            square = shock.square()
            h = torch.addcmul(torch.addcmul(omega, h, beta), square, alpha)
            if leverage:
                h = h.addcmul_(square.mul_(shock < 0), gamma.expand_as(square))
        if inside is not None and spread is not None:
            # Given its mixing variable a Student-t shock is normal: a wild day has a wide bridge.
            inside.spread = (spread if scale is None else spread.mul_(scale))[-asked:]
        return x[-asked:].add_(mu)
