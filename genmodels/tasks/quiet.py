"""Silence for the chatter of libraries; what a user needs to know, this package says itself."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from lightning.pytorch.utilities.seed import isolate_rng

__all__ = ["isolated", "quiet_libraries", "whispering"]

LOGGERS = ("lightning", "lightning.pytorch", "lightning.fabric", "lightning_fabric")
CHATTER = (
    ".*does not have many workers.*",
    ".*number of training batches.*smaller than the logging interval.*",
    ".*GPU available but not used.*",
    ".*in eval mode at the start of training.*",
    ".*you defined a `validation_step` but have no `val_dataloader`.*",
    ".*You defined a `validation_step` but have no `val_dataloader`.*",
    ".*Experiment logs directory.*exists and is not empty.*",
    ".*isinstance\\(treespec, LeafSpec\\).*",
    ".*torch.jit.script.*deprecated.*",
)
SEED_NOTES = ("PL_GLOBAL_SEED", "PL_SEED_WORKERS")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """For a while, hush advice that does not apply: data here need no workers, for one."""
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    with warnings.catch_warnings():
        for message in CHATTER:
            warnings.filterwarnings("ignore", message=message)
        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


@contextmanager
def isolated() -> Iterator[None]:
    """Give the process its random states and environment back, as training seeds them all."""
    notes = {name: os.environ.get(name) for name in SEED_NOTES}
    with isolate_rng():
        try:
            yield
        finally:
            for name, value in notes.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


@contextmanager
def whispering() -> Iterator[None]:
    """Only warnings of a training that is one of many."""
    logger = logging.getLogger("genmodels")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
