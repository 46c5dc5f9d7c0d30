"""What a fit says: estimates, standard errors, information criteria, what the model lacks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from genmodels.simulators.finance.model import PriceModel

__all__ = ["LEAST", "Estimate", "Fit", "facts_of", "leap_note", "lines_of", "maximum", "returns_of"]
__all__ += ["standard_errors"]

LEAST = 60
"""Returns without which nothing is fitted."""
LEAP = 0.4
"""Of a log-price in one step: what a split looks like, and hardly anything else."""


@dataclass(frozen=True)
class Estimate:
    """One parameter.

    Args:
        name: of the model's constructor.
        value: estimated.
        standard_error: None where the likelihood has no curvature to tell it by, as at a bound.
    """

    name: str
    value: float
    standard_error: float | None


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A fitted model.

    Args:
        model: with the estimates as its parameters.
        estimates: one each.
        method: how they were found.
        observations: N, returns.
        log_likelihood: of the returns at the estimates; None of a fit by moments.
        notes: caveats.
    """

    model: PriceModel
    estimates: tuple[Estimate, ...]
    method: str
    observations: int
    log_likelihood: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def aic(self) -> float | None:
        """2 k - 2 log L of k parameters (Akaike 1974)."""
        return self._criterion(2.0)

    @property
    def bic(self) -> float | None:
        """As AIC with log N for 2: k log N - 2 log L (Schwarz 1978)."""
        return self._criterion(math.log(self.observations))

    def _criterion(self, weight: float) -> float | None:
        if self.log_likelihood is None:
            return None
        return weight * len(self.estimates) - 2 * self.log_likelihood

    def facts(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "method": self.method,
            "observations": self.observations,
            "estimates": facts_of(self.estimates),
            "log_likelihood": self.log_likelihood,
            "aic": self.aic,
            "bic": self.bic,
            "cannot_make": list(self.model.lacks),
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """The same for people."""
        found = [f"{self.model.name} fitted to {self.observations:,} log-returns: {self.method}"]
        found += lines_of(self.estimates)
        if self.log_likelihood is not None:
            found.append(
                f"  log-likelihood {self.log_likelihood:,.2f}, AIC {self.aic:,.2f}, "
                f"BIC {self.bic:,.2f}"
            )
        if any(e.standard_error is None for e in self.estimates):
            found.append(
                "  note: no standard errors, as the likelihood has no curvature here: a parameter "
                "is at its bound, or the prices do not tell it"
            )
        found += [f"  note: {note}" for note in self.notes]
        found.append("  This model cannot make:")
        return found + [f"  - {fact}" for fact in self.model.lacks]


def facts_of(estimates: Sequence[Estimate]) -> dict[str, Any]:
    """Plain JSON."""
    return {e.name: {"value": e.value, "standard_error": e.standard_error} for e in estimates}


def lines_of(estimates: Sequence[Estimate]) -> list[str]:
    """A line of each, below a head."""
    width = max(9, *(len(e.name) for e in estimates))
    found = [f"  {'parameter':<{width}}  {'estimate':>13}  {'std. error':>12}"]
    for e in estimates:
        error = "-" if e.standard_error is None else f"{e.standard_error:.4g}"
        found.append(f"  {e.name:<{width}}  {e.value:>13.6g}  {error:>12}")
    return found


def leap_note(closes: np.ndarray) -> str | None:
    """What to say of prices (N,) or (N, A) that look as if a split were in them; else None."""
    leaps = np.abs(np.diff(np.log(closes), axis=0)).reshape(len(closes) - 1, -1)
    at, asset = np.unravel_index(int(leaps.argmax()), leaps.shape)
    if leaps[at, asset] <= LEAP:
        return None
    prices = closes.reshape(len(closes), -1)[:, asset]
    return (
        f"note: prices go from {prices[at]:g} to {prices[at + 1]:g} at row {at + 2}: a split? Take "
        "adjusted prices then"
    )


def returns_of(closes: np.ndarray, *, several: bool = False) -> np.ndarray:
    """Log-returns (N - 1,) of closes (N,), or with `several` (N - 1, A) of (N, A).

    Raises:
        ValueError: when there are too few, one is not above 0, they do not move, or they are of
            several assets where one is asked for.
    """
    closes = np.asarray(closes, dtype=np.float64)
    if closes.ndim > 1 and not several:
        raise ValueError(
            f"this model is fitted to one asset, column= names {closes.shape[1]}; simulator=gbm is "
            "fitted to several"
        )
    wrong = np.argwhere(~(np.isfinite(closes) & (closes > 0)))
    if len(wrong):
        value = closes[tuple(wrong[0])]
        raise ValueError(f"prices must be numbers above 0; row {wrong[0][0] + 1} holds {value:g}")
    if len(closes) <= LEAST:
        raise ValueError(f"a fit needs at least {LEAST + 1} prices, got {len(closes)}")
    returns = np.diff(np.log(closes), axis=0)
    if not (returns.std(0) > 0).all():
        raise ValueError("these prices never move: there is nothing to fit")
    return returns


def maximum(
    log_likelihood: Callable[[Tensor], Tensor], starts: Sequence[Sequence[float]]
) -> Tensor:
    """The free parameters (P,) of the largest log-likelihood that any start leads to.

    BFGS with the gradient of autograd.

    Raises:
        ValueError: when the likelihood is finite nowhere that was tried.
    """

    def loss(free: np.ndarray) -> tuple[float, np.ndarray]:
        at = torch.tensor(free, dtype=torch.float64, requires_grad=True)
        value = -log_likelihood(at)
        (slope,) = torch.autograd.grad(value, at)
        height = value.item()
        if not (math.isfinite(height) and bool(slope.isfinite().all())):
            return 1e100, np.zeros_like(free)
        return height, slope.numpy()

    found = [minimize(loss, start, jac=True, method="BFGS") for start in starts]
    best = min(found, key=lambda one: one.fun)
    if not best.fun < 1e99:
        raise ValueError("the likelihood of these returns is finite nowhere that was tried")
    return torch.tensor(best.x, dtype=torch.float64)


def standard_errors(log_likelihood: Callable[[Tensor], Tensor], at: Tensor) -> list[float | None]:
    """Square roots of the diagonal of the inverse observed information, -d^2 log L / d theta^2.

    Args:
        log_likelihood: of the natural parameters (P,).
        at: the estimates.

    Returns:
        P numbers; all None when the information is not positive definite, as it is at a bound.
    """
    with torch.enable_grad():
        information = -torch.autograd.functional.hessian(log_likelihood, at)
    # Parameters differ by orders of magnitude: judged and inverted with a unit diagonal.
    diagonal = information.diagonal()
    nothing: list[float | None] = [None] * len(at)
    if not bool(information.isfinite().all()) or bool((diagonal <= 0).any()):
        return nothing
    scale = diagonal.rsqrt()
    triangle, failed = torch.linalg.cholesky_ex(information * scale * scale[:, None])
    if int(failed):
        return nothing
    inverse = torch.cholesky_inverse(triangle)
    return [float(x) for x in inverse.diagonal().sqrt() * scale]
