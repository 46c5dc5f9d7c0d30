"""How the weights of convolutions lie in memory: as asked, or as the faster of two trials.

The order changes no shape and no formula, only how fast a device reads them, and with it the last
bits of sums. So a trial is made once, before a run exists, and its outcome is kept with the run.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import torch

from genmodels.algorithms.base import GenerativeModel
from genmodels.types import Batch

__all__ = ["FORMATS", "arrange", "check_format", "fastest"]

log = logging.getLogger(__name__)
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
UPDATES = 4
"""Updates of a trial, as not every penalty is due in each."""
ROUNDS = 3
LONGEST = 30.0
"""Seconds after which no further round begins."""


def check_format(name: Any) -> str:
    """The name of a format, or "fastest".

    Raises:
        ValueError: for any other.
    """
    if name not in (*FORMATS, "fastest"):
        raise ValueError(
            f"memory_format must be {', '.join(FORMATS)} or fastest (tried at the start), got "
            f"{name!r}"
        )
    return str(name)


def arrange(model: GenerativeModel, name: str) -> None:
    """Let the weights of convolutions, and all that comes of them, lie in a format from now on."""
    model.to(memory_format=FORMATS[name])


def fastest(build: Callable[[], GenerativeModel], batch: Batch, device: torch.device) -> str:
    """The format in which updates of a model by a batch take the least time.

    Both are tried in turn, so that a machine that slows down slows both; random numbers are as
    if nothing had been tried.

    Args:
        build: makes an untrained model; each trial has its own.
        batch: of the size that training will use.
        device: to try on.
    """
    accelerators = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(accelerators):
        steps = {name: _step(build(), name, batch, device) for name in FORMATS}
        start, seconds = time.perf_counter(), dict.fromkeys(FORMATS, float("inf"))
        for step in steps.values():  # what is found out once, and memory that is asked for once
            step()
        for _ in range(ROUNDS):
            for name, step in steps.items():
                seconds[name] = min(seconds[name], step())
            if time.perf_counter() - start > LONGEST:
                break
    best = min(seconds, key=lambda name: seconds[name])
    rates = {name: UPDATES * len(batch.x) / taken for name, taken in seconds.items()}
    told = ", ".join(f"{name} {rate:,.0f} samples/s" for name, rate in rates.items())
    log.info("memory_format=fastest: %s; taking %s", told, best)
    return best


def _step(
    model: GenerativeModel, name: str, batch: Batch, device: torch.device
) -> Callable[[], float]:
    """A function that makes some updates, and says how many seconds they took."""
    trial = model.to(device)
    arrange(trial, name)
    found = trial.configure_optimizers()
    optimizers: list[Any] = found if isinstance(found, list) else [found]
    moved = batch.to(device)

    def step() -> float:
        _wait(device)
        start = time.perf_counter()
        for _ in range(UPDATES):
            trial.update(moved, optimizers, measure=False)
            trial.num_samples += len(moved.x)
        _wait(device)
        return time.perf_counter() - start

    return step


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
