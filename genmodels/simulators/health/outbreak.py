"""One outbreak, person by person: who was infected, became infectious, recovered or died when.

The counts of the chain of steps are drawn first; then each step's counts are given to people at
random among those in the compartment. As leaving a compartment does not depend on the time spent
in it, that is the same as letting each of them leave with the probability of the chain: summed up
again, the people are the epidemic, compartment by compartment and step by step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genmodels.simulators.health.draws import generator
from genmodels.simulators.health.engines import Flows, steps
from genmodels.simulators.health.epidemic import Epidemic

__all__ = ["Outbreak", "outbreak"]


@dataclass(frozen=True, eq=False)
class Outbreak:
    """The infected of an outbreak in random order, shape (N,), steps of 1 / steps_per_day days.

    Args:
        stratum: int16; vaccinated strata follow those of the age groups.
        infected: step, int32; -1 and less for those who brought it.
        infectious: step, later than `infected`; 0 and less for those who brought it.
        removed: step, later than `infectious`.
        died: bool.
    """

    stratum: np.ndarray
    infected: np.ndarray
    infectious: np.ndarray
    removed: np.ndarray
    died: np.ndarray

    def __len__(self) -> int:
        return len(self.stratum)


def outbreak(model: Epidemic, *, seed: int, number: int) -> Outbreak:
    """Always the same for a seed and a number; it is followed beyond the last day to its end."""
    rng = generator("histories", seed=seed, block=number)
    chain = generator("epidemic", seed=seed, block=number)
    flows: list[Flows] = []
    for state, happened in steps(model, 1, chain):
        flows.append(happened)
        if not state.e.any() and not state.i.any():
            break
    parts = [_stratum(model, flows, k, rng) for k in range(model.strata)]
    fields = [np.concatenate([part[field] for part in parts]) for field in range(5)]
    order = generator("order", seed=seed, block=number).permutation(len(fields[0]))
    stratum, infected, infectious, removed, died = (field[order] for field in fields)
    return Outbreak(stratum.astype(np.int16), infected, infectious, removed, died.astype(bool))


def _stratum(
    model: Epidemic, flows: list[Flows], k: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Everybody of one stratum who was ever infected."""
    counts = np.array(
        [[x[0, k] for x in (f.infected, f.infectious, f.removed, f.died)] for f in flows]
    )
    rate = model.steps_per_day
    leave_e = min(1.0, 1.0 / (rate * model.disease.latent_days))
    leave_i = min(1.0, 1.0 / (rate * model.disease.infectious_days))
    brought = int(model.first_i[k])
    at = np.arange(1, len(flows) + 1, dtype=np.int32)
    local = at.repeat(counts[:, 0])
    # Those who brought it were infected before: their latency and their way into I are over.
    infected = np.concatenate([-rng.geometric(leave_e, brought).astype(np.int32), local])
    infectious = np.zeros(len(infected), dtype=np.int32)
    infectious[brought:] = _leaving(local, counts[:, 1], leave_e, rng)
    order = np.argsort(infectious, kind="stable")
    removed, died = np.zeros_like(infectious), np.zeros(len(infected), dtype=bool)
    removed[order] = _leaving(infectious[order], counts[:, 2], leave_i, rng)
    for step, dead in enumerate(counts[:, 3], 1):
        if dead:
            died[rng.choice(np.flatnonzero(removed == step), dead, replace=False)] = True
    late = removed > len(flows)
    died[late] = rng.random(int(late.sum())) < model.fatality[k]
    return np.full(len(infected), k), infected, infectious, removed, died


def _leaving(
    entered: np.ndarray, leaving: np.ndarray, probability: float, rng: np.random.Generator
) -> np.ndarray:
    """When each leaves a compartment that they entered at rising steps (N,); int32.

    Who is still in it after the last step leaves as all do, later.
    """
    last = len(leaving)
    found = np.zeros(len(entered), dtype=np.int32)
    inside = np.zeros(0, dtype=np.int64)
    came = np.searchsorted(entered, np.arange(1, last + 2), side="left")
    begin = 0
    for step in range(1, last + 1):
        # Whoever entered before this step.
        inside = np.concatenate([inside, np.arange(begin, came[step - 1])])
        begin = int(came[step - 1])
        if leaving[step - 1]:
            chosen = rng.choice(len(inside), int(leaving[step - 1]), replace=False, shuffle=False)
            found[inside[chosen]] = step
            stays = np.ones(len(inside), dtype=bool)
            stays[chosen] = False
            inside = inside[stays]
    rest = np.concatenate([inside, np.arange(begin, len(entered))])
    found[rest] = np.maximum(last, entered[rest]) + rng.geometric(probability, len(rest))
    return found
