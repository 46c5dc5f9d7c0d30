"""A line list of patients whose aggregate is a simulated epidemic.

The seed fixes outbreaks 0, 1, 2, ...; the patients of each are in random order, those of one
outbreak after those of the one before. The first n patients are thus a simple random sample of an
outbreak until n is its size, where they are the whole of it; then the next one begins.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import torch

from genmodels.schema import TableSchema
from genmodels.simulators.health.care import Care
from genmodels.simulators.health.comorbidities import Comorbidities
from genmodels.simulators.health.draws import generator
from genmodels.simulators.health.epidemic import Epidemic
from genmodels.simulators.health.gaps import Gaps
from genmodels.simulators.health.line_list import LineList, People
from genmodels.simulators.health.outbreak import Outbreak, outbreak
from genmodels.simulators.health.profiles import Profiles

__all__ = ["Patients"]

_BLOCK_ROWS = 16_384
_KEPT_ROWS = 1 << 19
LACKS = (
    "who infected whom: patients have no links, households or places",
    "several stays, infections or treatments of one person",
    "care that depends on how many there are: hospitals are never full",
    "tests of people who are not infected: every patient of the list is",
)


class Patients:
    """The infected of simulated epidemics, one row each.

    Args:
        model: of the epidemic.
        comorbidities: of the population.
        care: tests and costs.
        missing: what a record lacks.
        counts: what the n of a dataset counts, patients or whole outbreaks.
        truth: also what nobody knows in practice.
        complete: nothing is missing but what cannot be.
        fit: None: a line list is not fitted.
        seed: of `facts`, `notes` and `rows_of`; None: see `seeded`.
    """

    name = "patients"
    block_rows = _BLOCK_ROWS

    def __init__(
        self,
        *,
        model: Epidemic,
        comorbidities: Comorbidities,
        care: Care,
        missing: Gaps,
        counts: Literal["patient", "outbreak"],
        truth: bool,
        complete: bool,
        fit: None = None,
        seed: int | None = None,
    ) -> None:
        if model.method != "tau_leaping":
            raise ValueError("simulator=patients takes simulator.model.method=tau_leaping alone")
        self.model, self.comorbidities, self.care = model, comorbidities, care
        self.missing, self.counts, self.truth, self.complete = missing, counts, truth, complete
        self.seed = seed
        self.profiles = Profiles(model=model, illnesses=comorbidities)
        self.list = LineList(
            model=model, conditions=comorbidities.names, truth=truth, complete=complete
        )
        self._lock = threading.Lock()
        self._ends: dict[int, list[int]] = {}
        self._kept: dict[tuple[int, int], Outbreak] = {}
        self._held = 0

    @property
    def schema(self) -> TableSchema:
        return self.list.schema

    def seeded(self, seed: int) -> Patients:
        """The same with facts of the outbreaks of a seed."""
        return Patients(
            model=self.model,
            comorbidities=self.comorbidities,
            care=self.care,
            missing=self.missing,
            counts=self.counts,
            truth=self.truth,
            complete=self.complete,
            seed=seed,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        if self.seed is None:
            return ()
        size = self._end(self.seed, 0)
        return (
            f"the first outbreak of seed={self.seed} infects {size:,} of "
            f"{self.model.population.size:,} people: n={size} lists them all, as do "
            "simulator.counts=outbreak and n=1",
        )

    def rows_of(self, n: int) -> int:
        if self.counts == "patient":
            return n
        assert self.seed is not None, "asked of what `seeded` made"
        return self._end(self.seed, n - 1)

    def facts(self) -> dict[str, Any]:
        sizes = {} if self.seed is None else {"first_outbreak": self._end(self.seed, 0)}
        return {
            "name": self.name,
            "parameters": {
                **self.model.state(),
                "comorbidities": self.comorbidities.state(),
                "care": self.care.state(),
                "missing": None if self.complete else self.missing.state(),
            },
            "counts": self.counts,
            "truth": self.truth,
            **sizes,
            "cannot_make": list(LACKS),
        }

    def fitted(self, observed: Any) -> tuple[Patients, dict[str, Any], list[str]]:
        """A line list is not fitted.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "simulator=patients cannot be fitted: fit simulator=seir, and tell this one what it "
            "finds: simulator.model.disease.r0 and simulator.model.initial"
        )

    def block(self, number: int, *, seed: int, device: torch.device) -> pa.Table:
        """Drawn on the host, whatever the device."""
        first = number * _BLOCK_ROWS
        parts = list(self._parts(first, first + _BLOCK_ROWS, seed))
        which = np.concatenate([np.full(len(rows), place) for place, _, rows in parts])
        joined = [
            np.concatenate([getattr(found, name)[rows] for _, found, rows in parts])
            for name in ("stratum", "infected", "infectious", "removed", "died")
        ]
        stratum, infected, infectious, removed, died = joined
        rngs = [
            generator(purpose, seed=seed, block=number)
            for purpose in ("profile", "clinic", "costs", "gaps")
        ]
        who = self.profiles.draw(stratum, died, rngs[0])
        rate = self.model.steps_per_day
        # A step is the time before its end: some moment of it.
        start, end = ((x - rngs[1].random(_BLOCK_ROWS)) / rate for x in (infectious, removed))
        record = self.care.record(who, start, end, self.model.disease, rngs[1], rngs[2])
        people = People(
            number=first + np.arange(_BLOCK_ROWS),
            outbreak=which,
            vaccinated=stratum >= self.model.groups,
            died=died,
            infected=(infected - 1) // rate,
            infectious=(infectious - 1) // rate,
        )
        gaps = {} if self.complete else self.missing.drawn(who.severity, rngs[3])
        return self.list.rows(people, who, self.comorbidities.sets[who.conditions], record, gaps)

    def _parts(self, start: int, stop: int, seed: int) -> list[tuple[int, Outbreak, np.ndarray]]:
        """Which patients of which outbreaks the rows start ... stop - 1 are."""
        found = []
        place = self._place(seed, start)
        begin = self._end(seed, place - 1) if place else 0
        while begin < stop:
            end = self._end(seed, place)
            rows = np.arange(max(start, begin) - begin, min(stop, end) - begin)
            found.append((place, self._outbreak(seed, place), rows))
            place, begin = place + 1, end
        return found

    def _place(self, seed: int, row: int) -> int:
        """The outbreak that a row belongs to."""
        ends = self._ends.setdefault(seed, [])
        while not ends or ends[-1] <= row:
            self._end(seed, len(ends))
        return bisect_right(ends, row)

    def _end(self, seed: int, place: int) -> int:
        """How many patients outbreaks 0 ... place have together."""
        with self._lock:
            ends = self._ends.setdefault(seed, [])
            while len(ends) <= place:
                size = len(self._made(seed, len(ends)))
                ends.append(size + (ends[-1] if ends else 0))
            return ends[place]

    def _outbreak(self, seed: int, place: int) -> Outbreak:
        with self._lock:
            return self._made(seed, place)

    def _made(self, seed: int, place: int) -> Outbreak:
        """The outbreak, of which the last few are kept: neighbours in a block share them."""
        key = (seed, place)
        if key not in self._kept:
            made = outbreak(self.model, seed=seed, number=place)
            while self._kept and self._held + len(made) > _KEPT_ROWS:
                self._held -= len(self._kept.pop(next(iter(self._kept))))
            self._kept[key] = made
            self._held += len(made)
        return self._kept[key]
