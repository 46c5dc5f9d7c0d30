"""Losses, norms and throughput from the model's meter to the ledger."""

from __future__ import annotations

import time
from typing import Any

import lightning as L

from genmodels.algorithms.base import GenerativeModel
from genmodels.algorithms.meter import Meter
from genmodels.callbacks.ledger import Ledger
from genmodels.callbacks.stop import Interrupted
from genmodels.callbacks.typed import model_of

__all__ = ["Telemetry"]


class Telemetry(L.Callback):
    """Flushes the meter at the end of each epoch and, in long epochs, every few seconds.

    A flush is the one place where training waits for the device. What is not flushed yet is part
    of a checkpoint, so that an interrupted training records the same means as another.

    Args:
        ledger: where the numbers go.
        every_seconds: longest time between two flushes.
    """

    def __init__(self, *, ledger: Ledger, every_seconds: float) -> None:
        self.ledger, self.every_seconds = ledger, every_seconds
        self._since, self._samples = time.monotonic(), 0
        self._meter: Meter | None = None

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self._meter = model_of(pl_module).meter

    def state_dict(self) -> dict[str, Any]:
        return {} if self._meter is None else {"meter": self._meter.state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        assert self._meter is not None, "called after setup"
        self._meter.load(state["meter"])

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._since, self._samples = time.monotonic(), model_of(pl_module).num_samples

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        if time.monotonic() - self._since > self.every_seconds:
            self._flush(trainer, model_of(pl_module))

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._flush(trainer, model_of(pl_module))

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Nothing measured is lost when training fails; an interrupted one has saved its state."""
        if isinstance(exception, Exception) and not isinstance(exception, Interrupted):
            self._flush(trainer, model_of(pl_module))

    def _flush(self, trainer: L.Trainer, model: GenerativeModel) -> None:
        values = model.meter.flush()
        now, samples = time.monotonic(), model.num_samples - self._samples
        if samples > 0 and now > self._since:
            values["train/samples_per_second"] = samples / (now - self._since)
        self._since, self._samples = now, model.num_samples
        if trainer.is_global_zero:
            epoch = trainer.current_epoch + 1
            self.ledger.record(values, samples_seen=model.num_samples, epoch=epoch)
