"""Measures the model on rows that it was not fitted on, and keeps the weights that did best."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any, Literal

import lightning as L
import torch

from genmodels.algorithms.base import Chooses, GenerativeModel, evaluating
from genmodels.callbacks.ledger import Ledger
from genmodels.callbacks.typed import data_of, model_of
from genmodels.run import Run
from genmodels.types import Raw

__all__ = ["KeepBest", "Validation"]

log = logging.getLogger(__name__)


class Validation(L.Callback):
    """Every few epochs numbers of the model's quality, lower is better.

    "val/loss" is the model's own objective on the validation rows, if it has one. "val/score"
    compares the validation rows with as many synthetic ones; it asks for samples and for
    nothing else, so it works for any model. It is only measured where it is monitored.

    Args:
        ledger: where the number goes.
        sample: n -> synthetic raw rows of the model as it is now.
        validation: validation rows, raw, or None: then nothing is measured.
        score: (reference, synthetic, seed) -> value.
        seed: of the score.
        monitor: which number chooses the weights.
        every: epochs between two measurements; the last epoch is always measured.
        rows: at most so many rows a side for the score.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        sample: Callable[[int], Raw],
        validation: Raw | None,
        score: Callable[[Raw, Raw, int], float],
        seed: int,
        monitor: Literal["val/loss", "val/score"],
        every: int,
        rows: int,
    ) -> None:
        if monitor not in ("val/loss", "val/score"):
            raise ValueError(f"validation.monitor must be val/loss or val/score, got {monitor!r}")
        if every < 1 or rows < 1:
            raise ValueError("validation.every and validation.rows must be at least 1")
        self.ledger, self.sample, self.validation = ledger, sample, validation
        self.score, self.seed, self.monitor = score, seed, monitor
        self.every, self.rows = every, rows

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        if self.validation is None or not (epoch % self.every == 0 or _is_last(trainer, epoch)):
            return
        values = self._loss(trainer, model_of(pl_module))
        if trainer.is_global_zero:
            if self.monitor == "val/score":
                values["val/score"] = self._score()
            self.ledger.record(values, samples_seen=model_of(pl_module).num_samples, epoch=epoch)

    def _loss(self, trainer: L.Trainer, model: GenerativeModel) -> dict[str, float]:
        data = data_of(trainer)
        # The objective draws latents: with states of their own, training is not disturbed and
        # two measurements differ by the model alone.
        devices = [model.device] if model.device.type == "cuda" else []
        with torch.random.fork_rng(devices), torch.no_grad(), evaluating(model):
            torch.manual_seed(self.seed)
            for number, batch in enumerate(data.validation_batches()):
                model.validation_step(batch, number)
        chosen = model.choose() if isinstance(model, Chooses) else {}
        return model.meter.flush() | chosen

    def _score(self) -> float:
        assert self.validation is not None
        n = min(len(self.validation), self.rows)
        return float(self.score(self.validation, self.sample(n), self.seed))


class KeepBest(L.Callback):
    """Writes the weights for sampling when the monitored number improves; stops when it does not.

    Args:
        run: where they are written.
        ledger: where the number is found.
        monitor: its name; lower is better.
        select: "best" keeps the weights of the best measurement, "last" the latest ones.
        patience: measurements without improvement before training stops, or None: never.
        minimum_improvement: what counts as one.
    """

    def __init__(
        self,
        *,
        run: Run,
        ledger: Ledger,
        monitor: str,
        select: Literal["best", "last"],
        patience: int | None,
        minimum_improvement: float,
    ) -> None:
        if select not in ("best", "last"):
            raise ValueError(f"validation.select must be best or last, got {select!r}")
        self.run, self.ledger, self.monitor, self.select = run, ledger, monitor, select
        self.patience, self.minimum_improvement = patience, minimum_improvement
        self.best, self.waited, self.best_samples, self.best_epoch = math.inf, 0, 0, 0

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        value = self.ledger.take(self.monitor)
        if value is not None and math.isfinite(value):
            if value < self.best - self.minimum_improvement or math.isinf(self.best):
                self.best, self.waited = value, 0
                self.best_samples, self.best_epoch = (
                    model_of(pl_module).num_samples,
                    trainer.current_epoch + 1,
                )
                if self.select == "best":
                    self._write(trainer, model_of(pl_module))
            else:
                self.waited += 1
            if self.patience is not None and self.waited >= self.patience:
                self._stop(trainer)
        # The ledger is on rank zero alone; all processes must stop together.
        trainer.should_stop = trainer.strategy.reduce_boolean_decision(
            trainer.should_stop, all=False
        )

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self.select == "last" or math.isinf(self.best):
            self._write(trainer, model_of(pl_module))

    def _stop(self, trainer: L.Trainer) -> None:
        log.info(
            "%s has not improved on %.5g for %d measurements: training stops "
            "(validation.patience)", self.monitor, self.best, self.waited,
        )  # fmt: skip
        trainer.should_stop = True

    def _write(self, trainer: L.Trainer, model: GenerativeModel) -> None:
        if trainer.is_global_zero:
            self.run.write_weights(model.sampler_state())

    def state_dict(self) -> dict[str, Any]:
        return {
            "best": self.best,
            "waited": self.waited,
            "best_samples": self.best_samples,
            "best_epoch": self.best_epoch,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.waited = state_dict["best"], state_dict["waited"]
        self.best_samples, self.best_epoch = state_dict["best_samples"], state_dict["best_epoch"]


def _is_last(trainer: L.Trainer, epoch: int) -> bool:
    return trainer.should_stop or epoch == trainer.max_epochs
