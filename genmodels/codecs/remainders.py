"""Numbers and times that are close to a sum of others, but not equal to it.

A model that draws the start and the end of a trip one by one lets trips end before they begin,
and one that draws a fare, a tip and a total breaks the surcharge between them. The end is learned
as a duration, the total as what it holds beyond its parts, where these are far simpler than the
column itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from genmodels.codecs.columns.derived import Identity, circular
from genmodels.codecs.columns.numbers import distinct
from genmodels.codecs.columns.remainder import rest_of
from genmodels.schema import Column, TableSchema

__all__ = ["find_remainders"]

logger = logging.getLogger(__name__)

_COLUMNS = 64  # at most so many numbers, and so many times, are looked at
_SAMPLE = 20_000  # rows that are looked at
_ROWS = 200  # fewer rows agree by chance
_VARIED = 64  # distinct values of a column worth a distance, at least
_TERMS = 6  # numbers that are taken off another one, at most
_NEAR = 0.2  # how far a slope may be from 1 or -1 for its number to be tried
_AGREE = 0.1  # probability that two rows of a total have the same rest, at least
_SIMPLER = 8.0  # and that probability as a multiple of the column's own
_NARROWER = 16.0  # how much wider than its distance a time must spread


@dataclass(frozen=True, eq=False)
class _Sketch:
    """The sampled rows of a column: values float64 (N,), and which are there, bool (N,)."""

    column: Column
    values: np.ndarray
    there: np.ndarray

    @property
    def center(self) -> np.ndarray:
        """The values less their mean; 0 where missing."""
        return np.where(self.there, self.values - self.values[self.there].mean(), 0.0)


def find_remainders(
    raw: pa.Table, schema: TableSchema, identities: Sequence[Identity]
) -> tuple[Identity, ...]:
    """Columns that are best learned as a distance from others, in the order of the schema.

    A time, from an earlier column of times: where the quartiles of the distance are 16 times
    closer than its own. A number, from up to six others, each added or taken off once: where two
    rows have the same rest with a probability of 0.1 and eight times as often as the same value; of
    the parts of one sum, the total.
    Which numbers to try comes from a linear regression on all others. A distance must keep to steps
    as coarse as those of the times. Where the column is there its sources must be; none may depend
    on it, and none is the target.

    Args:
        raw: the training rows, typed by the schema.
        schema: of the table.
        identities: columns that are computed; they have no rest.
    """
    if raw.num_rows < _ROWS:
        return ()
    rows = np.unique(np.linspace(0, raw.num_rows - 1, _SAMPLE).astype(np.int64))
    sample = raw.take(pa.array(rows)) if len(rows) < raw.num_rows else raw
    computed = {identity.column for identity in identities}
    chosen = {identity.column: identity for identity in identities}
    for identity in (*_spans(sample, schema, computed), *_totals(sample, schema, computed)):
        own = raw[identity.column]
        if identity.column in chosen or circular(identity, chosen) or own.null_count == len(own):
            continue
        if all(_fits(raw, schema[identity.column], schema[name]) for name in identity.sources):
            chosen[identity.column] = identity
            logger.info("%s is learned as the rest of: %s", identity.column, identity)
    return tuple(i for i in chosen.values() if i.rest)


def _fits(raw: pa.Table, own: Column, source: Column) -> bool:
    """Whether a source is there wherever the column is, in all rows and in those to come.

    A target is no source: it is what is told from all others, of which this column is one.
    """
    if source.role == "target" or (source.nullable and not own.nullable):
        return False
    gaps = raw[source.name].is_null().to_numpy()
    return not gaps.any() or bool((raw[own.name].is_null().to_numpy() | ~gaps).all())


def _sketches(sample: pa.Table, columns: Sequence[Column]) -> list[_Sketch]:
    out = []
    for column in columns[:_COLUMNS]:
        data = sample[column.name].combine_chunks()
        data = data.cast(pa.int64()) if pa.types.is_temporal(data.type) else data
        there = data.is_valid().to_numpy(zero_copy_only=False)
        values = data.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
        if there.sum() >= _ROWS and np.abs(values).max() < 2.0**53:
            out.append(_Sketch(column, values, there))
    return out


def _spans(sample: pa.Table, schema: TableSchema, computed: set[str]) -> Iterator[Identity]:
    """Times near an earlier one: of several, the one that leaves the least."""
    times = [c for c in schema.columns if c.kind == "datetime" and c.name not in computed]
    sketches = _sketches(sample, times)
    for number, own in enumerate(sketches):
        alike = [s for s in sketches[:number] if s.column.timezone == own.column.timezone]
        width = _spread(own.values[own.there])
        found = []
        for source in alike:
            if (own.there & ~source.there).any():
                continue
            rest = (own.values - source.values)[own.there]
            if _spread(rest) * _NARROWER <= width and _as_coarse(rest, own.values[own.there]):
                found.append((float(np.abs(rest - np.median(rest)).mean()), source))
        if found:
            source = min(found, key=lambda pair: pair[0])[1]
            yield Identity(own.column.name, (source.column.name,), (1.0,), rest=True)


def _totals(sample: pa.Table, schema: TableSchema, computed: set[str]) -> Iterator[Identity]:
    """Numbers near a sum of others, the one with the most telling rest first."""
    numbers = [
        c for c in schema.columns if c.kind in ("continuous", "integer") and c.name not in computed
    ]
    sketches = [s for s in _sketches(sample, numbers) if np.ptp(s.values[s.there]) > 0.0]
    if len(sketches) < 2:
        return
    slopes = _slopes(sketches)
    found = []
    for own, row in zip(sketches, slopes, strict=True):
        whole = own.column.kind == "integer"
        if len(distinct(own.values[own.there])[0]) < _VARIED:
            continue
        terms = [
            (other.column.name, float(np.sign(slope)))
            for other, slope in zip(sketches, row, strict=True)
            if other is not own
            and abs(abs(slope) - 1.0) <= _NEAR
            and not (own.there & ~other.there).any()
            and (other.column.kind == "integer" or not whole)
        ]
        best = _best(sample, own, terms)
        if best is not None:
            found.append(best)
    found.sort(key=lambda pair: (-round(pair[0], 6), pair[1].coefficients.count(-1.0)))
    yield from (identity for _, identity in found)


def _slopes(sketches: list[_Sketch]) -> np.ndarray:
    """Row i: the slopes of a regression of column i on all others, in their units."""
    center = np.stack([s.center for s in sketches])
    scale = np.sqrt((center**2).mean(1))
    unit = center / scale[:, None]
    gram = unit @ unit.T / unit.shape[1] + 1e-9 * np.eye(len(unit))
    inverse = np.linalg.inv(gram)
    slopes = -inverse / np.diag(inverse)[:, None]
    return slopes * scale[:, None] / scale[None, :]


def _best(
    sample: pa.Table, own: _Sketch, terms: list[tuple[str, float]]
) -> tuple[float, Identity] | None:
    """The identity whose rest agrees most, and how much; terms that do not help are left out."""
    if not 1 <= len(terms) <= _TERMS:
        return None
    identity = _identity(own, terms)
    agreement = _rest_agreement(sample, own, identity)
    for term in terms:
        fewer = [other for other in terms if other is not term]
        if fewer:
            shorter = _identity(own, fewer)
            value = _rest_agreement(sample, own, shorter)
            if value >= agreement:
                identity, agreement, terms = shorter, value, fewer
    needed = max(_AGREE, _SIMPLER * _agreement(own.values[own.there]))
    return (agreement, identity) if agreement >= needed else None


def _identity(own: _Sketch, terms: list[tuple[str, float]]) -> Identity:
    names, signs = zip(*terms, strict=True)
    return Identity(own.column.name, names, signs, rest=True)


def _rest_agreement(sample: pa.Table, own: _Sketch, identity: Identity) -> float:
    rest = rest_of(
        own.column,
        sample[own.column.name],
        [sample[name] for name in identity.sources],
        identity,
    )
    return _agreement(rest.drop_null().to_numpy())


def _agreement(values: np.ndarray) -> float:
    """Probability that two rows have the same value."""
    counts = distinct(values)[1].astype(np.float64)
    total = counts.sum()
    return float((counts * (counts - 1)).sum() / max(total * (total - 1), 1.0))


def _as_coarse(rest: np.ndarray, whole: np.ndarray) -> bool:
    """Whether a distance keeps to steps, and to few values, as the times themselves do."""
    steps = [np.gcd.reduce((x - x[0]).astype(np.int64)) for x in (rest, whole)]
    coarse = steps[0] == 0 or steps[0] >= steps[1]
    return bool(coarse) and 2.0 * _agreement(rest) >= _agreement(whole)


def _spread(values: np.ndarray) -> float:
    """Distance of the quartiles."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low)
