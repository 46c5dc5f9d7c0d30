"""Deciding what a column of text is, by trying in turn: numbers, yes/no, dates, keys, levels."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.data.columns import Texts
from genmodels.data.dates import parse_dates
from genmodels.data.identifiers import NEARLY_UNIQUE, id_format, named_like_id, text_is_key
from genmodels.data.infer_context import (
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
from genmodels.data.infer_dates import decide_dates
from genmodels.data.infer_numbers import Numbers, decide_number, text_numbers
from genmodels.data.numbers import codes_like, looks_numeric
from genmodels.schema import Column

__all__ = ["decide_text"]

PAIRS = (("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("off", "on"))
NEARLY = 0.95
"""So large a share of numbers or dates makes the rest look like mistakes."""

SOME = 5000
"""So many distinct texts are looked at for likely mistakes."""


def decide_text(texts: Texts, context: Context, *, declared: bool = False) -> Column:
    """The column, with a note on why.

    Args:
        texts: its distinct texts; those that the user calls missing are already taken out.
        context: limits and what the user demands.
        declared: the source says that these are categories.
    """
    if not len(texts.values):
        note = "no value in any row"
        return Column(context.name, "constant", nullable=True, missing=context.missing, note=note)
    kind = context.kind or ("categorical" if declared else None)
    if declared and context.kind is None and (column := _yes_no(texts, context)) is not None:
        return column
    if kind in (None, "continuous", "integer"):
        numbers = text_numbers(texts, context)
        if numbers is not None:
            return _dated_or_number(texts, numbers, context)
    if kind != "boolean":
        check_count(context, len(texts.values))
    if kind == "constant" or (kind is None and len(texts.values) == 1 and not texts.missing):
        return Column(
            context.name,
            "constant",
            nullable=texts.missing > 0,
            missing=context.missing,
            value=texts.values[0].as_py(),
            note="the same text in every row" + (" that has one" if texts.missing else ""),
        )
    if kind in (None, "boolean") and (column := _yes_no(texts, context)) is not None:
        return column
    if kind in (None, "datetime") and (column := decide_dates(texts, context)) is not None:
        return column
    if kind == "identifier" or (
        kind is None and text_is_key(context.name, len(texts.values), texts.rows)
    ):
        return _key(texts, context)
    return _levels(texts, context, declared)


def _dated_or_number(texts: Texts, numbers: Numbers, context: Context) -> Column:
    """Whole numbers such as 20141013 in a column named like a date are days."""
    if context.kind is None and len(numbers.values) > 1 and numbers.is_whole:
        plausible = numbers.values[0] >= 19_000_101 and numbers.values[-1] <= 21_001_231
        if plausible and (column := decide_dates(texts, context)) is not None:
            return column
    return decide_number(numbers, context)


def _yes_no(texts: Texts, context: Context) -> Column | None:
    if len(texts.values) > 6 and context.kind != "boolean":
        return None
    words = is_missing_word(texts.values) & (context.kind is None or len(texts.values) > 2)
    held = [t for t, word in zip(texts.values.to_pylist(), words, strict=True) if not word]
    by_word = {t.strip().lower(): t for t in held}
    if len(held) != 2 or len(by_word) != 2:
        return None
    pair = next((p for p in PAIRS if set(p) == set(by_word)), None)
    if pair is None:
        if context.kind is None:
            return None
        pair = tuple(sorted(by_word))
    missing = joined(context.missing, words_found(texts, words))
    notes = [f"{by_word[pair[0]]!r} and {by_word[pair[1]]!r} only"]
    notes += [f"{quoted(list(missing))} taken as missing"] if missing else []
    return Column(
        context.name,
        "boolean",
        nullable=texts.missing > 0 or bool(words.any()),
        levels=(by_word[pair[0]], by_word[pair[1]]),
        missing=missing,
        note="; ".join(notes),
    )


def _key(texts: Texts, context: Context) -> Column:
    format = id_format(context.name, texts.values)
    unique = len(texts.values) == texts.rows
    notes = ["unique texts" if unique else "named like a key, nearly unique texts"]
    notes.append(f"made up anew as {format}")
    if texts.missing:
        notes.append(f"missing in {share(texts.missing, len(texts.codes))} of rows")
    return Column(
        context.name,
        "identifier",
        nullable=texts.missing > 0,
        format=format,
        missing=context.missing,
        note="; ".join(notes),
    )


def _levels(texts: Texts, context: Context, declared: bool) -> Column:
    count = len(texts.values)
    check_count(context, count)
    closed = count <= context.max_levels
    if closed:
        levels = texts.values.to_pylist()
        levels = levels if declared else sorted(levels)
        notes = [f"{'declared categories' if declared else 'text'}, {counted(count, 'level')}"]
    else:
        order = np.argsort(-texts.counts, kind="stable")[: context.max_listed]
        levels = texts.values.take(pa.array(order)).to_pylist()
        listed = f", the {len(levels):,} most frequent listed" if len(levels) < count else ""
        notes = [f"text, {count:,} levels: an open set{listed}"]
    return Column(
        context.name,
        "categorical",
        nullable=texts.missing > 0,
        levels=tuple(levels),
        closed=closed,
        missing=context.missing,
        note="; ".join(notes + _remarks(texts, context)),
    )


def _remarks(texts: Texts, context: Context) -> list[str]:
    """What a person should look at in a column of levels."""
    out = []
    kept = words_found(texts, is_missing_word(texts.values))
    if kept:
        wish = ", ".join(f'"{w}"' for w in kept[:3])
        out.append(f"{quoted(list(kept))} kept as a level (or set missing: [{wish}])")
    if codes_like(texts.values).any():
        out.append("digits with leading zeros or beyond 18 places, so not numbers")
    folded = pc.utf8_lower(pc.utf8_trim_whitespace(texts.values[:SOME]))
    if len(pc.unique(folded)) < len(folded):
        out.append("some levels differ only in case or spaces")
    if texts.rows >= 50 and len(texts.values) > texts.rows / 2:
        nearly = named_like_id(context.name) or len(texts.values) > NEARLY_UNIQUE * texts.rows
        out.append(
            ("nearly" if nearly else "mostly")
            + " unique, may name persons or things: consider kind: identifier"
        )
    return out + _mistakes(texts, context)


def _mistakes(texts: Texts, context: Context) -> list[str]:
    """Nearly all numbers or nearly all dates: name what is not."""
    values, counts = texts.values[:SOME], texts.counts[:SOME]
    rows = int(counts.sum())
    dates = parse_dates(values).found
    for found, what in ((looks_numeric(values), "numbers"), (dates, "dates")):
        part = int(counts[found].sum())
        if part >= NEARLY * rows and not found.all() and not codes_like(values).any():
            odd, row = odd_ones(Texts(values, counts, texts.codes), found)
            return [
                f"{share(part, rows)} {what}, but not {quoted(odd)} (row {row}): add to "
                f"`missing` and set the kind to have {what}"
            ]
    unit = pc.match_substring_regex(values, r"^\s*[$€£]\s?\d|^\s*[+-]?\d[\d,.]*\s?%\s*$")
    if counts[np.asarray(unit, bool)].sum() >= NEARLY * rows:
        return ["look like numbers with a unit; take the unit out of the file to have numbers"]
    return []
