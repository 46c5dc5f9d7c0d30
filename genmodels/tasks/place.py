"""Where a training writes: a new run, one to replace, or one to go on with."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from genmodels.callbacks.checkpoint import read_checkpoint
from genmodels.run import Run
from genmodels.tasks.build import load_config

__all__ = ["default_run", "nothing_to_do", "place", "resumed_config"]

CHANGEABLE = ("trainer", "validation", "callbacks", "logger", "run", "resume", "overwrite")
CHANGEABLE_DATA = ("data.path", "data.holdout_path", "data.source.path")


def default_run(cfg: DictConfig) -> Path:
    """`runs/<data>-<model>-<number>`, the first number that is free."""
    if cfg.resume == "auto":
        raise ValueError("resume=auto needs the run to go on with: run=<folder>")
    if os.environ.get("GENMODELS_RUN"):
        return Path(os.environ["GENMODELS_RUN"])
    path = OmegaConf.select(cfg, "data.path", throw_on_missing=False)
    data = Path(str(path)).name.split(".")[0] if path else str(cfg.choices.data)
    stem = re.sub(r"[^\w-]+", "_", f"{data or cfg.choices.data}-{cfg.choices.model}")
    used = {p.name for p in Path("runs").glob(f"{stem}-*")}
    number = next(i for i in range(1, len(used) + 2) if f"{stem}-{i}" not in used)
    return Path("runs") / f"{stem}-{number}"


def place(target: Run, cfg: DictConfig) -> dict[str, Any] | None:
    """Check that `target` may be written; the state to resume from, or None for a new start.

    Raises:
        ValueError: when the place is taken, or no checkpoint there is intact.
        OSError: when nothing can be written there.
    """
    if cfg.resume not in (False, None, "auto"):
        raise ValueError(f"resume must be auto or false, got {cfg.resume!r}")
    if "LOCAL_RANK" in os.environ and os.environ["LOCAL_RANK"] != "0":
        return read_checkpoint(target) if cfg.resume == "auto" and target.exists() else None
    _refuse_unwritable(target.path)
    if cfg.resume == "auto" and target.exists():
        state = read_checkpoint(target)
        if state is not None:
            return state
        cfg.overwrite = True  # a start that never came to its first checkpoint
    target.refuse_to_replace(overwrite=cfg.overwrite)
    return None


def _refuse_unwritable(path: Path) -> None:
    there = next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())
    if there.is_dir() and not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(f"run={path} cannot be made: {there} is not writable")


def resumed_config(cfg: DictConfig, target: Run) -> DictConfig:
    """The configuration of the run, with what was asked for now where that may change.

    Raises:
        ValueError: when a word would change what the run is.
    """
    saved = load_config(target)
    for word in cfg.overrides:
        override = OverridesParser.create().parse_override(word)
        key = override.key_or_group
        if key in cfg.choices:
            if cfg.choices[key] != saved.choices.get(key) and key not in ("trainer", "logger"):
                raise ValueError(
                    f"{target} was made with {key}={saved.choices.get(key)}; a resumed run cannot "
                    f"change to {cfg.choices[key]}"
                )
            continue
        value = OmegaConf.select(cfg, key, throw_on_missing=False)
        if key.split(".")[0] in CHANGEABLE or key in CHANGEABLE_DATA:
            OmegaConf.update(saved, key, value, force_add=True)
        elif value != OmegaConf.select(saved, key):
            raise ValueError(
                f"{target} was made with {key}={OmegaConf.select(saved, key)}; a resumed run "
                f"cannot change that (only {', '.join(CHANGEABLE[:4])} and where its data lie)"
            )
    saved.resume = cfg.resume
    return saved


def nothing_to_do(cfg: DictConfig, state: dict[str, Any]) -> bool:
    """Whether all epochs of a resumed run are done."""
    last = cfg.trainer.max_epochs
    return last is not None and 0 <= last <= int(state["position"]["epoch"])
