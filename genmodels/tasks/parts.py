"""From a configuration to live objects: sources, schemas, writers, whatever a node names.

Whatever depends on the data is a `_partial_` in the configuration and is completed here, by
calling it with runtime values that its signature asks for by name.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from hydra.errors import HydraException
from hydra.utils import instantiate as hydra_instantiate
from omegaconf import DictConfig, OmegaConf

from genmodels.data.infer import with_target
from genmodels.schema import Schema, TableSchema
from genmodels.types import Raw, Source

__all__ = ["complete", "instantiate", "schema_of", "source_of"]


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
