"""The full state of training: saved so that no crash loses it, restored so that nothing shows."""

from __future__ import annotations

import io
import logging
import random
import time
import zipfile
from typing import Any

import lightning as L
import torch

from genmodels.algorithms.base import GenerativeModel
from genmodels.callbacks.ledger import Ledger
from genmodels.callbacks.stop import Interrupted, Signals
from genmodels.callbacks.typed import callbacks_of, data_of, model_of
from genmodels.files import atomic_path
from genmodels.run import Run

__all__ = ["Checkpoint", "read_checkpoint"]

log = logging.getLogger(__name__)
LAST, PREVIOUS = "last.ckpt", "previous.ckpt"
PARTS = {"state_dict", "optimizers", "precision", "callbacks", "position", "seconds", "host"}
"""What a state must have."""


class Checkpoint(L.Callback):
    """Saves every few minutes, at the end and when a signal asks for it; restores at the start.

    Lightning's own restart counts steps of optimizers and knows no random states; here an
    epoch that was interrupted is simply finished by a short first epoch. Must come after every
    callback with a state, so that what it saves includes what they learned in the same hook.

    Args:
        run: `checkpoints/last.ckpt` and the one before, `previous.ckpt`.
        ledger: its clock is saved too.
        signals: who asks for a stop.
        resume: a state from `read_checkpoint`, or None.
        every_seconds: time between two saves.
    """

    def __init__(
        self,
        *,
        run: Run,
        ledger: Ledger,
        signals: Signals,
        resume: dict[str, Any] | None,
        every_seconds: float,
    ) -> None:
        self.run, self.ledger, self.signals = run, ledger, signals
        self.resume, self.every_seconds = resume, every_seconds
        self._saved_at = time.monotonic()
        self.saved = resume is not None

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Before the data are set up: where to go on."""
        if self.resume is None:
            return
        position = self.resume["position"]
        data_of(trainer).load_state_dict(position)
        progress: Any = trainer.fit_loop.epoch_progress.current
        progress.ready = progress.started = position["epoch"]
        progress.processed = progress.completed = position["epoch"]

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The model and its optimizers are on the device now."""
        self.signals.install()  # Lightning has taken SIGTERM meanwhile
        self._saved_at = time.monotonic()
        if self.resume is None:
            self.ledger.start(seconds=0.0, samples_seen=0)
            return
        state, self.resume = self.resume, None
        model_of(pl_module).load_state_dict(state["state_dict"])
        model_of(pl_module).on_load_checkpoint(state)
        for optimizer, saved in zip(trainer.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        trainer.precision_plugin.load_state_dict(state["precision"])
        for callback in _stateful(trainer):
            if callback.state_key in state["callbacks"]:
                callback.load_state_dict(state["callbacks"][callback.state_key])
        _restore_host(state["host"])
        self.ledger.start(seconds=state["seconds"], samples_seen=model_of(pl_module).num_samples)

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        position = _position(trainer)
        if position["step"]:  # else this was the last step of the epoch: first comes its end
            self._maybe_save(trainer, model_of(pl_module))

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        last = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        if not last:  # else training ends now, and what it ends with is saved there
            self._maybe_save(trainer, model_of(pl_module))

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.save(trainer, model_of(pl_module))

    def _maybe_save(self, trainer: L.Trainer, model: GenerativeModel) -> None:
        received = self.signals.received
        # The first process has the clock; all must agree, so that all stop after the same step.
        due = trainer.is_global_zero and time.monotonic() - self._saved_at > self.every_seconds
        if not _any(trainer, due or received is not None):
            return
        self.save(trainer, model)
        if number := _largest(trainer, received or 0):
            raise Interrupted(number, model.num_samples)

    def save(self, trainer: L.Trainer, model: GenerativeModel) -> None:
        """Write `last.ckpt`; the former one becomes `previous.ckpt`."""
        if not trainer.is_global_zero or bool(model.nonfinite):
            return  # what is not finite is the guard's to report, and never replaces a good state
        buffer = io.BytesIO()
        torch.save(self._state(trainer, model), buffer)
        last = self.run.checkpoints / LAST
        with atomic_path(last) as temporary:
            temporary.write_bytes(buffer.getbuffer())
            if last.exists():
                last.replace(self.run.checkpoints / PREVIOUS)
        self.saved, self._saved_at = True, time.monotonic()

    def _state(self, trainer: L.Trainer, model: GenerativeModel) -> dict[str, Any]:
        state: dict[str, Any] = {
            "state_dict": model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in trainer.optimizers],
            "precision": trainer.precision_plugin.state_dict(),
            "callbacks": {c.state_key: c.state_dict() for c in _stateful(trainer)},
            "position": _position(trainer),
            "seconds": self.ledger.elapsed,
            "host": _host_states(),
        }
        model.on_save_checkpoint(state)
        return state


def read_checkpoint(run: Run) -> dict[str, Any] | None:
    """The newest intact state of a run, or None when it has none.

    A damaged one is named in a warning, and the one before it is taken.

    Raises:
        ValueError: when there are checkpoints and none is intact.
    """
    paths = [p for p in (run.checkpoints / LAST, run.checkpoints / PREVIOUS) if p.is_file()]
    for path in paths:
        cause = _damage(path)
        if cause is None:
            state, cause = _loaded(path)
            if state is not None:
                return state
        log.warning("%s is damaged (%s): going back to the checkpoint before it", path, cause)
    if paths:
        raise ValueError(
            f"no checkpoint of {run} is intact; start again with overwrite=true instead of resume"
        )
    return None


def _damage(path: Any) -> str | None:
    """What is wrong with a file: each part's checksum is compared."""
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        return str(error) or type(error).__name__
    return None if broken is None else f"wrong checksum of {broken}"


def _loaded(path: Any) -> tuple[dict[str, Any] | None, str]:
    """The state in a file, or None and why there is none: nothing but plain data is read."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a file of a stranger makes the reader raise
        log.debug("%s", error)
        return None, "it holds more than plain data"
    if not isinstance(state, dict) or not state.keys() >= PARTS:
        return None, "it is not the state of a training"
    return state, ""


def _any(trainer: L.Trainer, mine: bool) -> bool:
    """Whether any of the processes says yes; all of them must ask."""
    if trainer.world_size == 1:
        return mine
    return bool(trainer.strategy.reduce_boolean_decision(mine, all=False))


def _largest(trainer: L.Trainer, mine: int) -> int:
    """The largest number that any of the processes says; all of them must ask."""
    if trainer.world_size == 1:
        return mine
    told = torch.tensor(mine, device=trainer.strategy.root_device)
    return int(trainer.strategy.reduce(told, reduce_op="max"))


def _position(trainer: L.Trainer) -> dict[str, int]:
    return data_of(trainer).state_dict()


def _stateful(trainer: L.Trainer) -> list[L.Callback]:
    return [callback for callback in callbacks_of(trainer) if callback.state_dict()]


def _host_states() -> dict[str, Any]:
    """States of the two random generators of the host that a library might draw from."""
    version, internal, gauss = random.getstate()
    return {"python": [version, list(internal), gauss]}


def _restore_host(states: dict[str, Any]) -> None:
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
