"""The kinds of rules that rows can break: order, function, sum, multiple, missing together.

Columns are counted as in `TableView.names`. How rules are found is in `rules.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, final

import numpy as np

from genmodels.metrics.tables.views import TableView

__all__ = ["Determines", "Multiple", "Order", "Rule", "Sum", "Together", "column_values"]

RELATIVE = 1e-6


class Rule(Protocol):
    """Something that is true of each row by itself."""

    @property
    def text(self) -> str:
        """The rule in one line."""

    def judge(self, view: TableView) -> tuple[np.ndarray, np.ndarray]:
        """Which rows the rule speaks of, and which of those break it; bool, shape (N,) each."""


def column_values(view: TableView, column: int) -> np.ndarray:
    """Numbers, or codes as numbers; NaN = missing; float64, shape (N,)."""
    if column < len(view.numeric):
        return view.numbers[:, column]
    codes = view.codes[:, column - len(view.numeric)]
    return np.where(codes == 0, np.nan, codes)


@final
@dataclass(frozen=True)
class Order:
    """low <= high."""

    text: str
    low: int
    high: int

    def judge(self, view: TableView) -> tuple[np.ndarray, np.ndarray]:
        a, b = view.numbers[:, self.low], view.numbers[:, self.high]
        return ~np.isnan(a) & ~np.isnan(b), a > b


@final
@dataclass(frozen=True)
class Sum:
    """first + second = total, to a relative 1e-6 and `slack`, the rounding of the source."""

    text: str
    first: int
    second: int
    total: int
    slack: float

    def judge(self, view: TableView) -> tuple[np.ndarray, np.ndarray]:
        a, b, c = (view.numbers[:, k] for k in (self.first, self.second, self.total))
        with np.errstate(over="ignore", invalid="ignore"):
            fits = np.abs(a + b - c) <= self.slack + RELATIVE * (np.abs(a) + np.abs(b) + np.abs(c))
        present = ~np.isnan(a) & ~np.isnan(b) & ~np.isnan(c)
        return present, present & ~fits


@final
@dataclass(frozen=True)
class Multiple:
    """other = factor x base, to a relative 1e-6 and `slack`, the rounding of the source."""

    text: str
    base: int
    other: int
    factor: float
    slack: float

    def judge(self, view: TableView) -> tuple[np.ndarray, np.ndarray]:
        a, b = view.numbers[:, self.base], view.numbers[:, self.other]
        with np.errstate(over="ignore", invalid="ignore"):
            fits = np.abs(self.factor * a - b) <= self.slack + RELATIVE * np.abs(b)
        present = ~np.isnan(a) & ~np.isnan(b)
        return present, present & ~fits


@final
@dataclass(frozen=True, eq=False)
class Determines:
    """Each known value of `source` goes with one value of `target`.

    Args:
        keys: values of `source`, increasing, shape (K,).
        values: the value of `target` that goes with each, shape (K,).
    """

    text: str
    source: int
    target: int
    keys: np.ndarray
    values: np.ndarray

    def judge(self, view: TableView) -> tuple[np.ndarray, np.ndarray]:
        x, y = column_values(view, self.source), column_values(view, self.target)
        at = np.minimum(np.searchsorted(self.keys, x), len(self.keys) - 1)
        known = (self.keys[at] == x) & ~np.isnan(y)
        return known, known & (self.values[at] != y)


@final
@dataclass(frozen=True)
class Together:
    """All of `columns` are missing, or none of them."""

    text: str
    columns: tuple[int, ...]

    def judge(self, view: TableView) -> tuple[np.ndarray, np.ndarray]:
        absent = np.array([np.isnan(column_values(view, c)) for c in self.columns])
        count = absent.sum(0)
        return np.ones(len(view), bool), (count > 0) & (count < len(self.columns))
