"""One column that is predicted: its classes, and its raw numbers from encoded outcomes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import torch

from genmodels.codecs.columns.constant import Constant
from genmodels.codecs.columns.derived import Derived
from genmodels.codecs.columns.identifier import Identifier
from genmodels.codecs.columns.onehot import OneHot
from genmodels.codecs.columns.remainder import Remainder
from genmodels.codecs.columns.tokens import Tokens
from genmodels.codecs.restrict import Restrictor
from genmodels.types import Encoded
from genmodels.wishes import Cells

__all__ = ["Aim"]


class Aim:
    """A column whose values shall be told from the others.

    Args:
        restrictor: of the fitted codec.
        column: its name.

    Attributes:
        classes: its values where they are levels, shape (C,); None of other numbers and times.
        variables: those of the encoded row that determine it, ascending.
        position: of the column in the schema.

    Raises:
        ValueError: when there is nothing to tell.
    """

    def __init__(self, restrictor: Restrictor, column: str) -> None:
        schema = restrictor.schema
        self.column = column
        self.position = schema.names.index(column)
        self.own = restrictor.codec.columns[self.position]
        self._restrictor = restrictor
        if isinstance(self.own, Identifier):
            raise ValueError(
                f"column {column!r} holds identifiers, which are made anew for each row: the "
                "other columns do not tell them"
            )
        if isinstance(self.own, Constant):
            raise ValueError(
                f"column {column!r} had one value in training, {self.own.value!r}: there is "
                "nothing to predict"
            )
        self.classes: pa.Array | None = None
        if isinstance(self.own, OneHot | Tokens):
            self.classes = pa.array(self.own.levels)
        slices = [restrictor.parts(name)[0] for name in self._sources()]
        self.variables = tuple(v for part in slices for v in range(part.start, part.stop))
        self._parts = restrictor.parts(column)

    @property
    def derived(self) -> bool:
        """Whether the column is computed from others, and from a rest that is learned if any."""
        return isinstance(self.own, Derived | Remainder)

    @property
    def labelled(self) -> bool:
        """Whether its values are labels, rather than numbers or times."""
        return isinstance(self.own, OneHot)

    @property
    def kind(self) -> pa.DataType:
        """Arrow type of a mean or a median: float64, or a time."""
        column = self._restrictor.schema[self.column]
        return pa.timestamp("us", column.timezone) if column.kind == "datetime" else pa.float64()

    def shares(self, log_weight: np.ndarray) -> np.ndarray:
        """Log-weights (B, L) of the levels of the block -> probabilities (B, C) of the classes.

        Given that the value is not missing; levels that share a code have its probability by
        their frequency in training.
        """
        own, classes = self.own, self.classes
        assert isinstance(own, OneHot | Tokens)
        assert classes is not None
        present = log_weight[:, : log_weight.shape[1] - own.nullable]
        p = np.exp(present - present.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        if isinstance(own, Tokens):
            return p
        kept = len(own.kept)
        out = np.zeros((len(p), len(classes)))
        out[:, own.kept] = p[:, :kept]
        if own.has_other:
            tail, shares = own.tail
            out[:, tail] += p[:, kept:] * shares
        return out

    def numbers(self, values: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Scores (f, M) and levels (q, M) of the column alone -> float64 (M,), NaN is missing.

        Times are microseconds since 1970.
        """
        rng = np.random.default_rng(0)  # numbers and times have no level that is drawn
        values, codes = values.astype(np.float32), codes.astype(np.int32)
        return _floats(self.own.decode(values, codes, rng, 0))

    def of_rows(self, rows: Encoded, cells: Mapping[str, Cells]) -> np.ndarray:
        """Encoded rows (B, ...) and what is known of them as it was given -> as `numbers`."""
        if not self.derived:
            _, f, q = self._parts
            found = self.numbers(rows["values"].numpy()[:, f].T, rows["codes"].numpy()[:, q].T)
            return _imposed(found, cells.get(self.column))
        table = decoded = self._restrictor.codec.decode(rows, rng=np.random.default_rng(0))
        for name in self._sources():
            given = cells.get(name)
            if given is not None:
                index = table.schema.get_field_index(name)
                former = table.column(index)
                numbers = _imposed(_floats(former.combine_chunks()), given)
                fresh = _typed(numbers, former.type)
                table = table.set_column(index, name, fresh)
        derived = self._restrictor.derive(table, {}, decoded=decoded)
        return _floats(derived.column(self.column).combine_chunks())

    def levels_of(self, codes: torch.Tensor) -> np.ndarray:
        """Codes (B, Q) -> the level of the column (B,)."""
        return codes.numpy()[:, self._parts[2]][:, 0]

    def _sources(self) -> list[str]:
        """The column, or, if it is computed, the learned columns that it comes from."""
        identities = {i.column: i for i in self._restrictor.identities}
        waiting, found = [self.column], list[str]()
        while waiting:
            name = waiting.pop()
            identity = identities.get(name)
            waiting += identity.sources if identity is not None else ()
            if (identity is None or identity.rest) and name not in found:
                found.append(name)
        names = self._restrictor.schema.names
        return sorted(found, key=names.index)


def _floats(array: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Numbers or times as float64 (M,), NaN where missing."""
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.int64())
    return np.asarray(array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))


def _typed(numbers: np.ndarray, kind: pa.DataType) -> pa.Array:
    """What `_floats` gives, (M,), as numbers or times again."""
    found = pa.array(numbers, from_pandas=True)
    if pa.types.is_temporal(kind):
        found = found.cast(pa.int64(), safe=False)
    return found.cast(kind, safe=False)


def _imposed(numbers: np.ndarray, given: Cells | None) -> np.ndarray:
    """Numbers (M,) with the known ones as they were given."""
    return numbers if given is None else np.where(given.known, _floats(given.values), numbers)
