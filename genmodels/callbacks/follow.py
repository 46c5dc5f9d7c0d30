"""Moves what optimizers were built with along schedules of the samples seen."""

from __future__ import annotations

from typing import Any, Protocol

import lightning as L

from genmodels.callbacks.rates import Rates, groups_of
from genmodels.callbacks.typed import model_of

__all__ = ["Follow"]


class Schedule(Protocol):
    def __call__(self, samples: int, total: float) -> float: ...


class Follow(L.Callback):
    """lr <- lr at the start * rate(s), second beta of Adam <- beta2(s); s the samples seen.

    Args:
        rate: factor of every optimizer's own learning rate, or None to leave it.
        beta2: the decay of Adam's second moment, or None to leave it.
    """

    def __init__(self, *, rate: Schedule | None = None, beta2: Schedule | None = None) -> None:
        self.rate, self.beta2 = rate, beta2
        self.rates = Rates()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.rates.note(trainer)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        model = model_of(pl_module)
        clock = model.num_samples, model.total_samples
        if self.rate is not None:
            self.rates.scale(trainer, self.rate(*clock))
        if self.beta2 is not None:
            for group in groups_of(trainer):
                if "betas" in group:
                    group["betas"] = (group["betas"][0], self.beta2(*clock))

    def state_dict(self) -> dict[str, Any]:
        return {"full": self.rates.full}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rates.full = list(state_dict["full"])
