"""Log-returns of data that hold prices, however their rows are arranged.

`path`: a row is a path, and its columns are its steps, `<name>_<number>` in the order of the
numbers. `step`: a row is a step; `path` and `step`, where there are such columns, say of which path
and which, otherwise there is one path, in the order of its dates or of its rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from genmodels.data.prices import numbers_of, oldest_first
from genmodels.types import Raw

__all__ = ["Arrangement", "Returns", "returns_of", "told_by"]

STEP = re.compile(r"^(.*?)[_ .-]?(\d+)$")
LEAST = 10
"""Returns of a path, without which it says nothing about time."""


@dataclass(frozen=True)
class Arrangement:
    """How prices lie in rows.

    Args:
        rows: what a row is.
        values: what the numbers are.
        series: names of the numbers, one per asset; empty: `close`, or the only ones there are.
    """

    rows: Literal["path", "step"]
    values: Literal["close", "return"] = "close"
    series: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Returns:
    """Log-returns.

    Args:
        names: of the assets.
        values: shape (P, N, A), NaN behind the end of a shorter path.
        lost: share of paths that were left out as they hold gaps or prices that are not above 0.
    """

    names: tuple[str, ...]
    values: np.ndarray
    lost: float

    @property
    def n(self) -> int:
        """Returns of one asset."""
        return int(np.isfinite(self.values).all(2).sum())


def told_by(facts: Any) -> Arrangement | None:
    """What the facts of a simulator of prices say; None where they are of anything else."""
    if not isinstance(facts, dict) or not isinstance(facts.get("series"), list):
        return None
    rows, values = facts.get("rows"), facts.get("values")
    if rows not in ("path", "step") or values not in ("close", "return", "bar"):
        return None
    names = [str(name) for name in facts["series"]]
    if values == "bar":
        names = [name for name in names if name.rpartition("_")[2] == "close"]
    return Arrangement(rows, "return" if values == "return" else "close", tuple(names))


def returns_of(raw: Raw, arrangement: Arrangement, what: str) -> Returns:
    """The log-returns in raw data.

    Args:
        raw: as loaded or typed.
        arrangement: of its rows.
        what: to call the data in messages, such as "synthetic".

    Raises:
        ValueError: when they do not lie so, steps are missing, or nothing is left.
    """
    if not isinstance(raw, pa.Table):
        raise ValueError(f"the {what} data are pictures, not prices")
    by = _by_path if arrangement.rows == "path" else _by_step
    names, values, there = by(raw, arrangement, what)
    if arrangement.values == "close":
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.diff(np.log(np.where(values > 0, values, np.nan)), axis=1)
        there = there[:, 1:]
    whole = np.isfinite(values).all(2)
    fit = (whole | ~there).all(1) & (whole.sum(1) >= LEAST)
    if not fit.any():
        raise ValueError(
            f"no path of the {what} data has {LEAST} returns or more without a gap or a price "
            "that is not above 0"
        )
    return Returns(names, values[fit], float(1 - fit.mean()))


def _by_path(
    table: pa.Table, arrangement: Arrangement, what: str
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Names of the assets, numbers (P, T, A), and whether there is such a step (P, T)."""
    steps: dict[str, dict[int, str]] = {}
    for name in table.column_names:
        found = STEP.match(name)
        if found is not None:
            steps.setdefault(found[1], {})[int(found[2])] = name
    if not steps:
        raise ValueError(
            f"the {what} data have no steps: finance.rows=path expects columns like close_1, "
            f"close_2, ...; they have {', '.join(map(repr, table.column_names[:8]))}"
        )
    known = {name: name for name in steps}
    names = [_named(known, name, what) for name in _asked(arrangement, list(steps))]
    if len({len(steps[name]) for name in names}) > 1:
        raise ValueError(f"the {what} data have different numbers of steps for {names}")
    numbers = [
        np.stack([numbers_of(table, steps[name][t], what) for t in sorted(steps[name])], 1)
        for name in names
    ]
    values = np.stack(numbers, 2)
    return tuple(names), values, np.ones(values.shape[:2], bool)


def _by_step(
    table: pa.Table, arrangement: Arrangement, what: str
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """The same of rows that are steps; gaps behind the ends of shorter paths."""
    known = {name.lower(): name for name in table.column_names}
    told = "path" in known and "step" in known
    table = table if told else oldest_first(table, f"the {what} data")
    counted = [known[key] for key in ("path", "step") if key in known]
    others = [name for name in table.column_names if name not in counted]
    names = [_named(known, name, what) for name in _asked(arrangement, others)]
    numbers = np.stack([numbers_of(table, name, what) for name in names], 1)
    if not told:
        return tuple(names), numbers[None], np.ones((1, len(numbers)), bool)
    path, step = (numbers_of(table, name, what) for name in counted)
    order = np.lexsort((step, path))
    path, step, numbers = path[order], step[order], numbers[order]
    same = path[1:] == path[:-1]
    if (np.diff(step)[same] != 1).any():
        raise ValueError(
            f"the {what} data lack steps of a path: they are no whole paths. A random split of "
            "rows that are steps parts what belongs together; use rows=path, or name files"
        )
    _, starts, lengths = np.unique(path, return_index=True, return_counts=True)
    out = np.full((len(starts), int(lengths.max()), len(names)), np.nan)
    place = np.repeat(np.arange(len(starts)), lengths)
    out[place, np.arange(len(path)) - np.repeat(starts, lengths)] = numbers
    return tuple(names), out, np.arange(out.shape[1]) < lengths[:, None]


def _asked(arrangement: Arrangement, there: Sequence[str]) -> Sequence[str]:
    """The series that are told; else the closes; else all, where they can be nothing else."""
    if arrangement.series:
        return arrangement.series
    closes = [name for name in there if re.split(r"[_ ]", name.lower())[-1] == "close"]
    exact = [name for name in closes if name.lower() == "close"]
    if exact or closes:
        return exact or closes
    returns = [name for name in there if name.lower().startswith(arrangement.values)]
    if arrangement.rows == "path" or returns:
        return returns or there
    raise ValueError(
        f"which of {', '.join(there)} are the prices? Say so with finance.price=<name>"
    )


def _named(known: dict[str, str], name: str, what: str) -> str:
    """The name as the data spell it."""
    if name in known.values():
        return name
    alike = [there for there in known.values() if there.lower() == name.lower()]
    if len(alike) != 1:
        have = ", ".join(list(known.values())[:8])
        raise ValueError(f"the {what} data have no finance.price={name}; there are: {have}")
    return alike[0]
