"""Moves what optimizers were built with along schedules of the samples seen."""

from __future__ import annotations

from typing import Any, Protocol

import lightning as L

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
        self.full: list[float] = []

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not self.full:
            self.full = [group["lr"] for group in _groups(trainer)]

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        model = model_of(pl_module)
        clock = model.num_samples, model.total_samples
        rate = 1.0 if self.rate is None else self.rate(*clock)
        for group, full in zip(_groups(trainer), self.full, strict=True):
            group["lr"] = full * rate
            if self.beta2 is not None and "betas" in group:
                group["betas"] = (group["betas"][0], self.beta2(*clock))

    def state_dict(self) -> dict[str, Any]:
        return {"full": self.full}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.full = list(state_dict["full"])


def _groups(trainer: L.Trainer) -> list[dict[str, Any]]:
    return [group for optimizer in trainer.optimizers for group in optimizer.param_groups]
