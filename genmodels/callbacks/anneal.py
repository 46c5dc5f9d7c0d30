"""Moves the learning rates: up at the start, down to the end, and down when nothing improves."""

from __future__ import annotations

import logging
import math
from typing import Any

import lightning as L

from genmodels.callbacks.ledger import Ledger
from genmodels.callbacks.rates import Rates
from genmodels.callbacks.typed import data_of, model_of

__all__ = ["Anneal"]

log = logging.getLogger(__name__)

_KEPT = ("best", "waited", "drops")


class Anneal(L.Callback):
    """lr(t) = lr * min(1, s / warm_up) * (1 - (1 - floor) t) * factor^drops.

    t in [0, 1] is the share of `trainer.max_epochs` that has passed (0 without a limit), s the
    samples seen, and `drops` counts how often `patience` measurements went by without an
    improvement. Training ends when that happens once more after `most_drops` drops.

    Args:
        ledger: where the monitored number is found.
        monitor: its name; lower is better.
        warm_up: samples over which the rate rises from 0.
        floor: share of the rate that is left at the end of the last epoch.
        patience: measurements without improvement before a drop.
        factor: of one drop, in (0, 1).
        most_drops: at most so many drops.
        least: what counts as an improvement.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        monitor: str,
        warm_up: float,
        floor: float,
        patience: int,
        factor: float,
        most_drops: int,
        least: float,
    ) -> None:
        if patience < 1 or not 0.0 < factor < 1.0:
            raise ValueError(
                "callbacks.anneal needs a patience of at least 1 and a factor between 0 and 1, "
                f"got {patience} and {factor}"
            )
        self.ledger, self.monitor, self.warm_up, self.floor = ledger, monitor, warm_up, floor
        self.patience, self.factor, self.most_drops = patience, factor, most_drops
        self.least = least
        self.best, self.waited, self.drops, self.seen = math.inf, 0, 0, 0
        self.rates = Rates()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.rates.note(trainer)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        samples = model_of(pl_module).num_samples
        self.rates.scale(trainer, self.share(samples, _progress(trainer)))

    def share(self, samples: int, progress: float) -> float:
        """What the learning rates are multiplied by."""
        rise = min(1.0, (samples + 1.0) / self.warm_up) if self.warm_up > 0 else 1.0
        return float(rise * (1.0 - (1.0 - self.floor) * progress) * self.factor**self.drops)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        times, value = self.ledger.times(self.monitor)
        if times > self.seen:
            self.seen = times
            self._measured(trainer, value)
        # The ledger is on rank zero alone; all processes must agree.
        self.drops = int(trainer.strategy.broadcast(self.drops))
        trainer.should_stop = trainer.strategy.reduce_boolean_decision(
            trainer.should_stop, all=False
        )

    def _measured(self, trainer: L.Trainer, value: float) -> None:
        if value < self.best - self.least:
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited < self.patience:
            return
        self.waited = 0
        if self.drops < self.most_drops:
            self.drops += 1
            return
        log.info("%s improves no more at any learning rate: training stops", self.monitor)
        trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _KEPT} | {"full": self.rates.full}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name in _KEPT:
            setattr(self, name, state_dict[name])
        self.rates.full = list(state_dict["full"])


def _progress(trainer: L.Trainer) -> float:
    """The share of the epochs before the step that begins.

    The data know which one it is; Lightning counts from 0 again in an epoch that is resumed.
    """
    if not trainer.max_epochs or trainer.max_epochs < 1:
        return 0.0
    following, steps = data_of(trainer).state_dict(), max(1, int(trainer.num_training_batches))
    epoch, step = divmod(following["epoch"] * steps + following["step"] - 1, steps)
    return min(1.0, (epoch + step / steps) / trainer.max_epochs)
