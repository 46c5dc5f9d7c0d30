"""How far training is: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import lightning as L

from genmodels.algorithms.base import GenerativeModel
from genmodels.callbacks.ledger import Ledger
from genmodels.callbacks.typed import data_of, model_of

__all__ = ["Progress"]

log = logging.getLogger(__name__)


class Progress(L.Callback):
    """Shows the epoch, the rate in samples/s, the time left and the latest losses.

    Args:
        ledger: where the losses are found.
        bar: a bar (True), lines (False), or a bar exactly when on a terminal (None).
        every_seconds: time between two lines; the bar moves ten times a second.
    """

    def __init__(self, *, ledger: Ledger, bar: bool | None, every_seconds: float) -> None:
        self.ledger, self.every_seconds = ledger, every_seconds
        self.on_terminal = sys.stderr.isatty() if bar is None else bar
        self._bar: Any = None
        self._shown = self._began = 0.0
        self._samples = self._start = 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._began = self._shown = time.monotonic()
        if not trainer.is_global_zero or not self.on_terminal:
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            BarColumn(bar_width=24),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            auto_refresh=False,
        )
        self._bar.start()
        self._task = self._bar.add_task("", total=1.0)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._start == 0:
            # The model and its clock have been restored by now.
            self._start = model_of(pl_module).num_samples + 1
            self._began = time.monotonic()

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        now = time.monotonic()
        if now - self._shown < (0.1 if self._bar is not None else self.every_seconds):
            return
        self._shown = now
        self._show(trainer, model_of(pl_module), now)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._bar is None and self._start:
            self._show(trainer, model_of(pl_module), time.monotonic())
        self._close()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        self._close()

    def _show(self, trainer: L.Trainer, model: GenerativeModel, now: float) -> None:
        if not trainer.is_global_zero:
            return
        done = self._done(trainer)
        rate = (model.num_samples - self._start + 1) / max(now - self._began, 1e-9)
        text = self._text(trainer, model, rate, done)
        if self._bar is None:
            log.info(text)
        else:
            self._bar.update(self._task, completed=done or 0.0, description=text, refresh=True)

    def _done(self, trainer: L.Trainer) -> float | None:
        """Share of all epochs that is done, or None when their number is not set."""
        if not trainer.max_epochs or trainer.max_epochs < 0:
            return None
        position = data_of(trainer).state_dict()
        steps = max(1, int(trainer.num_training_batches))
        return min(1.0, (position["epoch"] + position["step"] / steps) / trainer.max_epochs)

    def _text(
        self, trainer: L.Trainer, model: GenerativeModel, rate: float, done: float | None
    ) -> str:
        epoch, last = trainer.current_epoch + 1, "?"
        if done is not None and trainer.max_epochs is not None:
            epoch, last = min(epoch, trainer.max_epochs), str(trainer.max_epochs)
        parts = [f"epoch {epoch}/{last}", f"{rate:,.0f} samples/s"]
        if done:
            total = model.num_samples / done
            parts.append(f"{_clock((total - model.num_samples) / max(rate, 1e-9))} left")
        shown = [k for k in self.ledger.latest if k.endswith("loss") or k.startswith("val/")]
        parts += [f"{k.removeprefix('train/')} {self.ledger.latest[k]:.4g}" for k in shown[:5]]
        return "  ".join(parts)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
