"""Everything that is asked of sampled rows, put together block by block.

Wishes for all rows, shares of levels, strata of a scenario, rows to complete and constraints meet
here: which cells of a block are known, which rows are asked for what. Drawing is `controlled.py`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from genmodels.sampling.control.completion import Completion
from genmodels.sampling.control.constraints import Constraints
from genmodels.sampling.control.given import CellBuilder, Request, Restricts, understand
from genmodels.sampling.control.shares import Shares, pick
from genmodels.sampling.control.strata import Stratum
from genmodels.sampling.draws import Draws
from genmodels.wishes import Cells

__all__ = ["Control", "Part", "Plan"]


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of a block that are asked for the same.

    Args:
        rows: their positions in the block, ascending (M,).
        request: what is asked besides known cells.
        temper: how far probabilities are flattened.
    """

    rows: np.ndarray
    request: Request
    temper: float


@dataclass(frozen=True, eq=False)
class Plan:
    """What is asked of the rows of one block.

    Args:
        cells: known cells, by column.
        parts: each row is in one of them.
        strata: the number of the stratum of each row, int64 (R,).
    """

    cells: dict[str, Cells]
    parts: tuple[Part, ...]
    strata: np.ndarray


class Control:
    """What is asked of all rows; at least one thing.

    Args:
        restricts: the codec's view of wishes.
        strata: their shares sum to 1, or all have rows; each has the wishes for all rows as well as
            its own.
        shares: of the levels of one column, or None.
        completion: rows to complete, or None.
        constraints: between columns.

    Raises:
        ValueError: when two of them ask for the same column, or no value is as wished.
    """

    def __init__(
        self,
        *,
        restricts: Restricts,
        strata: Sequence[Stratum],
        shares: Shares | None = None,
        completion: Completion | None = None,
        constraints: Constraints | None = None,
    ) -> None:
        self.restricts = restricts
        self.shares = shares
        self.completion = completion
        self.constraints = constraints or Constraints((), ())
        told = ((shares.column,) if shares else ()) + (completion.columns if completion else ())
        more = completion.wishes if completion else ()
        self.strata = tuple(strata)
        self.requests = []
        for stratum in strata:
            _refuse_twice([*(wish.column for wish in stratum.wishes), *told])
            self.requests.append(understand((*stratum.wishes, *more), restricts))
        self._weights = np.array([stratum.share for stratum in strata])
        self._ends = np.cumsum([stratum.rows or 0 for stratum in strata])
        names = restricts.schema.names
        self.made_anew = tuple(n for n in names if restricts.schema[n].kind == "identifier")

    @property
    def tempered(self) -> bool:
        """Whether any row is drawn with other probabilities than the model's."""
        return any(stratum.temper != 1.0 for stratum in self.strata)

    @property
    def rows(self) -> int | None:
        """How many rows there are of all strata, if they have so many; then they begin again."""
        return int(self._ends[-1]) or None

    def _which(self, draws: Draws, block: int) -> np.ndarray:
        """The stratum of each row of a block, int64 (R,)."""
        rows = draws.block_rows
        if self.rows is None:
            return pick(self._weights, draws.rng(block, "stratum"), rows)
        places = (block * rows + np.arange(rows)) % self.rows
        return np.searchsorted(self._ends, places, side="right")

    def plan(self, draws: Draws, block: int) -> Plan:
        """What is asked of each row of a block; depends on the seed and the block alone."""
        rows = draws.block_rows
        builder = CellBuilder(rows)
        levels = draws.rng(block, "level")
        if self.shares is not None:
            places = self.shares.draw(levels, rows)
            builder.put(self.shares.column, self.shares.levels, np.arange(rows), places)
        if self.completion is not None:
            self.completion.put(builder, block)
        which = self._which(draws, block)
        parts = []
        alike: dict[float, list[np.ndarray]] = {}
        for number in range(len(self.strata)) if self.rows is None else np.unique(which).tolist():
            stratum, request = self.strata[number], self.requests[number]
            own = np.flatnonzero(which == number)
            for column, value in request.cells.items():
                builder.put(column, value, own, np.zeros(len(own), np.int64))
            for column, (values, counts) in request.rare.items():
                builder.put(column, values, own, pick(counts, levels, rows)[own])
            if self.rows is not None and not request.wishes and not request.limits:
                alike.setdefault(stratum.temper, []).append(own)
            else:
                parts.append(Part(own, request, stratum.temper))
        for temper, some in alike.items():  # nothing but their cells tells them apart
            parts.append(Part(np.sort(np.concatenate(some)), Request(), temper))
        return Plan(builder.cells(), tuple(parts), which)

    def broken(
        self, table: pa.Table, plan: Plan, rows: np.ndarray, *, exact: bool
    ) -> dict[str, np.ndarray]:
        """By wish or constraint, which of the rows (M,) are not as asked.

        Args:
            table: finished rows (M,).
            plan: of their block.
            rows: their positions in the block.
            exact: whether to look at known cells, too.
        """
        found = self.constraints.broken(table) if self.constraints else {}
        for part in plan.parts:
            asked = np.isin(rows, part.rows, assume_unique=True)
            for wish in part.request.wishes:
                wrong = asked & ~wish.fits(table.column(wish.column))
                found[str(wish)] = found.get(str(wish), False) | wrong
        if exact:
            for column, cells in plan.cells.items():
                found[f"{column}: as given"] = _differ(table.column(column), cells, rows)
        return found


def _differ(column: pa.ChunkedArray, cells: Cells, rows: np.ndarray) -> np.ndarray:
    """Where drawn values (M,) are not the known ones."""
    given = cells.values.take(pa.array(rows))
    both = [_texts(array) for array in (column.combine_chunks(), given)]
    drawn, wanted = (np.array(array.fill_null("")) for array in both)
    gaps = [np.asarray(array.is_null(), bool) for array in both]
    same = np.where(gaps[0] | gaps[1], gaps[0] & gaps[1], drawn == wanted)
    return cells.known[rows] & ~same


def _texts(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0)
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    return array.cast(pa.string())


def _refuse_twice(columns: Sequence[str]) -> None:
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise ValueError(
            f"column {twice!r} is asked for twice: given, balance, shares, scenario and complete "
            "cannot speak of the same one"
        )
