"""Two ways to let an epidemic run, many runs at once: chain-binomial steps and single events.

State and flows have the shape (R, K): runs and strata. E, I, R and D of the vaccinated are strata
of their own, so that S + E + I + R + D summed over strata, of which the susceptible of the
vaccinated are V, is N at every step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from genmodels.simulators.health.epidemic import Epidemic

__all__ = ["Flows", "State", "days", "steps"]


@dataclass(frozen=True, eq=False)
class State:
    """People in each compartment, int64 (R, K)."""

    s: np.ndarray
    e: np.ndarray
    i: np.ndarray
    r: np.ndarray
    d: np.ndarray

    @staticmethod
    def first(model: Epidemic, runs: int) -> State:
        """Day 0."""
        s, i, r = (np.tile(x, (runs, 1)) for x in (model.first_s, model.first_i, model.first_r))
        return State(s, np.zeros_like(s), i, r, np.zeros_like(s))

    def after(self, flows: Flows) -> State:
        f = flows
        return State(
            self.s - f.infected + f.vaccinated,
            self.e + f.infected - f.infectious,
            self.i + f.infectious - f.removed,
            self.r + f.removed - f.died,
            self.d + f.died,
        )


@dataclass(frozen=True, eq=False)
class Flows:
    """People who went from one compartment to the next, int64 (R, K).

    `died` are some of the `removed`; `vaccinated` is negative for those who were not before.
    """

    infected: np.ndarray
    infectious: np.ndarray
    removed: np.ndarray
    died: np.ndarray
    vaccinated: np.ndarray

    def __add__(self, other: Flows) -> Flows:
        mine, theirs = vars(self), vars(other)
        return Flows(**{name: mine[name] + theirs[name] for name in mine})


def steps(model: Epidemic, runs: int, rng: np.random.Generator) -> Iterator[tuple[State, Flows]]:
    """State after each step of 1 / steps_per_day days and what happened in it.

    Each susceptible escapes with probability e^(-rate dt); who is in E or I leaves it with
    probability dt / mean period. Periods are thus geometric with exact means, so that R0 and the
    final size are those of the model at any step.
    """
    dt = 1.0 / model.steps_per_day
    leave_e = min(1.0, dt / model.disease.latent_days)
    leave_i = min(1.0, dt / model.disease.infectious_days)
    state, given = State.first(model, runs), np.zeros((runs, model.groups), dtype=np.int64)
    for step in range(model.days * model.steps_per_day):
        day, nothing = step // model.steps_per_day, np.zeros_like(state.s)
        doses = nothing
        if step % model.steps_per_day == 0:
            doses, given = _vaccinate(model, day, state, given, rng)
        s = state.s + doses
        rate = (state.i @ model.force) * (model.factors[day] * dt)
        infected = rng.binomial(s, -np.expm1(-rate))
        infectious = rng.binomial(state.e, leave_e)
        removed = rng.binomial(state.i, leave_i)
        died = rng.binomial(removed, model.fatality)
        flows = Flows(infected, infectious, removed, died, doses)
        state = state.after(flows)
        yield state, flows


def days(model: Epidemic, runs: int, rng: np.random.Generator) -> Iterator[tuple[State, Flows]]:
    """State at the end of each day and what happened on it."""
    if model.method == "gillespie":
        yield from _exact_days(model, runs, rng)
        return
    so_far: Flows | None = None
    for number, (state, flows) in enumerate(steps(model, runs, rng), 1):
        so_far = flows if so_far is None else so_far + flows
        if number % model.steps_per_day == 0:
            yield state, so_far
            so_far = None


def _vaccinate(
    model: Epidemic, day: int, state: State, given: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Moves of one day between strata of susceptibles (R, K), and doses so far (R, G)."""
    if model.vaccination is None or day < model.vaccination.from_day:
        return np.zeros_like(state.s), given
    doses = model.vaccination.doses(state.s[:, : model.groups], given, model.sizes, rng)
    return np.concatenate([-doses, doses], 1), given + doses


def _exact_days(
    model: Epidemic, runs: int, rng: np.random.Generator
) -> Iterator[tuple[State, Flows]]:
    """Gillespie's direct method; what is left of a waiting time at midnight is drawn anew.

    References:
        Gillespie, Exact stochastic simulation of coupled chemical reactions, 1977.
    """
    state, given = State.first(model, runs), np.zeros((runs, model.groups), dtype=np.int64)
    for day in range(model.days):
        doses, given = _vaccinate(model, day, state, given, rng)
        nothing = np.zeros_like(state.s)
        state = state.after(Flows(nothing, nothing, nothing, nothing, doses))
        counts = _one_day(model, float(model.factors[day]), state, rng)
        flows = Flows(*counts, doses)
        state = state.after(Flows(*counts, nothing))
        yield state, flows


def _one_day(
    model: Epidemic, factor: float, state: State, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Infections, ends of latency, removals and deaths of a day, each (R, K)."""
    runs, k = state.s.shape
    level = np.concatenate([state.s, state.e, state.i], 1)
    happened = np.zeros((runs, 3 * k), dtype=np.int64)
    died = np.zeros((runs, k), dtype=np.int64)
    force = model.force * factor
    leave = 1.0 / np.repeat([model.disease.latent_days, model.disease.infectious_days], k)
    clock, active = np.zeros(runs), np.arange(runs)
    while len(active):
        rates = level[active].astype(np.float64)
        rates[:, :k] *= rates[:, 2 * k :] @ force
        rates[:, k:] *= leave
        sums = rates.cumsum(1)
        total = sums[:, -1]
        alive = total > 0
        active, sums, total = active[alive], sums[alive], total[alive]
        clock[active] += rng.standard_exponential(len(active)) / total
        inside = clock[active] < 1.0
        active, sums, total = active[inside], sums[inside], total[inside]
        pick = (sums[:, :-1] <= (rng.random(len(active)) * total)[:, None]).sum(1)
        fatal = rng.random(len(active))
        happened[active, pick] += 1
        level[active, pick] -= 1
        onward = pick < 2 * k
        level[active[onward], pick[onward] + k] += 1
        ends = ~onward
        stratum = pick[ends] - 2 * k
        dead = fatal[ends] < model.fatality[stratum]
        died[active[ends][dead], stratum[dead]] += 1
    return happened[:, :k], happened[:, k : 2 * k], happened[:, 2 * k :], died
