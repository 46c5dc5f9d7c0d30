"""Who may see which rows: train, validation and holdout, decided before anything is fitted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from genmodels.types import Raw, take_rows

__all__ = ["Split", "check_share", "rows_of"]


@dataclass(frozen=True)
class Split:
    """A seeded partition of `rows` rows; only the recipe is stored, never the rows.

    Args:
        rows: number of rows of the data.
        seed: of the permutation.
        holdout: share kept for evaluation, in [0, 1); 0 when a separate file is the holdout.
        validation: share of the rest that chooses the checkpoint, in [0, 1).
        most_validation: at most so many validation rows.
        fingerprint: of the source, to notice other data under the same name.
        digest: of the assignment itself, or "" to compute it.

    Raises:
        ValueError: when a share is out of range, or too few rows are left to train on.
    """

    rows: int
    seed: int
    holdout: float = 0.2
    validation: float = 0.1
    most_validation: int = 10_000
    fingerprint: str = ""
    digest: str = ""

    def __post_init__(self) -> None:
        for key in ("holdout", "validation"):
            check_share(key, getattr(self, key))
        if len(self.train) < 2:
            raise ValueError(
                f"{self.rows} rows are too few: {len(self.train)} would be left to train on after "
                f"holding out {self.holdout:.0%} (data.holdout) and validating on "
                f"{self.validation:.0%} (data.validation)"
            )

    @cached_property
    def _parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        order = np.random.default_rng([self.seed, 0]).permutation(self.rows)
        held = rows_of(self.rows, self.holdout)
        seen = self.rows - held
        validated = min(rows_of(seen, self.validation), self.most_validation)
        holdout, validation, train = np.split(order, [held, held + validated])
        return np.sort(train), np.sort(validation), np.sort(holdout)

    @property
    def train(self) -> np.ndarray:
        """Row numbers to fit on, ascending."""
        return self._parts[0]

    @property
    def val(self) -> np.ndarray:
        """Row numbers that choose the checkpoint, ascending."""
        return self._parts[1]

    @property
    def test(self) -> np.ndarray:
        """Row numbers that training never sees, ascending; empty with a separate holdout."""
        return self._parts[2]

    def take(self, raw: Raw) -> tuple[Raw, Raw, Raw]:
        """Training, validation and holdout rows of `raw`."""
        if len(raw) != self.rows:
            raise ValueError(
                f"the data had {self.rows:,} rows when they were split, now {len(raw):,}"
            )
        train, validation, holdout = (take_rows(raw, part) for part in self._parts)
        return train, validation, holdout

    def state(self) -> dict[str, Any]:
        """Plain JSON; `digest` proves that a rebuilt split is the same."""
        counts = {"train": len(self.train), "validation": len(self.val), "holdout": len(self.test)}
        return asdict(self) | {"digest": self._digest(), "counts": counts}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Split:
        """Rebuild a split.

        Raises:
            ValueError: when the same recipe gives another assignment, as another version of
                numpy might.
        """
        split = cls(**{k: v for k, v in state.items() if k != "counts"})
        if split.digest and split.digest != split._digest():
            raise ValueError(
                "the recorded split cannot be rebuilt by this version of numpy: its rows differ"
            )
        return split

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for part in self._parts:
            digest.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
            digest.update(b"|")
        return digest.hexdigest()


def check_share(key: str, share: float) -> None:
    """Raise `ValueError` unless a part of the data is a share that leaves something."""
    if not isinstance(share, int | float) or not 0 <= share < 1:
        raise ValueError(f"data.{key} must be at least 0 and below 1, got {share!r}")


def rows_of(rows: int, share: float) -> int:
    """How many rows a share is: at least one, unless it is none."""
    return max(1, round(rows * share)) if share > 0 and rows > 0 else 0
