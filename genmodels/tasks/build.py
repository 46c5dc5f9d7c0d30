"""From a configuration, or a run, to a model: the one place where its parts are put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from hydra.utils import get_class
from omegaconf import DictConfig

from genmodels.algorithms.base import Controllable, GenerativeModel
from genmodels.algorithms.optimizers import build_optimizer
from genmodels.calibration import Calibration
from genmodels.files import read_json
from genmodels.layout import Condition, Layout, TableLayout
from genmodels.margins import Margin, margins_from_state
from genmodels.run import Run
from genmodels.schema import Schema, schema_from_state
from genmodels.tasks.memory_format import FORMATS, arrange, check_format
from genmodels.tasks.parts import complete, instantiate
from genmodels.tasks.prepared import choose_condition
from genmodels.tasks.stored import load_config, read_codec

__all__ = [
    "Loaded",
    "build_model",
    "load_run",
]


def build_model(
    cfg: DictConfig, layout: Layout, condition: Condition, schema: Schema
) -> GenerativeModel:
    """An untrained model.

    Raises:
        ValueError: when its parts do not fit the data or each other.
    """
    try:
        aim = getattr(schema, "target", None)
        runtime = {"layout": layout, "condition": condition, "target": aim and aim.name}
        model = complete(instantiate(cfg.model), **runtime)
        _try_optimizers(cfg.model)
    except (TypeError, RuntimeError) as error:
        words = [w for w in cfg.get("overrides", ()) if w.split("=")[0].split(".")[0] == "model"]
        if not words:
            raise
        cause = " ".join(str(error).split())
        raise ValueError(f"no model can be built with {' '.join(words)}: {cause}") from error
    if not isinstance(model, GenerativeModel):
        name = getattr(getattr(model, "func", model), "__name__", type(model).__name__)
        raise ValueError(f"model must name a GenerativeModel with all its parts, got {name}")
    chosen = check_format(cfg.get("memory_format", "contiguous"))
    if chosen in FORMATS:
        arrange(model, chosen)
    return model


def _try_optimizers(parts: DictConfig) -> None:
    """Build each on a parameter of its own, as training would find a wrong setting too late.

    Raises:
        ValueError: naming the key and what is wrong.
    """
    for key, node in parts.items():
        if not str(key).endswith("optimizer") or node is None:
            continue
        try:
            build_optimizer(instantiate(node), [torch.nn.Parameter(torch.zeros(1))])
        except (TypeError, ValueError, RuntimeError) as error:
            cause = " ".join(str(error).split())
            given = {k: v for k, v in node.items() if not str(k).startswith("_")}
            raise ValueError(f"model.{key!s} cannot be made of {given}: {cause}") from error


@dataclass(frozen=True, eq=False)
class Loaded:
    """A run brought back to life: `cfg, schema, codec, model = load_run(path)` works too."""

    cfg: DictConfig
    schema: Schema
    codec: Any
    model: GenerativeModel
    margins: tuple[Margin, ...] | None = None
    calibrations: dict[tuple[str, str, str], Calibration | None] = field(default_factory=dict)

    def __iter__(self) -> Any:
        return iter((self.cfg, self.schema, self.codec, self.model))


def takes_any_part(cfg: DictConfig) -> bool:
    """Whether a model of this configuration can be given any part of a row.

    It then needs no condition in training.
    """
    return issubclass(get_class(str(cfg.model._target_)), Controllable)


def load_run(path: Run | Path | str, *, device: torch.device | str = "cpu") -> Loaded:
    """Everything that a trained run holds, with the weights for sampling, in evaluation mode.

    Raises:
        ValueError: when there is no run, or a part of it is missing or damaged.
    """
    run = path if isinstance(path, Run) else Run.open(path)
    cfg = load_config(run)
    try:
        schema, codec = schema_from_state(read_json(run.schema)), read_codec(run)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{run}: its schema or codec is damaged: {error}") from error
    weights = run.read_weights()
    condition, _ = choose_condition(codec, schema, cfg.condition)
    model = build_model(cfg, codec.layout, condition, schema)
    model.load_sampler_state(weights)
    margins = _read_margins(run, codec.layout)
    return Loaded(cfg, schema, codec, model.to(device).eval(), margins)


def _read_margins(run: Run, layout: Layout) -> tuple[Margin, ...] | None:
    """The margins of a run; None where there are none, as of a run of an earlier version."""
    if not isinstance(layout, TableLayout) or not run.margins.is_file():
        return None
    try:
        return margins_from_state(read_json(run.margins), layout)
    except ValueError as error:
        raise ValueError(f"{run.margins}: {error}") from error
