"""What a fit of case counts says: estimates, standard errors, criteria, what counts do not tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from genmodels.simulators.health.epidemic import Epidemic
from genmodels.simulators.health.reporting import Reporting

__all__ = ["CaseFit", "Estimate"]


@dataclass(frozen=True)
class Estimate:
    """One parameter.

    Args:
        name: r0, reporting_rate, initial or dispersion.
        value: estimated.
        standard_error: None where the likelihood has no curvature to tell it by.
    """

    name: str
    value: float
    standard_error: float | None


@dataclass(frozen=True, kw_only=True)
class CaseFit:
    """An epidemic fitted to counts of cases.

    Args:
        model, reporting: with the estimates as their parameters.
        estimates: one each.
        method: how they were found.
        observations: T, days.
        log_likelihood: of the counts at the estimates.
        notes: caveats.
    """

    model: Epidemic
    reporting: Reporting
    estimates: tuple[Estimate, ...]
    method: str
    observations: int
    log_likelihood: float
    notes: tuple[str, ...]

    @property
    def aic(self) -> float:
        """2 k - 2 log L of k parameters (Akaike 1974)."""
        return 2.0 * len(self.estimates) - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """As AIC with log T for 2 (Schwarz 1978)."""
        return math.log(self.observations) * len(self.estimates) - 2.0 * self.log_likelihood

    def facts(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "method": self.method,
            "observations": self.observations,
            "estimates": {
                e.name: {"value": e.value, "standard_error": e.standard_error}
                for e in self.estimates
            },
            "log_likelihood": self.log_likelihood,
            "aic": self.aic,
            "bic": self.bic,
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """The same for people."""
        found = [f"seir fitted to {self.observations:,} daily counts: {self.method}"]
        found.append(f"  {'parameter':<14}  {'estimate':>13}  {'std. error':>12}")
        for e in self.estimates:
            error = "-" if e.standard_error is None else f"{e.standard_error:.4g}"
            found.append(f"  {e.name:<14}  {e.value:>13.6g}  {error:>12}")
        found.append(
            f"  log-likelihood {self.log_likelihood:,.2f}, AIC {self.aic:,.2f}, BIC {self.bic:,.2f}"
        )
        return found + [f"  note: {note}" for note in self.notes]
