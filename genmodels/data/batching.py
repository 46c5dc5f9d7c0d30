"""Which rows make a batch, and what each is conditioned on; whole epochs, drawn on the device.

A plan is a function of the generator alone, and `Batches` seeds one by (seed, epoch): the order
of an epoch does not depend on what was drawn before it, so training resumes anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from genmodels.combinations import LABEL
from genmodels.layout import Condition, ConditionGroup, Expand, Layout, Vectors
from genmodels.types import Batch, Encoded

__all__ = ["Batches", "Batching", "ConditionBalanced", "Plan", "Rows", "Shuffled", "shared"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Encoded rows and what each could be conditioned on, on one device.

    Rows that would take more than half of an accelerator's free memory stay with the host, and
    each step's share of them is moved.

    Args:
        encoded: N rows, on the device of `codes` or, see above, with the host.
        codes: level of each row in each of G groups, int64 (N, G).
        condition: the G groups.
        expand: encoded rows -> dense rows.
        vectors: positions of levels -> condition vectors.
    """

    encoded: Encoded
    codes: Tensor
    condition: Condition
    expand: nn.Module
    vectors: nn.Module

    @classmethod
    def of(cls, encoded: Encoded, codes: np.ndarray, condition: Condition, layout: Layout) -> Rows:
        told = torch.from_numpy(codes).long()
        return cls(encoded, told, condition, Expand(layout), Vectors(condition))

    def through(self, expand: nn.Module) -> Rows:
        """The same rows, made dense in another way."""
        return replace(self, expand=expand)

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def device(self) -> torch.device:
        return self.codes.device

    def to(self, device: torch.device) -> Rows:
        encoded = self.encoded
        if fits(sum(value.nbytes for value in encoded.values()), device):
            encoded = {name: value.to(device) for name, value in encoded.items()}
        expand, vectors = self.expand.to(device), self.vectors.to(device)
        return replace(
            self, encoded=encoded, codes=self.codes.to(device), expand=expand, vectors=vectors
        )

    def batch(self, index: Tensor, position: Tensor | None) -> Batch:
        """Dense rows `index` (B,), told the levels at `position` (B,)."""
        x = self.expand({name: taken(value, index) for name, value in self.encoded.items()})
        if position is None:
            return Batch(x, x.new_zeros(len(index), self.condition.width))
        return Batch(x, self.vectors(position))

    def told(self, index: Tensor, generator: torch.Generator) -> Tensor | None:
        """Position of the level of one group, chosen at random, of each row."""
        groups = len(self.condition.groups)
        if not groups:
            return None
        offsets = torch.tensor(self.condition.offsets, device=self.device)
        group = torch.randint(groups, index.shape, generator=generator, device=self.device)
        return self.codes[index, group] + offsets[group]


def fits(size: int, device: torch.device) -> bool:
    """Whether so many bytes may live on a device for good."""
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return size <= free // 2


def taken(value: Tensor, index: Tensor) -> Tensor:
    """`value[index]` on the device of the index."""
    if value.device == index.device:
        return value[index]
    rows = value[index.to(value.device)]
    return (rows.pin_memory() if index.is_cuda else rows).to(index.device, non_blocking=True)


class Plan(Protocol):
    """Draws row numbers and condition positions, each (n,), from a generator."""

    def __call__(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor | None]: ...


class Batching(Protocol):
    """How an epoch is cut into batches."""

    batch_size: int
    updates_per_step: int

    def bind(self, rows: Rows) -> Plan:
        """Prepare for these rows, once."""

    def updates(self, rows: int) -> tuple[int, int]:
        """Updates of an epoch, and the size of each batch."""


class Shuffled:
    """Each row once before any row again; a ragged last batch is left out.

    With `balance` b above 0, rows are drawn with replacement, so that a level seen `count` times
    in training has weight count ** (1 - b): at 1 all labels are as frequent as each other. With
    attributes it is about classes; without classes, about combinations of attributes. What a
    generator is told in training is what these rows are told; draws of a trained model keep the
    frequencies of the training rows.

    Args:
        batch_size: rows per update, of all processes together; with fewer rows than that, a batch
            is all of them.
        updates_per_step: updates per call of the training step (its fixed cost is shared).
        updates_per_epoch: whatever the number of rows, so that one number of
            epochs suits small and large data; None: as many as the rows give once.
        balance: share of the way from the frequencies in training (0, False) to equal ones (1,
            True).

    Raises:
        ValueError: when a number is out of its range.
    """

    def __init__(
        self,
        *,
        batch_size: int,
        updates_per_step: int,
        updates_per_epoch: int | None = None,
        balance: bool | float = False,
    ) -> None:
        self.batch_size, self.updates_per_step = _checked(batch_size, updates_per_step)
        self.updates_per_epoch = _at_least_one(updates_per_epoch)
        if not isinstance(balance, bool | int | float) or not 0.0 <= balance <= 1.0:
            raise ValueError(
                "batching.balance must be false, true or a share between 0 and 1 of the way from "
                f"the frequencies of the labels to equal ones, got {balance!r}"
            )
        self.balance = float(balance)

    def updates(self, rows: int) -> tuple[int, int]:
        once = max(1, rows // self.batch_size)
        return self.updates_per_epoch or once, min(rows, self.batch_size)

    def bind(self, rows: Rows) -> Plan:
        if self.balance > 0:
            return self._balanced(rows)

        def plan(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
            passes = [
                torch.randperm(len(rows), generator=generator, device=rows.device)
                for _ in range(math.ceil(n / len(rows)))
            ]
            index = torch.cat(passes)[:n]
            return index, rows.told(index, generator)

        return plan

    def _balanced(self, rows: Rows) -> Plan:
        if not rows.condition.groups:
            raise ValueError(
                f"batching.balance={self.balance:g} needs labels that the model is told: choose "
                "data with labels and condition=all, or batching.balance=false"
            )
        plan = ConditionBalanced(
            batch_size=self.batch_size,
            updates_per_step=self.updates_per_step,
            level=1.0 - self.balance,
        ).bind(by_class := _by_class(rows))
        if by_class is rows:
            return plan

        def told(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
            index, _ = plan(n, generator)
            return index, rows.told(index, generator)

        return told


class ConditionBalanced:
    """Training by sampling: a group, then one of its levels, then a real row with that level.

    The group is uniform over the G groups; a level seen `count` times in training has weight
    log(1 + count) ("log"), count ("empirical"), 1 ("uniform") or count ** level (a number).
    Without groups it shuffles.

    Args:
        batch_size: rows per update (rows are drawn with replacement).
        updates_per_step: updates per call of the training step.
        level: the weight of a level.
        updates_per_epoch: see `Shuffled`.

    References:
        Xu et al., "Modeling Tabular Data using Conditional GAN", 2019, section 4.3.
    """

    def __init__(
        self,
        *,
        batch_size: int,
        updates_per_step: int,
        level: Literal["log", "empirical", "uniform"] | float,
        updates_per_epoch: int | None = None,
    ) -> None:
        self.batch_size, self.updates_per_step = _checked(batch_size, updates_per_step)
        self.updates_per_epoch = _at_least_one(updates_per_epoch)
        if isinstance(level, str) and level not in ("log", "empirical", "uniform"):
            raise ValueError(
                f"batching.level must be log, empirical, uniform or a power, got {level!r}"
            )
        self.level = level

    def updates(self, rows: int) -> tuple[int, int]:
        return self.updates_per_epoch or max(1, rows // self.batch_size), self.batch_size

    def bind(self, rows: Rows) -> Plan:
        if not rows.condition.groups:
            return _with_replacement(rows)
        order = torch.argsort(rows.codes, dim=0, stable=True).T.contiguous().view(-1)
        sizes = [group.size for group in rows.condition.groups]
        counts = torch.cat(
            [torch.bincount(rows.codes[:, g], minlength=size) for g, size in enumerate(sizes)]
        )
        # Groups lie one after the other, each with all N rows, so one running sum starts them all.
        starts = counts.cumsum(0) - counts
        cumulative = self._weights(counts.double(), sizes).cumsum(0)
        last = torch.nonzero(counts)[-1]

        def plan(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
            uniform = torch.rand(2, n, generator=generator, device=rows.device, dtype=torch.float64)
            position = torch.searchsorted(cumulative, uniform[0] * cumulative[-1], right=True)
            position = torch.minimum(position, last)
            count = counts[position]
            within = torch.minimum((uniform[1] * count).long(), count - 1)
            return order[starts[position] + within], position

        return plan

    def _weights(self, counts: Tensor, sizes: list[int]) -> Tensor:
        """Probability of each of the K positions; a level without a row gets none."""
        if self.level == "log":
            raw = counts.log1p()
        else:
            power = {"empirical": 1.0, "uniform": 0.0}.get(str(self.level))
            raw = counts.pow(float(self.level) if power is None else power)
        raw = torch.where(counts > 0, raw, 0.0)
        return torch.cat([part / part.sum() / len(sizes) for part in raw.split(sizes)])


def _by_class(rows: Rows) -> Rows:
    """The rows with their class alone in place of the combinations that hold one."""
    told = rows.condition.combinations
    place = -1 if told is None else told.find(LABEL)
    if told is None or place < 0:
        return rows
    labels = torch.from_numpy(told.values[:, place]).long().to(rows.device)
    group = ConditionGroup(LABEL, (0.0,) * told.facets[place].width)
    return replace(rows, codes=labels[rows.codes], condition=Condition((group,)))


def _with_replacement(rows: Rows) -> Plan:
    def plan(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        if n <= len(rows):
            return torch.randperm(len(rows), generator=generator, device=rows.device)[:n], None
        return torch.randint(len(rows), (n,), generator=generator, device=rows.device), None

    return plan


def shared(batching: Batching, rows: int, world: int) -> tuple[int, int]:
    """Updates of an epoch, and how many rows of each are for one process.

    Raises:
        ValueError: when a batch cannot be shared evenly.
    """
    updates, size = batching.updates(rows)
    if size < batching.batch_size:  # all rows there are
        size -= size % world
    if size % world or not size:
        raise ValueError(
            f"{world} processes cannot share batches of {size} rows evenly: set "
            f"batching.batch_size to a multiple of {world}"
        )
    return updates, size // world


def _at_least_one(updates_per_epoch: int | None) -> int | None:
    if updates_per_epoch is not None and updates_per_epoch < 1:
        raise ValueError(
            f"batching.updates_per_epoch must be at least 1 or null, got {updates_per_epoch}"
        )
    return updates_per_epoch


def _checked(batch_size: int, updates_per_step: int) -> tuple[int, int]:
    for key, value in (("batch_size", batch_size), ("updates_per_step", updates_per_step)):
        if value < 1:
            raise ValueError(f"batching.{key} must be at least 1, got {value}")
    return batch_size, updates_per_step


class Batches:
    """The training loader: an iterable of steps, each a list of batches; no workers, no copies.

    `epoch` and `step` name the step that comes next, so a state saved between two steps is
    exact; the first pass after a load is the rest of its epoch.

    Args:
        rows: on the device.
        batching: how to cut an epoch.
        seed: of all epochs.
        rank: of this process.
        world: number of processes; each sees its share of every batch, which is the same for any
            number of them.

    Raises:
        ValueError: when a batch cannot be shared evenly.
    """

    def __init__(
        self, *, rows: Rows, batching: Batching, seed: int, rank: int = 0, world: int = 1
    ) -> None:
        self.rows, self.seed, self.rank, self.world = rows, seed, rank, world
        self.plan = batching.bind(rows)
        self.updates, self.size = shared(batching, len(rows), world)
        self.updates_per_step = min(batching.updates_per_step, self.updates)
        self.epoch = self.step = 0

    def __len__(self) -> int:
        """Steps of a whole epoch."""
        return math.ceil(self.updates / self.updates_per_step)

    @property
    def samples_per_epoch(self) -> int:
        return self.updates * self.size * self.world

    def __iter__(self) -> Iterator[list[Batch]]:
        index, position = self._epoch()
        span = self.updates_per_step * self.size
        for step in range(self.step, len(self)):
            part = slice(step * span, (step + 1) * span)
            whole = self.rows.batch(index[part], None if position is None else position[part])
            # Before the yield: while the step runs, the state already names its successor.
            last = step + 1 == len(self)
            self.epoch, self.step = (self.epoch + 1, 0) if last else (self.epoch, step + 1)
            yield [
                Batch(x, c)
                for x, c in zip(whole.x.split(self.size), whole.c.split(self.size), strict=True)
            ]

    def _epoch(self) -> tuple[Tensor, Tensor | None]:
        """Row numbers and condition positions of this process in this epoch."""
        words = np.random.SeedSequence([self.seed, self.epoch]).generate_state(1, np.uint64)
        generator = torch.Generator(self.rows.device).manual_seed(int(words[0]) >> 1)
        index, position = self.plan(self.updates * self.size * self.world, generator)
        if self.world > 1:
            index = index[self.rank :: self.world]
            position = None if position is None else position[self.rank :: self.world]
        return index, position

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "step": self.step}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.epoch, self.step = int(state["epoch"]), int(state["step"])
