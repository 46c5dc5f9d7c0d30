"""One epidemic model: rates of infection between groups, set by R0; the engines are its neighbours.

Strata are the age groups, and once more the vaccinated of each, if there is vaccination.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np

from genmodels.simulators.health.disease import Disease
from genmodels.simulators.health.parameters import whole
from genmodels.simulators.health.policy import Vaccination, contact_factors
from genmodels.simulators.health.population import Population, apportioned

__all__ = ["Epidemic", "Method"]

Method = Literal["tau_leaping", "gillespie"]
KEY = "simulator.model"


class Epidemic:
    """SEIRDV of K strata: S -> E -> I -> R or D, S -> V, V -> E.

    A susceptible of stratum k is infected at the rate b s_k f_t sum_l C_kl I_l / N_l: s_k is 1, or
    1 - efficacy; f_t is 1, or less by interventions; b makes the dominant eigenvalue of the
    next-generation matrix b D C_kl N_k / N_l (before vaccination, immunity and interventions) R0,
    where D is the mean infectious period. Whoever will die leaves I as others do.

    Args:
        population: who lives there.
        disease: what spreads.
        days: of the epidemic, at least 1.
        start: date of day 0.
        initial: infectious people on day 0, shared out as the disease spreads.
        method: tau_leaping | gillespie.
        steps_per_day: of tau-leaping: from 1.
        most_exact: people for whom each single event is simulated at most.
        interventions: see `policy.contact_factors`.
        vaccination: None: nobody is.

    References:
        Diekmann, Heesterbeek and Metz, On the definition and the computation of the basic
        reproduction ratio R0, 1990: next-generation matrix.
    """

    def __init__(
        self,
        *,
        population: Population,
        disease: Disease,
        days: int,
        start: str,
        initial: int,
        method: Method,
        steps_per_day: int,
        most_exact: int,
        interventions: Sequence[Mapping[str, Any]] = (),
        vaccination: Vaccination | None = None,
    ) -> None:
        self.population, self.disease, self.vaccination = population, disease, vaccination
        self.days = whole(f"{KEY}.days", days, least=1)
        self.initial = whole(f"{KEY}.initial", initial, least=1)
        self.steps_per_day = whole(f"{KEY}.steps_per_day", steps_per_day, least=1)
        self.factors = contact_factors(interventions, self.days)
        self.most_exact, self.interventions = most_exact, list(interventions)
        self.start = _date(start)
        self.method: Method = _method(method, population.size, most_exact)
        self._check_steps()
        groups = len(population.sizes)
        self.groups, self.strata = groups, groups * (1 if vaccination is None else 2)
        self.sizes = population.sizes
        self._set_rates()
        self._set_start()

    def _check_steps(self) -> None:
        shortest = min(self.disease.latent_days, self.disease.infectious_days)
        if self.method == "tau_leaping" and shortest * self.steps_per_day < 1:
            raise ValueError(
                f"{KEY}.steps_per_day={self.steps_per_day} is too few for a period of "
                f"{shortest:g} days: a step must not be longer than that"
            )

    def _set_rates(self) -> None:
        """`force` (K, K), by which I @ force are rates of infection, and `fatality` (K,)."""
        people, risk = self.population, self.disease.fatality
        unit = people.contacts / people.sizes[None, :]
        generation = unit * people.sizes[:, None] * self.disease.infectious_days
        eigenvalues, vectors = np.linalg.eig(generation)
        first = int(np.argmax(eigenvalues.real))
        self.reach = np.abs(vectors[:, first].real)
        rate = 1.0 / float(eigenvalues[first].real)
        by_group = people.by_age @ risk
        shield, severe = 1.0, 1.0
        if self.vaccination is not None:
            shield = 1.0 - self.vaccination.efficacy
            severe = 1.0 - self.vaccination.efficacy_severe
        copies = self.strata // self.groups
        susceptibility = np.array([1.0, shield])[:copies].repeat(self.groups)
        self.fatality = np.array([1.0, severe])[:copies].repeat(self.groups) * np.tile(
            by_group, copies
        )
        self.unit_force = rate * np.tile(unit, (copies, copies)).T * susceptibility
        self.force = self.disease.r0 * self.unit_force

    def _set_start(self) -> None:
        """Counts of day 0 by stratum: S, I and R (K,)."""
        open_to = self.sizes - np.round(self.population.immune * self.sizes).astype(np.int64)
        if self.initial > open_to.sum():
            raise ValueError(
                f"{KEY}.initial={self.initial} is more than the {int(open_to.sum()):,} people who "
                "can be infected"
            )
        infectious = np.minimum(apportioned(self.initial, self.reach), open_to)
        for group in np.argsort(-open_to):
            more = min(
                self.initial - int(infectious.sum()), int(open_to[group] - infectious[group])
            )
            infectious[group] += more
        blank = np.zeros(self.strata - self.groups, dtype=np.int64)
        self.first_s = np.concatenate([open_to - infectious, blank])
        self.first_i = np.concatenate([infectious, blank])
        self.first_r = np.concatenate([self.sizes - open_to, blank])

    def with_values(self, *, r0: float, initial: int) -> Epidemic:
        """The same of another R0 and another start."""
        return self._changed(disease=self.disease.with_r0(r0), initial=initial)

    def lasting(self, days: int) -> Epidemic:
        """The same for so many days at least, in steps."""
        return self._changed(days=max(days, self.days), method="tau_leaping")

    def _changed(self, **changes: Any) -> Epidemic:
        told = {
            "population": self.population,
            "disease": self.disease,
            "days": self.days,
            "start": self.start.isoformat(),
            "initial": self.initial,
            "method": self.method,
            "steps_per_day": self.steps_per_day,
            "most_exact": self.most_exact,
            "interventions": self.interventions,
            "vaccination": self.vaccination,
        }
        return Epidemic(**{**told, **changes})

    def state(self) -> dict[str, Any]:
        """The parameters, plain JSON."""
        return {
            "method": self.method,
            "days": self.days,
            "start": self.start.isoformat(),
            "initial": self.initial,
            "steps_per_day": self.steps_per_day if self.method == "tau_leaping" else None,
            "interventions": self.interventions,
            "vaccination": None if self.vaccination is None else self.vaccination.state(),
            "disease": self.disease.state(),
            "population": self.population.state(),
        }


def _date(told: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(str(told))
    except ValueError as error:
        raise ValueError(f"{KEY}.start must be a date such as 2020-03-01, got {told!r}") from error


def _method(told: Any, people: int, most: int) -> Method:
    if told == "tau_leaping":
        return "tau_leaping"
    if told != "gillespie":
        known = " or ".join(get_args(Method))
        raise ValueError(f"{KEY}.method must be {known}, got {told!r}")
    if people > most:
        raise ValueError(
            f"{KEY}.method=gillespie simulates each event, and a population of {people:,} has too "
            f"many: use tau_leaping, at most {most:,} people, or raise {KEY}.most_exact and wait"
        )
    return "gillespie"
