"""What is not in a record though it could be: more of it for patients who were hardly ill."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genmodels.simulators.health.parameters import shares
from genmodels.simulators.health.profiles import SEVERITIES

__all__ = ["Gaps"]

KEY = "simulator.missing"


class Gaps:
    """Shares of records that lack a value, one for each of `SEVERITIES` ("missing at random").

    Args:
        comorbidities: all of a record together, as a form that nobody filled in.
        onset_date, test_date, test_result, cost: each on its own.
        outcome: with its date and the length of the stay, of who was lost to follow-up.
    """

    def __init__(
        self,
        *,
        comorbidities: Sequence[float],
        onset_date: Sequence[float],
        test_date: Sequence[float],
        test_result: Sequence[float],
        outcome: Sequence[float],
        cost: Sequence[float],
    ) -> None:
        told = {
            "comorbidities": comorbidities,
            "onset_date": onset_date,
            "test_date": test_date,
            "test_result": test_result,
            "outcome": outcome,
            "cost": cost,
        }
        self.shares = {
            name: shares(f"{KEY}.{name}", values, count=len(SEVERITIES))
            for name, values in told.items()
        }

    def drawn(self, severity: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Whether it is missing, bool (N,) by name."""
        return {
            name: rng.random(len(severity)) < values[severity]
            for name, values in self.shares.items()
        }

    def state(self) -> dict[str, list[float]]:
        """What the constructor takes, plain JSON."""
        return {name: values.tolist() for name, values in self.shares.items()}
