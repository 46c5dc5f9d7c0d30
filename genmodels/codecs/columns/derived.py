"""A number that others determine: no block of its own, computed when rows are decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.codecs.columns.numbers import Numbers
from genmodels.codecs.columns.protocol import Parts, missing_mask, with_missing
from genmodels.layout import Block
from genmodels.schema import Column

__all__ = ["Derived", "Identity", "circular", "in_order"]


@dataclass(frozen=True)
class Identity:
    """column = sum_i coefficient_i * source_i + constant, in every training row.

    Or, with a rest: plus something that is not told by the sources, and is learned.

    Args:
        column: name of the column that is computed.
        sources: names of the others.
        coefficients: one per source.
        constant: in the column's unit.
        rest: whether a rest is learned.
    """

    column: str
    sources: tuple[str, ...]
    coefficients: tuple[float, ...]
    constant: float = 0.0
    rest: bool = False

    def of(self, sources: Sequence[np.ndarray]) -> np.ndarray:
        """The sum, float64 (N,), of one array (N,) per source."""
        total = np.full(len(sources[0]), self.constant)
        for coefficient, source in zip(self.coefficients, sources, strict=True):
            total += coefficient * source.astype(np.float64)
        return total

    def __str__(self) -> str:
        terms = [
            name if c == 1.0 else f"-{name}" if c == -1.0 else f"{c:.12g} {name}"
            for c, name in zip(self.coefficients, self.sources, strict=True)
        ]
        terms += [f"{self.constant:.12g}"] * (self.constant != 0.0)
        terms += ["rest"] * self.rest
        return f"{self.column} = {' + '.join(terms)}".replace("+ -", "- ")


class Derived:
    """No block: the column's numbers follow from those of its sources.

    They are cut to the range of the training values and rounded to the column's decimals; one
    is missing where a source is.

    Args:
        column: from the schema; kind "continuous" or "integer".
        identity: how the numbers follow.
        numbers: the column's range and decimals.
        nullable: whether a value may be missing.
        error: largest error that the sources' own errors lead to.
    """

    def __init__(
        self, *, column: Column, identity: Identity, numbers: Numbers, nullable: bool, error: float
    ) -> None:
        self.column = column
        self.identity = identity
        self.numbers = numbers
        self.nullable = nullable
        self.error = error

    @classmethod
    def fit(
        cls, column: Column, data: pa.ChunkedArray, identity: Identity, errors: Sequence[float]
    ) -> Derived:
        """Read the range of the training values; `errors` are the sources' tolerances."""
        pairs = zip(identity.coefficients, errors, strict=True)
        return cls(
            column=column,
            identity=identity,
            numbers=Numbers.fit(column, data),
            nullable=column.nullable or data.null_count > 0,
            error=sum(abs(coefficient) * error for coefficient, error in pairs),
        )

    @property
    def blocks(self) -> tuple[Block, ...]:
        return ()

    @property
    def tolerance(self) -> float:
        if not self.numbers.stepped:
            largest = max(abs(self.numbers.lower), abs(self.numbers.upper))
            return self.error + 1e-14 * (largest + self.numbers.size(self.numbers.span))
        return self.error + self.numbers.size(0.5) if self.error > 0.0 else 0.0

    def encode(self, array: pa.Array, rng: np.random.Generator) -> Parts:
        return np.empty((0, len(array)), np.float32), np.empty((0, len(array)), np.int32)

    def decode(
        self, values: np.ndarray, codes: np.ndarray, rng: np.random.Generator, start: int
    ) -> pa.Array:
        """As many missing values as rows; `derive` gives the numbers, from the sources."""
        return pa.nulls(values.shape[1], pa.int64() if self.numbers.integer else pa.float64())

    def derive(self, sources: Sequence[pa.Array]) -> pa.Array:
        """The column (N,) from its decoded sources, in the order of the identity."""
        masks = [mask for mask in map(missing_mask, sources) if mask is not None]
        arrays = [pc.fill_null(s, 0).to_numpy(zero_copy_only=False) for s in sources]
        total = self.numbers.rounded(np.clip(self.identity.of(arrays), *self._ends))
        if self.numbers.integer:
            total = np.clip(total.astype(np.int64), self.numbers.lower, self.numbers.upper)
        return with_missing(total, np.any(masks, axis=0) if masks else None)

    @property
    def _ends(self) -> tuple[float, float]:
        return float(self.numbers.lower), float(self.numbers.upper)

    def state(self) -> dict[str, Any]:
        return {
            "codec": "derived",
            "sources": list(self.identity.sources),
            "coefficients": list(self.identity.coefficients),
            "constant": self.identity.constant,
            "numbers": self.numbers.state(),
            "nullable": self.nullable,
            "error": self.error,
        }

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> Derived:
        sources, coefficients = tuple(state["sources"]), tuple(state["coefficients"])
        return cls(
            column=column,
            identity=Identity(column.name, sources, coefficients, state["constant"]),
            numbers=Numbers.from_state(state["numbers"]),
            nullable=state["nullable"],
            error=state["error"],
        )


def in_order(identities: Sequence[Identity]) -> tuple[Identity, ...]:
    """The identities in an order in which each follows those of its sources.

    Raises:
        ValueError: when they go round in a circle, or give a column twice.
    """
    waiting = {identity.column: identity for identity in identities}
    if len(waiting) < len(identities):
        raise ValueError("a column has two identities; one is enough to compute it")
    out: list[Identity] = []
    while waiting:
        ready = [i for i in waiting.values() if not any(name in waiting for name in i.sources)]
        if not ready:
            circle = ", ".join(map(str, waiting.values()))
            raise ValueError(f"the columns of these identities determine each other: {circle}")
        out += ready
        for identity in ready:
            del waiting[identity.column]
    return tuple(out)


def circular(identity: Identity, chosen: Mapping[str, Identity]) -> bool:
    """Whether a source depends, by the chosen identities, on the identity's own column."""
    waiting, seen = list(identity.sources), set[str]()
    while waiting:
        name = waiting.pop()
        if name == identity.column:
            return True
        if name in chosen and name not in seen:
            seen.add(name)
            waiting += chosen[name].sources
    return False
