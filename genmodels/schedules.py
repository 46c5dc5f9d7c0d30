"""Values that change while training goes on, as functions of the samples seen."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

__all__ = ["Constant", "Cosine", "Ramp", "Schedule", "value_at"]


class Schedule(ABC):
    """A number as a function of the number of training samples seen so far."""

    @abstractmethod
    def __call__(self, samples: int, total: float = math.inf) -> float:
        """The value after `samples` of `total` samples; training without an end has inf."""


class Constant(Schedule):
    """The same value for ever."""

    def __init__(self, *, value: float) -> None:
        self.value = value

    def __call__(self, samples: int, total: float = math.inf) -> float:
        return self.value


class Between(Schedule):
    """From `start` to `stop` over a span, then `stop`.

    The span is a number of samples, or a share of all that training will see, so that one recipe
    serves short and long trainings. A training without an end stays at `start`.

    Args:
        start, stop: values at the ends.
        samples: length of the span, or None.
        share: length of the span as a share of the training, above 0, or None.

    Raises:
        ValueError: unless one of `samples` and `share` is given.
    """

    def __init__(
        self,
        *,
        start: float,
        stop: float,
        samples: float | None = None,
        share: float | None = None,
    ) -> None:
        if (samples is None) == (share is None):
            raise ValueError(
                f"{type(self).__name__} needs either samples or share, the length of its way; "
                f"got samples={samples} and share={share}"
            )
        self.start, self.stop, self.samples, self.share = start, stop, samples, share

    def passed(self, samples: int, total: float) -> float:
        """Share of the span that has passed, in [0, 1]."""
        if self.share is not None:
            return min(samples / (self.share * total), 1.0)
        assert self.samples is not None
        return min(samples / self.samples, 1.0)


class Cosine(Between):
    """Half a cosine from `start` to `stop`: stop + (start - stop) (1 + cos(pi t)) / 2.

    t in [0, 1] is the share of the span that has passed.
    """

    def __call__(self, samples: int, total: float = math.inf) -> float:
        turned = math.cos(math.pi * self.passed(samples, total))
        return self.stop + (self.start - self.stop) * (1.0 + turned) / 2.0


class Ramp(Between):
    """A straight line from `start` to `stop`."""

    def __call__(self, samples: int, total: float = math.inf) -> float:
        return self.start + (self.stop - self.start) * self.passed(samples, total)


def value_at(value: float | Schedule, samples: int, total: float = math.inf) -> float:
    """A plain number as it is, a schedule after `samples` of `total`."""
    return value(samples, total) if isinstance(value, Schedule) else value
