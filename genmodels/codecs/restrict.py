"""What is asked of raw columns, in terms of the variables of an encoded row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from genmodels.codecs.columns.constant import Constant
from genmodels.codecs.columns.datetime import Datetime
from genmodels.codecs.columns.derived import Derived, Identity
from genmodels.codecs.columns.mode_specific import ModeSpecific
from genmodels.codecs.columns.onehot import OneHot
from genmodels.codecs.columns.protocol import ColumnCodec
from genmodels.codecs.columns.quantile import Quantile
from genmodels.codecs.columns.remainder import Remainder, rest_of
from genmodels.codecs.columns.tokens import Tokens
from genmodels.codecs.restrict_columns import Limit, limits_of, rare_levels
from genmodels.codecs.table import TableCodec
from genmodels.evidence import Evidence
from genmodels.layout import TableLayout
from genmodels.schema import TableSchema
from genmodels.variables import variables
from genmodels.wishes import Cells, Wish

__all__ = ["Restrictor"]


class Restrictor:
    """Wishes and exact cells of a table -> evidence about its encoded rows.

    Args:
        codec: fitted.
    """

    def __init__(self, codec: TableCodec) -> None:
        self.codec = codec
        self._starts: dict[str, tuple[int, int, int]] = {}
        v = f = q = 0
        for column, own in zip(codec.schema.columns, codec.columns, strict=True):
            self._starts[column.name] = (v, f, q)
            v += len(variables(TableLayout(own.blocks)))
            f += sum(block.width for block in own.blocks if block.kind == "continuous")
            q += sum(block.kind == "categorical" for block in own.blocks)

    @property
    def schema(self) -> TableSchema:
        return self.codec.schema

    @property
    def identities(self) -> tuple[Identity, ...]:
        """The columns that are computed from others, each after its sources."""
        return self.codec.identities

    def derive(self, table: pa.Table, cells: Mapping[str, Cells], *, decoded: pa.Table) -> pa.Table:
        """Compute those columns again from what the others hold now, but for known cells.

        Args:
            table: the rows as they are.
            cells: what is known of them.
            decoded: the rows as they were decoded, which tell what a column has beyond others.
        """
        for identity in self.identities:
            own = self._of(identity.column)
            sources = [table.column(s).combine_chunks() for s in identity.sources]
            if isinstance(own, Remainder):
                derived = self._moved(own, sources, table, decoded)
            else:
                assert isinstance(own, Derived)
                derived = own.derive(sources)
            given = cells.get(identity.column)
            index = table.schema.get_field_index(identity.column)
            if given is not None:
                former = table.column(index).combine_chunks()
                derived = pc.if_else(pa.array(given.known), former, derived)
            table = table.set_column(index, identity.column, derived)
        return table

    def _moved(
        self, own: Remainder, sources: list[pa.Array], table: pa.Table, decoded: pa.Table
    ) -> pa.Array:
        """A column that goes with its sources; a value that was set since decoding stays."""
        name, names = own.column.name, own.identity.sources
        before, now = (t.column(name).combine_chunks() for t in (decoded, table))
        rest = rest_of(own.column, before, [decoded.column(s) for s in names], own.identity)
        untouched = pc.fill_null(pc.equal(before, now), pa.scalar(False))
        both_missing = pc.and_(before.is_null(), now.is_null())
        return pc.if_else(pc.or_(untouched, both_missing), own.derive(rest, sources), now)

    def limits(self, wish: Wish) -> dict[int, Limit]:
        """By variable of the layout, what may be drawn; only where that is not everything.

        Raises:
            ValueError: when no value of the training data is as wished.
        """
        first = self._starts[wish.column][0]
        found = enumerate(limits_of(self._of(wish.column), wish), first)
        return {v: one for v, one in found if one.allowed is not None or one.spans is not None}

    def rare_levels(self, wish: Wish) -> tuple[pa.Array, np.ndarray] | None:
        """The levels and their training rows, of a wish for levels that share one code."""
        return rare_levels(self._of(wish.column), wish)

    def levels(self, column: str) -> tuple[pa.Array, np.ndarray, int] | None:
        """Levels (L,), their training rows (L,) and rows without one; None of other columns."""
        own = self._of(column)
        return (own.levels, own.counts, own.missing) if isinstance(own, OneHot) else None

    def known(
        self,
        cells: Mapping[str, Cells],
        rows: int,
        rng: Callable[[int], np.random.Generator],
    ) -> Evidence:
        """Exact cells of `rows` rows as evidence.

        Args:
            cells: by column; values that `unfit` has no complaint about.
            rows: N.
            rng: by index of the column, for the place of a rounded number within its step.
        """
        evidence = Evidence.nothing(rows, self.codec.layout)
        names = self.schema.names
        for name, given in cells.items():
            own = self._of(name)
            if not given.known.any() or not own.blocks:
                continue
            if isinstance(own, Remainder):
                given = _rest(own, given, cells)
                if not given.known.any():
                    continue
            values, codes = own.encode(_filled(given), rng(names.index(name)))
            v, f, q = self.parts(name)
            evidence.values[:, f] = torch.from_numpy(values).T
            evidence.codes[:, q] = torch.from_numpy(codes).T
            evidence.known[:, v] = torch.from_numpy(given.known)[:, None]
        return evidence

    @property
    def variables(self) -> int:
        """How many variables V an encoded row has."""
        return len(variables(self.codec.layout))

    def parts(self, column: str) -> tuple[slice, slice, slice]:
        """Which variables, scores and levels of an encoded row are those of a column."""
        blocks = self._of(column).blocks
        sizes = (
            len(variables(TableLayout(blocks))),
            sum(block.width for block in blocks if block.kind == "continuous"),
            sum(block.kind == "categorical" for block in blocks),
        )
        v, f, q = (slice(a, a + n) for a, n in zip(self._starts[column], sizes, strict=True))
        return v, f, q

    def unfit(
        self, column: str, given: Cells, *, slack: float = 0.0
    ) -> tuple[np.ndarray, str] | None:
        """The rows (from 0) whose known value is not as in training, and why the first is not.

        Args:
            column: its name.
            given: its cells.
            slack: how far beyond the training values a number may lie, in units of their range;
                the codec takes it for the nearest of them.
        """
        own = self._of(column)
        missing = np.asarray(given.values.is_null(), bool)
        if not _nullable(own) and (given.known & missing).any():
            rows = np.flatnonzero(given.known & missing)
            return rows, "it has no value, and none was missing in training"
        ends = _ends(own)
        if ends is None:
            return None
        values = given.values
        values = values.cast(pa.int64()) if pa.types.is_temporal(values.type) else values
        numbers = np.asarray(values.fill_null(ends[0])).astype(np.float64)
        # halves, as the range of numbers near the largest float has no float
        beyond = np.maximum(ends[0] / 2 - numbers / 2, numbers / 2 - ends[1] / 2)
        rows = np.flatnonzero(given.known & (beyond > slack * (ends[1] / 2 - ends[0] / 2)))
        if not len(rows):
            return None
        low, high = (pa.scalar(e).cast(given.values.type).as_py() for e in ends)
        value = given.values[int(rows[0])].as_py()
        return rows, f"{value} is not between {low} and {high}, as in training"

    def _of(self, column: str) -> ColumnCodec:
        return self.codec.columns[self.schema.names.index(column)]


def _nullable(own: ColumnCodec) -> bool:
    if isinstance(own, Constant):
        return own.partly or own.value is None
    return bool(getattr(own, "nullable", True))


def _ends(own: ColumnCodec) -> tuple[int | float, int | float] | None:
    """Smallest and largest value of a column of numbers or times."""
    match own:
        case Quantile() | ModeSpecific() | Derived() | Remainder():
            return own.numbers.lower, own.numbers.upper
        case Tokens():
            return own.levels[0].item(), own.levels[-1].item()
        case Datetime():
            return own.lower, own.upper
    return None


def _rest(own: Remainder, given: Cells, cells: Mapping[str, Cells]) -> Cells:
    """What is known of a rest: where the column and all of its sources are."""
    sources = [cells.get(name) for name in own.identity.sources]
    if any(source is None for source in sources):
        return replace(given, known=np.zeros_like(given.known))
    there = [source for source in sources if source is not None]
    known = np.logical_and.reduce([given.known, *(source.known for source in there)])
    rest = rest_of(own.column, given.values, [source.values for source in there], own.identity)
    return Cells(rest, known)


def _filled(given: Cells) -> pa.Array:
    """Any known value in the rows that are not known, so that all rows can be encoded."""
    if given.known.all():
        return given.values
    first = int(given.known.argmax())
    rows = np.where(given.known, np.arange(len(given.known)), first)
    return given.values.take(pa.array(rows))
