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
from genmodels.tasks.compose import resolved
from genmodels.tasks.ranks import this_rank
from genmodels.tasks.record import absolute
from genmodels.tasks.stored import load_config

__all__ = ["default_run", "nothing_to_do", "place", "resumed_config"]

CHANGEABLE = (
    "trainer", "validation", "callbacks", "logger", "memory_format", "run", "resume", "overwrite",
)  # fmt: skip
CHANGEABLE_DATA = ("data.path", "data.holdout_path", "data.source.path", "data.cache")


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
    if this_rank().number or os.environ.get("LOCAL_RANK", "0") != "0":  # the first one has made it
        return read_checkpoint(target) if cfg.resume == "auto" and target.exists() else None
    _refuse_unwritable(target.path)
    if cfg.resume == "auto" and target.exists():
        state = read_checkpoint(target)
        if state is not None:
            return state
        if target.weights.exists() and not cfg.overwrite:
            raise ValueError(
                f"{target} is trained but has no checkpoint to go on from; overwrite=true starts "
                "again"
            )
        cfg.overwrite = True  # a start that never came to its first checkpoint
    if cfg.resume == "auto" and target.is_stub():
        target.remove()
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
    parser = OverridesParser.create()
    keys = [parser.parse_override(word).key_or_group for word in cfg.overrides]
    for key in keys:
        if key in cfg.choices:
            _choose(saved, cfg, target, key, given=keys)
    for key in keys:
        if key == "memory_format" and cfg.memory_format == "fastest":
            continue  # it was tried when the run began
        if key not in cfg.choices:
            _set(saved, cfg, target, key)
    source = saved.data.get("source") or {}
    if "data.path" in keys and "data.source.path" not in keys and "path" in source:
        OmegaConf.update(saved, "data.source.path", saved.data.path)
    saved.resume = cfg.resume
    return saved


def _choose(saved: DictConfig, cfg: DictConfig, target: Run, group: str, given: list[str]) -> None:
    """Take the chosen file of a group, if it differs from the run's and may."""
    choice, former = cfg.choices[group], saved.choices.get(group)
    if choice == former:
        return
    if group not in ("trainer", "logger"):
        raise ValueError(
            f"{target} was made with {group}={former}; a resumed run cannot change to {choice}"
        )
    epochs = saved.trainer.max_epochs
    node = None if cfg[group] is None else resolved(cfg[group])
    OmegaConf.update(saved, group, node, merge=False, force_add=True)
    if group == "trainer" and "trainer.max_epochs" not in given:
        saved.trainer.max_epochs = epochs  # of the model, not of the machine
    OmegaConf.update(saved, f"choices.{group}", choice, force_add=True)


def _set(saved: DictConfig, cfg: DictConfig, target: Run, key: str) -> None:
    """Take the value of one word, if it may change; the run's own value is no change."""
    value, former = (OmegaConf.select(c, key, throw_on_missing=False) for c in (cfg, saved))
    if key.split(".")[0] in CHANGEABLE or key in CHANGEABLE_DATA:
        OmegaConf.update(saved, key, value, force_add=True)
    elif (absolute(value) if key == "schema" else value) != former:
        raise ValueError(
            f"{target} was made with {key}={former}; a resumed run "
            f"cannot change that (only {', '.join(CHANGEABLE[:4])} and where its data lie)"
        )


def nothing_to_do(cfg: DictConfig, state: dict[str, Any]) -> bool:
    """Whether all epochs of a resumed run are done."""
    last = cfg.trainer.max_epochs
    return last is not None and 0 <= last <= int(state["position"]["epoch"])
