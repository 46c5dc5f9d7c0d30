"""Parameters of epidemics and patients, checked: one clear line for each that cannot be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = [
    "LAST_AGE",
    "by_year",
    "fields",
    "number",
    "numbers",
    "share",
    "shares",
    "square",
    "whole",
]

LAST_AGE = 100
"""Ages are whole years 0 ... 100; who is older counts as 100."""


def number(key: str, value: Any, *, least: float = -math.inf, above: float = -math.inf) -> float:
    """A finite number, at least `least` and above `above`.

    Raises:
        ValueError: when it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} must be a number, got {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{key} must be finite, got {value!r}")
    if value < least:
        raise ValueError(f"{key} must be at least {least:g}, got {value:g}")
    if value <= above:
        raise ValueError(f"{key} must be above {above:g}, got {value:g}")
    return float(value)


def whole(key: str, value: Any, *, least: int) -> int:
    """A whole number; 1e6 is one.

    Raises:
        ValueError: when it is none, or below `least`.
    """
    if number(key, value) != int(value):
        raise ValueError(f"{key} must be a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{key} must be at least {least}, got {int(value)}")
    return int(value)


def share(key: str, value: Any) -> float:
    """A number in [0, 1].

    Raises:
        ValueError: when it is none.
    """
    found = number(key, value)
    if not 0.0 <= found <= 1.0:
        raise ValueError(f"{key} must be a share in [0, 1], got {found:g}")
    return found


def numbers(
    key: str, values: Any, *, count: int | None = None, least: float = -math.inf
) -> np.ndarray:
    """A list of finite numbers, float64; `count` of them if that is known.

    Raises:
        ValueError: when it is none.
    """
    if not isinstance(values, list | tuple) or not values:
        raise ValueError(f"{key} must be a list of numbers, got {values!r}")
    if count is not None and len(values) != count:
        raise ValueError(f"{key} must have {count} numbers, got {len(values)}")
    return np.array([number(key, value, least=least) for value in values])


def shares(key: str, values: Any, *, count: int | None = None) -> np.ndarray:
    """A list of numbers in [0, 1].

    Raises:
        ValueError: when it is none.
    """
    numbers(key, values, count=count)
    return np.array([share(key, value) for value in values])


def square(key: str, rows: Any, *, size: int) -> np.ndarray:
    """A square matrix of numbers from 0.

    Raises:
        ValueError: when it is not square, not of this size, or has a negative entry.
    """
    told = list(rows) if isinstance(rows, list | tuple) else []
    widths = [len(row) if isinstance(row, list | tuple) else 0 for row in told]
    if not told or set(widths) != {len(told)}:
        raise ValueError(f"{key} must be a square matrix, rows of as many numbers, got {rows!r}")
    if len(told) != size:
        raise ValueError(
            f"{key} must have {size} rows of {size}, one for each age group, got {len(told)}"
        )
    return np.stack([numbers(key, row, least=0.0) for row in told])


def by_year(key: str, ages: Sequence[float], values: Sequence[float]) -> np.ndarray:
    """What is told at some ages for each year of age 0 ... 100: linear between, constant beyond.

    Raises:
        ValueError: when ages do not rise, or there are not as many values.
    """
    at = numbers(f"{key}: ages", ages, least=0.0)
    if (np.diff(at) <= 0).any():
        raise ValueError(f"{key}: ages must rise, got {list(ages)}")
    return np.interp(np.arange(LAST_AGE + 1), at, numbers(key, values, count=len(at)))


def fields(key: str, told: Any, known: Iterable[str], *, every: bool = True) -> Mapping[str, Any]:
    """A mapping of the keys `known`, all of them or some.

    Raises:
        ValueError: for an unknown key, or one that is missing.
    """
    names = list(known)
    if not isinstance(told, Mapping):
        raise ValueError(f"{key} must be {{{', '.join(f'{name}: ...' for name in names)}}}")
    wrong = [str(name) for name in told if name not in names]
    if wrong:
        raise ValueError(f"{key} has no {wrong[0]}; there are: {', '.join(names)}")
    missing = [name for name in names if name not in told]
    if every and missing:
        raise ValueError(f"{key} lacks {missing[0]}; it needs: {', '.join(names)}")
    return told
