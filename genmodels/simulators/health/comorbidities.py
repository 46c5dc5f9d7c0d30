"""Who has which chronic condition: prevalences by age and sex, joined by a frailty they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.stats import norm

from genmodels.simulators.health.parameters import by_year, fields, number, share, shares

__all__ = ["RISKS", "SEXES", "Comorbidities"]

RISKS = ("admitted", "critical", "dies")
SEXES = ("female", "male")
MOST = 8
NODES = 60
KEY = "simulator.comorbidities"


class Comorbidities:
    """J conditions, each present where a liability l f + sqrt(1 - l^2) e is high enough.

    f, the frailty, and e are independent standard normals, so that two liabilities correlate by
    l^2 (a Gaussian copula of one factor); thresholds reproduce every prevalence.

    Args:
        frailty: l, in [0, 1).
        ages: at which prevalences are told, rising.
        conditions: of each its prevalences `female` and `male`, and odds ratios of `RISKS`.
        male: odds ratios of men.
    """

    def __init__(
        self,
        *,
        frailty: float,
        ages: Sequence[float],
        conditions: Mapping[str, Mapping[str, Any]],
        male: Mapping[str, float],
    ) -> None:
        self.frailty = share(f"{KEY}.frailty", frailty)
        if self.frailty > 0.99:
            raise ValueError(f"{KEY}.frailty must be below 1 (at most 0.99), got {frailty:g}")
        if len(conditions) > MOST:
            raise ValueError(f"{KEY}.conditions must be at most {MOST}, got {len(conditions)}")
        self.names = tuple(str(name) for name in conditions)
        for name, told in conditions.items():
            fields(f"{KEY}.conditions.{name}", told, (*SEXES, *RISKS))
        # (2 sexes, 101 years, J)
        self.prevalence = np.array(
            [
                [_prevalence(name, sex, ages, told[sex]) for name, told in conditions.items()]
                for sex in SEXES
            ]
        ).reshape(2, -1, 101).transpose(0, 2, 1)  # fmt: skip
        ratios = fields(f"{KEY}.male", male, RISKS)
        self.male = {risk: _log_ratio(f"{KEY}.male.{risk}", ratios[risk]) for risk in RISKS}
        self.log_odds = {
            risk: np.array(
                [
                    _log_ratio(f"{KEY}.conditions.{name}.{risk}", told[risk])
                    for name, told in conditions.items()
                ]
            )
            for risk in RISKS
        }
        self._state = {
            "frailty": frailty,
            "ages": list(ages),
            "conditions": {name: dict(told) for name, told in conditions.items()},
            "male": dict(male),
        }

    @property
    def sets(self) -> np.ndarray:
        """All 2^J sets of conditions, bool (2^J, J)."""
        number_of = np.arange(1 << len(self.names))
        return (number_of[:, None] >> np.arange(len(self.names)) & 1).astype(bool)

    def joint(self) -> np.ndarray:
        """Probability of each set of conditions given sex and age, shape (2, 101, 2^J)."""
        nodes, weights = hermegauss(NODES)
        weights = weights / weights.sum()
        with np.errstate(divide="ignore"):
            threshold = norm.ppf(self.prevalence)  # (2, 101, J)
        rest = np.sqrt(1.0 - self.frailty**2)
        given = norm.cdf((threshold[..., None] + self.frailty * nodes) / rest)  # (2, 101, J, Q)
        found = np.tile(weights, (2, 101, 1, 1))
        for condition in range(len(self.names)):
            has = given[:, :, condition, None]
            found = np.concatenate([found * (1.0 - has), found * has], 2)
        total = found.sum(3)
        assert isinstance(total, np.ndarray)
        return total

    def state(self) -> dict[str, Any]:
        """What the constructor takes, plain JSON."""
        return dict(self._state)


def _prevalence(name: str, sex: str, ages: Sequence[float], told: Any) -> np.ndarray:
    key = f"{KEY}.conditions.{name}.{sex}"
    return by_year(key, ages, list(shares(key, told)))


def _log_ratio(key: str, told: Any) -> float:
    return float(np.log(number(key, told, above=0.0)))
