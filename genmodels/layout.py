"""What an encoded sample is made of: the only fact about the data that a network may know.

A `TableLayout` is a sequence of blocks; each block knows its slice of the dense vector, so no
other file walks offsets. `Groups` evaluates softmax-like operations over all categorical
blocks at once: blocks of similar width share one padded view, so the cost does not grow with
the number of columns. `Condition` says what a generator can be told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor, nn

from genmodels.types import Encoded

__all__ = ["Block", "Condition", "ConditionGroup", "Groups", "ImageLayout", "Layout", "TableLayout"]


@dataclass(frozen=True)
class Block:
    """A run of dense positions with one meaning.

    Args:
        name: unique, "<column>" or "<column>.<part>".
        kind: "continuous" (width scalars, each in about [-1, 1]) or "categorical" (a one-hot
            of `width` levels).
        width: number of dense positions, at least 1.
    """

    name: str
    kind: Literal["continuous", "categorical"]
    width: int

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"block {self.name!r} has width {self.width}; at least 1 is needed")


@dataclass(frozen=True)
class TableLayout:
    """Blocks side by side; D = total width, F = continuous scalars, Q = categorical blocks."""

    blocks: tuple[Block, ...]

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each block lies in the dense vector, by block name."""
        out, start = {}, 0
        for block in self.blocks:
            out[block.name] = slice(start, start + block.width)
            start += block.width
        return out

    @property
    def width(self) -> int:
        return sum(block.width for block in self.blocks)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.width,)

    @cached_property
    def continuous(self) -> tuple[int, ...]:
        """Dense positions of the F continuous scalars, in the order of `values`."""
        return tuple(
            i
            for block in self.blocks
            if block.kind == "continuous"
            for i in range(self.slices[block.name].start, self.slices[block.name].stop)
        )

    @cached_property
    def categorical(self) -> tuple[Block, ...]:
        """The Q categorical blocks, in the order of `codes`."""
        return tuple(block for block in self.blocks if block.kind == "categorical")

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Dense start of each categorical block, in the order of `codes`."""
        return tuple(self.slices[block.name].start for block in self.categorical)

    def state(self) -> dict[str, Any]:
        return {"blocks": [[b.name, b.kind, b.width] for b in self.blocks]}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> TableLayout:
        return cls(tuple(Block(name, kind, width) for name, kind, width in state["blocks"]))


@dataclass(frozen=True)
class ImageLayout:
    """Images of `channels` x `height` x `width`, dense values in [-1, 1]."""

    channels: int
    height: int
    width: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels, self.height, self.width)

    def state(self) -> dict[str, Any]:
        return {"channels": self.channels, "height": self.height, "width": self.width}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> ImageLayout:
        return cls(**state)


Layout = TableLayout | ImageLayout


class Expand(nn.Module):
    """Encoded rows -> dense rows, on whatever device the buffers are.

    Tables: `values` (B, F) and `codes` (B, Q) -> (B, D) with one-hots written by one scatter.
    Images: `pixels` (B, C, H, W) uint8 -> float in [-1, 1].
    """

    continuous: Tensor
    offsets: Tensor

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        table = isinstance(layout, TableLayout)
        continuous = layout.continuous if isinstance(layout, TableLayout) else ()
        offsets = layout.offsets if isinstance(layout, TableLayout) else ()
        self.table = table
        self.register_buffer("continuous", torch.tensor(continuous, dtype=torch.long), False)
        self.register_buffer("offsets", torch.tensor(offsets, dtype=torch.long), False)

    def forward(self, encoded: Encoded) -> Tensor:
        if not self.table:
            return encoded["pixels"].float().div(127.5).sub(1.0)
        values, codes = encoded["values"], encoded["codes"]
        dense = values.new_zeros(len(values), *self.layout.shape)
        dense.scatter_(1, codes.long() + self.offsets, 1.0)
        return dense.index_copy(1, self.continuous, values)


class Groups(nn.Module):
    """Softmax-like operations over all categorical blocks of a `TableLayout` at once.

    Blocks are bucketed by the next power of two of their width; each bucket is one padded
    gather, one operation over its last dimension and one write back. The number of buckets is
    at most log2 of the widest block, whatever the number of columns.
    """

    def __init__(self, layout: TableLayout) -> None:
        super().__init__()
        buckets: dict[int, list[int]] = {}
        for q, block in enumerate(layout.categorical):
            buckets.setdefault(max(1, math.ceil(math.log2(max(block.width, 2)))), []).append(q)
        self.num_buckets = len(buckets)
        for b, members in enumerate(buckets.values()):
            widest = max(layout.categorical[q].width for q in members)
            index = torch.zeros(len(members), widest, dtype=torch.long)
            valid = torch.zeros(len(members), widest, dtype=torch.bool)
            for m, q in enumerate(members):
                width = layout.categorical[q].width
                index[m, :width] = torch.arange(width) + layout.offsets[q]
                valid[m, :width] = True
            self.register_buffer(f"index{b}", index, False)
            self.register_buffer(f"valid{b}", valid, False)
            self.register_buffer(f"members{b}", torch.tensor(members), False)

    def buckets(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Per bucket: dense positions (M, W), their validity (M, W), block numbers (M,)."""
        return [
            (getattr(self, f"index{b}"), getattr(self, f"valid{b}"), getattr(self, f"members{b}"))
            for b in range(self.num_buckets)
        ]

    def padded(self, outputs: Tensor, index: Tensor, valid: Tensor) -> Tensor:
        """Logits of one bucket: (B, D) -> (B, M, W), padding filled with -inf."""
        return outputs[:, index].masked_fill(~valid, -torch.inf)


@dataclass(frozen=True)
class ConditionGroup:
    """One thing that can be told to a generator: one of `levels` categories.

    Args:
        name: block name (tables) or "label".
        frequencies: share of each level in the training split; sums to 1.
        levels: names for people, one per level.
        start: dense position of the level 0 in the encoded sample, or None when the condition
            is not part of the sample (class labels).
        code: index into `codes` (the Q axis) of the encoded sample, or None.
    """

    name: str
    frequencies: tuple[float, ...]
    levels: tuple[str, ...] = ()
    start: int | None = None
    code: int | None = None

    @property
    def size(self) -> int:
        return len(self.frequencies)


@dataclass(frozen=True)
class Condition:
    """What a generator is told: one level of one of G groups, as a one-hot of width K.

    With G > 1 exactly one group is "on" per row (CTGAN's conditional vector); with G = 1 it is
    a class label; with G = 0 the model is unconditional.
    """

    groups: tuple[ConditionGroup, ...] = field(default=())

    @property
    def width(self) -> int:
        return sum(group.size for group in self.groups)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Start of each group in the condition vector."""
        out, start = [], 0
        for group in self.groups:
            out.append(start)
            start += group.size
        return tuple(out)

    def state(self) -> list[dict[str, Any]]:
        return [
            {
                "name": g.name,
                "frequencies": list(g.frequencies),
                "levels": list(g.levels),
                "start": g.start,
                "code": g.code,
            }
            for g in self.groups
        ]

    @classmethod
    def from_state(cls, state: list[dict[str, Any]]) -> Condition:
        return cls(
            tuple(
                ConditionGroup(
                    s["name"], tuple(s["frequencies"]), tuple(s["levels"]), s["start"], s["code"]
                )
                for s in state
            )
        )
