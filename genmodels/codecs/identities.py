"""Exact identities between numeric columns: sums, differences, copies and changes of unit.

A model that draws living space, ground floor and basement one by one breaks "living space =
ground floor + basement" in most rows, which gives them all away. A column that others determine
in every training row is not learned but computed. Affine maps of one column and of several are
found, among the 64 numeric columns with most distinct values.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.codecs.columns.derived import Identity, circular, in_order
from genmodels.codecs.columns.numbers import distinct
from genmodels.codecs.columns.point_masses import point_masses
from genmodels.codecs.relations import factors, relations
from genmodels.schema import Column, TableSchema

__all__ = ["find_identities"]

logger = logging.getLogger(__name__)

_COLUMNS = 64  # at most so many are looked at
_ROWS = 32  # fewer rows agree by chance
_VARIED = 8  # rows of a column that differ from its most frequent value, at least
_SAMPLE = 512  # rows, evenly spaced, that tell which columns may go together
_DIGITS = 12  # significant digits of a factor and a constant, at most
_ROUNDING = 8.0 * 2.0**-53  # of one sum in float64, relative to its terms


@dataclass(frozen=True, eq=False)
class _Sketch:
    """What is kept of a column while pairs and triples are looked for.

    Args:
        column: from the schema.
        distinct: number of distinct values.
        nullable: whether values may be missing.
        sum: sum of all values under random weights; a sum of columns has the sum of the sums.
        size: that of the absolute values.
        gaps: that of the missing rows.
        sample: values of some rows, the same for all columns; 0 where missing.
    """

    column: Column
    distinct: int
    nullable: bool
    sum: float
    size: float
    gaps: float
    sample: np.ndarray

    @property
    def step(self) -> float | None:
        """Distance between neighbouring numbers of the column; None for full precision."""
        if self.column.kind == "integer":
            return 1.0
        return None if self.column.decimals is None else 10.0**-self.column.decimals


def find_identities(raw: pa.Table, schema: TableSchema, seed: int) -> tuple[Identity, ...]:
    """Identities that hold in all training rows, in an order in which they can be computed.

    x_j = x_p + x_q, x_j = x_p - x_q, x_j = a x_p + b (a and b of at most 12 significant digits)
    or x_j = a x_p + b x_q + ... + c (up to 16 factors of at most 6), exact to the decimals of
    x_j; values are missing exactly together. Sums of two are proposed by one random projection
    of all rows, the others by some rows; each proposal is then checked on all. No column is
    computed twice, none from itself, and never the target. Few sources and short factors come
    first, then sums before differences; of the columns of one relation the one with the most
    distinct values and the fewest point masses is computed.

    Args:
        raw: the training rows, typed by the schema.
        schema: of the table.
        seed: of the projection.
    """
    if raw.num_rows < _ROWS:
        return ()
    sketches = _sketches(raw, schema, seed)
    found = [*_affine(raw, sketches), *_sums(raw, sketches)]
    found += _several(raw, sketches, found)
    involved = {name for identity in found for name in (identity.column, *identity.sources)}
    ranks = {s.column.name: _rank(raw, s) for s in sketches if s.column.name in involved}
    found.sort(key=lambda i: (len(i.sources), _length(i), _less(i), ranks[i.column]))
    chosen: dict[str, Identity] = {}
    for identity in found:
        target = schema[identity.column].role == "target"
        if not target and identity.column not in chosen and not circular(identity, chosen):
            chosen[identity.column] = identity
            logger.info("%s in all rows: the first is computed, not learned", identity)
    return in_order(tuple(chosen.values()))


def _sketches(raw: pa.Table, schema: TableSchema, seed: int) -> list[_Sketch]:
    """The numeric columns with most distinct values, in the order of the schema."""
    counted = []
    for column in schema.columns:
        if column.kind in ("continuous", "integer"):
            found = raw[column.name].drop_null().value_counts()
            counts = found.field("counts").to_numpy()
            if len(counts) > 1 and counts.sum() - counts.max() >= _VARIED:
                usual = found.field("values")[int(counts.argmax())].as_py()
                counted.append((len(counts), column, usual))
    counted = sorted(counted, key=lambda found: -found[0])[:_COLUMNS]
    weights = np.random.default_rng([seed, 0]).random(raw.num_rows) + 0.5
    rows = _telling(raw, {column.name: usual for _, column, usual in counted})
    out = []
    for number, column, _ in sorted(counted, key=lambda found: schema.names.index(found[1].name)):
        values, missing = _values(raw, column.name)
        if np.isfinite(values).all() and np.abs(values).max() < 2.0**53:
            size, gaps = float(weights @ np.abs(values)), float(weights @ missing)
            nullable = column.nullable or bool(missing.any())
            total = float(weights @ values)
            out.append(_Sketch(column, number, nullable, total, size, gaps, values[rows]))
    return out


def _telling(raw: pa.Table, usual: Mapping[str, float]) -> np.ndarray:
    """Numbers of rows, evenly spaced, and of some in which each column is not as usual."""
    rows = [np.linspace(0, raw.num_rows - 1, _SAMPLE).astype(np.int64)]
    for name, value in usual.items():
        values, missing = _values(raw, name)
        rows.append(np.flatnonzero((values != value) & ~missing)[:_VARIED])
    return np.unique(np.concatenate(rows))


def _values(raw: pa.Table, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A column as float64 (N,), 0 where missing, and where it is missing, bool (N,)."""
    data = raw[name]
    missing = data.is_null().to_numpy()
    return pc.fill_null(data, 0).to_numpy().astype(np.float64), missing


def _sums(raw: pa.Table, sketches: list[_Sketch]) -> Iterator[Identity]:
    """Identities x_j = x_p + x_q that hold in all rows, solved for each of the three."""
    if not sketches:
        return
    total, size, gaps = (np.array([getattr(s, k) for s in sketches]) for k in _PROJECTED)
    left = total[:, None, None] + total[None, :, None]
    scale = size[:, None, None] + size[None, :, None] + size
    close = np.abs(left - total) <= 1e-9 * scale
    close &= (gaps[:, None, None] == gaps) & (gaps[None, :, None] == gaps)
    for p, q, j in np.argwhere(close).tolist():
        if p < q and j not in (p, q):
            a, b, c = (sketches[i].column.name for i in (p, q, j))
            for identity in (
                Identity(c, (a, b), (1.0, 1.0)),
                Identity(a, (c, b), (1.0, -1.0)),
                Identity(b, (c, a), (1.0, -1.0)),
            ):
                if _holds(raw, identity, {s.column.name: s for s in sketches}, exact=True):
                    yield identity


_PROJECTED = ("sum", "size", "gaps")


def _affine(raw: pa.Table, sketches: list[_Sketch]) -> Iterator[Identity]:
    """Identities x_j = a x_p + b that hold in all rows."""
    for target in sketches:
        for source in sketches:
            if target is source or not _alike(target, source):
                continue
            identity = _line(raw, target, source)
            named = {s.column.name: s for s in (target, source)}
            if identity is not None and _holds(raw, identity, named, exact=False):
                yield identity


def _several(
    raw: pa.Table, sketches: list[_Sketch], found: Sequence[Identity]
) -> Iterator[Identity]:
    """Identities of two or more sources, of columns that are not related in fewer so far."""
    known = [frozenset((i.column, *i.sources)) for i in found]
    by_gaps: dict[float, list[_Sketch]] = {}
    for sketch in sketches:
        by_gaps.setdefault(sketch.gaps, []).append(sketch)
    for alike in by_gaps.values():
        samples = np.stack([sketch.sample for sketch in alike], axis=1)
        for j, others in relations(samples):
            own, sources = alike[j], [alike[i] for i in others]
            names = [sketch.column.name for sketch in (own, *sources)]
            if any(related <= frozenset(names) for related in known):
                continue
            identity = _affine_map(raw, names[0], tuple(names[1:]))
            named = dict(zip(names, (own, *sources), strict=True))
            if identity is not None and _holds(raw, identity, named, exact=True):
                yield identity


def _affine_map(raw: pa.Table, column: str, sources: tuple[str, ...]) -> Identity | None:
    """The factors and the shortest constant that all rows allow, or None."""
    y, missing = _values(raw, column)
    y, terms = y[~missing], [_values(raw, name)[0][~missing] for name in sources]
    found = factors(y, terms)
    if found is None:
        return None
    parts = [factor * term for factor, term in zip(found, terms, strict=True)]
    rest = y - np.sum(parts, axis=0)
    slack = _ROUNDING * float((np.abs(parts).sum(0) + np.abs(y)).max())
    constant = _shortest(float(rest.max()) - slack, float(rest.min()) + slack)
    return None if constant is None else Identity(column, sources, found, constant)


def _alike(one: _Sketch, other: _Sketch) -> bool:
    """Whether two columns may be an affine map of each other, one to one."""
    if one.distinct != other.distinct or one.gaps != other.gaps:
        return False
    varied = [float(np.ptp(sketch.sample)) > 0.0 for sketch in (one, other)]
    if not all(varied):
        return not any(varied)
    a, b = (s.sample / np.abs(s.sample).max() for s in (one, other))
    a, b = a - a.mean(), b - b.mean()
    return bool((a @ b) ** 2 > 0.99 * (a @ a) * (b @ b))


def _line(raw: pa.Table, target: _Sketch, source: _Sketch) -> Identity | None:
    """The simplest a and b for which a x + b may be the target, or None.

    The factor comes from the rows with the smallest and the largest x, with as few digits as
    will do; the constant is the shortest number in the interval that all rows leave.
    """
    (y, missing), (x, _) = _values(raw, target.column.name), _values(raw, source.column.name)
    x, y = x[~missing], y[~missing]
    low, high = int(x.argmin()), int(x.argmax())
    slope = (y[high] - y[low]) / (x[high] - x[low])
    factors = dict.fromkeys(float(f"{slope:.{digits}g}") for digits in range(1, _DIGITS + 1))
    for factor in factors:
        scale = abs(factor) * np.abs(x[[low, high]]).max() + np.abs(y[[low, high]]).max()
        slack = _ROUNDING * scale + (0.0 if target.step is None else 0.4999999 * target.step)
        if abs(y[high] - y[low] - factor * (x[high] - x[low])) > 2.0 * slack or factor == 0.0:
            continue
        rest = y - factor * x
        first, last = float(rest.max()) - slack, float(rest.min()) + slack
        constant = _shortest(first, last)
        if constant is not None:
            names = target.column.name, (source.column.name,)
            return Identity(*names, (factor,), constant)
    return None


def _shortest(low: float, high: float) -> float | None:
    """The number with fewest digits in [low, high], or None if it needs too many."""
    if low > high:
        return None
    if low <= 0.0 <= high:
        return 0.0
    for digits in range(1, _DIGITS + 1):
        number = float(f"{low / 2 + high / 2:.{digits}g}")
        if low <= number <= high:
            return number
    return None


def _holds(raw: pa.Table, identity: Identity, of: dict[str, _Sketch], *, exact: bool) -> bool:
    """Whether an identity holds in every row, to the decimals of its column.

    Args:
        raw: the training rows.
        identity: to check.
        of: sketches by name.
        exact: no rounding but that of float64 may be needed.
    """
    own, sources = of[identity.column], [of[name] for name in identity.sources]
    if any(source.nullable for source in sources) and not own.nullable:
        return False
    y, missing = _values(raw, identity.column)
    pairs = [_values(raw, name) for name in identity.sources]
    if not all(np.array_equal(missing, gaps) for _, gaps in pairs):
        return False
    y, terms = y[~missing], [x[~missing] for x, _ in pairs]
    total = identity.of(terms)
    scale = sum(abs(c) * np.abs(x) for c, x in zip(identity.coefficients, terms, strict=True))
    scale = scale + abs(identity.constant) + np.abs(y)
    if (exact or own.step is None) and (np.abs(total - y) > _ROUNDING * scale).any():
        return False
    if own.step is None:
        return True
    decimals = 10.0 ** (own.column.decimals or 0)
    return bool((np.rint(total * decimals) / decimals == y).all())


def _length(identity: Identity) -> int:
    """Number of digits of its factors and its constant."""
    numbers = (*identity.coefficients, identity.constant)
    return sum(len(f"{abs(number):.12g}".replace(".", "").strip("0")) for number in numbers)


def _less(identity: Identity) -> int:
    """How many sources are taken off: a difference of drawn numbers may leave the range."""
    return sum(factor < 0.0 for factor in identity.coefficients) if len(identity.sources) > 1 else 0


def _rank(raw: pa.Table, sketch: _Sketch) -> tuple[int, int]:
    """Small for the column that is best computed: many distinct values, few point masses."""
    counts = distinct(raw[sketch.column.name].drop_null().to_numpy())[1]
    return -sketch.distinct, len(point_masses(counts))
