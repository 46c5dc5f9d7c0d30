"""What the attributes of images mean, and whether images have them as a schema says."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

from genmodels.combinations import NO, YES
from genmodels.schema import Attribute

__all__ = ["OFFERED", "Unfit", "Wanted", "by_name", "infer_attributes", "is_all", "pick"]
__all__ += ["typed"]

log = logging.getLogger(__name__)
Wanted = str | Sequence[str] | None
"""`data.attributes`: none, "all", one or several by name."""
OFFERED = "*"
"""Wanted where nobody asked: all that can be read, or nothing where it cannot be."""
Unfit = Literal["error", "drop", "keep"]
MOST_LEVELS = 100
ADVICE = "or choose others with data.attributes=[<names>]"


def is_all(wanted: Wanted) -> bool:
    """Whether all are wanted, and not some by name."""
    return isinstance(wanted, str) and wanted in ("all", OFFERED)


def by_name(wanted: Wanted) -> list[str]:
    """The names that are wanted.

    Raises:
        ValueError: when these are no names.
    """
    if not isinstance(wanted, str | list | tuple):
        raise ValueError(f"data.attributes must be all, a name or a list of names, got {wanted!r}")
    return [wanted] if isinstance(wanted, str) else [str(name) for name in wanted]


def pick(known: Iterable[str], wanted: Wanted) -> tuple[str, ...]:
    """The names that are wanted, in the order of the wish.

    Raises:
        ValueError: naming near ones, when one is not known.
    """
    names = list(known)
    if wanted is None:
        return ()
    if is_all(wanted):
        return tuple(names)
    chosen = by_name(wanted)
    for name in chosen:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
            more = f"did you mean {' or '.join(map(repr, near))}?" if near else _listed(names)
            raise ValueError(f"data.attributes: the images have no attribute {name!r}; {more}")
    return tuple(dict.fromkeys(chosen))


def infer_attributes(found: Mapping[str, np.ndarray], wanted: Wanted) -> tuple[Attribute, ...]:
    """What the wanted attributes are: yes or no, a category, a number.

    Numbers that are all 0 and 1, or -1 and 1, are yes or no. One that never changes says nothing
    and is left out, with a warning.

    Raises:
        ValueError: when one is not known or has a name that datasets use otherwise, has missing or
            infinite values, or is text with more than 100 levels.
    """
    if wanted == "all" and not found:
        raise ValueError("data.attributes=all: these images have no attributes")
    told = (_inferred(name, found[name]) for name in pick(found, wanted))
    return tuple(attribute for attribute in told if attribute is not None)


def typed(values: np.ndarray, attribute: Attribute) -> tuple[np.ndarray, np.ndarray]:
    """The values of an attribute as its schema has them, and which of them fit, both (N,).

    Raises:
        ValueError: when they are of another kind altogether.
    """
    text = values.dtype.kind not in "biuf"
    if attribute.kind == "boolean":
        low = np.char.lower(values.astype(np.str_)) if text else values.astype(np.float64)
        yes = np.isin(low, YES) if text else low == 1
        no = np.isin(low, NO) if text else (low == 0) | (low == -1)
        return yes, yes | no
    if attribute.kind == "categorical":
        words = values.astype(np.str_) if text else np.array([_word(v) for v in values.tolist()])
        return words, np.isin(words, attribute.levels)
    if text:
        raise ValueError(
            f"attribute {attribute.name!r} is text such as {', '.join(values[:1].tolist())!r}, but "
            "the schema says that it is a number"
        )
    numbers = values.astype(np.float64)
    return numbers, np.isfinite(numbers)


def _word(number: float) -> str:
    """A number as the name of a level: 3, not 3.0."""
    return str(int(number)) if float(number).is_integer() else str(number)


def _inferred(name: str, values: np.ndarray) -> Attribute | None:
    text = values.dtype.kind not in "biuf"
    missing = values == "" if text else np.isnan(values.astype(np.float64))
    if missing.any():
        raise ValueError(
            f"attribute {name!r} is missing for {int(missing.sum()):,} of {len(values):,} images; "
            f"fill it in, leave these images out, {ADVICE}"
        )
    levels = np.unique(values)
    if len(levels) < 2:
        log.warning("attribute %r is always %s: it is left out", name, levels.tolist()[0])
        return None
    if text:
        if len(levels) > MOST_LEVELS:
            raise ValueError(
                f"attribute {name!r} is text with {len(levels):,} levels, at most {MOST_LEVELS} "
                f"can be told; group them, {ADVICE}"
            )
        return Attribute(name, "categorical", tuple(map(str, levels.tolist())))
    if set(levels.tolist()) in ({0, 1}, {-1, 1}):
        return Attribute(name, "boolean")
    if not np.isfinite(levels).all():
        raise ValueError(f"attribute {name!r} has infinite values; correct them, {ADVICE}")
    low, high = float(levels[0]), float(levels[-1])
    return Attribute(name, "continuous", minimum=low, maximum=high)


def _listed(names: list[str]) -> str:
    if not names:
        return "they have none"
    return f"they have {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}"
