"""Pictures of a model at the end of its training: walks, morphs, neighbours, its latents."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import lightning as L

from genmodels.algorithms.base import GenerativeModel
from genmodels.callbacks.ledger import Ledger
from genmodels.callbacks.projector import write_projector
from genmodels.callbacks.typed import data_of
from genmodels.files import atomic_path
from genmodels.report.looks.looks import Looks
from genmodels.types import Images

__all__ = ["finish"]

log = logging.getLogger(__name__)
SHOWN = ("walk", "morph", "neighbours")


def finish(
    trainer: L.Trainer,
    model: GenerativeModel,
    *,
    looks: Looks,
    ledger: Ledger,
    folder: Path,
    seed: int,
) -> None:
    """Write `<folder>/<what>-<samples seen>.<png or gif>`, and the same to TensorBoard.

    A model that has no such picture is told of in one line.

    Args:
        trainer: with the training images.
        model: as it is now.
        looks: makes the pictures.
        ledger: of the run.
        folder: where the files go.
        seed: of all latents.
    """
    step, data = model.num_samples, data_of(trainer)
    training = Images(data.train.encoded["pixels"].cpu().numpy())
    for what in SHOWN:
        try:
            look = looks(what, model, training=training, seed=seed)
        except ValueError as error:
            log.info("No picture of a %s: %s", what, error)
            continue
        with atomic_path(folder / f"{what}-{step:010d}.{look.suffix}") as temporary:
            temporary.write_bytes(look.data)
        ledger.show(f"preview/{what}", look.data, look.size, samples_seen=step)
    embed: Any = getattr(model, "posterior_mean", None)
    if embed is None or looks.projector == 0 or ledger.writer is None:
        return
    names = model.condition.groups[0].levels if model.condition.groups else ()
    try:
        batches = data.training_batches(looks.projector)
        write_projector(ledger.writer, embed, batches, tuple(map(str, names)), step=step)
    except ValueError as error:
        log.info("No latents for the projector: %s", error)
