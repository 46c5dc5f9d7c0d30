"""The learning rates that optimizers were built with, and their present multiples."""

from __future__ import annotations

from typing import Any

import lightning as L

from genmodels.callbacks.typed import callbacks_of

__all__ = ["Rates", "groups_of", "lower"]


class Rates:
    """Remembers the learning rates of a training at its start, to set multiples of them.

    Attributes:
        full: one per group of parameters; empty before the start.
    """

    def __init__(self) -> None:
        self.full: list[float] = []

    def note(self, trainer: L.Trainer) -> None:
        """Remember them, unless they are known from a checkpoint."""
        if not self.full:
            self.full = [group["lr"] for group in groups_of(trainer)]

    def scale(self, trainer: L.Trainer, factor: float) -> None:
        """Let each be `factor` times what it was at the start."""
        for group, full in zip(groups_of(trainer), self.full, strict=True):
            group["lr"] = full * factor


def groups_of(trainer: L.Trainer) -> list[dict[str, Any]]:
    """The groups of parameters of all optimizers."""
    return [group for optimizer in trainer.optimizers for group in optimizer.param_groups]


def lower(trainer: L.Trainer, factor: float) -> None:
    """Multiply the learning rates, now and in whatever sets multiples of those at the start."""
    for group in groups_of(trainer):
        group["lr"] *= factor
    for callback in callbacks_of(trainer):
        rates = getattr(callback, "rates", None)
        if isinstance(rates, Rates):
            rates.full = [full * factor for full in rates.full]
