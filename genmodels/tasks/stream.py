"""Data larger than memory: one pass says what they are, a second one encodes them to disk."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from omegaconf import DictConfig

from genmodels.data.batching import Rows
from genmodels.data.parse import styles_of
from genmodels.data.streaming.buckets import Buckets
from genmodels.data.streaming.sketch import Sketch, numbered, sketched
from genmodels.data.streaming.split import StreamSplit
from genmodels.files import read_json
from genmodels.report.reading import read_alike
from genmodels.run import Run
from genmodels.schema import Schema, schema_from_state
from genmodels.tasks.holdout import has_holdout, holdout_source, refuse_seen
from genmodels.tasks.parts import instantiate, schema_of
from genmodels.tasks.prepared import Coded, Prepared
from genmodels.tasks.ranks import this_rank
from genmodels.types import Raw, Source, Streamable, take_rows

__all__ = ["prepare_stream", "recorded_sketch", "sampled", "streamable", "telling"]

log = logging.getLogger(__name__)
_SECONDS_PER_LINE, _FEWEST = 10.0, 100


def streamable(source: Source) -> Streamable:
    """The source, if it can be read in pieces.

    Raises:
        ValueError: when it cannot.
    """
    if not isinstance(source, Streamable):
        raise ValueError(
            "data.streaming=true is for files of rows: data=csv or data=parquet; "
            f"{type(source).__name__} is read as a whole"
        )
    return source


def prepare_stream(
    cfg: DictConfig, source: Source, earlier: Run | None, *, encode: bool = True
) -> Prepared:
    """As `prepare`, with no more in memory than a sample of the rows.

    The schema and the codec are made from the sample and from the rows that show what it lacks.

    Args:
        cfg: of train.
        source: of the rows.
        earlier: the run that is resumed.
        encode: False: only look, with no `buckets`.

    Raises:
        ValueError: when the data cannot be used, or are not those of the earlier run.
        OSError: when the disk is full.
    """
    stream, most = streamable(source), _sample_rows(cfg)
    _refuse_launcher(cfg)
    split = _split(cfg, stream, earlier)
    levels = min(2 * cfg.data.infer.max_levels, most // 10)
    found = sketched(_told(stream.pieces(), "looking"), split, most=most, most_levels=levels)
    if earlier is not None and found.split.state() != earlier.read_manifest()["split"]:
        raise ValueError(f"the data changed while they were read, or since {earlier} was made")
    schema, styles = _schema(cfg, found, earlier), styles_of(found.telling)
    parse = partial(instantiate(cfg.data.parse), styles=styles)
    telling = _typed(parse, found.telling, schema, "the row is one of a sample of the data")
    train = take_rows(telling, np.arange(len(found.sample)))
    apart = partial(instantiate(cfg.data.parse_apart), styles=styles)
    validation = apart(found.validation, schema)
    if (keep := instantiate(cfg.data.expressible)) is not None:
        validation = keep(validation, telling, schema)
    if earlier is None:
        log.info(instantiate(cfg.data.describe)(schema))
        _try_holdout(cfg, schema, found.split)
    coded = Coded.of(cfg, telling, schema, earlier)
    rows = coded.rows(train, cfg.seed)
    buckets = _encoded(cfg, stream, found.split, schema, parse, coded, rows) if encode else None
    return Prepared(
        schema=schema,
        split=found.split,
        codec=coded.codec,
        condition=coded.condition,
        train=rows,
        validation=coded.rows(validation, cfg.seed + 1) if len(validation) else None,
        reference=validation if len(validation) else train,
        buckets=buckets,
    )


def _encoded(
    cfg: DictConfig,
    stream: Streamable,
    split: StreamSplit,
    schema: Schema,
    parse: Any,
    coded: Coded,
    sample: Rows,
) -> Buckets:
    """All training rows on disk, as wide as the sample of them."""
    widths = [sample.encoded[name].shape[1] for name in ("values", "codes")]
    buckets = _room(cfg, split, (*widths, sample.codes.shape[1]))
    for number, (piece, numbers) in enumerate(numbered(_told(stream.pieces(), "encoding"))):
        mine = split.trains(numbers)
        where = f"rows are counted from row {numbers[0] + 1:,} of the data, training rows alone"
        part = _typed(parse, piece.filter(pa.array(mine)), schema, where)
        words = np.random.SeedSequence([cfg.seed, 2, number]).generate_state(1)
        encoded = coded.codec.encode(part, seed=int(words[0]))
        buckets.add(encoded, coded.codes(part, encoded), numbers[mine])
    if len(buckets) != split.counts["train"]:
        raise ValueError("the data changed while they were read: start again")
    return buckets


def recorded_sketch(source: Source, split: StreamSplit, *, most: int) -> tuple[Raw, Raw]:
    """Uniform samples of what a run trained on and of what it held out, at most so many rows."""
    pieces = _told(streamable(source).pieces(), "looking")
    found = sketched(pieces, split, most=most, most_holdout=most)
    log.info("judged by samples of %d training rows and %d held-out rows", len(found.sample),
             len(found.holdout))  # fmt: skip
    return found.sample, found.holdout


def sampled(source: Source, *, most: int) -> Raw:
    """At most so many rows of a source, uniform: all of them are held out."""
    return _looked(source, most=most).sample


def telling(source: Source, *, most: int) -> Raw:
    """A sample of a source, and the rows that show what it lacks."""
    return _looked(source, most=most).telling


def _looked(source: Source, *, most: int) -> Sketch:
    split = StreamSplit(seed=0, holdout=0.0, validation=0.0, most_validation=0)
    return sketched(_told(streamable(source).pieces(), "looking"), split, most=most)


def _sample_rows(cfg: DictConfig) -> int:
    most = cfg.data.sample_rows
    if isinstance(most, bool) or not isinstance(most, int) or most < _FEWEST:
        raise ValueError(f"data.sample_rows must be a whole number from {_FEWEST} on, got {most!r}")
    return most


def _refuse_launcher(cfg: DictConfig) -> None:
    """Processes that Lightning starts begin only when the first one has read and encoded all."""
    devices = cfg.trainer.get("devices")
    if isinstance(devices, int) and devices > 1 and this_rank().of == 1:
        raise ValueError(
            "data.streaming=true is prepared by each process: start them together, by "
            f"torchrun --nproc-per-node={devices} -m genmodels train ..."
        )


def _split(cfg: DictConfig, source: Streamable, earlier: Run | None) -> StreamSplit:
    fingerprint = source.fingerprint()
    if earlier is None:
        return StreamSplit(
            seed=cfg.seed,
            holdout=0.0 if has_holdout(cfg) else cfg.data.holdout,
            validation=cfg.data.validation,
            most_validation=cfg.data.most_validation,
            fingerprint=fingerprint,
        )
    split = StreamSplit.from_state(earlier.read_manifest()["split"])
    if split.fingerprint != fingerprint:
        raise ValueError(
            f"the data are not those that {earlier} was trained on (their fingerprint is "
            "another). Point data.path to the same data, or start a new run"
        )
    return replace(split, counts={}, cutoff=0)


def _schema(cfg: DictConfig, found: Sketch, earlier: Run | None) -> Schema:
    if earlier is not None:
        return schema_from_state(read_json(earlier.schema))
    return schema_of(cfg, found.sample)


def _try_holdout(cfg: DictConfig, schema: Schema, split: StreamSplit) -> None:
    """What is wrong with held-out data of their own should not wait: read a piece of them."""
    if not has_holdout(cfg):
        return
    apart = streamable(holdout_source(cfg))
    refuse_seen(apart, split.fingerprint, "name others with data.holdout_path, or leave it out")
    piece = next(apart.pieces(), None)
    if piece is None:
        raise ValueError(f"data.holdout_path={cfg.data.holdout_path} has no rows")
    read_alike(piece, schema, instantiate(cfg.data.parse_apart), what="held-out")


def _room(cfg: DictConfig, split: StreamSplit, widths: tuple[int, ...]) -> Buckets:
    """Files for the encoded rows, where there is room for them."""
    place = Path(cfg.data.cache or cfg.run or "runs").absolute()
    if cfg.data.cache is not None and not place.is_dir():
        raise ValueError(f"data.cache={cfg.data.cache} is not a folder")
    while not place.is_dir():
        place = place.parent
    rows = split.counts["train"]
    needed = 4 * rows * sum(widths) * this_rank().local_of
    free = shutil.disk_usage(place).free
    if needed > free:
        raise ValueError(
            f"the encoded rows take {needed / 1e9:,.1f} GB, but {place} has {free / 1e9:,.1f} GB "
            "left; name a folder with more room: data.cache=<folder>"
        )
    log.info(
        "encoding %s rows into %.2f GB in %s, until training ends", f"{rows:,}", needed / 1e9, place
    )
    f, q, g = widths
    return Buckets(folder=place, rows=rows, seed=cfg.seed, widths=(f, q, g))


def _typed(parse: Any, piece: Raw, schema: Schema, where: str) -> Raw:
    try:
        return parse(piece, schema)
    except ValueError as error:
        raise ValueError(
            f"{error} ({where}; what is rare in the data may be declared: schema=<file>)"
        ) from error


def _told(pieces: Iterable[Any], verb: str) -> Iterator[Any]:
    """The same pieces, with a line now and then."""
    start = last = time.monotonic()
    done = 0
    for piece in pieces:
        yield piece
        done += len(piece)
        now = time.monotonic()
        if now - last >= _SECONDS_PER_LINE:
            last, rate = now, done / (now - start)
            log.info("%s: %s rows, %s rows/s", verb, f"{done:,}", f"{rate:,.0f}")
