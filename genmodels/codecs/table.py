"""Typed tables <-> encoded rows: the column codecs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from genmodels.codecs.columns.build import NumericKind, Recipe, column_from_state
from genmodels.codecs.columns.datetime import Weekday
from genmodels.codecs.columns.derived import Derived, Identity, in_order
from genmodels.codecs.columns.onehot import OneHot
from genmodels.codecs.columns.protocol import ColumnCodec
from genmodels.codecs.columns.remainder import Remainder, rest_of
from genmodels.codecs.identities import find_identities
from genmodels.codecs.remainders import find_remainders
from genmodels.layout import Block, Condition, ConditionGroup, TableLayout
from genmodels.schema import TableSchema
from genmodels.types import Encoded

__all__ = ["TableCodec"]

_ENCODE_ROWS = 65536
_DECODE_ROWS = 65536


class TableCodec:
    """Raw typed tables to `values` (N, F) float32 and `codes` (N, Q) int32, and back.

    Args:
        schema: of the table.
        columns: one codec per column of the schema, in its order.
    """

    def __init__(self, *, schema: TableSchema, columns: tuple[ColumnCodec, ...]) -> None:
        self.schema = schema
        self.columns = columns
        self.layout = TableLayout(_unique([b for codec in columns for b in codec.blocks]))
        self._counts = [
            (
                sum(block.kind == "continuous" for block in codec.blocks),
                sum(block.kind == "categorical" for block in codec.blocks),
            )
            for codec in columns
        ]
        self.condition = Condition(tuple(self._groups()))
        computed = {c.column.name: c for c in columns if isinstance(c, Derived | Remainder)}
        order = in_order([codec.identity for codec in computed.values()])
        self._computed = tuple(computed[identity.column] for identity in order)
        self._condition_codes = [g.code for g in self.condition.groups if g.code is not None]

    @classmethod
    def fit(
        cls,
        raw: pa.Table,
        schema: TableSchema,
        *,
        numeric: NumericKind,
        point_masses: bool,
        max_modes: int,
        min_weight: float,
        concentration: float,
        mixture_points: int,
        knots: int,
        max_levels: int,
        discrete_below: int,
        tokens_below: int,
        weekday: Weekday,
        identities: bool,
        remainders: bool,
        seed: int,
    ) -> TableCodec:
        """Fit one codec per column to the training split.

        Args:
            raw: the training rows, typed by the schema.
            schema: of the table.
            numeric: how numbers are encoded: a mode and a place in it, a normal score, or one level
                per distinct value (a normal score where these are more than `max_levels`).
            point_masses: give numbers of outstanding frequency an outcome of their own.
            max_modes: most modes of a numeric column (mode_specific).
            min_weight: lighter modes are dropped (mode_specific).
            concentration: of the Dirichlet process over the modes (mode_specific).
            mixture_points: the mixture is fitted to so many weighted points (mode_specific).
            knots: most quantiles kept of a numeric column (quantile), at least 16.
            max_levels: most levels of a categorical block; rarer ones share one. At least 2.
            discrete_below: integer columns with fewer distinct values become levels; 0 is never.
            tokens_below: numbers of at most so many distinct values, with eight rows or more behind
                each on average, become levels; 0 is never.
            weekday: split dates into week and weekday; "auto": when weekdays matter.
            identities: compute, instead of encode, numbers that others determine in all rows.
            remainders: encode times and totals as distances from others that are far simpler.
            seed: of everything random in fitting.

        Raises:
            ValueError: when the table does not fit the schema, or an option is out of range.
        """
        recipe = Recipe(
            numeric=numeric,
            point_masses=point_masses,
            max_modes=max_modes,
            min_weight=min_weight,
            concentration=concentration,
            mixture_points=mixture_points,
            knots=knots,
            max_levels=max_levels,
            discrete_below=discrete_below,
            tokens_below=tokens_below,
            weekday=weekday,
        )
        found = _related(raw, schema, seed, identities=identities, remainders=remainders)
        return cls(schema=schema, columns=_fitted(raw, schema, recipe, found, seed))

    def encode(self, raw: pa.Table, seed: int) -> Encoded:
        """Encode rows.

        Args:
            raw: typed by the schema, N rows.
            seed: of the draws of modes and of the spreading of tied values.

        Returns:
            `values` (N, F) float32 and `codes` (N, Q) int32.

        Raises:
            ValueError: when columns are missing, or hold values that the codec cannot express.
        """
        _check_names(raw, self.schema)
        rows = raw.num_rows
        values = np.empty((rows, len(self.layout.continuous)), np.float32)
        codes = np.empty((rows, len(self.layout.categorical)), np.int32)
        f = q = 0
        for index, (codec, (df, dq)) in enumerate(zip(self.columns, self._counts, strict=True)):
            rng = np.random.default_rng([seed, index])
            low = 0
            for chunk in self._data(raw, self.schema.columns[index].name, codec).chunks:
                # a long dictionary is looked up once, numbers stay in the cache
                step = len(chunk) if pa.types.is_dictionary(chunk.type) else _ENCODE_ROWS
                for start in range(0, len(chunk), step or 1):
                    part = chunk.slice(start, step)
                    value, code = codec.encode(part, rng)
                    values[low : low + len(part), f : f + df] = value.T
                    codes[low : low + len(part), q : q + dq] = code.T
                    low += len(part)
            f, q = f + df, q + dq
        return {"values": torch.from_numpy(values), "codes": torch.from_numpy(codes)}

    def _data(self, raw: pa.Table, name: str, codec: ColumnCodec) -> pa.ChunkedArray:
        """What a codec encodes: its column, or the rest of it."""
        if not isinstance(codec, Remainder):
            return raw.column(name)
        sources = [raw.column(source) for source in codec.identity.sources]
        return pa.chunked_array([rest_of(codec.column, raw.column(name), sources, codec.identity)])

    def decode(
        self,
        encoded: Encoded,
        *,
        conditions: np.ndarray | None = None,
        rng: np.random.Generator,
        start: int = 0,
    ) -> pa.Table:
        """Encoded rows -> a table that obeys the schema, columns in its order.

        Args:
            encoded: `values` (N, F) and `codes` (N, Q), on the CPU.
            conditions: not used by tables, whose conditions are part of the encoded rows.
            rng: draws the rare levels that share a code.
            start: global index of the first row, for identifiers.

        Raises:
            ValueError: when a value is not finite.
        """
        values, codes = encoded["values"].numpy(), encoded["codes"].numpy()
        if not np.isfinite(values).all():
            raise ValueError(
                "the model produced values that are not finite, so its weights are of no use; "
                "train again, with a lower learning rate, or take an earlier checkpoint"
            )
        if len(values) <= _DECODE_ROWS:
            return self._decode_block(values, codes, rng, start)
        blocks = []
        for low in range(0, len(values), _DECODE_ROWS):
            rows = slice(low, low + _DECODE_ROWS)
            blocks.append(self._decode_block(values[rows], codes[rows], rng, start + low))
        return pa.concat_tables(blocks)

    def _decode_block(
        self, values: np.ndarray, codes: np.ndarray, rng: np.random.Generator, start: int
    ) -> pa.Table:
        values, codes = np.ascontiguousarray(values.T), np.ascontiguousarray(codes.T)
        arrays, f, q = {}, 0, 0
        for name, codec, (df, dq) in zip(
            self.schema.names, self.columns, self._counts, strict=True
        ):
            arrays[name] = codec.decode(values[f : f + df], codes[q : q + dq], rng, start)
            f, q = f + df, q + dq
        for own in self._computed:
            name, sources = own.column.name, [arrays[name] for name in own.identity.sources]
            arrays[name] = (
                own.derive(arrays[name], sources)
                if isinstance(own, Remainder)
                else own.derive(sources)
            )
        return pa.Table.from_arrays(list(arrays.values()), names=list(arrays))

    @property
    def identities(self) -> tuple[Identity, ...]:
        """What is computed from other columns, in the order in which that is done."""
        return tuple(own.identity for own in self._computed)

    def condition_codes(self, data: pa.Table | Encoded) -> np.ndarray:
        """The level of each condition group in each row, int32 (N, G)."""
        if isinstance(data, pa.Table):
            rng = np.random.default_rng(0)
            parts = [
                np.concatenate([codec.encode(c, rng)[1][0] for c in _chunks(column)])
                for codec, column in zip(self.columns, data.select(self.schema.names), strict=True)
                if isinstance(codec, OneHot)
            ]
            return np.stack(parts, axis=1) if parts else np.empty((data.num_rows, 0), np.int32)
        return data["codes"].cpu().numpy()[:, self._condition_codes]

    def _groups(self) -> list[ConditionGroup]:
        groups, q = [], 0
        for codec, (_, dq) in zip(self.columns, self._counts, strict=True):
            if isinstance(codec, OneHot):
                block = self.layout.categorical[q]
                start = self.layout.offsets[q]
                groups.append(
                    ConditionGroup(block.name, codec.frequencies, codec.names, start=start, code=q)
                )
            q += dq
        return groups

    def state(self) -> dict[str, Any]:
        """Plain JSON: category names, ranges, quantiles, modes, common values; no training row."""
        return {
            "codec": "table",
            "schema": self.schema.state(),
            "columns": [codec.state() for codec in self.columns],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> TableCodec:
        schema = TableSchema.from_state(state["schema"])
        pairs = zip(schema.columns, state["columns"], strict=True)
        return cls(schema=schema, columns=tuple(column_from_state(c, s) for c, s in pairs))


def _related(
    raw: pa.Table, schema: TableSchema, seed: int, *, identities: bool, remainders: bool
) -> tuple[Identity, ...]:
    """What is computed from other columns, and what is encoded as a distance from them.

    Raises:
        ValueError: when columns of the schema are not there.
    """
    _check_names(raw, schema)
    exact = find_identities(raw, schema, seed) if identities else ()
    return exact + (find_remainders(raw, schema, exact) if remainders else ())


def _fitted(
    raw: pa.Table, schema: TableSchema, recipe: Recipe, found: Sequence[Identity], seed: int
) -> tuple[ColumnCodec, ...]:
    """One codec per column of the schema: of what is encoded first, then of what is computed."""
    computed = {identity.column for identity in found}
    columns: dict[str, ColumnCodec] = {
        column.name: recipe.fit(column, raw[column.name], np.random.default_rng([seed, index]))
        for index, column in enumerate(schema.columns)
        if column.name not in computed
    }
    for identity in in_order(found):
        name = identity.column
        errors = [columns[source].tolerance for source in identity.sources]
        if not identity.rest:
            columns[name] = Derived.fit(schema[name], raw[name], identity, errors)
            continue
        sources = [raw[source] for source in identity.sources]
        rng = np.random.default_rng([seed, schema.names.index(name)])
        columns[name] = Remainder.fit(
            schema[name], raw[name], sources, identity, errors,
            numeric=partial(recipe.number, rng=rng),
        )  # fmt: skip
    return tuple(columns[name] for name in schema.names)


def _chunks(column: pa.ChunkedArray) -> list[pa.Array]:
    """The chunks of a column, at least one."""
    return column.chunks or [pa.array([], column.type)]


def _unique(blocks: list[Block]) -> tuple[Block, ...]:
    """Rename blocks whose name is taken: a column may be called like a part of another one."""
    seen: set[str] = set()
    out = []
    for block in blocks:
        name = block.name
        while name in seen:
            name += "_"
        seen.add(name)
        out.append(replace(block, name=name))
    return tuple(out)


def _check_names(raw: pa.Table, schema: TableSchema) -> None:
    absent = [name for name in schema.names if name not in raw.column_names]
    if absent:
        raise ValueError(
            f"the table lacks the columns {', '.join(map(repr, absent))} of its schema; it has "
            f"{', '.join(map(repr, raw.column_names))}"
        )
