"""What is done against an epidemic: fewer contacts from day to day, and vaccination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from genmodels.simulators.health.parameters import fields, number, share, whole

__all__ = ["Vaccination", "contact_factors"]

KEY = "simulator.model.interventions"


def contact_factors(told: Sequence[Mapping[str, Any]], days: int) -> np.ndarray:
    """What contacts are multiplied by on each day; interventions at one time multiply.

    Args:
        told: of each its `from_day`, its `to_day` (the first day after it; None: it lasts) and
            `contacts`, a factor from 0.
        days: of the epidemic.

    Raises:
        ValueError: when one ends before it begins, or its factor is negative.
    """
    if not isinstance(told, list | tuple):
        raise ValueError(f"{KEY} must be a list of {{from_day, to_day, contacts}}, got {told!r}")
    factors = np.ones(days)
    for place, one in enumerate(told):
        key = f"{KEY}[{place}]"
        found = {
            "to_day": None,
            **fields(key, one, ("from_day", "to_day", "contacts"), every=False),
        }
        fields(key, found, ("from_day", "to_day", "contacts"))
        start = whole(f"{key}.from_day", found["from_day"], least=0)
        end = found["to_day"]
        stop = days if end is None else whole(f"{key}.to_day", end, least=1)
        if stop <= start and end is not None:
            raise ValueError(f"{key}.to_day={stop} must be above from_day={start}")
        if start >= days:
            raise ValueError(
                f"{key}.from_day={start} is not before the end, simulator.model.days={days}"
            )
        factors[start:stop] *= number(f"{key}.contacts", found["contacts"], least=0.0)
    return factors


class Vaccination:
    """One dose each for susceptible people, so many a day.

    Those who got it are infected at 1 - efficacy of the rate of others ("leaky"); if they are,
    they need a hospital at 1 - `efficacy_severe` of the probability.

    Args:
        from_day: the first day on which doses are given.
        per_day: doses.
        efficacy: against infection, in [0, 1].
        efficacy_severe: against admission once infected, in [0, 1].
        uptake: share of each age group that takes it at most.
        order: which groups come first.
    """

    def __init__(
        self,
        *,
        from_day: int,
        per_day: int,
        efficacy: float,
        efficacy_severe: float = 0.0,
        uptake: float = 1.0,
        order: Literal["oldest", "youngest", "even"] = "oldest",
    ) -> None:
        key = "simulator.model.vaccination"
        self.from_day = whole(f"{key}.from_day", from_day, least=0)
        self.per_day = whole(f"{key}.per_day", per_day, least=0)
        self.efficacy = share(f"{key}.efficacy", efficacy)
        self.efficacy_severe = share(f"{key}.efficacy_severe", efficacy_severe)
        self.uptake = share(f"{key}.uptake", uptake)
        if order not in ("oldest", "youngest", "even"):
            raise ValueError(f"{key}.order must be oldest, youngest or even, got {order!r}")
        self.order = order

    def doses(
        self,
        susceptible: np.ndarray,
        given: np.ndarray,
        sizes: np.ndarray,
        rng: np.random.Generator | None,
    ) -> np.ndarray:
        """Doses of one day for each run and group, shape (R, G).

        Args:
            susceptible: not vaccinated, (R, G).
            given: doses so far, (R, G).
            sizes: of the groups, (G,).
            rng: draws who comes first where the order is even; None: as many as expected.
        """
        room = np.floor(self.uptake * sizes).astype(given.dtype) - given
        wanting = np.clip(np.minimum(susceptible, room), 0, None)
        left = np.full(len(wanting), self.per_day, dtype=wanting.dtype)
        doses = np.zeros_like(wanting)
        rest = wanting.sum(1)
        groups = range(wanting.shape[1])
        for group in groups if self.order != "oldest" else reversed(groups):
            rest = rest - wanting[:, group]
            if self.order == "even":
                asked = np.minimum(left, wanting[:, group] + rest)
                every = np.maximum(wanting[:, group] + rest, 1)
                doses[:, group] = (
                    asked * wanting[:, group] / every
                    if rng is None
                    else rng.hypergeometric(wanting[:, group], rest, asked)
                )
            else:
                doses[:, group] = np.minimum(left, wanting[:, group])
            left = left - doses[:, group]
        return doses

    def state(self) -> dict[str, Any]:
        return dict(vars(self))
