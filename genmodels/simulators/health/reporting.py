"""What of an epidemic is counted: some of the cases, later, and fewer at weekends."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from genmodels.simulators.health.delays import Delay
from genmodels.simulators.health.parameters import share, whole

__all__ = ["Reporting"]

KEY = "simulator.reporting"
SATURDAY = 5


class Reporting:
    """Each case is counted with probability `rate`, some days after it becomes infectious.

    On Saturdays and Sundays a share of what came in waits for the next day.

    Args:
        rate: share of the infected that is ever counted.
        delay: days, [mean, standard deviation].
        weekend: share of a Saturday's and Sunday's counts that waits, in [0, 1].
        longest: days; what would take longer takes so long.
    """

    def __init__(
        self, *, rate: float, delay: Sequence[float], weekend: float = 0.0, longest: int = 30
    ) -> None:
        self.rate = share(f"{KEY}.rate", rate)
        self.weekend = share(f"{KEY}.weekend", weekend)
        self.longest = whole(f"{KEY}.longest", longest, least=1)
        self.by_day = Delay(f"{KEY}.delay", delay).by_day(self.longest)
        self.delay = list(delay)

    def drawn(
        self, cases: np.ndarray, start: datetime.date, rng: np.random.Generator
    ) -> np.ndarray:
        """Counts by day of report; cases and counts have the shape (T, ...), int64."""
        found = np.zeros_like(cases)
        for day, today in enumerate(cases):
            counted = rng.binomial(today, self.rate)
            spread = np.moveaxis(rng.multinomial(counted, self.by_day), -1, 0)
            stop = min(len(cases), day + len(spread))
            found[day:stop] += spread[: stop - day]
        return self._waiting(found, start, lambda n: rng.binomial(n, self.weekend))

    def expected(self, cases: np.ndarray, rate: np.ndarray, start: datetime.date) -> np.ndarray:
        """Means of counts: cases (T, P), rates (P,); float64 (T, P)."""
        found = np.zeros_like(cases)
        for later, share_of in enumerate(self.by_day[: len(cases)]):
            found[later:] += share_of * cases[: len(cases) - later]
        return self._waiting(found * rate, start, lambda n: n * self.weekend)

    def _waiting(
        self, counts: np.ndarray, start: datetime.date, held: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        if self.weekend == 0.0:
            return counts
        for day in range(len(counts)):
            if (start.weekday() + day) % 7 >= SATURDAY:
                wait = held(counts[day])
                counts[day] -= wait
                if day + 1 < len(counts):
                    counts[day + 1] += wait
        return counts

    def with_rate(self, rate: float) -> Reporting:
        return Reporting(rate=rate, delay=self.delay, weekend=self.weekend, longest=self.longest)

    def state(self) -> dict[str, Any]:
        return {
            "rate": self.rate,
            "delay": self.delay,
            "weekend": self.weekend,
            "longest": self.longest,
        }
