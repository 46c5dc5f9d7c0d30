"""What an epidemic of very many people does: the chain of steps with shares for people."""

from __future__ import annotations

import numpy as np

from genmodels.simulators.health.epidemic import Epidemic
from genmodels.simulators.health.policy import contact_factors

__all__ = ["expected_onsets"]


def expected_onsets(
    model: Epidemic, *, r0: np.ndarray, initial: np.ndarray, days: int
) -> np.ndarray:
    """People who become infectious on each day, at P values of R0 and of the start.

    The steps are those of tau-leaping (`engines.steps`), of which this is the limit for a large
    population.

    Args:
        model: all else.
        r0, initial: shape (P,).
        days: T.

    Returns:
        Shape (T, P).
    """
    rate, g = model.steps_per_day, model.groups
    factors = contact_factors(model.interventions, max(days, model.days))
    leave_e = min(1.0, 1.0 / (rate * model.disease.latent_days))
    leave_i = min(1.0, 1.0 / (rate * model.disease.infectious_days))
    whole = model.first_s + model.first_i
    i = np.zeros((len(r0), model.strata))
    i[:, :g] = initial[:, None] * model.reach / model.reach.sum()
    s = np.maximum(whole - i, 0.0)
    e, given = np.zeros_like(s), np.zeros((len(r0), g))
    found = np.zeros((days, len(r0)))
    for day in range(days):
        if model.vaccination is not None and day >= model.vaccination.from_day:
            doses = model.vaccination.doses(s[:, :g], given, model.sizes, None)
            s += np.concatenate([-doses, doses], 1)
            given += doses
        scale = (r0 * factors[day] / rate)[:, None]
        for _ in range(rate):
            infected = -s * np.expm1(-scale * (i @ model.unit_force))
            infectious = e * leave_e
            i += infectious - i * leave_i
            e += infected - infectious
            s -= infected
            found[day] += infectious.sum(1)
    return found
