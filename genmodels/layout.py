"""What an encoded sample is made of: the only fact about the data that a network may know.

A `TableLayout` is a sequence of blocks; each block knows its slice of the dense vector, so no
other file walks offsets. `Groups` evaluates softmax-like operations over all categorical
blocks at once. What a generator can be told is in `condition.py`, for which this is the door.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from genmodels.condition import Condition, ConditionGroup, Vectors
from genmodels.inversion import invert_rows, search
from genmodels.types import Encoded

__all__ = ["Block", "Condition", "ConditionGroup", "Expand", "Groups", "ImageLayout"]
__all__ += ["Layout", "TableLayout", "Vectors"]


@dataclass(frozen=True)
class Block:
    """A run of dense positions with one meaning.

    Args:
        name: unique, "<column>" or "<column>.<part>".
        kind: "continuous" (width scalars, each in about [-1, 1]) or "categorical" (a one-hot
            of `width` levels).
        width: number of dense positions, at least 1.
        gated: of a continuous block of width 1: it counts only where the categorical block that
            follows it has level 0.
        places: raw values with mean 0 and variance 1 over the training distribution, as well as
            the codec knows it. Of a continuous block at evenly spaced scores from -1 to 1 (257
            of them); of an ordered categorical block one per level, where levels beyond the
            last place have none. Empty: no order.
    """

    name: str
    kind: Literal["continuous", "categorical"]
    width: int
    gated: bool = False
    places: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"block {self.name!r} has width {self.width}; at least 1 is needed")
        if self.gated and (self.kind, self.width) != ("continuous", 1):
            raise ValueError(
                f"block {self.name!r} is gated, so it must be continuous with width 1, got "
                f"{self.kind} with width {self.width}"
            )


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
        """Plain JSON."""
        fields = [[b.name, b.kind, b.width, b.gated, list(b.places)] for b in self.blocks]
        return {"blocks": fields}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> TableLayout:
        """Rebuild; blocks of name, kind and width alone are neither gated nor ordered."""
        rows = [(row[:4], row[4:]) for row in state["blocks"]]
        return cls(tuple(Block(*row, *map(tuple, places)) for row, places in rows))


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
        return dense.index_copy_(1, self.continuous, values)


class Groups(nn.Module):
    """Softmax-like operations over all Q categorical blocks of a `TableLayout` at once.

    Everything stays flat in the dense vector: sums over blocks are one product with a 0-1
    matrix. Only maxima need padding; blocks are bucketed by the next power of two of their
    width, and each bucket is one padded view, so the number of operations grows with the log of
    the widest block and not with the number of columns.
    """

    scalars: Tensor
    padded: Tensor
    block: Tensor
    membership: Tensor
    order: Tensor
    starts: Tensor
    lasts: Tensor

    def __init__(self, layout: TableLayout) -> None:
        super().__init__()
        blocks, offsets = layout.categorical, layout.offsets
        self.num_blocks = len(blocks)
        buckets: dict[int, list[int]] = {}
        for q, block in enumerate(blocks):
            buckets.setdefault(math.ceil(math.log2(block.width)), []).append(q)
        members = [q for bucket in buckets.values() for q in bucket]
        rank = {q: r for r, q in enumerate(members)}
        self.buckets = [(len(m), max(blocks[q].width for q in m)) for m in buckets.values()]
        padded = [
            offsets[q] + min(level, blocks[q].width - 1)
            for bucket, (_, widest) in zip(buckets.values(), self.buckets, strict=True)
            for q in bucket
            for level in range(widest)
        ]
        rank_at = torch.zeros(layout.width, dtype=torch.long)
        rows = -(-self.num_blocks // 16) * 16  # products with a multiple of 16 are faster
        membership = torch.zeros(layout.width, rows)
        for q, (categorical, start) in enumerate(zip(blocks, offsets, strict=True)):
            rank_at[start : start + categorical.width] = rank[q]
            membership[start : start + categorical.width, rank[q]] = 1.0
        index = {
            "scalars": layout.continuous,
            "padded": padded,
            "order": [rank[q] for q in range(self.num_blocks)],
            "starts": offsets,
            "lasts": [o + b.width - 1 for o, b in zip(offsets, blocks, strict=True)],
        }
        for name, positions in index.items():
            self.register_buffer(name, torch.tensor(positions, dtype=torch.long), False)
        self.register_buffer("block", rank_at, False)
        self.register_buffer("membership", membership, False)

    def softmax(self, logits: Tensor) -> Tensor:
        """Probabilities of every block at its dense positions, (B, D) -> (B, D); zero elsewhere."""
        if not self.num_blocks:
            return torch.zeros_like(logits)
        return _Softmax.apply(logits, self)

    def draw(self, logits: Tensor, u: Tensor) -> Tensor:
        """One level per block by inverting its distribution function.

        The first level whose cumulative probability exceeds u; one of probability zero is never
        drawn.

        Args:
            logits: at their dense positions, shape (B, D).
            u: uniform in [0, 1), shape (B, Q).

        Returns:
            codes, shape (B, Q), int32.
        """
        if logits.device.type == "cpu":
            return self.draw_by_block(logits, u)
        return self.draw_by_search(logits, u)

    def draw_by_search(self, logits: Tensor, u: Tensor) -> Tensor:
        """`draw` by one binary search per block in the running sum of the row: few operations."""
        running = self.softmax(logits).cumsum(1, dtype=torch.float64)
        above = running.index_select(1, self.lasts)
        below = running.index_select(1, (self.starts - 1).clamp(min=0))
        below = below.masked_fill(self.starts == 0, 0.0)
        found = search(running, u.double(), below=below, above=above)
        return (found - self.starts).int()

    def draw_by_block(self, logits: Tensor, u: Tensor) -> Tensor:
        """`draw` with levels as rows, see `invert_rows`: 3 times as fast on a processor."""
        levels = logits.detach().to(u.dtype).numpy().T.copy()
        uniforms = u.numpy().T
        codes = np.empty(uniforms.shape, np.int32)
        spans = zip(self.starts.tolist(), self.lasts.tolist(), strict=True)
        for q, (start, last) in enumerate(spans):
            invert_rows(levels[start : last + 1], uniforms[q], out=codes[q])
        return torch.from_numpy(codes).t()

    def argmax(self, logits: Tensor) -> Tensor:
        """The likeliest level of every block, (B, D) -> (B, Q) int32."""
        if not self.num_blocks:
            return torch.zeros(len(logits), 0, dtype=torch.int32, device=logits.device)
        codes = torch.cat([view.argmax(2) for view in self.views(logits)], 1)
        codes = codes.index_select(1, self.order)
        return torch.minimum(codes, self.lasts - self.starts).int()

    def views(self, logits: Tensor) -> list[Tensor]:
        """Per bucket: logits (B, blocks, widest), the last level repeated as padding."""
        flat = logits.index_select(1, self.padded)
        parts = flat.split([blocks * widest for blocks, widest in self.buckets], 1)
        return [part.unflatten(1, s) for part, s in zip(parts, self.buckets, strict=True)]

    def exponentials(self, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """exp(logits - m), zero at scalars (B, D); maxima m and sums over blocks, (B, Q) each.

        The blocks are in the order of `views`, which only sums over all of them may ignore.
        """
        maxima = torch.cat([view.amax(2) for view in self.views(logits)], 1)
        dense = (logits - self.spread(maxima)).exp_().index_fill_(1, self.scalars, 0.0)
        return dense, maxima, self.sums(dense)

    def spread(self, per_block: Tensor) -> Tensor:
        """(B, Q) in the order of `views` -> (B, D); at scalars, some block's value."""
        return per_block.index_select(1, self.block) if self.num_blocks else per_block.new_zeros(())

    def sums(self, dense: Tensor) -> Tensor:
        """Sums over blocks, (B, D) -> (B, Q) in the order of `views`.

        Written with `out=` because autocast leaves that alone: a sum must not be rounded.
        """
        membership = self.membership.to(dense.dtype)
        out = dense.new_empty(len(dense), membership.shape[1])
        return torch.mm(dense, membership, out=out)[:, : self.num_blocks]


class _Softmax(torch.autograd.Function):
    """Softmax over blocks with dx = p * (g - sum(p * g)); nothing but p is kept."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, groups: Groups) -> Tensor:
        dense, _, sums = groups.exponentials(logits)
        p = dense.div_(groups.spread(sums))
        ctx.save_for_backward(p)
        ctx.groups = groups
        return p

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (p,) = ctx.saved_tensors
        product = p * gradient
        return product.addcmul_(p, ctx.groups.spread(ctx.groups.sums(product)), value=-1.0), None
