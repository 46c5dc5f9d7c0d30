"""What a generator can be told, and the vector that says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from genmodels.combinations import Combinations, packed, unpacked

__all__ = ["Condition", "ConditionGroup", "Vectors"]


@dataclass(frozen=True)
class ConditionGroup:
    """One thing that can be told to a generator: one of `levels` categories.

    Args:
        name: block name (tables), "label", or "attributes" for combinations.
        frequencies: share of each level in the training split; sums to 1.
        levels: names for people, one per level; empty for combinations, which name themselves.
        start: dense position of the level 0 in the encoded sample, or None when the condition
            is not part of the sample (class labels).
        code: index into `codes` (the Q axis) of the encoded sample, or None.
        combinations: what each level is made of; None: of itself.
    """

    name: str
    frequencies: tuple[float, ...]
    levels: tuple[str, ...] = ()
    start: int | None = None
    code: int | None = None
    combinations: Combinations | None = None

    @property
    def size(self) -> int:
        """Number of levels."""
        return len(self.frequencies)

    @property
    def width(self) -> int:
        """Length of the vector that tells one."""
        return self.size if self.combinations is None else self.combinations.width

    def state(self) -> dict[str, Any]:
        """Plain JSON."""
        told: dict[str, Any] = {"name": self.name, "frequencies": list(self.frequencies)}
        told |= {"levels": list(self.levels), "start": self.start, "code": self.code}
        if self.combinations is not None:
            told["frequencies"] = packed(self.frequencies)
            told["combinations"] = self.combinations.state()
        return told

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ConditionGroup:
        plain = dict(state) | {"levels": tuple(state["levels"])}
        told = state["frequencies"]
        plain["frequencies"] = tuple(unpacked(told) if isinstance(told, str) else told)
        if "combinations" in plain:
            plain["combinations"] = Combinations.from_state(plain["combinations"])
        return cls(**plain)


@dataclass(frozen=True)
class Condition:
    """What a generator is told: one level of one of G groups, as a vector of width K.

    The vector is the one-hot of the level; with G > 1 exactly one group is "on" per row (CTGAN's
    conditional vector), with G = 1 it is a class label. The level of a group of combinations,
    which is alone, has the vector that they give it. With G = 0 the model is unconditional.
    """

    groups: tuple[ConditionGroup, ...] = field(default=())

    def __post_init__(self) -> None:
        combined = any(group.combinations is not None for group in self.groups)
        assert not combined or len(self.groups) == 1, "combinations hold all that is told"

    @property
    def width(self) -> int:
        """K."""
        return sum(group.width for group in self.groups)

    @property
    def size(self) -> int:
        """Number of positions: levels of all groups, one group after the other."""
        return sum(group.size for group in self.groups)

    @property
    def combinations(self) -> Combinations | None:
        """What the levels of the only group are made of, if they are combinations."""
        return self.groups[0].combinations if self.groups else None

    @property
    def facets(self) -> int:
        """How many things are told at once: their weights add up in what a network reads."""
        return 1 if self.combinations is None else len(self.combinations.facets)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Position of the first level of each group."""
        out, start = [], 0
        for group in self.groups:
            out.append(start)
            start += group.size
        return tuple(out)

    def state(self) -> list[dict[str, Any]]:
        return [group.state() for group in self.groups]

    @classmethod
    def from_state(cls, state: list[dict[str, Any]]) -> Condition:
        return cls(tuple(map(ConditionGroup.from_state, state)))


class Vectors(nn.Module):
    """Positions (B,) of levels -> condition vectors (B, K), on whatever device they are.

    Of L combinations there is a table of 4 L K bytes: 64 MB of 200,000 images with 40 attributes
    that are yes or no, if no two are told the same.
    """

    table: Tensor

    def __init__(self, condition: Condition) -> None:
        super().__init__()
        told = condition.combinations
        self.width, self.one_hot = condition.width, told is None
        table = torch.zeros(0) if told is None else torch.from_numpy(told.features)
        self.register_buffer("table", table, persistent=False)

    def forward(self, position: Tensor) -> Tensor:
        if not self.one_hot:
            return self.table[position]
        c = torch.zeros(len(position), self.width, device=position.device)
        return c.scatter_(1, position[:, None], 1.0)
