"""Target shares of the levels of one column: row i's level depends on (seed, i) alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from genmodels.sampling.control.given import Restricts
from genmodels.sampling.control.wishes import find_column, find_level, near
from genmodels.schema import Column

__all__ = ["Shares", "balanced", "check_share", "completed", "target_shares"]

_SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class Shares:
    """How often each level of a column shall occur.

    Args:
        column: its name.
        levels: plain values (L,); a null is a missing value.
        probabilities: of the levels (L,), float64; they sum to 1.
    """

    column: str
    levels: pa.Array
    probabilities: np.ndarray

    def draw(self, rng: np.random.Generator, rows: int) -> np.ndarray:
        """Positions of levels, int64 (rows,)."""
        return pick(self.probabilities, rng, rows)


def pick(weights: np.ndarray, rng: np.random.Generator, rows: int) -> np.ndarray:
    """Positions (rows,), drawn in proportion to weights (L,), of which one is positive."""
    cumulative = np.cumsum(weights, dtype=np.float64)
    found = np.searchsorted(cumulative, rng.random(rows) * cumulative[-1], "right")
    return np.minimum(found, np.flatnonzero(weights)[-1])


def balanced(name: str, restricts: Restricts) -> Shares:
    """Equal shares of the levels that occur in training; no missing values.

    Raises:
        ValueError: for a column that has no levels, or none at all.
    """
    column, levels, counts, _ = _levels(name, restricts, key=f"balance={name}")
    seen = np.flatnonzero(counts > 0)
    if not len(seen):
        raise ValueError(f"balance={name}: column {column.name!r} had no value in training")
    share = np.full(len(seen), 1.0 / len(seen))
    return Shares(column.name, levels.take(pa.array(seen)), share)


def target_shares(asked: Mapping[str, Any], restricts: Restricts) -> Shares:
    """Shares of some levels of one column; the others keep their proportions in training.

    Args:
        asked: {column: {level: share}}; shares in [0, 1], at most 1 together.
        restricts: knows the levels and how often they occur.

    Raises:
        ValueError: for more than one column, a level that does not exist, or shares that
            cannot be.
    """
    if len(asked) != 1:
        names = ", ".join(map(repr, asked))
        raise ValueError(
            f"shares of {names}: levels of several columns would be drawn independently of each "
            "other. Give the shares of one, or a scenario with one stratum per combination"
        )
    ((name, wanted),) = asked.items()
    key = f"shares.{name}"
    if not isinstance(wanted, Mapping) or not wanted:
        raise ValueError(f"{key} must name levels and their shares, such as {{yes: 0.5}}")
    column, levels, counts, missing = _levels(str(name), restricts, key=key)
    levels = pa.concat_arrays([levels, pa.nulls(1, levels.type)])
    names = levels.to_pylist()
    target = np.full(len(names), np.nan)
    for level, share in wanted.items():
        target[_place(column, level, names, key)] = check_share(f"{key}.{level}", share)
    weights = np.append(counts, missing).astype(np.float64)
    return Shares(column.name, levels, completed(target, weights, key))


def completed(target: np.ndarray, weights: np.ndarray, key: str) -> np.ndarray:
    """The shares asked for, and what is left of 1 spread over the other levels.

    Args:
        target: shares (L,), NaN where none is asked for.
        weights: how frequent the levels are otherwise, (L,).
        key: the setting, for messages.

    Returns:
        Probabilities (L,).

    Raises:
        ValueError: when the shares sum to more than 1, or to less and nothing is left.
    """
    free = np.isnan(target)
    total = float(target[~free].sum())
    if total > 1.0 + _SLACK:
        raise ValueError(f"{key}: the shares sum to {total:g}, at most 1 is possible")
    rest = np.where(free, weights, 0.0)
    left = max(0.0, 1.0 - total)
    if left > _SLACK and not rest.sum() > 0.0:
        raise ValueError(
            f"{key}: the shares sum to {total:g} and no other level occurred in training, so they "
            "must sum to 1"
        )
    filled = np.where(free, 0.0, target)
    return filled + left * rest / rest.sum() if left > _SLACK else filled / filled.sum()


def check_share(key: str, share: Any) -> float:
    """The share as a number; raises `ValueError` for what is none."""
    number = isinstance(share, int | float) and not isinstance(share, bool)
    if not number or not 0.0 <= share <= 1.0:
        raise ValueError(f"{key} must be a share in [0, 1], got {share!r}")
    return float(share)


def _place(column: Column, level: Any, names: list[Any], key: str) -> int:
    if level is None or (str(level) == "missing" and "missing" not in map(str, names[:-1])):
        return len(names) - 1
    found = find_level(column, level, key=key)
    found = level if found is None else found
    if found not in names:
        known = [str(n) for n in names[:-1]]
        raise ValueError(
            f"{key}: column {column.name!r} has no level {level!r}{near(str(level), known)}"
        )
    return names.index(found)


def _levels(
    name: str, restricts: Restricts, *, key: str
) -> tuple[Column, pa.Array, np.ndarray, int]:
    column = find_column(restricts.schema, name, key=key)
    found = restricts.levels(name)
    if found is None:
        raise ValueError(
            f"{key}: column {name!r} is {column.kind} and has no levels to give shares of; make a "
            "scenario (scenario=<file>) with a stratum and a share for each range of it"
        )
    return column, *found
