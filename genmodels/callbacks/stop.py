"""Signals to stop: finish the step, save, say how to go on. NaN: stop and say why."""

from __future__ import annotations

import logging
import os
import signal
import threading
from types import FrameType
from typing import Any

import lightning as L

from genmodels.algorithms.base import GenerativeModel
from genmodels.callbacks.typed import model_of

__all__ = ["Diverged", "Interrupted", "NaNGuard", "Signals"]

log = logging.getLogger(__name__)


class Interrupted(Exception):
    """Training was asked to stop by a signal, and its state is saved.

    Args:
        number: of the signal; the process should exit with 128 + number.
        samples_seen: how far training had come.
    """

    def __init__(self, number: int, samples_seen: int) -> None:
        name = signal.Signals(number).name
        super().__init__(
            f"interrupted by {name} after {samples_seen:,} samples; the state is saved"
        )
        self.code = 128 + number


class Diverged(ValueError):
    """Training produced numbers that are not finite."""


def _stopping() -> tuple[int, ...]:
    """Signals that ask to stop; SIGUSR1 in a job of Slurm alone, which sends it when told to."""
    usual = (signal.SIGINT, signal.SIGTERM)
    warned = "SLURM_JOB_ID" in os.environ and hasattr(signal, "SIGUSR1")
    return (*usual, signal.SIGUSR1) if warned else usual


class Signals:
    """Notes the first signal that asks to stop; a second one ends the process at once."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[int, Any] = {}

    def install(self) -> None:
        """Take over these signals, or take them back from who took them since.

        Only the main thread may, elsewhere nothing happens.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _stopping():
            self._before.setdefault(number, signal.signal(number, self._note))

    def remove(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            raise SystemExit(128 + number)
        self.received = number
        log.info("Stopping after this step; once more to stop at once.")


class NaNGuard(L.Callback):
    """Stops training when a loss is no longer finite, before anything of it is saved.

    Comes before `Telemetry`, to read the meter's values, and before whoever saves. The model
    collects a flag on the device; looking at it waits for the device.

    Args:
        every_steps: steps between two looks.
    """

    def __init__(self, *, every_steps: int) -> None:
        self.every_steps = max(1, every_steps)
        self._steps = 0

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        self._steps += 1
        if self._steps % self.every_steps == 0:
            self._look(model_of(pl_module))

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._look(model_of(pl_module))

    def _look(self, model: GenerativeModel) -> None:
        if not bool(model.nonfinite):
            return
        values = model.meter.flush()
        bad = [
            name for name, value in values.items() if value != value or abs(value) == float("inf")
        ]
        raise Diverged(
            f"training diverged by {model.num_samples:,} samples: {', '.join(bad) or 'the loss'} "
            "is not finite. Try a lower learning rate, trainer.precision=32-true, or a stronger "
            "penalty; the last good weights and checkpoint are kept"
        )
