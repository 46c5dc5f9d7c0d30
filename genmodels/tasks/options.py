"""Options that all verbs which write data share: how many, which seed, on what device."""

from __future__ import annotations

from typing import Any

import torch
from omegaconf import DictConfig

from genmodels.tasks.ranks import ALONE, Rank

__all__ = ["pick_device", "rows_and_seed", "whole_number"]


def rows_and_seed(cfg: DictConfig) -> tuple[int, int]:
    """Checked before anything is loaded."""
    return whole_number("n", cfg.n, least=1), whole_number("seed", cfg.seed, least=0)


def whole_number(key: str, value: Any, *, least: int) -> int:
    """The value of a key that counts something; 1e6 is a whole number.

    Raises:
        ValueError: for anything else, or below `least`.
    """
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if not whole or isinstance(value, bool):
        raise ValueError(f"{key} must be a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{key} must be at least {least}, got {int(value)}")
    return int(value)


def pick_device(name: str, rank: Rank = ALONE) -> torch.device:
    """auto, cpu, cuda or cuda:<i>; of several processes on a machine each takes a GPU in turn.

    Raises:
        ValueError: when there is no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and rank.local_of > 1 and torch.cuda.is_available():
        name = f"cuda:{rank.local % torch.cuda.device_count()}"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device must be auto, cpu or cuda, got {name!r}") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("device=cuda, but torch finds no GPU here; use device=cpu")
    return device
