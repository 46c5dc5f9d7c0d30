"""Drawing the rows of a block as they are asked for: redraws, and shortfalls.

Rows that break a wish or a constraint are drawn again, a bounded number of times: attempt k of row
i in block b takes its random numbers from (seed, b, k, i), so a row does not depend on how many
rows were asked for. One attempt is `attempts.py`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import torch

from genmodels.evidence import Evidence
from genmodels.sampling.control.attempts import Source, attempted, takes_evidence
from genmodels.sampling.control.control import Control, Plan
from genmodels.sampling.control.given import impose
from genmodels.types import Encoded
from genmodels.wishes import TooFewRowsError

__all__ = ["Controlled", "Made", "Shortfall"]

Shortfall = Literal["error", "drop"]
_BROKEN, _SHORT = "broken: ", "short: "


@dataclass(frozen=True, eq=False)
class Made:
    """A block and what became of its rows.

    Args:
        table: all R rows; those that do not hold are as last drawn.
        held: which rows are as asked, bool (R,).
        strata: the number of the stratum of each row, int64 (R,).
        broken: by wish or constraint, which rows broke it when last drawn, bool (R,).
    """

    table: pa.Table
    held: np.ndarray
    strata: np.ndarray
    broken: dict[str, np.ndarray]


class Controlled:
    """Draws blocks as a control asks.

    Args:
        control: what is asked.
        redraws: how often a row that is not as asked is drawn again, at least 0.
        shortfall: when rows are left that are not: "error", or "drop" them.
        candidates: rows drawn for each one kept where something is known or restricted, at
            least 1: one is chosen in proportion to exp(log weight), which makes the rows right
            in the limit of many. 1: they are as drawn.
        impossible: strata that were left out of what is asked, and why.

    References:
        Rubin, "Using the SIR algorithm to simulate posterior distributions", 1988.
    """

    def __init__(
        self,
        *,
        control: Control,
        redraws: int,
        shortfall: Shortfall,
        candidates: int,
        impossible: Mapping[str, str] | None = None,
    ) -> None:
        if shortfall not in get_args(Shortfall):
            raise ValueError(f"shortfall must be error or drop, got {shortfall!r}")
        self.control = control
        self.redraws = redraws
        self.shortfall = shortfall
        self.candidates = candidates
        self.impossible = dict(impossible or {})
        self.counts: Counter[str] = Counter()

    def block(self, source: Source, number: int) -> Made:
        """All rows of one block."""
        rows = source.draws.block_rows
        plan = self.control.plan(source.draws, number)
        pending, tables = np.arange(rows), list[pa.Table]()
        places, offset = np.zeros(rows, np.int64), 0
        held, broken = np.zeros(rows, bool), dict[str, np.ndarray]()
        latest: Encoded = {}
        known = self._evidence(source, plan, number)
        for attempt in range(self.redraws + 1):
            encoded = self._encoded(source, plan, known, number, attempt, pending)
            table = self._table(source, plan, encoded, number, attempt, pending)
            wrong = self.control.broken(
                table, plan, pending, exact=not takes_evidence(source.model)
            )
            good = ~np.logical_or.reduce([np.zeros(len(pending), bool), *wrong.values()])
            tables.append(table)
            places[pending] = offset + np.arange(len(pending))
            offset += len(pending)
            latest = encoded if not attempt else _updated(latest, encoded, pending)
            held[pending] = good
            broken = {text: _spread(mask, pending, rows) for text, mask in wrong.items()}
            pending = pending[~good]
            if not len(pending):
                break
        table = tables[0] if len(tables) == 1 else _picked(tables, places)
        if len(tables) > 1 and self.control.made_anew:
            table = self._renumbered(source, plan, table, latest, number)
        return Made(table, held, plan.strata, broken)

    def settled(self, made: Made, start: int, stop: int) -> pa.Table:
        """Some rows of a block, in the order of the blocks; counts what was kept.

        Raises:
            TooFewRowsError: when some are not as asked and `shortfall` is "error".
        """
        held = made.held[start:stop]
        self.counts.update(asked=stop - start, kept=int(held.sum()))
        for text, mask in made.broken.items():
            self.counts[_BROKEN + text] += int(mask[start:stop].sum())
        table = made.table.slice(start, stop - start)
        if held.all():
            return table
        for number, rows in Counter(made.strata[start:stop][~held].tolist()).items():
            if self.control.rows is not None:
                self.counts[_SHORT + self.control.strata[number].name] += rows
        if self.shortfall == "error":
            asked, kept = self.counts["asked"], self.counts["kept"]
            raise TooFewRowsError(self._complaint(asked, kept), kept=kept, asked=asked)
        return table.filter(pa.array(held))

    def facts(self) -> dict[str, Any]:
        """What a manifest says about a shortfall; empty when all rows are as asked."""
        asked, kept = self.counts["asked"], self.counts["kept"]
        if kept == asked:
            return {}
        told = {"asked": asked, "dropped": asked - kept, "broken": self._broken()}
        short = self._counted(_SHORT)
        return told | ({"short": short} if short else {})

    def _broken(self) -> dict[str, int]:
        """Rows that broke each wish or constraint when last drawn, of those that some row broke."""
        return self._counted(_BROKEN)

    def _counted(self, mark: str) -> dict[str, int]:
        """What was counted under names that begin so."""
        return {
            name.removeprefix(mark): rows
            for name, rows in self.counts.items()
            if name.startswith(mark) and rows
        }

    def _complaint(self, asked: int, kept: int) -> str:
        broken = self._broken()
        worst = max(broken, key=lambda text: broken[text])
        short = self._counted(_SHORT)
        of = f" of {max(short, key=lambda name: short[name])!r}" if short else ""
        return (
            f"{kept:,} of the first {asked:,} rows are as asked after "
            f"{self.redraws} redraws; {worst!r}{of} failed most ({broken[worst]:,} rows). Ask "
            "for less, raise redraws=..., or set shortfall=drop for fewer rows"
        )

    def _evidence(self, source: Source, plan: Plan, number: int) -> Evidence:
        """What the known cells of a block say about its encoded rows."""

        def rng(column: int) -> np.random.Generator:
            return source.draws.rng(number, "known", attempt=column)

        return self.control.restricts.known(plan.cells, source.draws.block_rows, rng)

    def _encoded(
        self,
        source: Source,
        plan: Plan,
        known: Evidence,
        number: int,
        attempt: int,
        pending: np.ndarray,
    ) -> Encoded:
        """One attempt at the rows `pending` (M,) of a block."""
        out: Encoded = {}
        for part in plan.parts:
            rows = part.rows[np.isin(part.rows, pending, assume_unique=True)]
            if not len(rows):
                continue
            encoded = attempted(
                source, part, known, number, attempt, rows, candidates=self.candidates
            )
            at = np.searchsorted(pending, rows)
            for name, value in encoded.items():
                whole = out.setdefault(name, value.new_zeros(len(pending), *value.shape[1:]))
                whole[torch.from_numpy(at)] = value
        return out

    def _table(
        self,
        source: Source,
        plan: Plan,
        encoded: Encoded,
        number: int,
        attempt: int,
        pending: np.ndarray,
    ) -> pa.Table:
        """Decoded rows with computed columns and known cells."""
        start = number * source.draws.block_rows
        rng = source.draws.rng(number, "decode", attempt=attempt)
        decoded = source.codec.decode(encoded, conditions=None, rng=rng, start=start)
        cells = plan.cells
        if len(pending) < source.draws.block_rows:
            at = pa.array(pending)
            cells = {
                name: replace(given, values=given.values.take(at), known=given.known[pending])
                for name, given in cells.items()
            }
        if not takes_evidence(source.model):
            cells = {}
        table = self.control.constraints.compute(impose(decoded, cells), cells)
        changed = cells or self.control.constraints.formulas
        if not changed:
            return table
        return self.control.restricts.derive(table, cells, decoded=decoded)

    def _renumbered(
        self, source: Source, plan: Plan, table: pa.Table, encoded: Encoded, number: int
    ) -> pa.Table:
        """Values that are made from the row number, for rows that were drawn again."""
        start, rng = number * source.draws.block_rows, source.draws.rng(number, "decode")
        whole = source.codec.decode(encoded, conditions=None, rng=rng, start=start)
        for name in self.control.made_anew:
            index = table.schema.get_field_index(name)
            table = table.set_column(index, name, whole.column(name))
        known = {name: c for name, c in plan.cells.items() if name in self.control.made_anew}
        return impose(table, known)


def _updated(whole: Encoded, part: Encoded, rows: np.ndarray) -> Encoded:
    at = torch.from_numpy(rows)
    return {name: value.index_copy(0, at, part[name]) for name, value in whole.items()}


def _spread(mask: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
    """A mask of some rows as one of all (size,)."""
    whole = np.zeros(size, bool)
    whole[rows] = mask
    return whole


def _picked(tables: list[pa.Table], places: np.ndarray) -> pa.Table:
    """Each row from the attempt that made it."""
    whole = pa.concat_tables(tables).unify_dictionaries()
    return whole.take(pa.array(places))
