"""How many new rows each level gets, and which real rows they are made of.

The real rows stay, so that shares are reached by adding: no level can become rarer in numbers.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Amount", "Groups", "Plan", "plan_of", "plan_of_rows"]


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How many new rows are asked for; one of these.

    Args:
        ratio: new rows per real row.
        per_class: so many new rows of each level.
        balance: as many of each level as are needed to make all as frequent as the most frequent.
        shares: of levels among all rows; other levels keep their proportions.
    """

    ratio: float = 1.0
    per_class: int | None = None
    balance: bool = False
    shares: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Groups:
    """Real rows that are alike in what an augmentation must keep.

    Args:
        name: of what is counted, such as the target; None: nothing is.
        level: of each real row, position in `names` or -1 where it is missing, shape (N,).
        names: of the levels.
        group: level and everything else that must be kept, codes 0 ... G - 1, shape (N,).
    """

    name: str | None
    level: np.ndarray
    names: tuple[str, ...]
    group: np.ndarray

    def counts(self) -> np.ndarray:
        """Real rows of each level, shape (L,)."""
        return np.bincount(self.level[self.level >= 0], minlength=len(self.names))


@dataclass(frozen=True, eq=False)
class Plan:
    """New rows to make, group by group.

    Args:
        group: of each real row, shape (N,).
        new: how many new rows each group gets, shape (G,).
        seed: of all draws.
    """

    group: np.ndarray
    new: np.ndarray
    seed: int

    @property
    def rows(self) -> int:
        return int(self.new.sum())

    def parents(self) -> np.ndarray:
        """The real row that each new row is made of, shape (M,), group by group.

        Within a group its rows come in a random order, again and again: each is used as often as
        any other, to one.
        """
        rng = np.random.default_rng([self.seed, 61])
        order = rng.permutation(len(self.group))
        parts = [np.zeros(0, np.int64)]
        for number, count in enumerate(self.new):
            if count:
                parts.append(np.resize(order[self.group[order] == number], count))
        return np.concatenate(parts)

    def members(self, group: int) -> np.ndarray:
        """The real rows of a group, ascending."""
        return np.flatnonzero(self.group == group)


def plan_of(groups: Groups, amount: Amount, *, seed: int) -> Plan:
    """How many new rows each group of real rows gets.

    Raises:
        ValueError: when there are no levels to count, an unknown one is named, or shares cannot
            be reached by adding.
    """
    sizes = np.bincount(groups.group)
    if amount.per_class is None and not amount.balance and not amount.shares:
        total = _count(amount.ratio, int(sizes.sum()))
        return Plan(groups.group, _shared_out(total, sizes), seed)
    if not groups.names:
        raise ValueError("balance, shares and per_class need classes: set data.target=<name>")
    wanted = _per_level(groups, amount)
    new = np.zeros(len(sizes), np.int64)
    for level, count in enumerate(wanted):
        mine = np.zeros(len(sizes), np.int64)
        found, times = np.unique(groups.group[groups.level == level], return_counts=True)
        mine[found] = times
        if count and not len(found):
            raise ValueError(
                f"{groups.name}={groups.names[level]!r} has no real row that new ones could be "
                "made of"
            )
        new += _shared_out(int(count), mine)
    return Plan(groups.group, new, seed)


def plan_of_rows(groups: Groups, rows: int, *, seed: int, level: int | None = None) -> Plan:
    """So many new rows in the proportions of the real ones, or all of one level."""
    mine = np.ones(len(groups.group), bool) if level is None else groups.level == level
    sizes = np.bincount(groups.group[mine], minlength=int(groups.group.max()) + 1)
    return Plan(groups.group, _shared_out(rows, sizes), seed)


def _per_level(groups: Groups, amount: Amount) -> np.ndarray:
    """New rows of each level, shape (L,)."""
    counts = groups.counts()
    if amount.per_class is not None:
        return np.full(len(counts), amount.per_class)
    if amount.balance:
        return np.where(counts > 0, counts.max() - counts, 0)
    target = np.full(len(counts), np.nan)
    for name, share in amount.shares.items():
        target[_place(name, groups)] = _checked(name, share, groups)
    return _added(counts, target, groups)


def _added(counts: np.ndarray, target: np.ndarray, groups: Groups) -> np.ndarray:
    """The fewest new rows with which levels have their shares."""
    told = ~np.isnan(target)
    sum_told, rest = float(target[told].sum()), int(counts[~told].sum())
    if sum_told > 1.0 + 1e-9 or (rest and sum_told > 1.0 - 1e-9):
        raise ValueError(
            f"shares.{groups.name}: they sum to {sum_told:g}, and the levels that are not named "
            "need a share above 0" if rest else
            f"shares.{groups.name}: they sum to {sum_told:g}, at most 1 is possible"
        )  # fmt: skip
    if not rest and abs(sum_told - 1.0) > 1e-9:
        raise ValueError(
            f"shares.{groups.name}: all levels are named, so that their shares must sum to 1, not "
            f"{sum_told:g}"
        )
    share = np.where(told, target, counts * ((1.0 - sum_told) / max(rest, 1)))
    impossible = (share == 0) & (counts > 0)
    if impossible.any():
        name = groups.names[int(np.argmax(impossible))]
        raise ValueError(
            f"shares.{groups.name}: {name!r} has real rows, which stay, and cannot have share 0"
        )
    some = share > 0
    total = float((counts[some] / share[some]).max())
    return np.maximum(np.rint(total * share).astype(np.int64) - counts, 0)


def _checked(name: str, share: object, groups: Groups) -> float:
    number = isinstance(share, int | float) and not isinstance(share, bool)
    if not number or not 0.0 <= share <= 1.0:  # type: ignore[operator]
        raise ValueError(f"shares.{groups.name}.{name} must be a share in [0, 1], got {share!r}")
    return float(share)  # type: ignore[arg-type]


def _place(name: str, groups: Groups) -> int:
    low = [level.casefold() for level in groups.names]
    if str(name).casefold() in low:
        return low.index(str(name).casefold())
    near = difflib.get_close_matches(str(name), groups.names, n=1)
    known = ", ".join(map(repr, groups.names[:20]))
    advice = f"did you mean {near[0]!r}?" if near else f"there are {known}"
    raise ValueError(f"shares.{groups.name}: there is no level {name!r}; {advice}")


def _count(ratio: float, rows: int) -> int:
    if not 0.0 < ratio < float("inf"):
        raise ValueError(f"ratio must be a number above 0, got {ratio!r}")
    return max(1, round(ratio * rows))


def _shared_out(total: int, sizes: np.ndarray) -> np.ndarray:
    """`total` rows in the proportions of `sizes`, the largest remainders rounded up."""
    if not total:
        return np.zeros(len(sizes), np.int64)
    exact = total * sizes / sizes.sum()
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return whole
