"""The rows of a line list: what they mean, and how they are made of people, records and gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from genmodels.schema import Column, TableSchema
from genmodels.simulators.health.care import TESTS, Record
from genmodels.simulators.health.comorbidities import SEXES
from genmodels.simulators.health.epidemic import Epidemic
from genmodels.simulators.health.parameters import LAST_AGE
from genmodels.simulators.health.profiles import SEVERITIES, Who

__all__ = ["OUTCOMES", "RESULTS", "LineList", "People"]

RESULTS = ("negative", "positive")
OUTCOMES = ("recovered", "died")


@dataclass(frozen=True, eq=False)
class People:
    """The infected as the epidemic has them, shape (N,).

    Args:
        number: of the patient, from 0.
        outbreak: of which, from 0.
        vaccinated, died: bool.
        infected, infectious: days since day 0, whole numbers.
    """

    number: np.ndarray
    outbreak: np.ndarray
    vaccinated: np.ndarray
    died: np.ndarray
    infected: np.ndarray
    infectious: np.ndarray


class LineList:
    """Turns blocks of patients into rows.

    Args:
        model: of the epidemic.
        conditions: names of the comorbidities.
        truth: also what nobody knows in practice.
        complete: nothing is missing but what cannot be.
    """

    def __init__(
        self, *, model: Epidemic, conditions: tuple[str, ...], truth: bool, complete: bool
    ) -> None:
        self.start = np.datetime64(model.start, "D")
        self.conditions, self.truth = conditions, truth
        self.vaccination = model.vaccination is not None
        self.schema = TableSchema(tuple(self._columns(not complete)))

    def _columns(self, gaps: bool) -> list[Column]:
        def date(name: str, nullable: bool = True) -> Column:
            return Column(name, "datetime", nullable=nullable, format="%Y-%m-%d")

        def yes_or_no(name: str, nullable: bool) -> Column:
            return Column(name, "boolean", levels=(False, True), nullable=nullable)

        def category(name: str, levels: tuple[str, ...], nullable: bool) -> Column:
            return Column(name, "categorical", levels=levels, nullable=nullable)

        truth = [date("infected_date", False), date("infectious_date", False)]
        return [
            Column("patient", "identifier", format="integer"),
            Column("outbreak", "integer", minimum=0),
            Column("age", "integer", minimum=0, maximum=LAST_AGE),
            category("sex", SEXES, False),
            *(yes_or_no(name, gaps) for name in self.conditions),
            *([yes_or_no("vaccinated", False)] if self.vaccination else []),
            *(truth if self.truth else []),
            category("severity", SEVERITIES, False),
            date("onset_date"),
            category("test_type", TESTS, True),
            date("test_date"),
            category("test_result", RESULTS, True),
            date("admission_date"),
            Column("stay_days", "integer", minimum=0, nullable=True),
            Column("intensive_care_days", "integer", minimum=0, nullable=True),
            category("outcome", OUTCOMES, gaps),
            date("outcome_date", gaps),
            Column("cost", "continuous", minimum=0.0, decimals=2, nullable=gaps),
        ]

    def rows(
        self,
        people: People,
        who: Who,
        sets: np.ndarray,
        record: Record,
        gaps: dict[str, np.ndarray],
    ) -> pa.Table:
        """Rows of patients; `sets` are the conditions (N, J), `gaps` bool (N,) by name."""
        nothing = np.zeros(len(people.number), dtype=bool)
        lost = gaps.get("outcome", nothing)
        unfilled = gaps.get("comorbidities", nothing)
        untested = record.test_type < 0
        found: dict[str, pa.Array] = {
            "patient": pa.array(people.number),
            "outbreak": pa.array(people.outbreak),
            "age": pa.array(who.age),
            "sex": _levels(who.male, SEXES),
            "vaccinated": _truth(people.vaccinated),
            "infected_date": self._dates(people.infected),
            "infectious_date": self._dates(people.infectious),
            "severity": _levels(who.severity, SEVERITIES),
            "onset_date": self._dates(record.onset, gaps.get("onset_date")),
            "test_type": _levels(record.test_type, TESTS, untested),
            "test_date": self._dates(record.test, gaps.get("test_date")),
            "test_result": _levels(
                record.positive, RESULTS, untested | gaps.get("test_result", nothing)
            ),
            "admission_date": self._dates(record.admission),
            "stay_days": _whole(record.stay, lost),
            "intensive_care_days": _whole(record.critical_days, lost),
            "outcome": _levels(people.died, OUTCOMES, lost),
            "outcome_date": self._dates(record.outcome, lost),
            "cost": pa.array(record.cost, mask=gaps.get("cost", nothing)),
        }
        for place, name in enumerate(self.conditions):
            found[name] = _truth(sets[:, place], unfilled)
        return pa.table([found[name] for name in self.schema.names], names=self.schema.names)

    def _dates(self, days: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
        """Dates of whole days since day 0; NaN is missing, too."""
        gone = np.isnan(days) if missing is None else np.isnan(days) | missing
        whole = np.where(gone, 0, days).astype(np.int64)
        dates = (self.start + whole).astype("datetime64[us]")
        return pa.array(dates, mask=gone)


def _levels(codes: np.ndarray, levels: tuple[str, ...], gone: np.ndarray | None = None) -> pa.Array:
    indices = pa.array(codes.astype(np.int32), mask=gone)
    return pa.DictionaryArray.from_arrays(indices, pa.array(levels))


def _truth(values: np.ndarray, gone: np.ndarray | None = None) -> pa.Array:
    return pa.array(values, mask=gone)


def _whole(values: np.ndarray, gone: np.ndarray) -> pa.Array:
    empty = np.isnan(values) | gone
    return pa.array(np.where(empty, 0, values).astype(np.int64), mask=empty)
