"""The course of many epidemics by day: compartments, flows and counts, by age group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genmodels.simulators.health.draws import generator
from genmodels.simulators.health.engines import days
from genmodels.simulators.health.epidemic import Epidemic
from genmodels.simulators.health.reporting import Reporting

__all__ = ["Course", "block_runs", "course_of"]

_MOST_RUNS, _MOST_EXACT, _MOST_NUMBERS = 256, 64, 1 << 20


def block_runs(model: Epidemic) -> int:
    """R, the runs of a block: 256, or the power of two that keeps a course by day small.

    Of single events 64: a block is made whole for one run, and takes a while.
    """
    most = max(1, _MOST_NUMBERS // (model.days * model.strata))
    return min(
        _MOST_EXACT if model.method == "gillespie" else _MOST_RUNS, 1 << (most.bit_length() - 1)
    )


@dataclass(frozen=True, eq=False)
class Course:
    """At the end of each day, and what happened on it; all int64 (T, R, G).

    S + E + I + R + D + V is the population of the group.
    """

    susceptible: np.ndarray
    vaccinated: np.ndarray
    exposed: np.ndarray
    infectious: np.ndarray
    recovered: np.ndarray
    dead: np.ndarray
    infections: np.ndarray
    onsets: np.ndarray
    deaths: np.ndarray
    doses: np.ndarray
    reported: np.ndarray


def course_of(model: Epidemic, reporting: Reporting, *, seed: int, block: int, runs: int) -> Course:
    """The runs of one block, always the same."""
    rng = generator("epidemic", seed=seed, block=block)
    found: dict[str, list[np.ndarray]] = {}
    g = model.groups

    def folded(x: np.ndarray) -> np.ndarray:
        """By age group, the vaccinated with the others."""
        return x if x.shape[1] == g else x[:, :g] + x[:, g:]

    for state, flows in days(model, runs, rng):
        today = {
            "susceptible": state.s[:, :g],
            "vaccinated": folded(state.s) - state.s[:, :g],
            "exposed": folded(state.e),
            "infectious": folded(state.i),
            "recovered": folded(state.r),
            "dead": folded(state.d),
            "infections": folded(flows.infected),
            "onsets": folded(flows.infectious),
            "deaths": folded(flows.died),
            "doses": np.maximum(-flows.vaccinated[:, :g], 0),
        }
        for name, values in today.items():
            found.setdefault(name, []).append(values)
    arrays = {name: np.stack(values) for name, values in found.items()}
    chance = generator("reports", seed=seed, block=block)
    return Course(**arrays, reported=reporting.drawn(arrays["onsets"], model.start, chance))
