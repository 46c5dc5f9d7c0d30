"""Numbers as normal scores: the quantile transform, with outcomes for point masses and missing.

Whole numbers and rounded decimals are spread over one step of their own first, so that the
score is continuous; decoding rounds them back, exactly.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from genmodels.codecs.columns.knots import Knots
from genmodels.codecs.columns.numbers import Numbers
from genmodels.codecs.columns.point_masses import point_masses
from genmodels.codecs.columns.protocol import Parts, check_finite, check_missing, with_missing
from genmodels.layout import Block
from genmodels.schema import Column

__all__ = ["Quantile"]

_SPREAD = 0.98  # share of a step that its rows are spread over: rounding back is never a tie
_PLACES = 257  # evenly spaced scores at which the block tells its raw values


class Quantile:
    """A continuous block of scores in [-1, 1] and, if needed, a categorical block "<name>.state".

    The states are: continuous, one per point mass, missing. A row whose state is not
    "continuous" has the score 0. Values of full precision come back to 1.5e-6 of their range or
    better; whole numbers and decimals exactly, if their range is below 300,000 steps (if it
    has no wide gaps, below some millions). `tolerance` is that of the column at hand.

    Args:
        column: from the schema; kind "continuous" or "integer".
        numbers: how its values become offsets.
        knots: offsets to scores.
        atoms: the point masses, ascending, shape (A,), int64 or float64.
        nullable: whether there is a state for missing values.
    """

    def __init__(
        self, *, column: Column, numbers: Numbers, knots: Knots, atoms: np.ndarray, nullable: bool
    ) -> None:
        self.column = column
        self.numbers = numbers
        self.knots = knots
        self.atoms = atoms
        self.nullable = nullable
        self._atom_offsets = numbers.offsets(pa.array(atoms))[0]
        self._outcomes = np.concatenate([np.zeros(1, atoms.dtype), atoms, np.zeros(1, atoms.dtype)])
        self._error = knots.error
        self._spread = min(_SPREAD, max(0.0, 1.0 - 4.0 * self._error)) if numbers.stepped else 0.0

    @classmethod
    def fit(
        cls,
        column: Column,
        data: pa.ChunkedArray,
        *,
        with_point_masses: bool,
        knots: int,
    ) -> Quantile:
        """Read the distribution of the training values of one column.

        Args:
            column: from the schema.
            data: the training values, int64 or float64.
            with_point_masses: give values of outstanding frequency a state of their own.
            knots: at most this many quantiles are kept.
        """
        numbers = Numbers.fit(column, data)
        raw, values, counts = numbers.distinct(data)
        found = point_masses(counts) if with_point_masses else np.empty(0, np.int64)
        atoms = raw[found]
        values, counts = np.delete(values, found), np.delete(counts, found)
        step = 1.0 if numbers.stepped else 0.0
        return cls(
            column=column,
            numbers=numbers,
            knots=Knots.fit(values, counts, step=step, most=knots),
            atoms=atoms,
            nullable=column.nullable or data.null_count > 0,
        )

    @property
    def states(self) -> int:
        """Number of states, 0 when all values are continuous."""
        return 1 + len(self.atoms) + self.nullable if len(self.atoms) or self.nullable else 0

    @property
    def blocks(self) -> tuple[Block, ...]:
        name = self.column.name
        if not self.states:
            return (Block(name, "continuous", 1, places=self._places),)
        return (
            Block(f"{name}.value", "continuous", 1, gated=True, places=self._places),
            Block(f"{name}.state", "categorical", self.states),
        )

    @cached_property
    def _places(self) -> tuple[float, ...]:
        return self.knots.places(_PLACES)

    @property
    def tolerance(self) -> float:
        if self.numbers.stepped and self._error + self._spread / 2 < 0.5:
            return 0.0
        rounding = 0.5 if self.numbers.stepped else 1e-15 * self.numbers.span
        return self.numbers.size(self._error + rounding)

    def encode(self, array: pa.Array, rng: np.random.Generator) -> Parts:
        return self.place(array, rng.random(len(array)))

    def place(self, array: pa.Array, uniform: np.ndarray) -> Parts:
        """Encode with given random numbers in [0, 1), one per row (N,)."""
        check_finite(self.column, array)
        x, missing = self.numbers.offsets(array)
        check_missing(self.column, missing, self.nullable)
        spread = x + (uniform - 0.5) * self._spread if self._spread else x
        scores = self.knots.scores(spread, uniform).astype(np.float32)[None]
        if not self.states:
            return scores, np.empty((0, len(x)), np.int32)
        codes = np.zeros((1, len(x)), np.int32)
        if len(self.atoms):
            at = np.searchsorted(self._atom_offsets, x)
            codes[0] = np.where(self._atom_offsets.take(at, mode="clip") == x, at + 1, 0)
        if missing is not None:
            codes[0, missing] = self.states - 1
        scores[codes != 0] = 0.0
        return scores, codes

    def decode(
        self, values: np.ndarray, codes: np.ndarray, rng: np.random.Generator, start: int
    ) -> pa.Array:
        numbers = self.numbers.restore(self.knots.offsets(values[0]))
        if not self.states:
            return with_missing(numbers, None)
        state = codes[0]
        if len(self.atoms):
            np.copyto(numbers, self._outcomes.take(state, mode="clip"), where=state != 0)
        return with_missing(numbers, state == self.states - 1 if self.nullable else None)

    def state(self) -> dict[str, Any]:
        return {
            "codec": "quantile",
            "numbers": self.numbers.state(),
            "x": self.knots.x.tolist(),
            "z": self.knots.z.tolist(),
            "furthest": self.knots.furthest,
            "atoms": self.atoms.tolist(),
            "nullable": self.nullable,
        }

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> Quantile:
        numbers = Numbers.from_state(state["numbers"])
        scale = {"furthest": state["furthest"]} if "furthest" in state else {}
        return cls(
            column=column,
            numbers=numbers,
            knots=Knots(x=np.array(state["x"]), z=np.array(state["z"]), **scale),
            atoms=np.array(state["atoms"], numbers.dtype),
            nullable=state["nullable"],
        )
