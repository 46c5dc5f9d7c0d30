"""Times between two events of a patient or a report: gamma distributed, told as mean and spread."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import gamma

from genmodels.simulators.health.parameters import number, numbers

__all__ = ["Delay"]


class Delay:
    """Gamma of a mean and a standard deviation, in days.

    Args:
        key: of the configuration, for messages.
        told: [mean, standard deviation], both from 0; without deviation it is always the mean.
    """

    def __init__(self, key: str, told: Any) -> None:
        values = numbers(key, told, count=2, least=0.0)
        self.mean, self.deviation = (number(key, float(x)) for x in values)
        if self.mean == 0.0 and self.deviation > 0.0:
            raise ValueError(f"{key}: a mean of 0 days has no deviation, got {self.deviation:g}")

    @property
    def shape(self) -> float:
        return (self.mean / self.deviation) ** 2

    @property
    def scale(self) -> float:
        return self.deviation**2 / self.mean

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Days, shape (count,)."""
        if self.deviation == 0.0:
            return np.full(count, self.mean)
        return rng.standard_gamma(self.shape, count) * self.scale

    def by_day(self, longest: int) -> np.ndarray:
        """Probabilities that it ends 0, 1, ... `longest` days later, shape (longest + 1,).

        Day d holds the delays in [d - 1/2, d + 1/2); what is longer counts for the last.
        """
        edges = np.arange(longest + 1) + 0.5
        if self.deviation == 0.0:
            below = (edges > self.mean).astype(np.float64)
        else:
            below = gamma.cdf(edges, self.shape, scale=self.scale)
        below[-1] = 1.0
        return np.diff(below, prepend=0.0)
