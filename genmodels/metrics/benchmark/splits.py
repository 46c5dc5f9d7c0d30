"""Repeated splits of real rows into training and test rows that no row, group or time crosses.

Every row has a fingerprint. Equal rows stay on one side; where a group or time split forces them
apart, the training side gives them up.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

__all__ = [
    "RealSplit",
    "group_splits",
    "nested_order",
    "random_splits",
    "time_splits",
]

FEWEST = 3
"""So many rows of each class come first when only some rows are used."""


@dataclass(frozen=True, eq=False)
class RealSplit:
    """Which rows are learnt from and which test.

    Args:
        number: of the repeat, from 0.
        train, test: row numbers, ascending.
    """

    number: int
    train: np.ndarray
    test: np.ndarray

    @property
    def ratio(self) -> float:
        return len(self.test) / len(self.train)

    def proof(self, prints: np.ndarray) -> tuple[int, int, int, str, str]:
        """Number from 1, rows of either side, a hash over the sorted fingerprints of either."""
        sides = (self.train, self.test)
        ordered = (np.sort(prints[rows]).astype("<u8").tobytes() for rows in sides)
        first, second = (hashlib.sha256(part).hexdigest() for part in ordered)
        return self.number + 1, len(self.train), len(self.test), first, second


def random_splits(
    prints: np.ndarray, classes: np.ndarray | None, *, repeats: int, share: float, seed: int
) -> list[RealSplit]:
    """Independent random splits; each class and each set of equal rows is split as a whole.

    Args:
        prints: of the rows, uint64 (N,).
        classes: to stratify by, integers (N,), or None.
        repeats: number of splits.
        share: of the rows to test on, in (0, 1).
        seed: of all draws.
    """
    _, groups = np.unique(prints, return_inverse=True)
    strata = np.zeros(len(prints), np.int64) if classes is None else classes
    return [_grouped(groups, strata, share, [seed, 41, r], r, prints) for r in range(repeats)]


def group_splits(
    groups: np.ndarray, prints: np.ndarray, *, repeats: int, share: float, seed: int
) -> list[RealSplit]:
    """Independent random splits that keep the rows of a group together; groups are codes (N,)."""
    if len(np.unique(groups)) < 4:
        raise ValueError(
            f"split_by needs at least 4 groups, found {len(np.unique(groups))}; leave it out for "
            "splits at random"
        )
    strata = np.zeros(len(groups), np.int64)
    return [_grouped(groups, strata, share, [seed, 42, r], r, prints) for r in range(repeats)]


def time_splits(
    times: np.ndarray, prints: np.ndarray, *, repeats: int, share: float
) -> list[RealSplit]:
    """Train on what came before, test on the `share` of the rows that follow.

    The cuts lie evenly between the middle and 1 - share. Rows of one time are on one side.

    Args:
        times: numbers (N,), none missing.
    """
    if np.isnan(times).any():
        raise ValueError("time must be known in every row; some rows have none")
    order = np.sort(times)
    last = max(0.5, 1 - share)
    starts = np.linspace(min(0.5, last), last, repeats)
    out = []
    for number, start in enumerate(starts):
        first = min(len(order) - 1, round(start * len(order)))
        end = min(len(order), first + max(1, round(share * len(order))))
        train = np.flatnonzero(times < order[first])
        test = np.flatnonzero((times >= order[first]) & (times <= order[end - 1]))
        out.append(_without_shared(number, train, test, prints))
    return out


def nested_order(classes: np.ndarray | None, rows: int, seed: list[int]) -> np.ndarray:
    """A random order whose every beginning has the classes in about their shares.

    The first rows hold at least three of each class, so that each can be learnt at all.

    Args:
        classes: integers (N,), or None.
        rows: N.
        seed: of the order.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(rows)
    if classes is None:
        return order
    place = np.empty(rows)
    for level in np.unique(classes):
        mine = order[classes[order] == level]
        place[mine] = (np.arange(len(mine)) + rng.random()) / len(mine)
        place[mine[:FEWEST]] = -1.0
    return order[np.argsort(place[order], kind="stable")]


def _grouped(
    groups: np.ndarray,
    strata: np.ndarray,
    share: float,
    seed: list[int],
    number: int,
    prints: np.ndarray,
) -> RealSplit:
    """Whole groups go to the test side until it has its share of each stratum."""
    rng = np.random.default_rng(seed)
    tested = np.zeros(int(groups.max()) + 1, bool)
    for level in np.unique(strata):
        mine = groups[strata == level]
        sizes = np.bincount(mine, minlength=len(tested))
        wanted, taken = max(1, round(share * len(mine))), 0
        for group in rng.permutation(np.unique(mine)):
            if taken + sizes[group] <= wanted:
                tested[group] = True
                taken += int(sizes[group])
            if taken >= wanted:
                break
    side = tested[groups]
    if side.sum() < 0.5 * share * len(side) or not side.any():
        raise ValueError(
            f"rows that belong together (equal rows, or one value of split_by) are so many that "
            f"only {side.sum()} of {len(side)} can be set apart to test on; choose other groups, "
            "or add what tells equal rows apart to the data"
        )
    return _without_shared(number, np.flatnonzero(~side), np.flatnonzero(side), prints)


def _without_shared(
    number: int, train: np.ndarray, test: np.ndarray, prints: np.ndarray
) -> RealSplit:
    """Training rows that equal a test row are left out: the generator must not see them."""
    kept = train[~np.isin(prints[train], prints[test])]
    if not len(kept) or not len(test):
        raise ValueError(
            f"a split left {len(kept)} rows to learn from and {len(test)} to test on; change "
            "test_share, or leave out split_by or time"
        )
    assert not np.isin(prints[kept], prints[test]).any()
    return RealSplit(number, kept, test)
