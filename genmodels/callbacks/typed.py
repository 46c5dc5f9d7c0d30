"""What the trainer's own attributes are here: Lightning declares them more loosely."""

from __future__ import annotations

from typing import Any, cast

import lightning as L

from genmodels.algorithms.base import GenerativeModel
from genmodels.data.module import DataModule

__all__ = ["callbacks_of", "data_of", "model_of"]


def model_of(module: L.LightningModule) -> GenerativeModel:
    """The model in training."""
    return cast(GenerativeModel, module)


def data_of(trainer: L.Trainer) -> DataModule:
    """The data it is trained on."""
    return cast(DataModule, cast(Any, trainer).datamodule)


def callbacks_of(trainer: L.Trainer) -> list[L.Callback]:
    return cast(list[L.Callback], cast(Any, trainer).callbacks)
