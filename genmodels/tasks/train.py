"""`genmodels train`: from a configuration to a trained run.

Everything that can fail without training fails before the run directory exists: data, schema,
split, codec, model and trainer are made first.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import lightning as L
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig

from genmodels.algorithms.base import GenerativeModel
from genmodels.callbacks.checkpoint import Checkpoint
from genmodels.callbacks.ledger import Ledger
from genmodels.callbacks.peek import Peek
from genmodels.callbacks.stop import Interrupted, Signals
from genmodels.data.module import DataModule
from genmodels.run import Run
from genmodels.tasks.build import build_model
from genmodels.tasks.compose import require
from genmodels.tasks.dry_run import dry_run
from genmodels.tasks.fit import check_fit
from genmodels.tasks.memory_format import fastest
from genmodels.tasks.parts import complete, instantiate
from genmodels.tasks.place import default_run, nothing_to_do, place, resumed_config
from genmodels.tasks.prepare import prepare
from genmodels.tasks.prepared import Prepared
from genmodels.tasks.quiet import quiet_libraries
from genmodels.tasks.record import record_end, record_start, show_config
from genmodels.tasks.requeue import requeue, warned
from genmodels.types import Source

__all__ = ["run", "train"]

log = logging.getLogger(__name__)


def run(cfg: DictConfig) -> None:
    """Train, and say where things are and what comes next; or say what it would cost."""
    if cfg.dry_run is not False:
        if cfg.dry_run is not True:
            raise ValueError(f"dry_run must be true or false, got {cfg.dry_run!r}")
        dry_run(cfg)
        return
    made = train(cfg)
    log.info("The run is in %s", made)
    log.info("Watch it:  tensorboard --logdir %s", made.path.parent)
    log.info("Sample it: genmodels sample run=%s n=1000 out=synthetic", made)


def train(cfg: DictConfig, *, source: Source | None = None) -> Run:
    """Train one model.

    Args:
        cfg: as `compose("train", ...)` gives it.
        source: data to use instead of what `cfg.data.source` names.

    Returns:
        The run, with weights for sampling in it.

    Raises:
        ValueError: for what the user can put right.
        Interrupted: when a signal asked to stop; the state is saved.
    """
    with quiet_libraries():
        return _train(cfg, source)


def _train(cfg: DictConfig, source: Source | None) -> Run:
    target, asked = Run(cfg.run or default_run(cfg)), cfg.copy()
    state = place(target, cfg)
    if state is not None:
        cfg = resumed_config(cfg, target)
    require(cfg)
    check_fit(cfg)
    L.seed_everything(cfg.seed, verbose=False)
    if state is not None and nothing_to_do(cfg, state):
        log.info("%s is already trained for %s epochs", target, state["position"]["epoch"])
        return target
    with warned(asked):
        prepared = prepare(cfg, source, target if state is not None else None)
    if state is None and cfg.memory_format == "fastest":
        _choose_format(cfg, prepared)
    model = build_model(cfg, prepared.codec.layout, prepared.condition, prepared.schema)
    if cfg.validation.monitor == "val/loss" and not model.measures_loss:
        raise ValueError(
            f"validation.monitor=val/loss needs a model that measures one; "
            f"model={cfg.choices.model} does not: set validation.monitor=val/score"
        )
    if state is not None:
        samples, epoch = state["state_dict"]["samples_seen"], state["position"]["epoch"]
        log.info("Going on with %s from %s samples (epoch %s)", target, f"{int(samples):,}", epoch)
    sitting = _claim(cfg, target, partial(_sit, cfg, prepared, model, state), state is None)
    with (
        nullcontext() if prepared.buckets is None else closing(prepared.buckets),
        sitting.run.locked() if sitting.trainer.is_global_zero else nullcontext(),
    ):
        try:
            return _fit(sitting, cfg, prepared, model, fresh=state is None)
        except Interrupted as stopped:
            if sitting.trainer.is_global_zero:
                requeue(asked, stopped.code)
            raise


def _choose_format(cfg: DictConfig, prepared: Prepared) -> None:
    """Put the faster memory format into the configuration, in place of "fastest"."""
    layout = prepared.codec.layout
    build = partial(build_model, cfg, layout, prepared.condition, prepared.schema)
    rows = prepared.train.through(build().reads(layout))
    _, size = instantiate(cfg.batching).updates(len(rows))
    index = torch.arange(size) % len(rows)
    batch = rows.batch(index, rows.told(index, torch.Generator().manual_seed(cfg.seed)))
    gpu = cfg.trainer.accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    cfg.memory_format = fastest(build, batch, torch.device("cuda" if gpu else "cpu"))


def _claim(cfg: DictConfig, target: Run, sit: Callable[[Run], Sitting], fresh: bool) -> Sitting:
    """A trainer, and the directory of a new run; the next number when a name was taken since."""
    while True:
        sitting = sit(target)
        if not fresh or not sitting.trainer.is_global_zero:
            return sitting
        try:
            target.create(overwrite=cfg.overwrite)
        except ValueError:
            if cfg.run is not None:
                raise
            target = Run(default_run(cfg))
        else:
            return sitting


@dataclass(frozen=True, eq=False)
class Sitting:
    """One stretch of training, from a start or a resume to an end or an interruption."""

    run: Run
    trainer: L.Trainer
    data: DataModule
    ledger: Ledger
    checkpoint: Checkpoint
    signals: Signals
    samples_seen: int


def _sit(
    cfg: DictConfig,
    prepared: Prepared,
    model: GenerativeModel,
    state: dict[str, Any] | None,
    target: Run,
) -> Sitting:
    """The trainer with its callbacks; nothing is written yet."""
    ledger, signals = Ledger(path=target.metrics, writer=None), Signals()
    runtime = {
        "run": target,
        "folder": target.pictures,
        "ledger": ledger,
        "signals": signals,
        "resume": state,
        "codec": prepared.codec,
        "schema": prepared.schema,
        "reference": prepared.reference,
        "validation": None if prepared.validation is None else prepared.reference,
        "sample": Peek(model=model, codec=prepared.codec, seed=cfg.seed),
        "seed": cfg.seed,
    }
    callbacks = complete(instantiate(cfg.callbacks), **runtime)
    chosen = [callback for callback in callbacks.values() if callback is not None]
    samples_seen = 0 if state is None else int(state["state_dict"]["samples_seen"])
    purge = {} if state is None else {"purge_step": samples_seen + 1}
    logger = instantiate(cfg.logger)
    try:
        trainer = instantiate(cfg.trainer)(
            callbacks=chosen,
            logger=False if logger is None else logger(save_dir=target.path, **purge),
            default_root_dir=target.path,
        )
    except (MisconfigurationException, TypeError, ValueError) as error:
        raise ValueError(f"trainer: {' '.join(str(error).split())}") from error
    expand = model.reads(prepared.codec.layout)
    validation = prepared.validation
    data = DataModule(
        train=prepared.train.through(expand),
        validation=None if validation is None else validation.through(expand),
        batching=instantiate(cfg.batching),
        seed=cfg.seed,
        validation_batch_size=cfg.validation.batch_size,
        buckets=prepared.buckets,
    )
    checkpoint = next(c for c in chosen if isinstance(c, Checkpoint))
    return Sitting(target, trainer, data, ledger, checkpoint, signals, samples_seen)


def _fit(
    sitting: Sitting, cfg: DictConfig, prepared: Prepared, model: GenerativeModel, *, fresh: bool
) -> Run:
    """Train, and leave nothing of a start that failed."""
    target, trainer = sitting.run, sitting.trainer
    made = fresh and trainer.is_global_zero
    sitting.signals.install()
    try:
        if trainer.is_global_zero:
            record_start(target, cfg, prepared, fresh=fresh)
            if trainer.logger is not None:
                sitting.ledger.writer = cast(Any, trainer.logger).experiment
                show_config(sitting.ledger.writer, cfg, samples_seen=sitting.samples_seen)
        os.environ["GENMODELS_RUN"] = str(target.path)
        if trainer.strategy.root_device.type == "cpu":
            _forget_drivers()
        trainer.fit(model, datamodule=sitting.data)
    except Interrupted:
        log.info("Go on with: genmodels train run=%s resume=auto", target)
        _tell_replaced(target)
        raise
    except BaseException as error:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(target)  # a full disk does not say where
        if made and not sitting.checkpoint.saved and not target.weights.exists():
            target.remove()
        elif sitting.checkpoint.saved:
            log.info("What was saved is kept; genmodels train run=%s resume=auto goes on", target)
            _tell_replaced(target)
        raise
    finally:
        os.environ.pop("GENMODELS_RUN", None)
        sitting.signals.remove()
    if trainer.is_global_zero:
        record_end(target, cfg, model, trainer, sitting.ledger)
    return target


def _forget_drivers() -> None:
    """Every step of an optimizer asks whether there is an accelerator; here nobody needs one.

    A variable set by Lightning makes torch seek the answer in a driver's library, each time on
    disk where there is none: a tenth of a small update.
    """
    os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)


def _tell_replaced(target: Run) -> None:
    if target.replaced.is_dir():
        log.info("The run that it replaces is in %s until it has weights", target.replaced)
