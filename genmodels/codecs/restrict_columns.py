"""What a wish about a raw column means for its encoded variables, kind by kind.

Limits are necessary conditions: a row outside them cannot be as wished. Where a variable cannot
say all of the wish (the first and last day of a range of times), the rest is left to whoever
looks at decoded rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from genmodels.codecs.columns.clock import DAY, SECOND
from genmodels.codecs.columns.constant import Constant
from genmodels.codecs.columns.datetime import Datetime, Numeric
from genmodels.codecs.columns.identifier import Identifier
from genmodels.codecs.columns.mode_specific import ModeSpecific
from genmodels.codecs.columns.onehot import OneHot
from genmodels.codecs.columns.protocol import ColumnCodec
from genmodels.codecs.columns.quantile import Quantile
from genmodels.codecs.columns.tokens import Tokens
from genmodels.codecs.restrict_scores import score_spans
from genmodels.layout import TableLayout
from genmodels.variables import variables
from genmodels.wishes import Range, Wish, among, near_levels

__all__ = ["Limit", "limits_of", "rare_levels"]


@dataclass(frozen=True, eq=False)
class Limit:
    """What may be drawn of one variable; None: anything.

    Args:
        allowed: which levels, bool (levels,).
        spans: which scores where the state is continuous, ascending, float32 (S, 2).
    """

    allowed: np.ndarray | None = None
    spans: np.ndarray | None = None


def limits_of(codec: ColumnCodec, wish: Wish) -> list[Limit]:
    """One limit per variable of a column.

    Raises:
        ValueError: when no value that the column had in training is as wished.
    """
    match codec:
        case Quantile() | Tokens() | ModeSpecific():
            found = _of_number(codec, wish)
        case OneHot():
            found = [Limit(_of_levels(codec, wish))]
        case Datetime():
            found = _of_datetime(codec, wish)
        case Constant() | Identifier():
            found = _of_presence(codec, wish)
        case _:
            found = [Limit() for _ in variables(TableLayout(codec.blocks))]
    return [_tight(limit, wish) for limit in found]


def rare_levels(codec: ColumnCodec, wish: Wish) -> tuple[pa.Array, np.ndarray] | None:
    """The levels (L,) and training rows (L,) of a wish for nothing but levels without a code.

    They share the code <other>, which cannot tell them apart; None when the wish is another.
    """
    if not isinstance(codec, OneHot) or wish.missing or wish.levels is None or wish.negated:
        return None
    chosen = among(codec.levels, wish.levels)
    if not codec.has_other or chosen[codec.kept].any():
        return None
    at = np.flatnonzero(chosen)
    return codec.levels.take(pa.array(at)), np.maximum(codec.counts[at], 1)


def _tight(limit: Limit, wish: Wish) -> Limit:
    """Without what limits nothing.

    Raises:
        ValueError: when nothing is left.
    """
    allowed, spans = limit.allowed, limit.spans
    if allowed is not None and not allowed.any():
        raise ValueError(f"{wish}: the training data had no such value")
    if allowed is not None and allowed.all():
        allowed = None
    if spans is not None and len(spans) == 1 and spans[0, 0] <= -1.0 and spans[0, 1] >= 1.0:
        spans = None
    return Limit(allowed, spans)


def _of_number(codec: Numeric, wish: Wish) -> list[Limit]:
    match codec:
        case Quantile():
            return [_of_scores(codec, wish)]
        case Tokens():
            fits = wish.in_ranges(codec.levels) & wish.present
            return [Limit(np.append(fits, [wish.missing] * codec.nullable).astype(bool))]
        case ModeSpecific():
            return [Limit(), Limit(_of_modes(codec, wish))]


def _of_scores(codec: Quantile, wish: Wish) -> Limit:
    """States, and the scores of the state "continuous"."""
    spans = score_spans(codec, wish.ranges) if wish.present else np.empty((0, 2), np.float32)
    if not codec.states:
        if not len(spans):
            raise ValueError(f"{wish}: the training data had no such value{_seen(codec)}")
        return Limit(spans=spans)
    atoms = wish.in_ranges(codec.atoms) & wish.present
    allowed = np.concatenate([[len(spans) > 0], atoms, [wish.missing] * codec.nullable])
    if not allowed.any():
        raise ValueError(f"{wish}: the training data had no such value{_seen(codec)}")
    return Limit(allowed.astype(bool), spans if len(spans) else None)


def _seen(codec: Quantile) -> str:
    return f"; its values lie from {codec.numbers.lower} to {codec.numbers.upper}"


def _of_modes(codec: ModeSpecific, wish: Wish) -> np.ndarray:
    """The modes that reach a wished value; where in them cannot be said beforehand."""
    numbers, reach = codec.numbers, 4.0 * codec.mixture.deviations
    lowest = codec.mixture.means - reach
    highest = codec.mixture.means + reach
    reached = np.zeros(codec.modes, bool)
    for one in (wish.ranges or (Range(),)) if wish.present else ():
        ends = [numbers.lower if one.low is None else one.low]
        ends += [numbers.upper if one.high is None else one.high]
        if ends[0] <= numbers.upper and ends[1] >= numbers.lower:
            low, high = numbers.offsets(pa.array(ends, numbers_type(codec)))[0]
            reached |= (highest >= low - 0.5) & (lowest <= high + 0.5)
    atoms = wish.in_ranges(codec.atoms) & wish.present
    return np.concatenate([reached, atoms, [wish.missing] * codec.nullable]).astype(bool)


def numbers_type(codec: Quantile | ModeSpecific) -> pa.DataType:
    """The Arrow type of the raw numbers."""
    return pa.int64() if codec.numbers.integer else pa.float64()


def _of_levels(codec: OneHot, wish: Wish) -> np.ndarray:
    chosen = np.full(len(codec.levels), wish.present)
    if wish.levels is not None:
        chosen &= among(codec.levels, wish.levels) ^ wish.negated
        _refuse_unknown(codec, wish)
    shared = np.ones(len(codec.levels), bool)
    shared[codec.kept] = False
    other = [(chosen & shared).any()] * codec.has_other
    return np.concatenate([chosen[codec.kept], other, [wish.missing] * codec.nullable]).astype(bool)


def _refuse_unknown(codec: OneHot, wish: Wish) -> None:
    known = codec.levels.to_pylist()
    unknown = [level for level in wish.levels or () if level not in known]
    if unknown:
        raise ValueError(
            f"{wish}: {unknown[0]!r} was not among the {len(known)} levels of the training data"
            f"{near_levels(str(unknown[0]), list(map(str, known)))}"
        )


def _of_presence(codec: Constant | Identifier, wish: Wish) -> list[Limit]:
    """A column with one value, or values made anew: there or missing."""
    nullable = codec.nullable if isinstance(codec, Identifier) else codec.partly
    if nullable:
        return [Limit(np.array([wish.present, wish.missing]))]
    there = isinstance(codec, Identifier) or codec.value is not None
    if (there and not wish.present) or (not there and not wish.missing):
        state = "never missing" if there else "always missing"
        raise ValueError(f"{wish}: the column was {state} in training")
    return []


def _of_datetime(codec: Datetime, wish: Wish) -> list[Limit]:
    """Limits of the first part, and of the finer ones within one week or day."""
    ends = [_ends(codec, one) for one in wish.ranges or (Range(),)] if wish.present else []
    ends = [(low, high) for low, high in ends if low <= high]
    if wish.present and not ends and not wish.missing:
        raise ValueError(
            f"{wish}: the training data had no such time; its values lie from "
            f"{_shown(codec, codec.lower)} to {_shown(codec, codec.upper)}, and what was asked "
            f"was read as {_read(codec, wish)}. Write 2020-01-31 or 2020-01-31 12:00 to be sure"
        )
    wall = [tuple(codec.clock.wall(np.array(pair)).tolist()) for pair in ends]
    return [
        limit
        for name, part in codec.parts.items()
        for limit in _of_number(part, _of_part(codec, name, wall, wish))
    ]


def _ends(codec: Datetime, one: Range) -> tuple[int, int]:
    """First and last instant of a range, both included, within those of training."""
    low = codec.lower if one.low is None else max(int(one.low) + one.above, codec.lower)
    high = codec.upper if one.high is None else min(int(one.high) - one.below, codec.upper)
    return low, high


def _read(codec: Datetime, wish: Wish) -> str:
    """The ranges of a wish in words, year first."""
    texts = []
    for one in wish.ranges or ():
        ends = [None if end is None else _shown(codec, int(end)) for end in (one.low, one.high)]
        if one.low is not None and one.high is not None and _is_day(one.low, one.high):
            texts.append(f"the day {str(ends[0])[:10]}")
        elif one.low is not None and one.low == one.high:
            texts.append(f"{ends[0]}")
        elif ends[0] is None:
            texts.append(f"before {ends[1]}")
        else:
            texts.append(f"{ends[0]} and later" if ends[1] is None else " to ".join(map(str, ends)))
    return " or ".join(texts) or "any time"


def _is_day(low: float, high: float) -> bool:
    """From a midnight to the next one: 23 to 25 hours where there is summer time."""
    return DAY - 3600 * SECOND <= high - low <= DAY + 3600 * SECOND


def _shown(codec: Datetime, instant: int) -> str:
    moment = pa.scalar(instant).cast(pa.timestamp("us", codec.column.timezone))
    return str(moment.as_py().isoformat(sep=" "))


def _of_part(codec: Datetime, name: str, wall: list[tuple[int, int]], wish: Wish) -> Wish:
    """What a wish about the whole asks of one part, given wall-clock ends."""
    first = name == next(iter(codec.parts))
    wish = replace(wish, ranges=None, missing=wish.missing and first, present=True)
    if first:
        days = [(low // DAY, high // DAY) for low, high in wall]
        weeks = [((low + 3) // 7, (high + 3) // 7) for low, high in days]
        wished = _ranges(weeks if name == "week" else days)
        return replace(wish, ranges=wished or None, present=bool(wished))
    if len(wall) != 1:
        return wish
    (low, high), (first_day, last_day) = wall[0], (wall[0][0] // DAY, wall[0][1] // DAY)
    if name == "weekday" and (first_day + 3) // 7 == (last_day + 3) // 7:
        return replace(wish, ranges=_ranges([((first_day + 3) % 7, (last_day + 3) % 7)]))
    if name in ("time", "hour") and first_day == last_day:
        unit = max(codec.unit, SECOND)
        return replace(wish, ranges=_ranges([(low % DAY // unit, high % DAY // unit)]))
    return wish


def _ranges(pairs: Iterable[tuple[int, int]]) -> tuple[Range, ...]:
    return tuple(Range(low=low, high=high) for low, high in pairs)
