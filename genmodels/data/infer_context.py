"""What every decision about a column needs: the limits, what the user said, how to say it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.data.columns import Texts
from genmodels.data.numbers import MISSING_WORDS
from genmodels.schema import Kind

__all__ = [
    "FEW",
    "Context",
    "check_count",
    "counted",
    "is_missing_word",
    "joined",
    "odd_ones",
    "quoted",
    "share",
    "words_found",
]

FEW = 200
"""So many distinct values settle that not all of a column are numbers or dates."""


@dataclass(frozen=True)
class Context:
    """Args:
    name: of the column.
    kind: what the user demands, or None.
    missing: texts that the user says mean missing.
    decimal: "," when the file is known to write decimal commas.
    day_first: how the user says dates are written, or None.
    max_levels: more distinct texts than this make an open category set.
    max_listed: at most so many levels of an open set are named.
    max_integer_levels: at most so many distinct whole numbers may be codes of categories.
    min_rows: fewer rows than this are too few to see codes in whole numbers.
    """

    name: str
    kind: Kind | None
    missing: tuple[str, ...]
    decimal: str | None
    day_first: bool | None
    max_levels: int
    max_listed: int
    max_integer_levels: int
    min_rows: int


def is_missing_word(values: pa.Array) -> np.ndarray:
    """Which texts usually mean "no number here"; bool, shape (U,)."""
    folded = pc.utf8_lower(pc.utf8_trim_whitespace(values))
    return np.asarray(pc.is_in(folded, value_set=pa.array(MISSING_WORDS)), bool)


def words_found(texts: Texts, mask: np.ndarray) -> tuple[str, ...]:
    """The masked texts, trimmed, each once, the most frequent first."""
    rows: Counter[str] = Counter()
    for index in np.flatnonzero(mask):
        rows[texts.values[int(index)].as_py().strip()] += int(texts.counts[index])
    return tuple(sorted(rows, key=lambda word: (-rows[word], word)))


def joined(said: tuple[str, ...], found: tuple[str, ...]) -> tuple[str, ...]:
    """What the user said and what was found, each once."""
    return tuple(dict.fromkeys(said + found))


def quoted(words: tuple[str, ...] | list[str], most: int = 4) -> str:
    shown = ", ".join(repr(w if len(w) <= 40 else w[:40] + "...") for w in words[:most])
    return shown + (f" and {len(words) - most} more" if len(words) > most else "")


def counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def share(part: int, of: int) -> str:
    """A percentage that is 0 or 100 only when it is exactly that."""
    percent = 100 * part / max(of, 1)
    if part in (0, of):
        return f"{percent:.0f} %"
    text = f"{percent:.1f}" if percent >= 0.1 else f"{percent:.2g}"
    return f"{'99.9' if text == '100.0' else text} %"


def odd_ones(texts: Texts, good: np.ndarray) -> tuple[list[str], int]:
    """Texts outside `good`, the most frequent first, and the row of the first of them."""
    bad = np.flatnonzero(~good)
    order = bad[np.argsort(-texts.counts[bad], kind="stable")]
    return [texts.values[int(i)].as_py() for i in order[:5]], texts.first_row(int(order[0]))


def check_count(context: Context, distinct: int) -> None:
    """Refuse a demand for a constant or a boolean that the number of values contradicts.

    Raises:
        ValueError: naming the column.
    """
    for kind, wanted in (("constant", 1), ("boolean", 2)):
        if context.kind == kind and distinct != wanted:
            raise ValueError(
                f"column {context.name!r} is declared {kind}, but has "
                f"{counted(distinct, 'different value')}; make it categorical"
            )
