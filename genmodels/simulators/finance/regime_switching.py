"""Gaussian returns whose mean and volatility a hidden Markov chain chooses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from genmodels.simulators.draws import BlockDraws
from genmodels.simulators.finance.model import Inside
from genmodels.simulators.finance.parameters import (
    Rows,
    at_least,
    cholesky,
    count_assets,
    mixed,
    numbers,
    probabilities,
)

__all__ = ["RegimeSwitching", "stationary"]


class RegimeSwitching:
    """x_t = mu_k + sigma_k z_t, k = s_t, P(s_t = j | s_{t-1} = i) = P_ij.

    The chain starts in its stationary distribution and is common to all assets, as a market has
    a state: volatilities of all rise together.

    Args:
        means: of a log-return, per step: K numbers.
        volatilities: its standard deviation: K numbers, 0 or larger.
        transitions: P, K rows of K; each sums to 1.
        correlation: of the noise, A rows of A, which makes A assets; None: one.

    References:
        Hamilton, A new approach to the economic analysis of nonstationary time series and the
        business cycle, 1989.
    """

    name = "regime_switching"
    lacks = (
        "a power-law tail: a mixture of normals has all moments",
        "a slow, power-law decay of the autocorrelation of |r|: it is exponential",
    )
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        means: Sequence[float],
        volatilities: Sequence[float],
        transitions: Rows,
        correlation: Rows | None = None,
    ) -> None:
        self.transitions = probabilities("transitions", transitions)
        self.means = numbers("means", means)
        self.volatilities = numbers("volatilities", volatilities)
        counts = [len(x) for x in (self.transitions, self.means, self.volatilities)]
        if len(set(counts)) > 1:
            raise ValueError(
                "transitions, means and volatilities speak of different numbers of regimes: "
                + ", ".join(map(str, counts))
            )
        at_least("volatilities", self.volatilities, 0.0)
        self.assets = count_assets(correlation)
        self.triangle = cholesky(correlation, self.assets)
        self._state = {
            "means": list(means),
            "volatilities": list(volatilities),
            "transitions": [list(row) for row in transitions],
            "correlation": correlation,
        }

    def state(self) -> dict[str, Any]:
        return self._state

    def log_returns(self, draws: BlockDraws, steps: int, inside: Inside | None = None) -> Tensor:
        x = mixed(draws.normal("noise", steps, self.assets), self.triangle)
        states = self._states(draws.uniform("regime", steps, 1).squeeze(2))
        sigma = self.volatilities.to(x.device)[states].unsqueeze(2)
        if inside is not None:
            inside.spread = sigma
        return x.mul_(sigma).add_(self.means.to(x.device)[states].unsqueeze(2))

    def _states(self, u: Tensor) -> Tensor:
        """The chain by inversion of uniforms (T, R), int64."""
        borders = self.transitions.cumsum(1)[:, :-1].to(u.device)
        first = stationary(self.transitions).cumsum(0)[:-1].to(u.device)
        states = torch.empty(u.shape, dtype=torch.int64, device=u.device)
        states[0] = (u[0, :, None] >= first).sum(1)
        for t in range(1, len(u)):
            if borders.shape[1] == 1:
                states[t] = u[t] >= borders[:, 0][states[t - 1]]
            else:
                states[t] = (u[t, :, None] >= borders[states[t - 1]]).sum(1)
        return states


def stationary(transitions: Tensor) -> Tensor:
    """The pi with pi P = pi and sum 1, shape (K,), by least squares, which autograd knows."""
    count = len(transitions)
    system = transitions.T - torch.eye(count, dtype=transitions.dtype)
    system = torch.cat([system, torch.ones(1, count, dtype=transitions.dtype)])
    aim = torch.zeros(count + 1, dtype=transitions.dtype)
    aim[-1] = 1.0
    return torch.linalg.lstsq(system, aim.unsqueeze(1)).solution.squeeze(1).clamp(min=0.0)
