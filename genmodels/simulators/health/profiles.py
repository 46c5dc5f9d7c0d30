"""How ill a patient is, given who the patient is: age, sex, conditions and severity, jointly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from genmodels.simulators.health.comorbidities import Comorbidities
from genmodels.simulators.health.epidemic import Epidemic

__all__ = ["SEVERITIES", "Profiles", "Who", "severities"]

SEVERITIES = ("asymptomatic", "mild", "severe", "critical")
_ROUNDS = 60


@dataclass(frozen=True, eq=False)
class Who:
    """Patients, shape (N,): age in years, whether male, which set of conditions, severity."""

    age: np.ndarray
    male: np.ndarray
    conditions: np.ndarray
    severity: np.ndarray


def severities(model: Epidemic, illnesses: Comorbidities) -> np.ndarray:
    """P(sex, set of conditions, severity, death | age), shape (101, 2, 2^J, 4, 2).

    A stage has a logistic probability in the odds ratios of sex and conditions; its constant at
    each age makes the mean over those who reach the stage what the disease says of that age.
    """
    stages, joint = model.disease.stages, illnesses.joint()
    sex = np.stack([1.0 - model.population.male, model.population.male])
    people = (sex[:, :, None] * joint).transpose(1, 0, 2)  # (101, 2, 2^J)

    def stage(reached: np.ndarray, share: np.ndarray, risk: str) -> np.ndarray:
        odds = illnesses.sets @ illnesses.log_odds[risk]
        linear = np.array([0.0, illnesses.male[risk]])[:, None] + odds
        return reached * _calibrated(linear, reached, share)

    ill = people * stages["symptomatic"][:, None, None]
    admitted = stage(ill, stages["admitted"], "admitted")
    critical = stage(admitted, stages["critical"], "critical")
    ward = admitted - critical
    found = np.zeros((*people.shape, 4, 2))
    found[..., 0, 0] = people - ill
    found[..., 1, 0] = ill - admitted
    for severity, reached, name in ((2, ward, "dies_in_ward"), (3, critical, "dies_critical")):
        found[..., severity, 1] = stage(reached, stages[name], "dies")
        found[..., severity, 0] = reached - found[..., severity, 1]
    return np.clip(found, 0.0, None)


def _calibrated(linear: np.ndarray, weight: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Probabilities expit(a + linear) whose mean by weights (101, 2, S) is `share` (101,)."""
    total = np.maximum(weight.sum((1, 2)), 1e-300)
    low, high = np.full(len(share), -60.0), np.full(len(share), 60.0)
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        mean = (weight * expit(middle[:, None, None] + linear)).sum((1, 2)) / total
        low, high = np.where(mean < share, middle, low), np.where(mean < share, high, middle)
    found = expit(low[:, None, None] + linear)
    found[share == 0.0] = 0.0
    found[share == 1.0] = 1.0
    assert isinstance(found, np.ndarray)
    return found


class Profiles:
    """Draws patients given what the epidemic tells of them: stratum, and whether they die.

    By Bayes: who dies has the age, sex, conditions and severity of those who die in the stratum.
    Among all infected of a stratum the tables are therefore those of the population.

    Args:
        model: of the epidemic; its vaccinated strata are less often admitted.
        illnesses: of the population.
    """

    def __init__(self, *, model: Epidemic, illnesses: Comorbidities) -> None:
        table = severities(model, illnesses)
        self.shape = (table.shape[0], 2, table.shape[2], len(SEVERITIES))
        self.sums: list[tuple[np.ndarray, np.ndarray]] = []
        for stratum in range(model.strata):
            given = (
                table * model.population.by_age[stratum % model.groups][:, None, None, None, None]
            )
            if stratum >= model.groups and model.vaccination is not None:
                given = _milder(given, 1.0 - model.vaccination.efficacy_severe)
            for dies in (0, 1):
                flat = given[..., dies].ravel()
                cells = np.flatnonzero(flat)
                self.sums.append((cells, flat[cells].cumsum()))

    def draw(self, stratum: np.ndarray, died: np.ndarray, rng: np.random.Generator) -> Who:
        """Patients of strata (N,), of whom those in `died` (N,) die."""
        uniform, cell = rng.random(len(stratum)), np.zeros(len(stratum), dtype=np.int64)
        kind = stratum.astype(np.int64) * 2 + died
        for which, (cells, sums) in enumerate(self.sums):
            mine = np.flatnonzero(kind == which)
            if len(mine):
                at = np.searchsorted(sums, uniform[mine] * sums[-1], side="right")
                cell[mine] = cells[np.minimum(at, len(cells) - 1)]
        age, male, conditions, severity = np.unravel_index(cell, self.shape)
        return Who(age, male.astype(bool), conditions, severity)


def _milder(given: np.ndarray, share: float) -> np.ndarray:
    """The same with admissions at a share of their probability; the others stay at home."""
    found = given.copy()
    found[..., 2:, :] *= share
    found[..., 1, 0] += (1.0 - share) * given[..., 2:, :].sum((-1, -2))
    return found
