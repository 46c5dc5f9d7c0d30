"""From a configuration, or a run, to live objects: the one place where parts are put together.

Whatever depends on the data is a `_partial_` in the configuration and is completed here, by
calling it with runtime values that its signature asks for by name.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from hydra.errors import HydraException
from hydra.utils import get_class
from hydra.utils import instantiate as hydra_instantiate
from omegaconf import DictConfig, OmegaConf

from genmodels.algorithms.base import Controllable, GenerativeModel
from genmodels.algorithms.optimizers import build_optimizer
from genmodels.calibration import Calibration
from genmodels.codecs.load import codec_from_state
from genmodels.combinations import LABEL
from genmodels.data.infer import with_target
from genmodels.files import read_json
from genmodels.layout import Condition, Layout, TableLayout
from genmodels.margins import Margin, margins_from_state
from genmodels.run import Run
from genmodels.schema import Schema, TableSchema, schema_from_state
from genmodels.tasks.memory_format import FORMATS, arrange, check_format
from genmodels.tasks.trust import check_trust
from genmodels.types import Raw, Source

__all__ = [
    "Loaded",
    "build_model",
    "choose_condition",
    "complete",
    "instantiate",
    "load_config",
    "load_run",
    "schema_of",
    "source_of",
]


def instantiate(node: Any) -> Any:
    """Build what a configuration node names; errors of ours come out as they were raised.

    Raises:
        ValueError: when the node does not fit the signature of what it names.
    """
    try:
        return hydra_instantiate(node, _convert_="all")
    except HydraException as error:
        cause = error.__cause__
        if isinstance(cause, ValueError | OSError | RuntimeError):
            raise cause from None
        raise ValueError(" ".join(str(error).split())) from error


def complete(node: Any, **runtime: Any) -> Any:
    """Call each partial, innermost first, whose missing required parameters are all in `runtime`.

    Other partials, such as optimizers that miss their `params`, stay as they are.
    """
    if isinstance(node, list):
        return [complete(value, **runtime) for value in node]
    if isinstance(node, dict):
        return {key: complete(value, **runtime) for key, value in node.items()}
    if not isinstance(node, functools.partial):
        return node
    within = runtime | {"latent_dim": node.keywords["latent_dim"]} if (
        "latent_dim" in node.keywords
    ) else runtime  # fmt: skip
    keywords = {key: complete(value, **within) for key, value in node.keywords.items()}
    missing = [
        name
        for name, parameter in inspect.signature(node.func).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and name not in keywords
    ][len(node.args) :]
    if set(missing) <= set(within):
        return node.func(*node.args, **keywords, **{name: within[name] for name in missing})
    return functools.partial(node.func, *node.args, **keywords)


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


def choose_condition(codec: Any, schema: Schema, choice: str) -> tuple[Condition, list[int]]:
    """What the model will be told, and which of the codec's groups that is.

    Args:
        codec: fitted.
        schema: knows the target.
        choice: "all" groups, "none", or the "target" (classes and attributes count as one).

    Raises:
        ValueError: when `choice` is another word, or there is no such target.
    """
    groups = codec.condition.groups
    if choice == "all":
        chosen = list(range(len(groups)))
    elif choice == "none":
        chosen = []
    elif choice == "target":
        target = getattr(schema, "target", None)
        name = LABEL if target is None else target.name
        chosen = [i for i, g in enumerate(groups) if g.name == name or g.combinations is not None]
        if not chosen:
            raise ValueError(
                "condition=target needs a categorical target: set data.target=<name>, or "
                "choose condition=all or condition=none"
            )
    else:
        raise ValueError(f"condition must be all, none or target, got {choice!r}")
    return Condition(tuple(groups[i] for i in chosen)), chosen


def source_of(cfg: DictConfig, **changed: Any) -> Source:
    """The data source of a configuration; `changed` replaces keys, such as `path`.

    Raises:
        ValueError: when the source has no such key.
    """
    unknown = [key for key in changed if key not in cfg.data.source]
    if unknown:
        name = cfg.get("choices", {}).get("data", "this source")
        raise ValueError(f"data={name} has no {', '.join(unknown)}: its data are always the same")
    return instantiate(OmegaConf.merge(cfg.data.source, changed))


def schema_of(cfg: DictConfig, raw: Raw) -> Schema:
    """The user's schema if the configuration names a file, else one inferred from `raw`."""
    if cfg.get("schema") is None:
        return instantiate(cfg.data.infer)(raw)
    schema: Schema = instantiate(cfg.data.read_schema)(str(cfg.schema))
    asked = any(word.startswith("data.target=") for word in cfg.get("overrides", ()))
    if asked and cfg.data.target is not None and isinstance(schema, TableSchema):
        return with_target(schema, str(cfg.data.target))
    return schema


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


def load_config(run: Run) -> DictConfig:
    """The configuration of a run, after checking that it names nothing but known parts.

    Raises:
        ValueError: when it is damaged or names anything else.
    """
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    try:
        cfg = OmegaConf.load(run.config)
        plain = OmegaConf.to_container(cfg, resolve=False)
    except (YAMLError, OmegaConfBaseException, OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{run.config} cannot be read: {' '.join(str(error).split())}") from error
    check_trust(plain, where=str(run.config))
    if not isinstance(cfg, DictConfig):
        raise ValueError(f"{run.config} does not hold a configuration")
    OmegaConf.set_struct(cfg, True)
    return cfg


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


def read_codec(run: Run) -> Any:
    """The fitted codec of a run."""
    state = read_json(run.codec)
    if not isinstance(state, Mapping):
        raise ValueError(f"{run.codec} does not hold a codec")
    return codec_from_state(dict(state))
