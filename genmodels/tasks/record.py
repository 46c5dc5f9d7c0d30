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
from genmodels.run import Run
from genmodels.tasks.compose import resolved
from genmodels.tasks.prepare import Prepared

__all__ = ["record_end", "record_start"]

LIBRARIES = ("torch", "lightning", "numpy", "pyarrow", "hydra-core")


def record_start(target: Run, cfg: DictConfig, prepared: Prepared, *, fresh: bool) -> None:
    """Make the directory of a new run, or note that an old one goes on."""
    if not fresh:
        for orphan in target.path.rglob(".*.part"):
            orphan.unlink(missing_ok=True)  # of a process that was killed while it wrote
        sittings = target.read_manifest().get("sittings", 1)
        target.write_manifest(finished=False, sittings=sittings + 1)
        return
    target.create(overwrite=cfg.overwrite)
    target.checkpoints.mkdir()
    target.pictures.mkdir()
    config = yaml.safe_dump(_portable(resolved(cfg)), sort_keys=False, allow_unicode=True)
    target.write_manifest(
        genmodels=__version__,
        python=platform.python_version(),
        libraries={name: metadata.version(name) for name in LIBRARIES},
        seed=cfg.seed,
        split=prepared.split.state(),
        finished=False,
    )
    target.write(config=config, schema=prepared.schema.state(), codec=prepared.codec.state())


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
    target.write_manifest(
        finished=True,
        samples_seen=model.num_samples,
        epochs=trainer.current_epoch,
        seconds=round(ledger.elapsed, 2),
        results=results,
    )
    if trainer.logger is not None:
        config = resolved(cfg)
        metrics = {f"hparam/{results['monitor']}": results["best"]} if results else {}
        trainer.logger.log_hyperparams(_flat(config), metrics)
        text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
        writer = ledger.writer
        if writer is not None:
            writer.add_text("config", "    " + text.replace("\n", "\n    "))
            writer.flush()


def _portable(config: dict[str, Any]) -> dict[str, Any]:
    """The same with absolute paths of the data, so that the run is found its data anywhere."""
    data = config.get("data", {})
    for node in (data, data.get("source", {})):
        for key in ("path", "holdout_path"):
            value = node.get(key)
            if isinstance(value, str) and (Path(value).exists() or "*" in value):
                node[key] = str(Path(value).absolute())
    if config.get("schema"):
        config["schema"] = str(Path(config["schema"]).absolute())
    return config


def _flat(node: Any, prefix: str = "") -> dict[str, Any]:
    """Nested settings as dotted names; lists as text."""
    if isinstance(node, dict):
        flat: dict[str, Any] = {}
        for key, value in node.items():
            flat |= _flat(value, f"{prefix}.{key}" if prefix else str(key))
        return flat
    return {prefix: node if isinstance(node, int | float | bool | str) else str(node)}
