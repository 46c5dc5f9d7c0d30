"""What a disease does: how it spreads, how ill it makes at which age, and how long that takes.

A disease is a YAML file of `configs/disease/`; one of your own has the same keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genmodels.simulators.health.delays import Delay
from genmodels.simulators.health.parameters import by_year, fields, number, shares

__all__ = ["DELAYS", "STAGES", "Disease"]

STAGES = ("symptomatic", "admitted", "critical", "dies_in_ward", "dies_critical")
DELAYS = ("onset", "test", "admission", "mild", "ward", "critical")
KEY = "simulator.model.disease"


class Disease:
    """A disease that spreads from person to person.

    Latent and infectious periods are exponential. Shares are of the stage before, at each of
    `ages` and linear between them; comorbidities and sex change them, but not their mean at an
    age.

    Args:
        name: of the disease.
        r0: infections by one infected among susceptible people, from 0.
        latent_days: mean time from infection to being infectious, above 0.
        infectious_days: mean time of being infectious, above 0.
        ages: at which shares are told, rising.
        symptomatic: share of the infected who have symptoms.
        admitted: share of those with symptoms who are admitted.
        critical: share of the admitted who need intensive care.
        dies_in_ward, dies_critical: share of the admitted without and with intensive care.
        delays: days, [mean, standard deviation]: `onset` from being infectious to symptoms,
            `test` and `admission` from symptoms, `mild` from symptoms to recovery at home, `ward`
            and `critical` from admission to the outcome.
    """

    def __init__(
        self,
        *,
        name: str,
        r0: float,
        latent_days: float,
        infectious_days: float,
        ages: Sequence[float],
        symptomatic: Sequence[float],
        admitted: Sequence[float],
        critical: Sequence[float],
        dies_in_ward: Sequence[float],
        dies_critical: Sequence[float],
        delays: Mapping[str, Sequence[float]],
    ) -> None:
        self.name = name
        self.r0 = number(f"{KEY}.r0", r0, least=0.0)
        self.latent_days = number(f"{KEY}.latent_days", latent_days, above=0.0)
        self.infectious_days = number(f"{KEY}.infectious_days", infectious_days, above=0.0)
        told = (symptomatic, admitted, critical, dies_in_ward, dies_critical)
        self.stages = {
            stage: by_year(f"{KEY}.{stage}", ages, list(shares(f"{KEY}.{stage}", values)))
            for stage, values in zip(STAGES, told, strict=True)
        }
        known = fields(f"{KEY}.delays", delays, DELAYS)
        self.delays = {name: Delay(f"{KEY}.delays.{name}", known[name]) for name in DELAYS}
        self._state = {
            "name": name,
            "r0": r0,
            "latent_days": latent_days,
            "infectious_days": infectious_days,
            "ages": list(ages),
            **{stage: list(values) for stage, values in zip(STAGES, told, strict=True)},
            "delays": {name: list(known[name]) for name in DELAYS},
        }

    @property
    def fatality(self) -> np.ndarray:
        """Share of the infected who die, by year of age (101,)."""
        s = self.stages
        ill = s["symptomatic"] * s["admitted"]
        found = ill * ((1 - s["critical"]) * s["dies_in_ward"] + s["critical"] * s["dies_critical"])
        assert isinstance(found, np.ndarray)
        return found

    def with_r0(self, r0: float) -> Disease:
        return Disease(**{**self._state, "r0": r0})  # type: ignore[arg-type]

    def state(self) -> dict[str, Any]:
        """What the constructor takes, plain JSON."""
        return dict(self._state)
