"""From a source to encoded rows: load, schema, parse, split, fit on the training rows, encode."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from omegaconf import DictConfig

from genmodels.data.batching import Rows
from genmodels.data.splits import Split
from genmodels.files import read_json
from genmodels.layout import Condition
from genmodels.run import Run
from genmodels.schema import Schema, schema_from_state
from genmodels.tasks.build import (
    choose_condition,
    instantiate,
    read_codec,
    schema_of,
    source_of,
)
from genmodels.tasks.holdout import has_holdout, holdout_of
from genmodels.types import Encoded, Raw, Source

__all__ = ["Prepared", "prepare", "told_rows"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that training needs of the data, and what evaluation must know later.

    Args:
        schema: what the parts of the data mean.
        split: who may see which rows.
        codec: fitted on the training rows.
        condition: what the model is told.
        train: encoded training rows.
        validation: encoded validation rows, or None when there are none.
        reference: the raw validation rows; the training rows when there are none.
    """

    schema: Schema
    split: Split
    codec: Any
    condition: Condition
    train: Rows
    validation: Rows | None
    reference: Raw


def prepare(cfg: DictConfig, source: Source | None, earlier: Run | None) -> Prepared:
    """Get the data of a configuration ready.

    Args:
        cfg: of train.
        source: data to use instead of the configuration's.
        earlier: the run that is resumed: its schema, split and codec are used again.

    Raises:
        ValueError: when the data cannot be used, or are not those of the earlier run.
    """
    source = source_of(cfg) if source is None else source
    loaded = source.load()
    split = _split(cfg, len(loaded), source.fingerprint(), earlier)
    schema, train, validation = _typed(cfg, loaded, split, earlier)
    if earlier is None:
        log.info(instantiate(cfg.data.describe)(schema))
        holdout_of(cfg, schema, split.fingerprint)  # what is wrong with it should not wait
        codec = instantiate(cfg.codec)(train, schema, seed=cfg.seed)
    else:
        codec = read_codec(earlier)
    condition, chosen = choose_condition(codec, schema, cfg.condition)

    def rows(part: Raw, stream: int) -> Rows:
        encoded = codec.encode(part, seed=cfg.seed + stream)
        return told_rows(codec, part, encoded, condition, chosen)

    encoded = rows(train, 0)
    validated = rows(validation, 1) if len(validation) else None
    reference = validation if len(validation) else train
    return Prepared(schema, split, codec, condition, encoded, validated, reference)


def _typed(
    cfg: DictConfig, loaded: Raw, split: Split, earlier: Run | None
) -> tuple[Schema, Raw, Raw]:
    """The schema, and the training and validation rows typed by it.

    A schema that is inferred knows the training rows alone, so validation rows may not fit: what
    the codec has no outcome for is left out. A schema of the user's is about all rows.
    """
    parse = instantiate(cfg.data.parse)
    if earlier is None and cfg.get("schema") is not None:
        schema = schema_of(cfg, loaded)
        loaded = parse(loaded, schema)
    raw_train, raw_validation, _ = split.take(loaded)
    if earlier is not None:
        schema = schema_from_state(read_json(earlier.schema))
    elif cfg.get("schema") is None:
        schema = schema_of(cfg, raw_train)
    train = parse(raw_train, schema)
    validation = instantiate(cfg.data.parse_apart)(raw_validation, schema)
    keep = instantiate(cfg.data.expressible)
    return schema, train, validation if keep is None else keep(validation, train, schema)


def _split(cfg: DictConfig, rows: int, fingerprint: str, earlier: Run | None) -> Split:
    if earlier is not None:
        split = Split.from_state(earlier.read_manifest()["split"])
        if split.fingerprint != fingerprint:
            raise ValueError(
                f"the data are not those that {earlier} was trained on (their fingerprint is "
                "another). Point data.path to the same data, or start a new run"
            )
        return split
    return Split(
        rows=rows,
        seed=cfg.seed,
        holdout=0.0 if has_holdout(cfg) else cfg.data.holdout,
        validation=cfg.data.validation,
        most_validation=cfg.data.most_validation,
        fingerprint=fingerprint,
    )


def told_rows(
    codec: Any, raw: Raw, encoded: Encoded, condition: Condition, chosen: list[int]
) -> Rows:
    """Encoded rows and what each is told: combinations of their own, exactly, or known levels."""
    if condition.combinations is not None:
        condition, codes = codec.combinations(raw)
    else:
        codes = _chosen_codes(codec, raw, encoded, condition, chosen)
    return Rows.of(encoded, codes, condition, codec.layout)


def _chosen_codes(
    codec: Any, raw: Raw, encoded: Encoded, condition: Condition, chosen: list[int]
) -> np.ndarray:
    """Level of each row in each chosen group; from the encoded rows where they hold it."""
    if not chosen:
        return np.zeros((len(raw), 0), np.int32)
    held = all(group.code is not None for group in condition.groups)
    return np.ascontiguousarray(codec.condition_codes(encoded if held else raw)[:, chosen])
