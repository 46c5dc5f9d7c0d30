"""Counts of cases about the course of a large epidemic: means, likelihood, Fisher scoring.

Free parameters are log R0, the log-odds of the reporting rate and the log of the start, those of
them that are looked for, shape (P, F): P points are computed at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, gammaln, logit

from genmodels.simulators.health.epidemic import Epidemic
from genmodels.simulators.health.mean_field import expected_onsets
from genmodels.simulators.health.reporting import Reporting

__all__ = ["LARGEST", "WORDS", "Counts", "dispersion", "log_likelihood"]

WORDS = {"model.disease.r0": "r0", "reporting.rate": "reporting_rate", "model.initial": "initial"}
LARGEST = 1e7
"""Of the dispersion k: counts are then those of Poisson."""
STEP, BOUND, ROUNDS = 1e-4, 12.0, 60


def log_likelihood(y: np.ndarray, mu: np.ndarray, k: float) -> np.ndarray:
    """Negative binomial counts of variance mu + mu^2 / k, y and mu (T, P): shape (P,)."""
    shape = gammaln(y + k) - gammaln(k) - gammaln(y + 1.0)
    terms = shape - (k + y) * np.log1p(mu / k) + y * np.log(mu / k)
    found = terms.sum(0)
    assert isinstance(found, np.ndarray)
    return found


def dispersion(y: np.ndarray, mu: np.ndarray) -> float:
    """The most likely k of counts (T,) about means (T,)."""
    found = minimize_scalar(
        lambda at: -log_likelihood(y[:, None], mu[:, None], float(np.exp(at)))[0],
        bounds=(-5.0, float(np.log(LARGEST))),
        method="bounded",
    )
    return float(np.exp(found.x))


@dataclass(frozen=True, eq=False)
class Counts:
    """The means of daily counts as a function of what is looked for.

    Args:
        model, reporting: all that is told.
        finds: of the keys of `WORDS`, in their order.
        days: T.
    """

    model: Epidemic
    reporting: Reporting
    finds: tuple[str, ...]
    days: int

    def natural(self, free: np.ndarray) -> np.ndarray:
        """R0, reporting rate and start, shape (P, 3), told or looked for."""
        told = (self.model.disease.r0, self.reporting.rate, float(self.model.initial))
        found = np.tile(told, (len(free), 1))
        for place, name in enumerate(WORDS):
            if name in self.finds:
                values = free[:, self.finds.index(name)]
                found[:, place] = expit(values) if name == "reporting.rate" else np.exp(values)
        return found

    def means(self, free: np.ndarray) -> np.ndarray:
        """Expected counts, shape (T, P)."""
        r0, rate, start = self.natural(free).T
        onsets = expected_onsets(self.model, r0=r0, initial=start, days=self.days)
        return self.reporting.expected(onsets, rate, self.model.start) + 1e-9

    def starts(self, y: np.ndarray, most: int) -> np.ndarray:
        """Where to begin: the likeliest of a grid of R0 and starts, with the rate that fits."""
        r0, first = (
            x.ravel()
            for x in np.meshgrid(
                np.log([1.1, 1.3, 1.6, 2.0, 2.5, 3.2, 4.5, 7.0, 12.0]),
                np.log([1.0, 4.0, 16.0, 64.0, 256.0, 1024.0]),
            )
        )
        axes = {"model.disease.r0": r0, "reporting.rate": 0.0 * r0, "model.initial": first}
        grid = np.stack([axes[name] for name in self.finds], 1)
        if "reporting.rate" in self.finds:
            half = self.means(grid).sum(0)
            rate = np.clip(0.5 * y.sum() / half, 1e-4, 0.99)
            grid[:, self.finds.index("reporting.rate")] = logit(rate)
        spread = float(max(1.0, y.mean() / 10))
        heights = log_likelihood(y[:, None], self.means(grid), spread)
        return grid[np.argsort(-heights)[:most]]

    def scored(self, y: np.ndarray, free: np.ndarray, k: float) -> np.ndarray:
        """Points (P, F) of highest likelihood, one for each series of counts (T, P).

        Fisher scoring with a damping of its own for each point.
        """
        free, damping = free.copy(), np.full(len(free), 1e-2)
        mu = self.means(free)
        height = log_likelihood(y, mu, k)
        for _ in range(ROUNDS):
            slope = self._slopes(free)
            weight = 1.0 / (mu + mu**2 / k)
            score = np.einsum("tpf,tp->pf", slope, weight * (y - mu))
            fisher = np.einsum("tpf,tp,tpg->pfg", slope, weight, slope)
            diagonal = np.einsum("pff->pf", fisher) + 1e-9
            damped = fisher + np.einsum("pf,fg->pfg", damping[:, None] * diagonal, np.eye(
                free.shape[1]))  # fmt: skip
            move = np.linalg.solve(damped, score[..., None])[..., 0]
            trial = np.clip(free + np.clip(move, -1.0, 1.0), -BOUND, BOUND)
            trial_mu = self.means(trial)
            trial_height = log_likelihood(y, trial_mu, k)
            better = trial_height > height
            gain = np.where(better, trial_height - height, 0.0)
            free[better], height[better] = trial[better], trial_height[better]
            mu[:, better] = trial_mu[:, better]
            damping = np.clip(np.where(better, damping / 5, damping * 5), 1e-9, 1e9)
            settled = np.abs(move).max(1) < 1e-6
            if (settled | (better & (gain < 1e-7)) | (damping > 1e7)).all():
                break
        return free

    def _slopes(self, free: np.ndarray) -> np.ndarray:
        """Slopes d mu / d free by central differences, shape (T, P, F)."""
        count, size = free.shape
        shifts = np.eye(size) * STEP
        points = np.concatenate([free + sign * shift for shift in shifts for sign in (1, -1)])
        values = self.means(points).reshape(self.days, size, 2, count)
        return np.moveaxis((values[:, :, 0] - values[:, :, 1]) / (2 * STEP), 1, 2)
