"""The groups that sensitive columns make: levels, ranges of numbers, and their intersections.

Who is in which group is decided here; what happens to a group is measured elsewhere.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from genmodels.metrics.tables.views import TableView

__all__ = ["Attribute", "Grouping", "attribute", "groupings"]

DISTINCT = 8
"""A number with at most so many values makes one group of each value."""


@dataclass(frozen=True, eq=False)
class Attribute:
    """One sensitive column and how its values fall into groups.

    Args:
        name: of the column.
        labels: text of each group; number 0 is "missing".
        edges: of a number, ascending: group k holds edges[k - 2] <= x < edges[k - 1]; None for a
            discrete column, whose codes are the groups.
    """

    name: str
    labels: tuple[str, ...]
    edges: np.ndarray | None = None

    def codes(self, view: TableView) -> np.ndarray:
        """Group of each row, 0 = missing; shape (N,), int64."""
        if self.edges is None:
            return view.codes[:, view.discrete.index(self.name)].astype(np.int64)
        values = view.numbers[:, view.numeric.index(self.name)]
        found = np.searchsorted(self.edges, np.nan_to_num(values), side="right") + 1
        return np.where(np.isnan(values), 0, found).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Grouping:
    """The groups of one attribute, or of several crossed; only those that some row is in.

    Args:
        attributes: one, or those that are crossed.
        keys: mixed-radix number of each group, ascending, shape (G,).
        names: of the groups, such as "sex=Female, race=Black".
    """

    attributes: tuple[Attribute, ...]
    keys: np.ndarray
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        return " x ".join(a.name for a in self.attributes)

    def __len__(self) -> int:
        return len(self.keys)

    def codes(self, view: TableView) -> np.ndarray:
        """Group of each row in [0, G), or -1 for a group that no view had; shape (N,)."""
        keys = _keys(self.attributes, view)
        place = np.minimum(np.searchsorted(self.keys, keys), max(0, len(self.keys) - 1))
        return np.where(self.keys[place] == keys, place, -1) if len(self.keys) else keys * 0 - 1

    def counts(self, view: TableView) -> np.ndarray:
        """Rows in each group, shape (G,)."""
        codes = self.codes(view)
        return np.bincount(codes[codes >= 0], minlength=len(self))


def attribute(
    view: TableView, name: str, *, bins: int, edges: Sequence[float] | None = None
) -> Attribute:
    """How the values of one column fall into groups.

    Args:
        view: training rows, whose quantiles are the edges of a number.
        name: of the column.
        bins: groups of a number with more than eight values and without `edges`: 4 = quartiles.
        edges: of a number: where one group ends and the next begins, in its unit (datetimes: in
            seconds since 1970).

    Raises:
        ValueError: when there is no such column, or `edges` do not go with it.
    """
    if name in view.discrete:
        if edges is not None:
            raise ValueError(f"edges for {name!r}: it is no number, its levels are its groups")
        return Attribute(name, ("missing", *view.levels[view.discrete.index(name)]))
    if name not in view.numeric:
        close = difflib.get_close_matches(name, view.names, n=1, cutoff=0.5)
        known = f"did you mean {close[0]!r}?" if close else f"there are {_listed(view.names)}"
        raise ValueError(
            f"sensitive: {name!r} is not a column with groups (identifiers and constants have "
            f"none); {known}"
        )
    values = view.numbers[:, view.numeric.index(name)]
    distinct = np.unique(values[~np.isnan(values)])
    if edges is not None:
        return _ranges(name, np.array(edges, dtype=np.float64), distinct)
    if not len(distinct):
        return Attribute(name, ("missing", "any value"), distinct)
    if len(distinct) <= DISTINCT:
        middle = distinct[:-1] / 2 + distinct[1:] / 2  # halves first: a sum could overflow
        return Attribute(name, ("missing", *(_number(x) for x in distinct)), middle)
    inner = np.quantile(values[~np.isnan(values)], np.arange(1, bins) / bins, method="higher")
    return _ranges(name, np.unique(inner), distinct)


def groupings(
    attributes: Sequence[Attribute], views: Iterable[TableView], *, crossed: int
) -> list[Grouping]:
    """One grouping per attribute, then per pair of attributes, and so on.

    Args:
        attributes: the sensitive columns.
        views: real and synthetic rows: what occurs in none of them is no group.
        crossed: at most so many attributes are crossed; 1: none are.
    """
    views = list(views)
    return [
        _grouping(chosen, views)
        for count in range(1, min(crossed, len(attributes)) + 1)
        for chosen in itertools.combinations(attributes, count)
    ]


def _grouping(attributes: tuple[Attribute, ...], views: Sequence[TableView]) -> Grouping:
    keys = np.unique(np.concatenate([_keys(attributes, view) for view in views]))
    return Grouping(attributes, keys, tuple(_name(attributes, int(key)) for key in keys))


def _keys(attributes: tuple[Attribute, ...], view: TableView) -> np.ndarray:
    total = np.zeros(len(view), dtype=np.int64)
    for a in attributes:
        total = total * len(a.labels) + a.codes(view)
    return total


def _name(attributes: tuple[Attribute, ...], key: int) -> str:
    texts = []
    for a in reversed(attributes):
        key, code = divmod(key, len(a.labels))
        texts.append(_label(a, code))
    return ", ".join(reversed(texts))


def _label(a: Attribute, code: int) -> str:
    text = a.labels[code]
    if code == 0:
        return f"{a.name} {text}"
    return f"{a.name}{text}" if a.edges is not None and text[:1] in "<>" else f"{a.name}={text}"


def _ranges(name: str, edges: np.ndarray, distinct: np.ndarray) -> Attribute:
    if not len(edges) or not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
        raise ValueError(f"edges for {name!r} must be ascending numbers, got {edges.tolist()}")
    marks = [_number(x) for x in edges]
    inner = [f"{low} to <{high}" for low, high in itertools.pairwise(marks)]
    if len(distinct) and (distinct == np.rint(distinct)).all() and abs(distinct).max() < 1e9:
        whole = [(int(np.ceil(a)), int(np.ceil(b)) - 1) for a, b in itertools.pairwise(edges)]
        inner = [f"{a} to {b}" if a < b else f"{a}" for a, b in whole]
    return Attribute(name, ("missing", f"<{marks[0]}", *inner, f">={marks[-1]}"), edges)


def _number(x: float) -> str:
    return f"{x:.0f}" if float(x).is_integer() and abs(x) < 1e15 else f"{x:.4g}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:20])) + (", ..." if len(names) > 20 else "")
