"""Fits what no gradient moves, such as a density of latents, before anything is measured."""

from __future__ import annotations

import lightning as L
import torch

from genmodels.algorithms.base import Settles, evaluating
from genmodels.callbacks.typed import data_of, model_of

__all__ = ["Settle"]


class Settle(L.Callback):
    """Every few epochs, and at the end of the last, a model looks at its training rows once more.

    Must come before what measures or keeps the weights.

    Args:
        every: epochs between two times.
    """

    def __init__(self, *, every: int) -> None:
        if every < 1:
            raise ValueError(f"callbacks.settle.every must be at least 1, got {every}")
        self.every = every

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        epoch, model = trainer.current_epoch + 1, model_of(pl_module)
        last = trainer.should_stop or epoch == trainer.max_epochs
        if isinstance(model, Settles) and (last or epoch % self.every == 0):
            with torch.no_grad(), evaluating(model):
                model.settle(data_of(trainer).training_batches)
