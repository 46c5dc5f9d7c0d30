"""From wishes to evidence about the rows of a block, and exact cells put into decoded rows.

A wish with one outcome becomes a known cell, which the rest of the row is drawn for; other wishes
restrict what may be drawn. Which rows are asked for what is decided in `control.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import pyarrow as pa
import torch

from genmodels.evidence import Evidence
from genmodels.schema import Column, TableSchema
from genmodels.variables import Variable
from genmodels.wishes import Cells, Wish

__all__ = ["CellBuilder", "Identity", "Request", "Restricts", "impose", "restricted", "understand"]


class Limit(Protocol):
    """What may be drawn of one variable; None: anything."""

    @property
    def allowed(self) -> np.ndarray | None: ...
    @property
    def spans(self) -> np.ndarray | None: ...


class Identity(Protocol):
    """column = sum_i coefficient_i * source_i + constant."""

    @property
    def column(self) -> str: ...
    @property
    def sources(self) -> tuple[str, ...]: ...
    @property
    def coefficients(self) -> tuple[float, ...]: ...
    @property
    def constant(self) -> float: ...
    @property
    def rest(self) -> bool: ...


class Restricts(Protocol):
    """What control needs of a codec."""

    @property
    def schema(self) -> TableSchema: ...
    @property
    def identities(self) -> Sequence[Identity]: ...
    @property
    def variables(self) -> int: ...
    def parts(self, column: str) -> tuple[slice, slice, slice]: ...
    def derive(
        self, table: pa.Table, cells: Mapping[str, Cells], *, decoded: pa.Table
    ) -> pa.Table: ...
    def limits(self, wish: Wish) -> Mapping[int, Limit]: ...
    def rare_levels(self, wish: Wish) -> tuple[pa.Array, np.ndarray] | None: ...
    def levels(self, column: str) -> tuple[pa.Array, np.ndarray, int] | None: ...
    def unfit(
        self, column: str, given: Cells, *, slack: float = 0.0
    ) -> tuple[np.ndarray, str] | None: ...
    def known(
        self, cells: Mapping[str, Cells], rows: int, rng: Callable[[int], np.random.Generator]
    ) -> Evidence: ...


@dataclass(frozen=True, eq=False)
class Request:
    """Wishes understood.

    Args:
        cells: by column, the one value (1,) that fits; not of columns computed from others.
        rare: by column, levels (L,) that share a code and their training rows (L,): one of
            them is drawn for each row and is then an exact cell.
        wishes: the others; they may restrict variables and are looked at in decoded rows.
        limits: what they leave of the variables of an encoded row.
    """

    cells: dict[str, pa.Array] = field(default_factory=dict)
    rare: dict[str, tuple[pa.Array, np.ndarray]] = field(default_factory=dict)
    wishes: tuple[Wish, ...] = ()
    limits: dict[int, Limit] = field(default_factory=dict)


def understand(wishes: Sequence[Wish], restricts: Restricts) -> Request:
    """Sort wishes by what they mean to the codec.

    Raises:
        ValueError: when no value of the training data is as wished.
    """
    cells: dict[str, pa.Array] = {}
    rare: dict[str, tuple[pa.Array, np.ndarray]] = {}
    others: list[Wish] = []
    limits: dict[int, Limit] = {}
    computed = {identity.column for identity in restricts.identities}
    for wish in wishes:
        if not (wish.exact and wish.ranges is not None):
            restricts.limits(wish)
        if wish.exact and wish.column not in computed:
            value = _value(restricts.schema[wish.column], wish)
            problem = restricts.unfit(wish.column, Cells(value, np.ones(1, bool)))
            if problem is not None:
                raise ValueError(f"{wish}: {problem[1]}")
            cells[wish.column] = value
        elif (levels := restricts.rare_levels(wish)) is not None:
            rare[wish.column] = levels
        else:
            others.append(wish)
            limits |= restricts.limits(wish)
    return Request(cells, rare, tuple(others), limits)


def _value(column: Column, wish: Wish) -> pa.Array:
    """The one outcome of an exact wish, shape (1,)."""
    kinds = {"continuous": pa.float64(), "integer": pa.int64()}
    kind = kinds.get(column.kind)
    if column.kind == "datetime":
        kind = pa.timestamp("us", column.timezone)
    if not wish.present:
        texts = pa.array(column.levels).type if column.levels else pa.null()
        return pa.nulls(1, texts if kind is None else kind)
    if wish.levels is not None:
        return pa.array(list(wish.levels))
    assert wish.ranges is not None
    low = pa.array([wish.ranges[0].low])
    return low if kind is None else low.cast(kind)


class CellBuilder:
    """Collects exact cells of `rows` rows, from several givers.

    Args:
        rows: N.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._pools: dict[str, list[pa.Array]] = {}
        self._places: dict[str, np.ndarray] = {}

    def put(self, column: str, values: pa.Array, rows: np.ndarray, places: np.ndarray) -> None:
        """Give the value at `places` (M,) of `values` to the rows (M,) of a column."""
        pool = self._pools.setdefault(column, [])
        index = self._places.setdefault(column, np.full(self.rows, -1, np.int64))
        index[rows] = places + sum(map(len, pool))
        pool.append(values)

    def cells(self) -> dict[str, Cells]:
        """What was given, by column."""
        out = {}
        for column, pool in self._pools.items():
            index = self._places[column]
            values = pool[0] if len(pool) == 1 else pa.chunked_array(_alike(pool)).combine_chunks()
            known = index >= 0
            out[column] = Cells(values.take(pa.array(index, mask=~known)), known)
        return out


def _alike(pool: list[pa.Array]) -> list[pa.Array]:
    """Arrays of one type: a missing value given alone has none of its own."""
    kind = next((a.type for a in pool if not pa.types.is_null(a.type)), pool[0].type)
    return [a.cast(kind) for a in pool]


def restricted(
    evidence: Evidence, limits: Mapping[int, Limit], variables: Sequence[Variable]
) -> Evidence:
    """Evidence about known cells, and what limits leave of the other variables.

    A variable that has one level left, and no score with it, is known.
    """
    allowed, spans = {}, {}
    codes, known = evidence.codes.clone(), evidence.known.clone()
    for v, limit in limits.items():
        variable = variables[v]
        only = np.flatnonzero(limit.allowed) if limit.allowed is not None else np.empty(0, int)
        if len(only) == 1 and (variable.value is None or (variable.gated and only[0] != 0)):
            assert variable.code is not None
            free = ~known[:, v]
            codes[free, variable.code] = int(only[0])
            known[:, v] = True
            continue
        if limit.allowed is not None:
            allowed[v] = torch.from_numpy(limit.allowed)
        if limit.spans is not None:
            spans[v] = torch.from_numpy(limit.spans)
    return replace(evidence, codes=codes, known=known, allowed=allowed, spans=spans)


def impose(table: pa.Table, cells: Mapping[str, Cells]) -> pa.Table:
    """Put exact cells into decoded rows, so that they come back as they were given."""
    for name, given in cells.items():
        if given.known.any():
            index = table.schema.get_field_index(name)
            merged = _merged(table.column(index), given)
            table = table.set_column(index, name, merged)
    return table


def _merged(column: pa.ChunkedArray, given: Cells) -> pa.ChunkedArray:
    rows = np.arange(len(column))
    values = given.values
    if pa.types.is_dictionary(column.type):
        kind = column.type.value_type
        plain = values.cast(values.type.value_type) if _encoded(values) else values
        values = plain.cast(kind).dictionary_encode().cast(column.type)
    else:
        values = values.cast(column.type)
    both = pa.chunked_array([*column.chunks, values]).unify_dictionaries()
    return both.take(pa.array(np.where(given.known, rows + len(rows), rows)))


def _encoded(values: pa.Array) -> bool:
    return pa.types.is_dictionary(values.type)
