"""Epidemic models for tests, put together without files, and independent solutions of them."""

import numpy as np
from scipy.integrate import solve_ivp

from genmodels.simulators.health.disease import DELAYS, Disease
from genmodels.simulators.health.epidemic import Epidemic
from genmodels.simulators.health.population import Population
from genmodels.tasks.compose import compose
from genmodels.tasks.parts import instantiate

CONTACTS = [[7.9, 3.1, 3.1], [2.8, 4.9, 4.6], [1.6, 2.6, 5.0]]


def disease(r0=2.0, latent=3.0, infectious=5.0, **changes):
    told = {
        "name": "test",
        "ages": [10, 50, 80],
        "symptomatic": [0.4, 0.6, 0.8],
        "admitted": [0.05, 0.1, 0.4],
        "critical": [0.1, 0.2, 0.4],
        "dies_in_ward": [0.01, 0.05, 0.2],
        "dies_critical": [0.3, 0.4, 0.6],
        "delays": {name: [3.0, 2.0] for name in DELAYS},
    }
    times = {"r0": r0, "latent_days": latent, "infectious_days": infectious}
    return Disease(**{**told, **times, **changes})


def population(size=10_000, groups=(0,), contacts=((10.0,),), **changes):
    told = {"ages": [0, 100], "people": [1.0, 1.0], "male": [0.5, 0.5]}
    return Population(size=size, groups=groups, contacts=contacts, **{**told, **changes})


def epidemic(people=None, sickness=None, **changes):
    told = {
        "days": 100,
        "start": "2020-02-01",
        "initial": 10,
        "method": "tau_leaping",
        "steps_per_day": 4,
        "most_exact": 20_000,
    }
    return Epidemic(
        population=people or population(), disease=sickness or disease(), **{**told, **changes}
    )


def three_groups(size=10_000, **changes):
    return population(size=size, groups=(0, 20, 40), contacts=CONTACTS, **changes)


def shipped(name, *words):
    """A simulator of `configs/simulator/`, with other words of the command line."""
    return instantiate(compose("simulate", [f"simulator={name}", *words]).simulator)


def ode(model, days):
    """S, E, I and the removed at the end of each day, by group: the equations, solved anew."""
    n, g = model.population.sizes.astype(float), model.groups
    c, f = model.population.contacts, model.disease
    generation = c * f.infectious_days * n[:, None] / n[None, :]
    rate = f.r0 / max(abs(np.linalg.eigvals(generation)))

    def slope(t, x):
        s, e, i, _ = x.reshape(4, g)
        new = rate * model.factors[min(int(t), days - 1)] * s * (c @ (i / n))
        on, off = e / f.latent_days, i / f.infectious_days
        return np.concatenate([-new, new - on, on - off, off])

    first = np.concatenate([model.first_s, 0 * n, model.first_i, model.first_r])
    found = solve_ivp(slope, (0, days), first, t_eval=np.arange(1, days + 1), max_step=0.25)
    return found.y.reshape(4, g, days)
