"""Which condition each sampled row gets; how a model uses it is the model's business."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from genmodels.layout import Condition, ConditionGroup

__all__ = ["Conditions"]


class Conditions:
    """Draws one level of one group per row.

    "empirical": a group at random, then a level by its training frequency. "balanced": a group
    at random, then any level seen in training with equal probability. `{name: level}`: that
    level always. Of the last two, `impose` makes the encoded rows say what they were told.

    Args:
        condition: what the model can be told.
        rule: "empirical", "balanced", or a mapping with one entry.

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
            seen = [[float(f > 0) for f in g.frequencies] for g in condition.groups]
            self._probabilities = _weights(seen)
        else:
            raise ValueError(
                f"condition must be empirical, balanced or condition.<name>=<level>, got {rule!r}"
            )
        self._cumulative = np.cumsum(self._probabilities)

    @property
    def probabilities(self) -> np.ndarray:
        """Probability of each of the K positions of the condition vector."""
        return self._probabilities

    def draw(self, rng: np.random.Generator, rows: int) -> np.ndarray:
        """Positions of the 1 in each row's condition vector, int64 (rows,); K > 0."""
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
        group = _find_group(self.condition, str(name))
        index = _find_level(self.condition.groups[group], level)
        probabilities = np.zeros(self.condition.width)
        probabilities[self.condition.offsets[group] + index] = 1.0
        return probabilities


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


def _find_level(group: ConditionGroup, level: Any) -> int:
    levels = group.levels or tuple(map(str, range(group.size)))
    if str(level) in levels:
        return levels.index(str(level))
    shown = ", ".join(levels[:20]) + (", ..." if len(levels) > 20 else "")
    raise ValueError(f"condition.{group.name}={level}: no such level; known are {shown}")


def _cannot(what: str, condition: Condition) -> str:
    if not condition.groups:
        return f"{what}: this run was trained without a condition, so it cannot be told anything"
    names = [group.name for group in condition.groups]
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return f"{what}: this run can be told {shown}"
