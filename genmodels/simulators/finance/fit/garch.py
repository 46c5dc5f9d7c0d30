"""GARCH(1, 1), GJR and Student-t, fitted by maximum likelihood."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from scipy.signal import lfilter
from torch import Tensor

from genmodels.simulators.finance.fit.result import (
    Estimate,
    Fit,
    maximum,
    returns_of,
    standard_errors,
)
from genmodels.simulators.finance.garch import GARCH

__all__ = ["Decay", "fit_garch", "log_likelihood"]

NAMES = ("mu", "omega", "alpha", "beta")


def fit_garch(
    closes: np.ndarray, *, leverage: bool = True, student: bool = True, burn_in: int = 0
) -> Fit:
    """Maximum likelihood, stationary by construction; h of the first return is the mean of e^2.

    Args:
        closes: shape (N + 1,).
        leverage: estimate gamma; otherwise it is 0.
        student: estimate nu; otherwise the noise is normal.
        burn_in: of the model, see `GARCH`; nothing is fitted by it.

    References:
        Bollerslev, 1986 and 1987 (Student-t); Glosten, Jagannathan and Runkle, 1993.
    """
    x = torch.from_numpy(returns_of(closes))
    scale = float(x.std())
    z = x / scale

    def natural(free: Tensor) -> Tensor:
        """Persistence is a sigmoid, shared by a softmax: every bound holds, none is reached."""
        total = free[2].sigmoid()
        # In units of the variance: omega = (its mean) (1 - persistence).
        omega = free[1].exp() * (1 - total)
        logits = [free[3], free.new_zeros(()), *([free[4]] if leverage else [])]
        parts = total * torch.stack(logits).softmax(0)
        after_fall = [2 * parts[2] - 2 * parts[0]] if leverage else []
        alpha = 2 * parts[0] if leverage else parts[0]
        shape = [2.0 + free[-1].exp()] if student else []
        return torch.stack([free[0], omega, alpha, parts[1], *after_fall, *shape])

    def likelihood(returns: Tensor, theta: Tensor) -> Tensor:
        gamma = theta[4] if leverage else theta.new_zeros(())
        mu, omega, alpha, beta = theta[:4]
        nu = theta[-1] if student else None
        return log_likelihood(returns, mu, omega, alpha, beta, gamma, nu)

    tail = [*([-2.5] if leverage else []), *([1.5] if student else [])]
    starts = [[float(z.mean()), 0.0, p, share, *tail] for p, share in ((3.5, -2.5), (1.5, -1.5))]
    theta = natural(maximum(lambda at: likelihood(z, natural(at)), starts))
    theta = theta * torch.tensor([scale, scale**2, *[1.0] * (len(theta) - 2)], dtype=torch.float64)
    errors = standard_errors(lambda at: likelihood(x, at), theta)
    names = [*NAMES, *(["gamma"] if leverage else []), *(["nu"] if student else [])]
    values: dict[str, Any] = dict(zip(names, theta.tolist(), strict=True))
    model = GARCH(**values, burn_in=burn_in)
    return Fit(
        model=model,
        estimates=tuple(
            Estimate(name, value, error)
            for (name, value), error in zip(values.items(), errors, strict=True)
        ),
        method=f"maximum likelihood, {'Student-t' if student else 'normal'} noise",
        observations=len(x),
        log_likelihood=float(likelihood(x, theta)),
        notes=(*_notes(model, scale), *model.notes),
    )


def _notes(model: GARCH, observed: float) -> tuple[str, ...]:
    """How long a shock lasts, and whether the mean of the variance is that of the returns."""
    persistence = float((model.values["alpha"] + model.values["beta"]).sum())
    persistence += float(model.values["gamma"].sum()) / 2
    half = math.log(0.5) / math.log(persistence) if persistence > 0 else 0.0
    notes = [f"persistence {persistence:.4f}: half of a shock to the variance is gone in "
             f"{half:.0f} steps"]  # fmt: skip
    implied = float(model.variance) ** 0.5
    if not 0.8 < implied / observed < 1.25:
        notes.append(
            f"the model's own standard deviation is {implied:.4g} per step, that of the returns "
            f"{observed:.4g}: with such persistence the likelihood hardly tells the first"
        )
    return tuple(notes)


def log_likelihood(
    x: Tensor,
    mu: Tensor,
    omega: Tensor,
    alpha: Tensor,
    beta: Tensor,
    gamma: Tensor,
    nu: Tensor | None,
) -> Tensor:
    """Of log-returns (N,), given the first variance."""
    e = x - mu
    square = e.square()
    news = (alpha + gamma * (e < 0)) * square
    h = Decay.apply(torch.cat([square.mean().unsqueeze(0), omega + news[:-1]]), beta)
    if nu is None:
        return -((2 * math.pi * h).log() + square / h).sum() / 2
    constant = ((nu + 1) / 2).lgamma() - (nu / 2).lgamma() - ((nu - 2) * math.pi).log() / 2
    tail = (nu + 1) / 2 * torch.log1p(square / (h * (nu - 2)))
    return (constant - h.log() / 2 - tail).sum()


class Decay(torch.autograd.Function):
    """y_t = u_t + beta y_{t-1}, y_0 = u_0, of u (N,): as fast as a filter, differentiable twice.

    Its adjoint is the same filter backwards: l_t = g_t + beta l_{t+1}, du = l,
    dbeta = sum_t l_t y_{t-1}.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, beta: Tensor) -> Tensor:
        ctx.save_for_backward(u, beta)
        y = lfilter([1.0], [1.0, -float(beta)], u.detach().numpy())
        return torch.from_numpy(np.ascontiguousarray(y))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        u, beta = ctx.saved_tensors
        back = Decay.apply(gradient.flip(0), beta).flip(0)
        return back, (back[1:] * Decay.apply(u, beta)[:-1]).sum()
