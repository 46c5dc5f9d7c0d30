"""Which combinations of class and attributes are drawn, where some of them are asked for.

Asking makes another list of combinations with other frequencies, from which conditions are then
drawn as they are from that of training. What a model is told follows from the combination, so one
that never occurred can be told, too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from genmodels.combinations import Combinations, Facet
from genmodels.layout import Condition, ConditionGroup
from genmodels.sampling.control.shares import check_share, completed
from genmodels.sampling.control.wishes import near

__all__ = ["asked_values", "shared_out"]

log = logging.getLogger(__name__)
VICINITY, LEAST = 0.05, 10
"""Of the rows that suit, those with the nearest numbers fill in the rest: this share of them, and
about so many at least."""


def asked_values(condition: Condition, wishes: Mapping[str, Any]) -> Condition:
    """Every row has the values that are asked for; the others are as they come with them.

    Levels that are not asked for keep the frequencies that they have in training beside those
    asked for, and beside numbers near to those asked for. Where no training row has all of the
    levels together, they are taken from rows that have most of them, and a warning says so.

    Args:
        condition: of combinations.
        wishes: by name of a facet, a level or a number.

    Raises:
        ValueError: for an unknown name, level or number out of range.
    """
    group, known = _parts(condition)
    told = {}
    for name, wish in wishes.items():
        place = _place(known, str(name), f"condition.{name}")
        told[place] = known.facets[place].parse(wish, f"condition.{name}")
    weights = np.array(group.frequencies)
    levels = [i for i in told if known.facets[i].levels]
    hits = sum((known.values[:, i] == told[i]).astype(int) for i in levels)
    rows = np.flatnonzero(hits == np.max(hits)) if levels else np.arange(len(known))
    numbers = [i for i in told if i not in levels]
    if np.max(hits) < len(levels) or _beyond(known.values, rows, told, numbers):
        shown = ", ".join(known.facets[i].show(value) for i, value in told.items())
        log.warning("no training row has %s together: it is told, but was not learnt", shown)
    rows = _nearest(known, weights, rows, told, numbers)
    values = known.values[rows].copy()
    values[:, list(told)] = list(told.values())
    distinct, codes = np.unique(values, axis=0, return_inverse=True)
    shares = np.bincount(codes.reshape(-1), weights[rows])
    return _condition(group, Combinations(known.facets, distinct), shares)


def shared_out(
    condition: Condition, name: str, wanted: Mapping[Any, Any] | None, key: str
) -> Condition:
    """The levels of one facet as frequent as asked for; the rest as it comes with each.

    Args:
        condition: of combinations.
        name: of the facet.
        wanted: shares by level, others keep their proportions; None: all that occur equally.
        key: the setting, for messages.

    Raises:
        ValueError: for an unknown name or level, a number, or shares that cannot be.
    """
    group, known = _parts(condition)
    facet = known.facets[place := _place(known, name, key)]
    if not facet.levels:
        raise ValueError(
            f"{key}: {name} is a number and has no levels to be shared out; ask for one value with "
            f"condition.{name}=<number>"
        )
    weights = np.array(group.frequencies)
    own = known.values[:, place].astype(np.int64)
    before = np.bincount(own, weights, minlength=facet.width)
    target = np.where(before > 0, 1.0 / np.count_nonzero(before), 0.0)
    if wanted is not None:
        target = completed(_targets(facet, wanted, key), before, key)
    unseen = np.flatnonzero((target > 0) & (before == 0))
    if len(unseen):
        raise ValueError(f"{key}: no training row has {facet.show(float(unseen[0]))}")
    factors = np.divide(target, before, out=np.zeros_like(target), where=before > 0)
    return _condition(group, known, weights * factors[own])


def _targets(facet: Facet, wanted: Mapping[Any, Any], key: str) -> np.ndarray:
    target = np.full(facet.width, np.nan)
    for level, share in wanted.items():
        target[int(facet.parse(level, key))] = check_share(f"{key}.{level}", share)
    return target


def _beyond(
    values: np.ndarray, rows: np.ndarray, told: Mapping[int, float], numbers: list[int]
) -> bool:
    """Whether a number asked for lies outside of those that come with the levels, in some rows.

    What is kept of training is rounded: beyond its ends a number is as usual as the ends.
    """
    for i in numbers:
        wish = np.clip(told[i], values[:, i].min(), values[:, i].max())
        if not values[rows, i].min() <= wish <= values[rows, i].max():
            return True
    return False


def _nearest(
    known: Combinations,
    weights: np.ndarray,
    rows: np.ndarray,
    told: Mapping[int, float],
    numbers: list[int],
) -> np.ndarray:
    """Those of the rows whose numbers are nearest, in ranks, until they are common enough."""
    if not numbers:
        return rows
    distance = np.zeros(len(rows))
    for i in numbers:
        order = np.argsort(known.values[:, i], kind="stable")
        upto = np.cumsum(weights[order])
        ranks = np.interp([told[i], *known.values[rows, i]], known.values[order, i], upto)
        distance = np.maximum(distance, np.abs(ranks[1:] - ranks[0]))
    order = np.argsort(distance, kind="stable")
    held, total = np.cumsum(weights[rows][order]), weights[rows].sum()
    # The rarest combination is one row, or few.
    enough = held >= min(total * (1.0 - 1e-9), max(VICINITY * total, LEAST * weights.min()))
    return rows[distance <= distance[order][int(enough.argmax())]]


def _parts(condition: Condition) -> tuple[ConditionGroup, Combinations]:
    known = condition.combinations
    assert known is not None, "only combinations can be asked for in part"
    return condition.groups[0], known


def _place(known: Combinations, name: str, key: str) -> int:
    place = known.find(name)
    if place < 0:
        names = [facet.name for facet in known.facets]
        raise ValueError(f"{key}: this run is told nothing of that name{near(name, names)}")
    return place


def _condition(group: ConditionGroup, told: Combinations, weights: np.ndarray) -> Condition:
    kept = np.flatnonzero(weights > 0)
    shares = tuple((weights[kept] / weights[kept].sum()).tolist())
    told = Combinations(told.facets, told.values[kept])
    return Condition((replace(group, frequencies=shares, combinations=told),))
