"""Deciding what a column of numbers is: continuous, whole, codes, 0/1, a key or one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.data.columns import Texts
from genmodels.data.identifiers import is_key_of_rows, named_like_code, named_like_id
from genmodels.data.infer_context import (
    FEW,
    Context,
    check_count,
    counted,
    is_missing_word,
    joined,
    odd_ones,
    quoted,
    share,
    words_found,
)
from genmodels.data.numbers import (
    codes_like,
    decimals_of,
    looks_numeric,
    parse_integers,
    parse_numbers,
    token_numbers,
)
from genmodels.schema import Column, Kind

__all__ = ["Numbers", "decide_number", "native_numbers", "text_numbers"]

EXACT = 2.0**53
SENTINELS = np.array([-1, -9, -99, -200, -999, -9999, -99999, 99, 999, 9999, 99999, 999999], float)


@dataclass(frozen=True, eq=False)
class Numbers:
    """The distinct numbers of a column.

    Args:
        values: int64 if all are whole, else float64, shape (U,).
        counts: rows per value, shape (U,).
        absent: rows without a number.
        decimals: digits after the point, None for full precision; 0 for whole numbers.
        missing: texts that mean missing.
        in_order: values of the rows that have one, in the order of the rows.
    """

    values: np.ndarray
    counts: np.ndarray
    absent: int
    decimals: int | None
    missing: tuple[str, ...]
    in_order: Callable[[], np.ndarray]

    @property
    def rows(self) -> int:
        return int(self.counts.sum())

    @property
    def is_whole(self) -> bool:
        return self.values.dtype == np.int64


def text_numbers(texts: Texts, context: Context) -> Numbers | None:
    """The numbers of a text column, or None when some text is neither number nor missing.

    Raises:
        ValueError: when the user demands numbers and a text is none.
    """
    demanded = context.kind in ("continuous", "integer")
    few = texts.values[:FEW]
    if not demanded and not (looks_numeric(few) | is_missing_word(few)).all():
        return None
    values = parse_numbers(texts.values, counts=texts.counts, decimal=context.decimal)
    found = np.isfinite(values)
    words = is_missing_word(texts.values) & ~found
    if demanded and not (found | words).all():
        odd, row = odd_ones(texts, found | words)
        raise ValueError(
            f"column {context.name!r} is declared {context.kind}, but {quoted(odd)} (row "
            f"{row}) is no number; add it to `missing` or make the column categorical"
        )
    if not (found | words).all() or not (found.any() or demanded):
        return None
    if not demanded and codes_like(texts.values).any():
        return None
    missing = joined(context.missing, words_found(texts, words))
    absent = words | np.isin(values, token_numbers(missing))
    return _of_texts(texts.without(absent), values[~absent], missing)


def _of_texts(texts: Texts, values: np.ndarray, missing: tuple[str, ...]) -> Numbers:
    exact = parse_integers(texts.values)
    every = values if exact is None else exact
    merged = _merge(every, texts.counts)
    codes = texts.codes[texts.codes >= 0]
    decimals = _decimals(merged[0])
    return Numbers(*merged, texts.missing, decimals, missing, lambda: every[codes])


def native_numbers(array: pa.Array, context: Context) -> Numbers:
    """The numbers of an int64 or float64 column; infinite values count as missing."""
    pairs = pc.value_counts(array.drop_null())
    values = np.array(pairs.field("values"))
    counts = np.array(pairs.field("counts"))
    unwanted = np.isin(values.astype(float), token_numbers(context.missing))
    infinite = np.isinf(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
    words = joined(context.missing, tuple(str(v) for v in values[infinite]))
    keep = ~(unwanted | infinite)
    absent = int(array.null_count + counts[~keep].sum())
    merged = _merge(values[keep], counts[keep])

    def in_order() -> np.ndarray:
        every = np.asarray(array.drop_null())
        return every[np.isin(every, merged[0])]

    return Numbers(*merged, absent, _decimals(merged[0]), words, in_order)


def _merge(values: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct sorted values ("1" and "1.0" are one), whole ones as int64, and their counts."""
    whole = values.dtype == np.int64 or (
        bool((np.abs(values) < EXACT).all()) and bool((values == np.rint(values)).all())
    )
    values = values.astype(np.int64) if whole else values + 0.0
    order = np.argsort(values, kind="stable")
    values, counts = values[order], counts[order]
    first = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])[: len(values)])
    return values[first], np.add.reduceat(counts, first) if len(first) else counts


def _decimals(values: np.ndarray) -> int | None:
    return 0 if values.dtype == np.int64 else decimals_of(values)


def decide_number(numbers: Numbers, context: Context) -> Column:
    """The column, with a note on why."""
    name, missing, absent = context.name, numbers.missing, numbers.absent
    notes = _missing_note(numbers)
    if not len(numbers.values):
        return Column(name, "constant", nullable=True, missing=missing, note="no value in any row")
    check_count(context, len(numbers.values))
    kind = context.kind or _kind(numbers, context)
    nullable = absent > 0
    if kind == "constant":
        note = "the same number in every row" + (" that has one" if absent else "")
        value = numbers.values[0].item()
        return Column(name, kind, nullable=nullable, missing=missing, value=value, note=note)
    if kind in ("categorical", "boolean") and numbers.is_whole:
        levels = tuple(int(v) for v in numbers.values)
        note = "; ".join([_levels_note(levels, context, kind), *notes])
        closed = len(levels) <= context.max_levels
        return Column(
            name, kind, nullable=nullable, levels=levels, closed=closed, missing=missing, note=note
        )
    low, high = numbers.values[0].item(), numbers.values[-1].item()
    if kind == "identifier":
        note = "; ".join([_key_note(numbers, name), *notes])
        return Column(
            name, kind, nullable=nullable, minimum=low, maximum=high, format="integer",
            missing=missing, note=note,
        )  # fmt: skip
    return _measured(numbers, context, kind, nullable, notes)


def _kind(numbers: Numbers, context: Context) -> Kind:
    distinct = len(numbers.values)
    if distinct == 1 and numbers.absent == 0:
        return "constant"
    if not numbers.is_whole:
        return "continuous"
    if numbers.values.tolist() == [0, 1]:
        return "boolean"
    if is_key_of_rows(context.name, distinct, numbers.in_order(), gaps=numbers.absent > 0):
        return "identifier"
    if distinct <= context.max_integer_levels and numbers.rows >= context.min_rows:
        return "categorical"
    if named_like_code(context.name) and distinct <= context.max_listed:
        return "categorical"
    return "integer"


def _measured(
    numbers: Numbers, context: Context, kind: str, nullable: bool, notes: list[str]
) -> Column:
    """Continuous or whole numbers."""
    if kind == "integer" and not numbers.is_whole:
        values = numbers.values
        bad = values[(values != np.rint(values)) | (np.abs(values) >= EXACT)][0]
        raise ValueError(
            f"column {context.name!r} is declared integer, but holds {bad}; make it continuous"
        )
    decimals = None if kind == "integer" else numbers.decimals
    digits = "full precision" if decimals is None else counted(decimals, "decimal")
    what = "whole numbers" if numbers.is_whole else f"numbers with {digits}"
    distinct = counted(len(numbers.values), "different value")
    notes = [f"{what}, {distinct}", *notes, *_suspicions(numbers, context)]
    return Column(
        context.name,
        "integer" if kind == "integer" else "continuous",
        nullable=nullable,
        minimum=numbers.values[0].item(),
        maximum=numbers.values[-1].item(),
        decimals=decimals,
        missing=numbers.missing,
        note="; ".join(notes),
    )


def _suspicions(numbers: Numbers, context: Context) -> list[str]:
    """Extreme values far from all others that often mean "missing", and keys of many rows."""
    out = []
    values, counts = numbers.values.astype(float), numbers.counts
    for end, next_to in ((0, 1), (-1, -2)):
        if len(values) < 3 or values[end] not in SENTINELS:
            continue
        rest = values[1:] if end == 0 else values[:-1]
        gap, spread = abs(values[end] - values[next_to]), float(np.ptp(rest))
        lonely_sign = values[end] < 0 <= rest.min()
        if counts[end] >= 2 and (lonely_sign or gap > spread / 2):
            text = f"{numbers.values[end]:g}" if not numbers.is_whole else f"{numbers.values[end]}"
            out.append(
                f"{text} in {share(int(counts[end]), numbers.rows)} of rows may mean missing "
                f'(then set missing: ["{text}"])'
            )
    if numbers.is_whole and named_like_id(context.name) and len(values) > context.max_levels:
        out.append("named like a key but repeats; set kind: identifier to have it made up anew")
    return out


def _missing_note(numbers: Numbers) -> list[str]:
    return [f"{quoted(list(numbers.missing))} taken as missing"] if numbers.missing else []


def _levels_note(levels: tuple[int, ...], context: Context, kind: Kind) -> str:
    if kind == "boolean":
        return f"{levels[0]} and {levels[-1]} only, taken as no and yes"
    named = " named like a code" if len(levels) > context.max_integer_levels else ""
    return (
        f"whole numbers with {counted(len(levels), 'different value')}{named}, taken as codes of "
        "categories (or set kind: integer)"
    )


def _key_note(numbers: Numbers, name: str) -> str:
    if len(numbers.values) < numbers.rows:
        repeats = share(numbers.rows - len(numbers.values), numbers.rows)
        return f"named like a key; {repeats} of rows repeat one, made-up ones will not"
    return "unique whole numbers" + (" named like a key" if named_like_id(name) else "")
