"""The one `LightningDataModule`: encoded rows of any layout, resident on the device."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import lightning as L
import torch

from genmodels.data.batching import Batches, Batching, Rows
from genmodels.data.streaming.batches import StreamedBatches
from genmodels.data.streaming.buckets import Buckets
from genmodels.types import Batch

__all__ = ["DataModule"]


class DataModule(L.LightningDataModule):
    """Hands a trainer its batches; receives what was split, fitted and encoded elsewhere.

    Args:
        train: rows to learn from.
        validation: rows that choose the checkpoint, or None.
        batching: how to cut an epoch.
        seed: of all draws.
        validation_batch_size: rows per validation batch.
        buckets: all rows to learn from, where `train` are some of them; None: `train` are all.
    """

    def __init__(
        self,
        *,
        train: Rows,
        validation: Rows | None,
        batching: Batching,
        seed: int,
        validation_batch_size: int,
        buckets: Buckets | None = None,
    ) -> None:
        super().__init__()
        self.train, self.validation = train, validation
        self.batching, self.seed = batching, seed
        self.validation_batch_size = validation_batch_size
        self.buckets = buckets
        self.position = {"epoch": 0, "step": 0}
        self.batches: Batches | StreamedBatches | None = None

    def setup(self, stage: str) -> None:
        """Move the rows to the trainer's device and find this process's share."""
        device = self.trainer.strategy.root_device if self.trainer else torch.device("cpu")
        self.train = self.train.to(device)
        self.validation = None if self.validation is None else self.validation.to(device)
        rank, world = (
            (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        )
        make = Batches if self.buckets is None else partial(StreamedBatches, buckets=self.buckets)
        self.batches = make(
            rows=self.train, batching=self.batching, seed=self.seed, rank=rank, world=world
        )
        self.batches.load_state_dict(self.position)

    def train_dataloader(self) -> Batches | StreamedBatches:
        assert self.batches is not None, "setup comes first"
        return self.batches

    def validation_batches(self) -> Iterator[Batch]:
        """Validation rows in order; each is told one of its groups, always the same."""
        if self.validation is not None:
            yield from self._in_order(self.validation, len(self.validation))

    def training_batches(self, most: int) -> Iterator[Batch]:
        """At most so many training rows, evenly spaced, in order; told as validation rows are."""
        yield from self._in_order(self.train, min(most, len(self.train)))

    def _in_order(self, rows: Rows, count: int) -> Iterator[Batch]:
        generator = torch.Generator(rows.device).manual_seed(self.seed)
        chosen = torch.arange(count, device=rows.device) * len(rows) // max(count, 1)
        told = rows.told(chosen, generator)
        for start in range(0, count, self.validation_batch_size):
            part = slice(start, start + self.validation_batch_size)
            yield rows.batch(chosen[part], None if told is None else told[part])

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """Nothing moves: the rows live on the device."""
        return batch

    def state_dict(self) -> dict[str, int]:
        """The step that comes next."""
        return self.position if self.batches is None else self.batches.state_dict()

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self.position = {"epoch": int(state_dict["epoch"]), "step": int(state_dict["step"])}
        if self.batches is not None:
            self.batches.load_state_dict(self.position)
