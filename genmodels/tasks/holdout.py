"""Held-out data that lie apart from the training data: another file, or another official part."""

from __future__ import annotations

import inspect
from typing import Any

from omegaconf import DictConfig

from genmodels.data.open import open_source
from genmodels.report.reading import read_alike
from genmodels.schema import Schema
from genmodels.tasks.parts import instantiate, source_of
from genmodels.types import Raw, Source

__all__ = ["has_holdout", "holdout_of", "holdout_source", "refuse_seen"]


def has_holdout(cfg: DictConfig) -> bool:
    """Whether a configuration names held-out data of their own."""
    return any(cfg.data.get(key) is not None for key in ("holdout_path", "holdout_split"))


def holdout_of(cfg: DictConfig, schema: Schema, fingerprint: str) -> Raw | None:
    """The held-out data, typed as the training data as far as they fit; None without any.

    Args:
        cfg: of train.
        schema: of the training data.
        fingerprint: of the training data.

    Raises:
        ValueError: when they are of another kind, or overlap with the training data.
        FileNotFoundError: when they are not there.
    """
    if not has_holdout(cfg):
        return None
    source = holdout_source(cfg)
    refuse_seen(
        source,
        fingerprint,
        "name others with data.holdout_path, or leave it out to hold out a share (data.holdout)",
    )
    raw = source.load()
    return read_alike(raw, schema, instantiate(cfg.data.parse_apart), what="held-out")


def refuse_seen(apart: Source, fingerprint: str, advice: str) -> None:
    """Raise `ValueError` when held-out data are the training data of that fingerprint."""
    if apart.fingerprint() == fingerprint:
        raise ValueError(
            f"the held-out data are the training data, so they can judge nothing; {advice}"
        )


def holdout_source(cfg: DictConfig, path: str | None = None) -> Source:
    """Where the held-out data are; `path` goes before what the configuration names.

    A source that reads files reads these the same way. One that knows its data by name, or has
    official parts, does not: files are opened by what they are.
    """
    path = cfg.data.get("holdout_path") if path is None else path
    if path is None:
        return source_of(cfg, split=_other_part(cfg))
    if "path" in cfg.data.source and "split" not in cfg.data.source:
        return source_of(cfg, path=path)
    return _open(str(path), cfg)


def _other_part(cfg: DictConfig) -> str:
    part, used = str(cfg.data.holdout_split), cfg.data.source.get("split")
    if used is None:
        raise ValueError(
            f"data={cfg.choices.data} has no official parts: leave out data.holdout_split={part}"
        )
    if used in (part, "all"):
        raise ValueError(
            f"data.split={used} and data.holdout_split={part} are the same data; choose another "
            "part, or data.holdout_split=null to hold out a share (data.holdout)"
        )
    return part


def _open(path: str, cfg: DictConfig) -> Source:
    """Files of any kind, brought to size as the training data are."""
    source = open_source(path)
    known = inspect.signature(type(source)).parameters
    wanted: dict[str, Any] = {
        key: cfg.data[key] for key in ("size", "resize") if key in cfg.data and key in known
    }
    return open_source(path, **wanted) if wanted else source
