"""The training loader of a table that is larger than memory: buckets in a drawn order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from genmodels.data.batching import Batching, Rows, shared
from genmodels.data.streaming.buckets import Buckets
from genmodels.types import Batch

__all__ = ["StreamedBatches"]


class StreamedBatches:
    """As `Batches`, of rows on disk: a step is a function of the seed, the epoch and its number.

    A pass reads the buckets one after the other in an order of its own, and draws from each as
    the batching draws from a table: a batching that weighs levels weighs them within each bucket,
    so that one of fewer rows than there are buckets comes less often than in memory. Epochs go on
    where the one before ended, so each row comes once before any comes again, however short an
    epoch is.

    Args:
        rows: some of the training rows, on the device: how rows are made dense and told.
        buckets: all of them.
        batching: how to cut an epoch.
        seed: of all passes.
        rank: of this process.
        world: number of processes; each sees its share of every batch.

    Raises:
        ValueError: when a batch cannot be shared evenly.
    """

    def __init__(
        self, *, rows: Rows, buckets: Buckets, batching: Batching, seed: int, rank: int, world: int
    ) -> None:
        self.rows, self.buckets, self.batching, self.seed = rows, buckets, batching, seed
        self.rank, self.world = rank, world
        self.updates, self.size = shared(batching, len(buckets), world)
        self.updates_per_step = min(batching.updates_per_step, self.updates)
        self.epoch = self.step = 0
        self._at, self._left = -1, Left()
        self._parts: Iterator[Drawn] = iter(())

    def __len__(self) -> int:
        """Steps of a whole epoch."""
        return math.ceil(self.updates / self.updates_per_step)

    @property
    def samples_per_epoch(self) -> int:
        return self.updates * self.size * self.world

    def __iter__(self) -> Iterator[list[Batch]]:
        span = self.updates_per_step * self.size * self.world
        start = self.epoch * self.samples_per_epoch + self.step * span
        if start != self._at:  # else the bucket in use goes on
            self._left, self._parts = Left(), self._drawn(start)
        end = (self.epoch + 1) * self.samples_per_epoch
        for step in range(self.step, len(self)):
            count = min(span, end - start)
            batch = self._left.take(self._parts, count, self.rank, self.world)
            start = self._at = start + count
            last = step + 1 == len(self)
            self.epoch, self.step = (self.epoch + 1, 0) if last else (self.epoch, step + 1)
            yield [
                Batch(x, c)
                for x, c in zip(batch.x.split(self.size), batch.c.split(self.size), strict=True)
            ]

    def _drawn(self, start: int) -> Iterator[Drawn]:
        """What is drawn from one bucket after the other, without the first `start` rows."""
        passed, skip = divmod(start, len(self.buckets))
        while True:
            order = self._rng(passed).permutation(self.buckets.count)
            for bucket in order:
                size = self.buckets.sizes[bucket]
                if skip >= size:
                    skip -= size
                    continue
                encoded, told = self.buckets.read(int(bucket))
                rows = replace(self.rows, encoded=encoded, codes=told).to(self.rows.device)
                words = self._rng(passed, int(bucket)).integers(2**63)
                generator = torch.Generator(rows.device).manual_seed(int(words))
                index, position = self.batching.bind(rows)(size, generator)
                drawn = Drawn(rows, index[skip:], None if position is None else position[skip:])
                del encoded, told, rows, index, position
                yield drawn
                del drawn
                skip = 0
            passed += 1

    def _rng(self, *key: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *key])

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "step": self.step}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.epoch, self.step = int(state["epoch"]), int(state["step"])


class Drawn:
    """Rows of a bucket in the order in which they are used, and what each is told."""

    def __init__(self, rows: Rows, index: Tensor, position: Tensor | None) -> None:
        self.rows, self.index, self.position = rows, index, position

    def batch(self, start: int, stop: int, first: int, world: int) -> Batch:
        """Every `world`-th of some rows, from `first` on."""
        chosen = slice(start + first, stop, world)
        told = None if self.position is None else self.position[chosen]
        return self.rows.batch(self.index[chosen], told)


class Left:
    """What is left of the bucket in use."""

    def __init__(self) -> None:
        self.drawn: Drawn | None = None
        self.used = 0

    def take(self, parts: Iterator[Drawn], count: int, rank: int, world: int) -> Batch:
        """The share of one process of the next `count` rows."""
        found: list[Batch] = []
        taken = 0
        while taken < count:
            if self.drawn is None or self.used == len(self.drawn.index):
                self.drawn = None  # two buckets are never in memory
                self.drawn, self.used = next(parts), 0
            stop = min(self.used + count - taken, len(self.drawn.index))
            first = (rank - taken) % world
            if self.used + first < stop:
                found.append(self.drawn.batch(self.used, stop, first, world))
            taken, self.used = taken + stop - self.used, stop
        if len(found) == 1:
            return found[0]
        return Batch(torch.cat([b.x for b in found]), torch.cat([b.c for b in found]))
