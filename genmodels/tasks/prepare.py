"""From a source to encoded rows: load, schema, parse, split, fit on the training rows, encode."""

from __future__ import annotations

import logging

from omegaconf import DictConfig

from genmodels.data.splits import Split
from genmodels.files import read_json
from genmodels.run import Run
from genmodels.schema import Schema, schema_from_state
from genmodels.tasks.holdout import has_holdout, holdout_of
from genmodels.tasks.parts import instantiate, schema_of, source_of
from genmodels.tasks.prepared import Coded, Prepared
from genmodels.tasks.stream import prepare_stream
from genmodels.types import Raw, Source

__all__ = ["prepare"]

log = logging.getLogger(__name__)


def prepare(
    cfg: DictConfig, source: Source | None, earlier: Run | None, *, encode: bool = True
) -> Prepared:
    """Get the data of a configuration ready.

    Args:
        cfg: of train.
        source: data to use instead of the configuration's.
        earlier: the run that is resumed: its schema, split and codec are used again.
        encode: False: of data that are streamed, only a sample, to say what training would cost.

    Raises:
        ValueError: when the data cannot be used, or are not those of the earlier run.
    """
    source = source_of(cfg) if source is None else source
    if cfg.data.get("streaming"):
        return prepare_stream(cfg, source, earlier, encode=encode)
    loaded = source.load()
    split = _split(cfg, len(loaded), source.fingerprint(), earlier)
    schema, train, validation = _typed(cfg, loaded, split, earlier)
    if earlier is None:
        log.info(instantiate(cfg.data.describe)(schema))
        holdout_of(cfg, schema, split.fingerprint)  # what is wrong with it should not wait
    coded = Coded.of(cfg, train, schema, earlier)
    return Prepared(
        schema=schema,
        split=split,
        codec=coded.codec,
        condition=coded.condition,
        train=coded.rows(train, cfg.seed),
        validation=coded.rows(validation, cfg.seed + 1) if len(validation) else None,
        reference=validation if len(validation) else train,
    )


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
