"""Values that change while training goes on, as functions of the samples seen."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

__all__ = ["Constant", "Cosine", "Ramp", "Schedule", "value_at"]


class Schedule(ABC):
    """A number as a function of the number of training samples seen so far."""

    @abstractmethod
    def __call__(self, samples: int) -> float:
        """The value after `samples` samples."""


class Constant(Schedule):
    """The same value for ever."""

    def __init__(self, *, value: float) -> None:
        self.value = value

    def __call__(self, samples: int) -> float:
        return self.value


class Cosine(Schedule):
    """Half a cosine from `start` to `stop` over `samples` samples, then `stop`.

    v(s) = stop + (start - stop) * (1 + cos(pi * min(s / samples, 1))) / 2
    """

    def __init__(self, *, start: float, stop: float, samples: float) -> None:
        self.start, self.stop, self.samples = start, stop, samples

    def __call__(self, samples: int) -> float:
        share = min(samples / self.samples, 1.0)
        return self.stop + (self.start - self.stop) * (1.0 + math.cos(math.pi * share)) / 2.0


class Ramp(Schedule):
    """A straight line from `start` to `stop` over `samples` samples, then `stop`."""

    def __init__(self, *, start: float, stop: float, samples: float) -> None:
        self.start, self.stop, self.samples = start, stop, samples

    def __call__(self, samples: int) -> float:
        share = min(samples / self.samples, 1.0)
        return self.start + (self.stop - self.start) * share


def value_at(value: float | Schedule, samples: int) -> float:
    """A plain number as it is, a schedule at `samples`."""
    return value(samples) if isinstance(value, Schedule) else value
