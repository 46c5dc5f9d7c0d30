"""Which condition each sampled row gets; how a model uses it is the model's business."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from genmodels.combinations import LABEL, Combinations
from genmodels.layout import Condition, ConditionGroup
from genmodels.sampling.control.shares import check_share, completed

__all__ = ["Conditions"]


class Conditions:
    """Draws one level of one group per row.

    "empirical": a group at random, then a level by its training frequency. "balanced": a group
    at random, then any level seen in training with equal probability. "each": of the only group,
    each level seen in training in turn, row i level i mod L, so that they come equally often; of
    combinations each class in turn, with what comes with it.
    `{name: level}`: that level always. `{name: {level: share}}`: so often, other levels in their
    proportions. Of all but the first, `impose` makes the encoded rows say what they were told.

    Args:
        condition: what the model can be told.
        rule: "empirical", "balanced", "each", or a mapping with one entry.

    Raises:
        ValueError: when the model cannot be told that.
    """

    def __init__(self, *, condition: Condition, rule: str | Mapping[str, Any]) -> None:
        self.condition = condition
        self.imposed = not (rule == "empirical" or rule == {})
        if isinstance(rule, Mapping) and rule:
            self._probabilities = self._fixed(rule)
        elif rule == "empirical" or rule == {}:
            self._probabilities = _weights([g.frequencies for g in condition.groups])
        elif rule == "balanced":
            if not condition.groups:
                raise ValueError(_cannot("condition=balanced", condition))
            self._probabilities = _even(condition)
        elif rule == "each":
            told = condition.combinations
            if len(condition.groups) != 1 or (told is not None and told.find(LABEL) < 0):
                raise ValueError(_cannot("condition=each", condition))
            self._probabilities = _even(condition)
        else:
            raise ValueError(
                f"condition must be empirical, balanced or condition.<name>=<level>, got {rule!r}"
            )
        self._cumulative = np.cumsum(self._probabilities)
        self._turns = np.flatnonzero(self._probabilities) if rule == "each" else None
        self._by_class = None
        if rule == "each" and condition.combinations is not None:
            self._by_class = _ByClass(condition.groups[0], condition.combinations)

    @property
    def probabilities(self) -> np.ndarray:
        """Probability of the position of each level, one group after the other."""
        return self._probabilities

    def draw(self, rng: np.random.Generator, rows: int, start: int = 0) -> np.ndarray:
        """Position of the level that each row is told, int64 (rows,); there is a group.

        Args:
            rng: not used where levels come in turn.
            rows: how many.
            start: number of the first of them.
        """
        if self._by_class is not None:
            return self._by_class.draw(rng, rows, start)
        if self._turns is not None:
            return self._turns[(start + np.arange(rows)) % len(self._turns)]
        uniform = rng.random(rows) * self._cumulative[-1]
        index = np.searchsorted(self._cumulative, uniform, side="right")
        return np.minimum(index, np.flatnonzero(self._probabilities)[-1])

    def impose(self, codes: Tensor, index: np.ndarray) -> None:
        """Write the level that each row was told over the one that was made, in place.

        Nothing happens with "empirical", which asks for nothing.

        Args:
            codes: of the encoded rows, on the host, shape (N, Q).
            index: what `draw` gave, shape (N,).
        """
        groups = self.condition.groups if self.imposed else ()
        for group, offset in zip(groups, self.condition.offsets, strict=False):
            rows = np.flatnonzero((index >= offset) & (index < offset + group.size))
            if group.code is not None and len(rows):
                codes.numpy()[rows, group.code] = index[rows] - offset

    def _fixed(self, rule: Mapping[str, Any]) -> np.ndarray:
        if len(rule) > 1:
            names = ", ".join(map(repr, rule))
            raise ValueError(f"a model can be told one thing at a time, got condition on {names}")
        name, level = next(iter(rule.items()))
        place = _find_group(self.condition, str(name))
        group, offset = self.condition.groups[place], self.condition.offsets[place]
        probabilities = np.zeros(self.condition.size)
        if isinstance(level, Mapping):
            probabilities[offset : offset + group.size] = _shares(group, level)
        else:
            probabilities[offset + _find_level(group, level)] = 1.0
        return probabilities


class _ByClass:
    """Each class in turn, and a combination that has it, by frequency."""

    def __init__(self, group: ConditionGroup, told: Combinations) -> None:
        labels = told.values[:, told.find(LABEL)]
        self.order = np.argsort(labels, kind="stable")
        self.upto = np.cumsum(np.array(group.frequencies)[self.order])
        last = np.flatnonzero(np.diff(labels[self.order], append=np.inf))
        self.ends, self.last = self.upto[last], last
        self.starts = np.concatenate([[0.0], self.ends[:-1]])

    def draw(self, rng: np.random.Generator, rows: int, start: int) -> np.ndarray:
        turn = (start + np.arange(rows)) % len(self.last)
        low, high = self.starts[turn], self.ends[turn]
        found = np.searchsorted(self.upto, low + rng.random(rows) * (high - low), side="right")
        return self.order[np.minimum(found, self.last[turn])]


def _shares(group: ConditionGroup, asked: Mapping[Any, Any]) -> np.ndarray:
    """Probabilities of the levels of a group, some of which are asked for."""
    key = f"shares.{group.name}"
    target = np.full(group.size, np.nan)
    for level, share in asked.items():
        target[_find_level(group, level, key=key)] = check_share(f"{key}.{level}", share)
    return completed(target, np.array(group.frequencies, dtype=np.float64), key)


def _even(condition: Condition) -> np.ndarray:
    return _weights([[float(f > 0) for f in group.frequencies] for group in condition.groups])


def _weights(per_group: list[Any]) -> np.ndarray:
    parts = [np.asarray(w, dtype=np.float64) for w in per_group]
    return np.concatenate([w / w.sum() / len(parts) for w in parts]) if parts else np.zeros(0)


def _find_group(condition: Condition, name: str) -> int:
    names = [group.name for group in condition.groups]
    if name in names:
        return names.index(name)
    parts = [i for i, full in enumerate(names) if full.rsplit(".", 1)[0] == name]
    if len(parts) == 1:
        return parts[0]
    raise ValueError(_cannot(f"condition.{name}", condition))


def _find_level(group: ConditionGroup, level: Any, *, key: str = "") -> int:
    levels = group.levels or tuple(map(str, range(group.size)))
    if str(level) in levels:
        return levels.index(str(level))
    shown = ", ".join(levels[:20]) + (", ..." if len(levels) > 20 else "")
    told = f"{key}.{level}" if key else f"condition.{group.name}={level}"
    raise ValueError(f"{told}: no such level; known are {shown}")


def _cannot(what: str, condition: Condition) -> str:
    if not condition.groups:
        return f"{what}: this run was trained without a condition, so it cannot be told anything"
    told = condition.combinations
    names = [part.name for part in (condition.groups if told is None else told.facets)]
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return f"{what}: this run can be told {shown}"
