"""What is predicted or decided about people in a bias audit: a positive level, or a number."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np

from genmodels.metrics.tables.views import TableView

__all__ = ["Outcome", "find_outcome"]


@dataclass(frozen=True)
class Outcome:
    """The target of an audit as one number per row.

    Args:
        target: column name.
        positive: text of the level that counts as 1; None for a number.
        code: of that level in a discrete column.
        above: a numeric column with two values is 1 above this,
        flipped: or below it.
    """

    target: str
    positive: str | None
    code: int | None = None
    above: float | None = None
    flipped: bool = False

    @property
    def share(self) -> bool:
        """Whether the outcome is yes or no."""
        return self.positive is not None

    @property
    def label(self) -> str:
        return self.target if self.positive is None else f"{self.target} = {self.positive}"

    def __call__(self, view: TableView) -> np.ndarray:
        """1 or 0, or the number itself; NaN = missing; shape (N,)."""
        if self.code is not None:
            codes = view.codes[:, view.discrete.index(self.target)]
            return np.where(codes == 0, np.nan, (codes == self.code).astype(np.float64))
        values = view.numbers[:, view.numeric.index(self.target)]
        if self.above is None:
            return values
        high = (values > self.above) != self.flipped
        return np.where(np.isnan(values), np.nan, high.astype(np.float64))


def find_outcome(view: TableView, target: str, positive: str | None) -> Outcome:
    """What counts as a positive outcome, decided from training rows.

    Args:
        view: training rows.
        target: column name.
        positive: text of the level that counts as 1; None: the rarer one of two, or the number
            itself.

    Raises:
        ValueError: when the column is not there, has a single value, has more than two levels
            and none was named, or the named level does not occur.
    """
    if target in view.numeric:
        return _of_numbers(view.numbers[:, view.numeric.index(target)], target, positive)
    if target not in view.discrete:
        near = difflib.get_close_matches(target, view.names, n=1, cutoff=0.5)
        known = f"did you mean {near[0]!r}?" if near else f"there are {_listed(list(view.names))}"
        raise ValueError(f"target={target!r} is not a column to audit; {known}")
    q = view.discrete.index(target)
    counts = np.bincount(view.codes[:, q], minlength=len(view.levels[q]) + 1)
    counts[0] = 0
    present = np.flatnonzero(counts)
    levels = [view.levels[q][k - 1] for k in present]
    if len(present) < 2:
        raise ValueError(_single(target))
    if positive is None:
        if len(present) > 2:
            raise ValueError(
                f"target {target!r} has {len(present)} levels; say which one counts as the "
                f"positive outcome with positive=<level>: {_listed(levels)}"
            )
        rarer = int(present[np.argmin(counts[present])])
        return Outcome(target, view.levels[q][rarer - 1], code=rarer)
    _check_level(positive, levels, target)
    return Outcome(target, positive, code=int(present[levels.index(positive)]))


def _of_numbers(values: np.ndarray, target: str, positive: str | None) -> Outcome:
    distinct, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    if len(distinct) < 2:
        raise ValueError(_single(target))
    if len(distinct) > 2:
        if positive is not None:
            raise ValueError(
                f"positive={positive}: target {target!r} is a number with many values; leave "
                "positive out, and the mean errors of the groups are compared"
            )
        return Outcome(target, None)
    texts = [f"{x:g}" for x in distinct]
    chosen = texts[int(np.argmin(counts))] if positive is None else positive
    _check_level(chosen, texts, target)
    middle = float(distinct[0] / 2 + distinct[1] / 2)
    return Outcome(target, chosen, above=middle, flipped=chosen == texts[0])


def _check_level(positive: str, levels: list[str], target: str) -> None:
    if positive not in levels:
        raise ValueError(
            f"positive={positive}: training rows have no such level of {target!r}; there are "
            f"{_listed(levels)}"
        )


def _single(target: str) -> str:
    return (
        f"target {target!r} has a single value in the training rows, so groups cannot differ in "
        "it; name another target"
    )


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:20])) + (", ..." if len(names) > 20 else "")
