"""Who lives there and who meets whom: size, age groups, ages within them, contact matrix."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from genmodels.simulators.health.parameters import (
    LAST_AGE,
    by_year,
    number,
    numbers,
    share,
    shares,
    square,
    whole,
)

__all__ = ["Population", "apportioned"]

_MOST = 2**31 - 1


def apportioned(total: int, weights: np.ndarray) -> np.ndarray:
    """Whole numbers that add up to `total`, in proportion to weights, by largest remainder."""
    exact = total * weights / weights.sum()
    counts = np.floor(exact).astype(np.int64)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: total - int(counts.sum())]] += 1
    return counts


class Population:
    """A closed population of G age groups.

    Contacts are made reciprocal, as meeting is: C_ij becomes (C_ij N_i + C_ji N_j) / (2 N_i).

    Args:
        size: N, people.
        groups: the lowest age of each group, rising from 0.
        contacts: C_ij, people of group j that one of group i meets a day.
        ages: at which `people` and `male` are told, rising.
        people: how many are of that age; any unit.
        male: share of them.
        shares: of the population in each group; None: as `people` says, which always tells the
            ages within a group.
        immune: share that cannot be infected from the start; a list for each group.

    References:
        Wallinga, Teunis and Kretzschmar, Using data on social contacts to estimate age-specific
        transmission parameters, 2006: reciprocity.
    """

    def __init__(
        self,
        *,
        size: int,
        groups: Sequence[int],
        contacts: Sequence[Sequence[float]],
        ages: Sequence[float],
        people: Sequence[float],
        male: Sequence[float],
        shares: Sequence[float] | None = None,
        immune: float | Sequence[float] = 0.0,
    ) -> None:
        self.size = whole("simulator.model.population.size", size, least=1)
        if self.size > _MOST:
            raise ValueError(f"simulator.model.population.size must be at most {_MOST:,}")
        self.groups = _groups(groups)
        weight = by_year("simulator.model.population.people", ages, people)
        if (weight < 0).any():
            raise ValueError("simulator.model.population.people must be at least 0")
        self.male = by_year("simulator.model.population.male", ages, _shares_of("male", male))
        stops = [*self.groups[1:], LAST_AGE + 1]
        inside = np.zeros((len(self.groups), LAST_AGE + 1))
        for row, (start, stop) in enumerate(zip(self.groups, stops, strict=True)):
            inside[row, start:stop] = weight[start:stop]
        total = inside.sum(1)
        if (total <= 0).any():
            raise ValueError("simulator.model.population.people leaves an age group empty")
        self.by_age = inside / total[:, None]
        self.sizes = apportioned(self.size, total if shares is None else _told(shares, len(total)))
        if (self.sizes == 0).any():
            raise ValueError(
                f"simulator.model.population.size={self.size} is too few for {len(total)} groups"
            )
        met = square("simulator.model.population.contacts", contacts, size=len(total))
        if not met.any():
            raise ValueError("simulator.model.population.contacts has no contact at all")
        flow = met * self.sizes[:, None]
        self.contacts = (flow + flow.T) / (2 * self.sizes[:, None])
        self.immune = _immune(immune, len(total))
        ends = [*(str(stop - 1) for stop in self.groups[1:]), ""]
        self.names = tuple(
            f"{start}-{end}" if end else f"{start}+"
            for start, end in zip(self.groups, ends, strict=True)
        )

    def state(self) -> dict[str, Any]:
        """What decides, plain JSON."""
        return {
            "size": self.size,
            "groups": list(self.names),
            "sizes": self.sizes.tolist(),
            "contacts": np.round(self.contacts, 6).tolist(),
            "immune": self.immune.tolist(),
        }


def _groups(told: Any) -> list[int]:
    found = numbers("simulator.model.population.groups", told, least=0.0).tolist()
    falls = any(b <= a for a, b in pairwise(found))
    if found[0] != 0 or falls or found[-1] > LAST_AGE or any(x != int(x) for x in found):
        raise ValueError(
            "simulator.model.population.groups must be whole years that rise from 0 to at most "
            f"{LAST_AGE}, got {told!r}"
        )
    return [int(x) for x in found]


def _shares_of(key: str, told: Any) -> list[float]:
    return list(shares(f"simulator.model.population.{key}", told))


def _told(told: Sequence[float], count: int) -> np.ndarray:
    key = "simulator.model.population.shares"
    found = shares(key, told, count=count)
    if abs(found.sum() - 1.0) > 1e-6:
        raise ValueError(f"{key} must sum to 1, they sum to {found.sum():g}")
    return found


def _immune(told: Any, count: int) -> np.ndarray:
    key = "simulator.model.population.immune"
    if isinstance(told, list | tuple):
        return shares(key, told, count=count)
    number(key, told)
    return np.full(count, share(key, told))
