"""Stochastic epidemics as rows.

`rows=run`: one row per run, what came of it and a curve. Rows are then independent records, which
is what a generator, a split into train and test, and every measure of `genmodels evaluate` takes
for granted; this is the default. `rows=day`: one row per run, day and age group, with every
compartment.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import torch

from genmodels.schema import Column, TableSchema
from genmodels.simulators.health.course import Course, block_runs, course_of
from genmodels.simulators.health.epidemic import Epidemic
from genmodels.simulators.health.parameters import whole
from genmodels.simulators.health.reporting import Reporting

__all__ = ["Curve", "Epidemics"]

Curve = Literal["reported", "infections", "infectious"]
Rows = Literal["run", "day"]
COMPARTMENTS = ("susceptible", "exposed", "infectious", "recovered", "dead", "vaccinated")
COUNTS = ("infections", "onsets", "deaths", "reported")
LACKS = (
    "latent and infectious periods other than exponential ones",
    "households, super-spreaders and other structure than that of age groups",
    "births, deaths of other causes, travel, waning immunity and seasons",
)


class Epidemics:
    """Runs of one epidemic model.

    Args:
        model: of the epidemic.
        reporting: what of it is counted.
        rows: what a row is, see the module.
        curve: what the columns of a run follow; None: they have none. Of `infectious` the people
            at the end of the days, of others the sum over them.
        every: days of a curve's column.
        fit: makes a fit of observed daily counts (T,); None: this cannot be fitted.
    """

    name = "seir"

    def __init__(
        self,
        *,
        model: Epidemic,
        reporting: Reporting,
        rows: Rows = "run",
        curve: Curve | None = "reported",
        every: int = 7,
        fit: Callable[..., Any] | None = None,
    ) -> None:
        self.every = whole("simulator.every", every, least=1)
        if self.every > model.days:
            raise ValueError(
                f"simulator.every={every} is more than simulator.model.days={model.days}"
            )
        self.model, self.reporting, self.rows = model, reporting, rows
        self.curve, self.fit = curve, fit
        self.runs = block_runs(model)
        self.block_rows = self.rows_of(self.runs)
        self.schema = TableSchema(tuple(self._by_run() if rows == "run" else self._by_day()))
        below = model.disease.r0 <= 1.0
        self.notes = (
            ("R0 is at most 1: every outbreak dies out, most of them at once",) if below else ()
        )

    def rows_of(self, n: int) -> int:
        return n if self.rows == "run" else n * self.model.days * self.model.groups

    def facts(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "parameters": {**self.model.state(), "reporting": self.reporting.state()},
            "rows": self.rows,
            "curve": self.curve,
            "every": self.every,
            "cannot_make": list(LACKS),
        }

    def fitted(
        self, observed: Mapping[str, np.ndarray]
    ) -> tuple[Epidemics, dict[str, Any], list[str]]:
        """The same with R0, reporting and start fitted to the daily counts observed.

        Raises:
            ValueError: when these cannot be fitted.
        """
        if self.fit is None:
            raise ValueError(f"simulator={self.name} cannot be fitted with simulator.fit=null")
        found = self.fit(observed["series"], model=self.model, reporting=self.reporting)
        epidemics = Epidemics(
            model=found.model,
            reporting=found.reporting,
            rows=self.rows,
            curve=self.curve,
            every=self.every,
            fit=self.fit,
        )
        return epidemics, found.facts(), found.lines()

    def block(self, number: int, *, seed: int, device: torch.device) -> pa.Table:
        """Drawn on the host, whatever the device."""
        course = course_of(self.model, self.reporting, seed=seed, block=number, runs=self.runs)
        columns = self._of_runs(course) if self.rows == "run" else self._of_days(course, number)
        return pa.Table.from_arrays([pa.array(x) for x in columns], names=list(self.schema.names))

    def _of_runs(self, course: Course) -> list[np.ndarray]:
        first = self.model.first_i.sum()
        by_day = course.infectious.sum(2)
        under_way = by_day + course.exposed.sum(2) > 0
        infected = first + course.infections.sum((0, 2))
        found = [
            infected,
            infected / self.model.population.size,
            by_day.argmax(0),
            by_day.max(0),
            under_way.sum(0),
            course.deaths.sum((0, 2)),
            course.reported.sum((0, 2)),
        ]
        if self.model.vaccination is not None:
            found.append(course.doses.sum((0, 2)))
        return [*found, *self._curve(course)]

    def _curve(self, course: Course) -> Sequence[np.ndarray]:
        if self.curve is None:
            return []
        values = getattr(course, self.curve).sum(2)
        starts = range(0, len(values), self.every)
        if self.curve == "infectious":
            return [values[min(start + self.every, len(values)) - 1] for start in starts]
        return [values[start : start + self.every].sum(0) for start in starts]

    def _of_days(self, course: Course, number: int) -> list[Any]:
        days, runs, groups = course.infections.shape
        run = np.arange(number * runs, (number + 1) * runs)
        each = days * groups
        day = np.arange(days).repeat(groups)
        dates = (np.datetime64(self.model.start, "D") + day).astype("datetime64[us]")
        codes = pa.array(np.tile(np.arange(groups, dtype=np.int32), runs * days))
        names = pa.DictionaryArray.from_arrays(codes, pa.array(self.model.population.names))
        values = [
            np.ascontiguousarray(getattr(course, name).transpose(1, 0, 2)).ravel()
            for name in (*COMPARTMENTS, *COUNTS)
        ]
        return [run.repeat(each), np.tile(day, runs), np.tile(dates, runs), names, *values]

    def _by_run(self) -> list[Column]:
        people = self.model.population.size
        integers = ["peak_day", "peak_infectious", "days_under_way", "deaths", "reported"]
        columns = [
            Column("infected", "integer", minimum=0, maximum=people),
            Column("attack_rate", "continuous", minimum=0.0, maximum=1.0),
            *(Column(name, "integer", minimum=0) for name in integers),
        ]
        if self.model.vaccination is not None:
            columns.append(Column("doses", "integer", minimum=0, maximum=people))
        if self.curve is None:
            return columns
        digits = len(str(self.model.days))
        starts = range(0, self.model.days, self.every)
        curve = [f"{self.curve}_{start:0{digits}d}" for start in starts]
        return [*columns, *(Column(name, "integer", minimum=0) for name in curve)]

    def _by_day(self) -> list[Column]:
        last = self.model.start + datetime.timedelta(days=self.model.days - 1)
        first, final = self.model.start.isoformat(), last.isoformat()
        names = self.model.population.names
        return [
            Column("run", "integer", minimum=0),
            Column("day", "integer", minimum=0, maximum=self.model.days - 1),
            Column("date", "datetime", format="%Y-%m-%d", minimum=first, maximum=final),
            Column("age_group", "categorical", levels=names)
            if len(names) > 1
            else Column("age_group", "constant", value=names[0]),
            *(Column(name, "integer", minimum=0) for name in (*COMPARTMENTS, *COUNTS)),
        ]
