"""What a run remembers of its training: the resolved configuration, versions, split, results."""

from __future__ import annotations

import math
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import lightning as L
import yaml
from omegaconf import DictConfig

from genmodels import __version__
from genmodels.algorithms.base import GenerativeModel
from genmodels.callbacks.ledger import Ledger
from genmodels.callbacks.typed import callbacks_of
from genmodels.callbacks.validation import KeepBest
from genmodels.files import write_text
from genmodels.layout import TableLayout
from genmodels.margins import margins_of, margins_state
from genmodels.run import Run
from genmodels.tasks.compose import resolved
from genmodels.tasks.prepared import Prepared

__all__ = ["absolute", "record_end", "record_start", "show_config"]

LIBRARIES = ("torch", "lightning", "numpy", "pyarrow", "hydra-core")
MACHINERY = ("advice", "callbacks", "logger", "data", "overrides", "run", "resume", "overwrite")
"""Settings that do not make one model better than another: not for TensorBoard's comparison."""


def record_start(target: Run, cfg: DictConfig, prepared: Prepared, *, fresh: bool) -> None:
    """Write what a new run is, or that an old one goes on, and with which changes."""
    config = _as_text(_portable(resolved(cfg)))
    if not fresh:
        for orphan in target.path.rglob(".*.part"):
            orphan.unlink(missing_ok=True)  # of a process that was killed while it wrote
        sittings = target.read_manifest().get("sittings", 1)
        target.write_manifest(finished=False, sittings=sittings + 1)
        write_text(target.config, config)
        return
    target.write_manifest(
        genmodels=__version__,
        python=platform.python_version(),
        libraries={name: metadata.version(name) for name in LIBRARIES},
        seed=cfg.seed,
        split=prepared.split.state(),
        finished=False,
    )
    codec, layout = prepared.codec.state(), prepared.codec.layout
    margins = None
    if isinstance(layout, TableLayout):
        margins = margins_state(margins_of(prepared.train.encoded, layout), layout)
    target.write(config=config, schema=prepared.schema.state(), codec=codec, margins=margins)


def record_end(
    target: Run, cfg: DictConfig, model: GenerativeModel, trainer: L.Trainer, ledger: Ledger
) -> None:
    """Note the results, and give TensorBoard the hyper-parameters beside them."""
    best = next((c for c in callbacks_of(trainer) if isinstance(c, KeepBest)), None)
    results: dict[str, Any] = {}
    if best is not None and math.isfinite(best.best):
        results = {
            "monitor": best.monitor,
            "best": best.best,
            "best_epoch": best.best_epoch,
            "best_samples_seen": best.best_samples,
        }
    target.forget_replaced()
    target.write_manifest(
        finished=True,
        samples_seen=model.num_samples,
        epochs=trainer.current_epoch,
        seconds=round(ledger.elapsed, 2),
        results=results,
    )
    if trainer.logger is not None:
        metrics = {f"hparam/{results['monitor']}": results["best"]} if results else {}
        chosen = {key: v for key, v in resolved(cfg).items() if key not in MACHINERY}
        trainer.logger.log_hyperparams(_flat(chosen), metrics)
        if ledger.writer is not None:
            ledger.writer.flush()


def show_config(writer: Any, cfg: DictConfig, *, samples_seen: int) -> None:
    """Give TensorBoard the settings as the training begins, so that a crash does not hide them."""
    text = _as_text(resolved(cfg))
    writer.add_text("config", "    " + text.replace("\n", "\n    "), samples_seen)
    writer.flush()


def _as_text(config: dict[str, Any]) -> str:
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def _portable(config: dict[str, Any]) -> dict[str, Any]:
    """The same with absolute paths of the data, so that the run finds its data from anywhere."""
    data = config.get("data") or {}
    source = data.get("source") or {}
    if "path" in source:  # else `data.path` is a name of another kind, or there is none
        source["path"], data["path"] = (absolute(node.get("path")) for node in (source, data))
    if data.get("holdout_path"):
        data["holdout_path"] = absolute(data["holdout_path"])
    config["schema"] = absolute(config.get("schema"))
    return config


def absolute(path: Any) -> Any:
    """A path, glob or list of these without a working folder in it; anything else as it is."""
    if isinstance(path, list):
        return [absolute(part) for part in path]
    if not isinstance(path, str) or not path or "://" in path:
        return path
    return str(Path(path).expanduser().absolute())


def _flat(node: Any, prefix: str = "") -> dict[str, Any]:
    """Nested settings as dotted names; lists as text, a part by the name of its class."""
    if not isinstance(node, dict):
        return {prefix: node if isinstance(node, int | float | bool | str) else str(node)}
    flat: dict[str, Any] = {}
    for key, value in node.items():
        if key == "_target_":
            flat[prefix] = str(value).rpartition(".")[2]
        elif key != "_partial_":
            flat |= _flat(value, f"{prefix}.{key}" if prefix else str(key))
    return flat
