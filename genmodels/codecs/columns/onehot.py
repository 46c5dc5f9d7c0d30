"""Categories and booleans as one categorical block, with a shared level for the rare ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.codecs.columns.protocol import Parts, check_missing, missing_mask
from genmodels.layout import Block
from genmodels.schema import Column

__all__ = ["MISSING", "OTHER", "OneHot"]

OTHER, MISSING = "<other>", "<missing>"
_UNKNOWN = -2


class OneHot:
    """One categorical block "<name>": the kept levels, then <other>, then <missing>.

    When a column has more than `max_levels` levels, the most frequent keep a level of their
    own and the tail shares <other>; decoding <other> draws a tail level by its frequency in the
    training split. Open sets always have <other>: it also stands for levels never seen.

    Args:
        column: from the schema; kind "categorical" or "boolean".
        extra: levels of an open set that the data hold and the schema does not list.
        counts: training rows of each level, listed and extra, int64 (L,).
        missing: training rows without a value.
        kept: which levels have their own code, ascending positions, int32 (H,).
        nullable: whether there is a level for missing values.
    """

    def __init__(
        self,
        *,
        column: Column,
        extra: tuple[str | int, ...],
        counts: np.ndarray,
        missing: int,
        kept: np.ndarray,
        nullable: bool,
    ) -> None:
        self.column = column
        self.extra = extra
        self.counts = counts
        self.missing = missing
        self.kept = kept
        self.nullable = nullable
        self.levels = pa.array([*(column.levels or ()), *extra])
        # by type, as 0 == False: levels (0, 1) stay whole numbers
        self.native = pa.types.is_boolean(self.levels.type)
        self.has_other = len(kept) < len(counts) or not column.closed
        self._codes = np.full(len(counts), len(kept), np.int32)
        self._codes[kept] = np.arange(len(kept), dtype=np.int32)
        shared = np.flatnonzero(self._codes == len(kept))
        self._tail = (shared if len(shared) else np.arange(len(counts))).astype(np.int32)
        self._cumulative = np.cumsum(np.maximum(counts[self._tail], 1e-9))

    @classmethod
    def fit(cls, column: Column, data: pa.ChunkedArray, *, max_levels: int) -> OneHot:
        """Count the levels of the training values of one column.

        Args:
            column: from the schema, with `levels`.
            data: the training values, dictionary or boolean.
            max_levels: most levels that the block has, <other> counted, <missing> not.

        Raises:
            ValueError: when a value is not a level of a closed set.
        """
        listed = pa.array(column.levels)
        chunks = data.unify_dictionaries().chunks
        extra = () if column.closed or not chunks else _unlisted(chunks, listed)
        levels = pa.array([*(column.levels or ()), *extra])
        counts = np.zeros(len(levels), np.int64)
        for chunk in chunks:
            positions = _positions(column, levels, chunk, open_set=False)
            counts += np.bincount(positions[positions >= 0], minlength=len(levels))
        kept = np.arange(len(levels), dtype=np.int32)
        if len(levels) + (not column.closed) > max_levels:
            kept = np.sort(np.argsort(-counts, kind="stable")[: max_levels - 1]).astype(np.int32)
        return cls(
            column=column,
            extra=extra,
            counts=counts,
            missing=data.null_count,
            kept=kept,
            nullable=column.nullable or data.null_count > 0,
        )

    @property
    def width(self) -> int:
        return len(self.kept) + self.has_other + self.nullable

    @property
    def blocks(self) -> tuple[Block, ...]:
        return (Block(self.column.name, "categorical", self.width),)

    @property
    def tolerance(self) -> float:
        return float("inf") if len(self.kept) < len(self.counts) else 0.0

    @property
    def frequencies(self) -> tuple[float, ...]:
        """Share of each level of the block in the training split; sums to 1."""
        own = self.counts[self.kept]
        rows = [*own, *[self.counts.sum() - own.sum()] * self.has_other]
        rows += [self.missing] * self.nullable
        counts = np.array(rows, np.float64)
        shares = counts / counts.sum() if counts.sum() > 0 else np.full(len(rows), 1 / len(rows))
        return tuple(shares.tolist())

    @property
    def tail(self) -> tuple[np.ndarray, np.ndarray]:
        """The levels that <other> stands for, positions (T,), and their shares of it (T,)."""
        weights = np.diff(self._cumulative, prepend=0.0)
        return self._tail, weights / weights.sum()

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each level of the block."""
        kept = [str(level) for level in self.levels.take(pa.array(self.kept)).to_pylist()]
        return (*kept, *[OTHER] * self.has_other, *[MISSING] * self.nullable)

    def encode(self, array: pa.Array, rng: np.random.Generator) -> Parts:
        missing = missing_mask(array)
        check_missing(self.column, missing, self.nullable)
        positions = _positions(self.column, self.levels, array, open_set=self.has_other)
        codes = self._codes.take(positions, mode="clip")
        if self.has_other:
            codes[positions == _UNKNOWN] = len(self.kept)
        if missing is not None:
            codes[missing] = self.width - 1
        return np.empty((0, len(array)), np.float32), codes[None]

    def decode(
        self, values: np.ndarray, codes: np.ndarray, rng: np.random.Generator, start: int
    ) -> pa.Array:
        code = codes[0]
        missing = code == self.width - 1 if self.nullable else None
        if self.has_other or self.nullable:
            code = self.kept.take(code, mode="clip")
        if self.has_other:
            self._draw_tail(code, codes[0] == len(self.kept), rng)
        if self.native:
            return pa.array(code.astype(bool), mask=missing)
        levels = self.levels
        if len(levels) > len(code):
            # a dictionary longer than the block would be carried along and hashed by writers
            used, code = np.unique(code, return_inverse=True)
            levels, code = levels.take(pa.array(used)), code.astype(np.int32)
        return pa.DictionaryArray.from_arrays(pa.array(code, mask=missing), levels)

    def _draw_tail(self, code: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> None:
        """Replace the rows `other` (N,) of `code` (N,) by levels of the tail."""
        rows = np.flatnonzero(other)
        place = np.searchsorted(
            self._cumulative, rng.random(len(rows)) * self._cumulative[-1], "right"
        )
        code[rows] = self._tail.take(place, mode="clip")

    def state(self) -> dict[str, Any]:
        return {
            "codec": "onehot",
            "extra": list(self.extra),
            "counts": self.counts.tolist(),
            "missing": self.missing,
            "kept": self.kept.tolist(),
            "nullable": self.nullable,
        }

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> OneHot:
        return cls(
            column=column,
            extra=tuple(state["extra"]),
            counts=np.array(state["counts"], np.int64),
            missing=state["missing"],
            kept=np.array(state["kept"], np.int32),
            nullable=state["nullable"],
        )


def _unlisted(chunks: list[pa.Array], listed: pa.Array) -> tuple[Any, ...]:
    """Levels of the dictionary of `chunks` that occur and are not listed, in its order."""
    dictionary = chunks[0].dictionary
    used = np.zeros(len(dictionary), bool)
    for chunk in chunks:
        used[chunk.indices.drop_null().to_numpy()] = True
    fresh = pc.invert(pc.is_in(dictionary.cast(listed.type), value_set=listed))
    return tuple(dictionary.filter(pc.and_(fresh, pa.array(used))).to_pylist())


def _positions(column: Column, levels: pa.Array, array: pa.Array, *, open_set: bool) -> np.ndarray:
    """Position of each value among the levels, int32 (N,); missing -1, unknown -2.

    Raises:
        ValueError: when a value is unknown and the set of levels has no room for it.
    """
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    known = pc.index_in(array.dictionary.cast(levels.type), value_set=levels)
    known = known.fill_null(_UNKNOWN).to_numpy(zero_copy_only=False)
    indices = array.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
    positions = np.append(known, np.int32(-1)).take(indices)
    if not open_set and (positions == _UNKNOWN).any():
        value = array.dictionary[int(indices[(positions == _UNKNOWN).argmax()])].as_py()
        raise ValueError(
            f"column {column.name!r}: {value!r} is not one of its {len(levels)} levels; add it to "
            "`levels` in the schema and fit again, or remove the rows"
        )
    return positions
