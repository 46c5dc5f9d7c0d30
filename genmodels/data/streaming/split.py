"""Who may see which rows of a stream, decided by the number of the row alone.

A seeded hash of its number says whether a row is held out, and gives the others an order: the
first of that order validate, the rest train. So nothing of the size of the data is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from genmodels.data.splits import check_share

__all__ = ["StreamSplit", "hashed"]

_STREAMS = {"holdout": 1, "order": 2, "bucket": 3}
_ODD, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def hashed(numbers: np.ndarray, *, seed: int, stream: str) -> np.ndarray:
    """A uniform uint64 for each row number, the same on every machine.

    Args:
        numbers: of rows, int64 (N,).
        seed: of the run.
        stream: what it is for; streams are independent of each other.

    References:
        Steele et al., "Fast Splittable Pseudorandom Number Generators", 2014 (SplitMix64).
    """
    words = np.random.SeedSequence([seed, _STREAMS[stream]]).generate_state(1, np.uint64)
    with np.errstate(over="ignore"):
        x = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(_ODD) + words
        x = (x ^ (x >> np.uint64(30))) * np.uint64(_FIRST)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(_SECOND)
    return x ^ (x >> np.uint64(31))


@dataclass(frozen=True)
class StreamSplit:
    """The partition of a stream that was read once.

    Args:
        seed: of the hashes.
        holdout: share kept for evaluation, in [0, 1).
        validation: share of the rest that chooses the checkpoint, in [0, 1).
        most_validation: at most so many validation rows.
        fingerprint: of the source, to notice other data under the same name.
        counts: rows of the whole data and of each part, once it was read.
        cutoff: rows that are not held out validate while their order is below it.
        streamed: True, which tells it from the record of a `Split`.

    Raises:
        ValueError: when a share is out of range.
    """

    seed: int
    holdout: float
    validation: float
    most_validation: int
    fingerprint: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    cutoff: int = 0
    streamed: bool = True

    def __post_init__(self) -> None:
        for key in ("holdout", "validation"):
            check_share(key, getattr(self, key))

    def held_out(self, numbers: np.ndarray) -> np.ndarray:
        """Whether training never sees a row; bool (N,)."""
        draws = hashed(numbers, seed=self.seed, stream="holdout") >> np.uint64(11)
        return draws * 2.0**-53 < self.holdout

    def order(self, numbers: np.ndarray) -> np.ndarray:
        """Where a row stands in the order of the data; uint64 (N,)."""
        return hashed(numbers, seed=self.seed, stream="order")

    def trains(self, numbers: np.ndarray) -> np.ndarray:
        """Whether a row is one to learn from; bool (N,)."""
        return ~self.held_out(numbers) & (self.order(numbers) >= np.uint64(self.cutoff))

    def state(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> StreamSplit:
        return cls(**{own.name: state[own.name] for own in fields(cls)})
