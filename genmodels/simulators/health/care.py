"""What happens to patients: dates of symptoms, test, admission and outcome, results, costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from genmodels.simulators.health.disease import Disease
from genmodels.simulators.health.parameters import fields, number, shares
from genmodels.simulators.health.profiles import SEVERITIES, Who

__all__ = ["TESTS", "Care", "Record"]

TESTS = ("pcr", "antigen")
KEY = "simulator.care"
ASYMPTOMATIC, MILD, SEVERE, CRITICAL = range(len(SEVERITIES))


@dataclass(frozen=True, eq=False)
class Record:
    """What is known of patients, shape (N,): whole days since day 0, NaN where there is none.

    onset <= test, onset <= admission, and all <= outcome.

    Args:
        onset, test, admission, outcome: days, float64.
        test_type: code in `TESTS`, -1 without a test.
        positive: of the test, bool.
        stay: days in hospital, NaN without.
        critical_days: of them in intensive care, NaN without.
        cost: from 0.
    """

    onset: np.ndarray
    test: np.ndarray
    admission: np.ndarray
    outcome: np.ndarray
    test_type: np.ndarray
    positive: np.ndarray
    stay: np.ndarray
    critical_days: np.ndarray
    cost: np.ndarray


class Care:
    """Tests and costs of a health system.

    Args:
        tested: share with a test, one for each of `SEVERITIES`.
        antigen: share of the tests that are antigen tests, likewise; the others are PCR.
        sensitivity: share of tests of infected people that are positive, by `TESTS`.
        cost_test: by `TESTS`.
        cost_visit: of who has symptoms and stays at home.
        cost_ward_day, cost_critical_day: in hospital; the day of admission counts.
        critical_share: of the days in hospital in intensive care, for who needs it.
        spread: of a patient's costs: the standard deviation of their logarithm.
    """

    def __init__(
        self,
        *,
        tested: Sequence[float],
        antigen: Sequence[float],
        sensitivity: Mapping[str, float],
        cost_test: Mapping[str, float],
        cost_visit: float,
        cost_ward_day: float,
        cost_critical_day: float,
        critical_share: float,
        spread: float,
    ) -> None:
        self.tested = shares(f"{KEY}.tested", tested, count=len(SEVERITIES))
        self.antigen = shares(f"{KEY}.antigen", antigen, count=len(SEVERITIES))
        found = fields(f"{KEY}.sensitivity", sensitivity, TESTS)
        self.sensitivity = shares(f"{KEY}.sensitivity", [found[name] for name in TESTS])
        prices = fields(f"{KEY}.cost_test", cost_test, TESTS)
        self.cost_test = np.array([_cost(f"cost_test.{name}", prices[name]) for name in TESTS])
        self.cost_visit = _cost("cost_visit", cost_visit)
        self.cost_ward_day = _cost("cost_ward_day", cost_ward_day)
        self.cost_critical_day = _cost("cost_critical_day", cost_critical_day)
        self.critical_share = float(shares(f"{KEY}.critical_share", [critical_share])[0])
        self.spread = _cost("spread", spread)

    def record(
        self,
        who: Who,
        infectious: np.ndarray,
        removed: np.ndarray,
        disease: Disease,
        rng: np.random.Generator,
        prices: np.random.Generator,
    ) -> Record:
        """Records of patients (N,).

        Args:
            who: they are.
            infectious, removed: when they became infectious, and were no more, in days.
            disease: with its delays.
            rng, prices: draw dates and tests, and costs.
        """
        count, severity, delays = len(infectious), who.severity, disease.delays
        drawn = {name: delay.draw(rng, count) for name, delay in delays.items()}
        onset = infectious + drawn["onset"]
        inside = severity >= SEVERE
        admission = onset + drawn["admission"]
        after = np.where(severity == CRITICAL, drawn["critical"], drawn["ward"])
        outcome = np.where(inside, admission + after, onset + drawn["mild"])
        outcome = np.where(severity == ASYMPTOMATIC, removed, outcome)
        known = np.where(severity == ASYMPTOMATIC, infectious, onset)
        test = np.minimum(known + drawn["test"], np.where(inside, admission, outcome))
        kind = (rng.random(count) < self.antigen[severity]).astype(np.int64)
        tested = rng.random(count) < self.tested[severity]
        positive = rng.random(count) < self.sensitivity[kind]
        onset, test, admission, outcome = (np.floor(x) for x in (onset, test, admission, outcome))
        onset[severity == ASYMPTOMATIC] = np.nan
        test[~tested] = np.nan
        admission[~inside] = np.nan
        stay = outcome - admission
        critical = np.where(severity == CRITICAL, np.ceil(self.critical_share * stay), np.nan)
        kind = np.where(tested, kind, -1)
        cost = self._cost(severity, kind, stay, critical, prices)
        return Record(onset, test, admission, outcome, kind, positive, stay, critical, cost)

    def _cost(
        self,
        severity: np.ndarray,
        kind: np.ndarray,
        stay: np.ndarray,
        critical: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        mean = np.where(kind >= 0, self.cost_test[kind], 0.0)
        mean += np.where(severity == MILD, self.cost_visit, 0.0)
        intensive = np.nan_to_num(critical)
        mean += np.where(severity >= SEVERE, (stay + 1.0 - intensive) * self.cost_ward_day, 0.0)
        mean += intensive * self.cost_critical_day
        noise = np.exp(self.spread * rng.standard_normal(len(mean)) - self.spread**2 / 2)
        return np.round(mean * noise, 2)

    def state(self) -> dict[str, Any]:
        """What decides, plain JSON."""
        found = {}
        for key, value in vars(self).items():
            found[key] = value.tolist() if isinstance(value, np.ndarray) else value
        return found


def _cost(key: str, told: Any) -> float:
    return number(f"{KEY}.{key}", told, least=0.0)
