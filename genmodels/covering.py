"""Few rows in which all values of every few factors come together: covering arrays.

Most faults and most holes show in two or three factors at once. A covering array of strength t has
each combination of levels of each t factors in some row, with far fewer rows than all combinations
of all factors. What cannot be together is never put together, and need not be covered.

References:
    Cohen, Dalal, Fredman and Patton, The AETG system: an approach to testing based on
    combinatorial design, IEEE Transactions on Software Engineering 1997, section 3: each row is
    the best of several that are built greedily.
    Kuhn, Kacker and Lei, Introduction to combinatorial testing, 2013.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import combinations, product
from math import prod

import numpy as np

__all__ = ["covering_array", "merged_rows"]

MOST = 2_000_000  # combinations that are kept account of
TRIES = 20
FREE = -1

Value = Hashable


def covering_array(
    levels: Mapping[str, Sequence[Value]],
    strength: int = 2,
    seed: int = 0,
    forbidden: Sequence[Mapping[str, Value]] = (),
    *,
    tries: int = TRIES,
) -> list[dict[str, Value]]:
    """Rows in which each possible combination of levels of each `strength` factors occurs.

    Args:
        levels: by factor, its distinct levels, at least one.
        strength: how many factors are combined, from 1 to the number of factors.
        seed: of ties; the same arguments always make the same rows.
        forbidden: values that cannot be together, {factor: level} of one or more factors. What
            can only be completed to such a row is impossible, too, and is not covered.
        tries: rows built for each one that is taken, at least 1; more make fewer rows.

    Returns:
        Whole rows, each a level of every factor.

    Raises:
        ValueError: for arguments that do not fit, or when no row at all is possible.
    """
    _check(levels, strength, tries)
    names, sizes = list(levels), [len(values) for values in levels.values()]
    walls = _Walls(sizes, [_coded(levels, rule) for rule in forbidden])
    if not walls.lets({}):
        raise ValueError("forbidden: no row at all is possible")
    todo = _Todo(sizes, strength, walls)
    rng = np.random.default_rng([seed, 31])
    rows: list[np.ndarray] = []
    while todo.left:
        built = [_row(todo, walls, rng) for _ in range(tries)]
        best = max(built, key=todo.gain)
        todo.cover(best)
        rows.append(best)
    kept = _needed(rows, sizes, strength)
    return [{name: levels[name][int(c)] for name, c in zip(names, row, strict=True)}
            for row in kept]  # fmt: skip


def merged_rows(
    wanted: Sequence[tuple[Mapping[str, Value], int]],
    forbidden: Sequence[Mapping[str, Value]] = (),
) -> list[dict[str, Value]]:
    """Partial rows that have each wanted combination so many times: one row may serve several.

    Args:
        wanted: combinations {factor: value}, and how many rows each needs; a row serves each
            combination that it holds, whatever it was made for.
        forbidden: values that cannot be together.

    Returns:
        {factor: value} of some factors; a combination goes into the first row that it fits into.
    """
    rows: list[dict[str, Value]] = []
    for combination, times in wanted:
        asked = dict(combination)
        need = times - sum(asked.items() <= row.items() for row in rows)
        for row in rows:
            if need <= 0:
                break
            if asked.items() <= row.items() or not _together(row, asked):
                continue
            if not any(rule.items() <= (row | asked).items() for rule in forbidden):
                row.update(asked)
                need -= 1
        rows += [dict(asked) for _ in range(need)]
    return rows


def _together(row: Mapping[str, Value], asked: Mapping[str, Value]) -> bool:
    return all(row.get(name, value) == value for name, value in asked.items())


def _check(levels: Mapping[str, Sequence[Value]], strength: int, tries: int) -> None:
    if not levels:
        raise ValueError("levels: a covering array needs at least one factor")
    for name, values in levels.items():
        if not len(values) or len(set(values)) < len(values):
            raise ValueError(f"levels of {name!r} must be distinct and at least one, got {values}")
    if not 1 <= strength <= len(levels):
        raise ValueError(
            f"strength must be from 1 to {len(levels)}, the number of factors, got {strength}"
        )
    if tries < 1:
        raise ValueError(f"tries must be at least 1, got {tries}")
    sizes = [len(values) for values in levels.values()]
    total = sum(prod(some) for some in combinations(sizes, strength))
    if total > MOST:
        raise ValueError(
            f"{len(levels)} factors have {total:,} combinations of {strength}, at most {MOST:,} "
            "are kept account of; give fewer factors or levels, or a lower strength"
        )


def _coded(levels: Mapping[str, Sequence[Value]], rule: Mapping[str, Value]) -> dict[int, int]:
    """A forbidden combination in numbers of factors and levels."""
    names, found = list(levels), {}
    if not rule:
        raise ValueError("forbidden: an empty combination would forbid every row")
    for name, value in rule.items():
        if name not in levels:
            raise ValueError(f"forbidden: there is no factor {name!r}; there are {names}")
        if value not in list(levels[name]):
            raise ValueError(
                f"forbidden: factor {name!r} has no level {value!r}; it has {list(levels[name])}"
            )
        found[names.index(name)] = list(levels[name]).index(value)
    return found


class _Walls:
    """What cannot be together.

    Args:
        sizes: number of levels of each factor.
        rules: {factor: level} that no row may hold.
    """

    def __init__(self, sizes: Sequence[int], rules: Sequence[dict[int, int]]) -> None:
        self.sizes, self.rules = sizes, rules
        self.about = {f: [r for r in rules if f in r] for f in range(len(sizes))}
        self.ruled = [f for f in range(len(sizes)) if self.about[f]]

    def lets(self, row: dict[int, int]) -> bool:
        """Whether some whole row holds all of a partial one."""
        if not self.rules:
            return True
        if any(rule.items() <= row.items() for rule in self.rules):
            return False
        return self._completes(row)

    def _completes(self, row: dict[int, int]) -> bool:
        """Depth first over the factors that rules speak of, the most bound one first."""
        open_ones = [(self._choices(row, f), f) for f in self.ruled if f not in row]
        if not open_ones:
            return True
        choices, f = min(open_ones, key=lambda one: len(one[0]))
        return any(self._completes(row | {f: level}) for level in choices)

    def _choices(self, row: dict[int, int], f: int) -> list[int]:
        """Levels of a factor that break no rule with what is there."""
        barred = {
            rule[f]
            for rule in self.about[f]
            if all(row.get(g, FREE) == level for g, level in rule.items() if g != f)
        }
        return [level for level in range(self.sizes[f]) if level not in barred]


class _Todo:
    """Which combinations no row has yet, one array per set of factors."""

    def __init__(self, sizes: Sequence[int], strength: int, walls: _Walls) -> None:
        self.sizes = sizes
        self.sets = list(combinations(range(len(sizes)), strength))
        self.open = [np.ones([sizes[f] for f in s], bool) for s in self.sets]
        self.of = {f: [k for k, s in enumerate(self.sets) if f in s] for f in range(len(sizes))}
        if walls.rules:
            for s, cells in zip(self.sets, self.open, strict=True):
                for codes in product(*(range(sizes[f]) for f in s)):
                    cells[codes] = walls.lets(dict(zip(s, codes, strict=True)))
        self.counts = np.array([int(cells.sum()) for cells in self.open])

    @property
    def left(self) -> int:
        return int(self.counts.sum())

    def gain(self, row: np.ndarray) -> int:
        """Open combinations that a whole row has."""
        return sum(bool(cells[tuple(row[list(s)])]) for s, cells in self._pairs())

    def cover(self, row: np.ndarray) -> None:
        for k, (s, cells) in enumerate(self._pairs()):
            at = tuple(row[list(s)])
            self.counts[k] -= bool(cells[at])
            cells[at] = False

    def gains(self, row: np.ndarray, f: int) -> np.ndarray:
        """By level of a free factor, open combinations with what is there, float (levels,)."""
        found = np.zeros(self.sizes[f])
        for k in self.of[f]:
            others = [g for g in self.sets[k] if g != f]
            if all(row[g] != FREE for g in others):
                at = tuple(slice(None) if g == f else int(row[g]) for g in self.sets[k])
                found += self.open[k][at]
        return found

    def first(self, rng: np.random.Generator) -> dict[int, int]:
        """An open combination of a set that has the most."""
        most = np.flatnonzero(self.counts == self.counts.max())
        k = int(rng.choice(most))
        cells = np.argwhere(self.open[k])
        return dict(zip(self.sets[k], map(int, cells[rng.integers(len(cells))]), strict=True))

    def _pairs(self) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
        return zip(self.sets, self.open, strict=True)


def _row(todo: _Todo, walls: _Walls, rng: np.random.Generator) -> np.ndarray:
    """A whole row (F,): an open combination, then factor by factor the level that covers most."""
    known = todo.first(rng)
    row = np.full(len(todo.sizes), FREE, np.int64)
    for f, level in known.items():
        row[f] = level
    for f in rng.permutation([f for f in range(len(row)) if f not in known]):
        gains = todo.gains(row, int(f)) + 0.5 * rng.random(todo.sizes[f])
        for level in np.argsort(-gains):
            if walls.lets(known | {int(f): int(level)}):
                known[int(f)] = row[f] = int(level)
                break
    assert (row != FREE).all()
    return row


def _needed(rows: list[np.ndarray], sizes: Sequence[int], strength: int) -> list[np.ndarray]:
    """The rows without those that later ones make superfluous."""
    counts = {s: np.zeros([sizes[f] for f in s], np.int64)
              for s in combinations(range(len(sizes)), strength)}  # fmt: skip
    for row in rows:
        for s, cells in counts.items():
            cells[tuple(row[list(s)])] += 1
    kept = []
    for row in rows:
        places = [(cells, tuple(row[list(s)])) for s, cells in counts.items()]
        if all(cells[at] > 1 for cells, at in places):
            for cells, at in places:
                cells[at] -= 1
        else:
            kept.append(row)
    return kept
