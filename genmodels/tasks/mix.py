"""`genmodels mix`: datasets combined by shares, each row with where it comes from."""

from __future__ import annotations

import logging
import signal
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from genmodels.data.union import is_flat, united, usual_format
from genmodels.files import MANIFEST, read_json
from genmodels.provenance import (
    IN_PART,
    NOT_SYNTHETIC,
    check_name,
    schema_with_origins,
    with_origins,
)
from genmodels.tasks.augmented import Plain
from genmodels.tasks.compose import require, resolved
from genmodels.tasks.export import Work, export
from genmodels.tasks.facts import say_rate, versions
from genmodels.tasks.ingredients import Ingredient, counts_of, ingredients, rows_of_each
from genmodels.tasks.options import whole_number
from genmodels.tasks.parts import instantiate
from genmodels.tasks.ranks import this_rank
from genmodels.tasks.writing import chosen_writer
from genmodels.types import Raw, join_rows, take_rows
from genmodels.writers.base import MIXED, NONE_REAL, REAL_AMONG
from genmodels.writers.export import refuse_existing

__all__ = ["mix", "run"]

log = logging.getLogger(__name__)
OFFHAND = ("out", "overwrite", "chunk_rows", "writer", "choices", "overrides", "sources")
"""What does not decide about a byte of a dataset, or is told by its facts."""


def run(cfg: DictConfig) -> None:
    """Write a mixed dataset, and say what comes next; SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    out = mix(cfg)
    if not this_rank().number and _predictable(out):
        log.info(
            "Does it help? genmodels benchmark data.path=<real rows> target=<name> "
            "generator=given synthetic=%s",
            out,
        )


def _predictable(out: Path) -> bool:
    """Whether a benchmark could be made of such a dataset."""
    return is_flat(read_json(out / MANIFEST)["schema"])


def mix(cfg: DictConfig) -> Path:
    """Draw rows of several sources without replacement, and write them in random order.

    Args:
        cfg: of the verb mix, see `configs/mix.yaml`.

    Returns:
        The folder of the dataset.

    Raises:
        ValueError: when sources do not go together, one has too few rows, or another process is
            writing the same.
        OSError: when a source is not there, or the folder exists or is not writable.
    """
    require(cfg)
    n = None if cfg.n is None else whole_number("n", cfg.n, least=1)
    chunk = None if cfg.chunk_rows is None else whole_number("chunk_rows", cfg.chunk_rows, least=1)
    out = Path(str(cfg.out))
    refuse_existing(out, overwrite=bool(cfg.overwrite))
    parts = ingredients(cfg)
    schema = None if cfg.schema is None else instantiate(cfg.read_schema)(str(cfg.schema))
    typed, schema = united({part.name: part.raw for part in parts}, schema=schema)
    check_name(cfg.provenance, schema, tuple(getattr(typed[0], "attributes", ())))
    counts = rows_of_each(parts, n)
    rows, chosen = _drawn(typed, parts, counts, int(cfg.seed), cfg.provenance)
    whole = schema_with_origins(schema, cfg.provenance)
    kind = str(cfg.format or _form(parts, typed[0], cfg.writer))
    every, start = np.concatenate(chosen), time.monotonic()
    none_real = "real" not in counts_of(every)
    writer = chosen_writer(cfg.writer, kind, whole, synthetic=none_real)
    work = Work(
        out=out,
        overwrite=bool(cfg.overwrite),
        sampler=Plain(rows=rows),
        writer=writer,
        rows=len(every),
        chunk_rows=chunk,
        facts={
            **_facts(parts, chosen),
            "provenance": {"name": cfg.provenance, "counts": counts_of(every)},
            "rows": len(every),
            "format": kind,
            "seed": int(cfg.seed),
            **writer.facts,
            "versions": versions(),
            "schema": whole.state(),
        },
        options=_deciding(cfg, kind),
        told=dict,
    )
    if export(work, this_rank()) is not None:
        for part, codes in zip(parts, chosen, strict=True):
            log.info("%s: %s of %s rows", part.name, f"{len(codes):,}", f"{len(part):,}")
        say_rate(out, len(every), time.monotonic() - start)
    return out


def _drawn(
    typed: list[Raw], parts: list[Ingredient], counts: np.ndarray, seed: int, name: str | None
) -> tuple[Raw, list[np.ndarray]]:
    """The mixed rows in their order, and where those of each source come from."""
    pieces, chosen = [], []
    for k, (raw, part, count) in enumerate(zip(typed, parts, counts, strict=True)):
        rows = np.random.default_rng([seed, 65, k]).permutation(len(part))[:count]
        codes = part.origins[rows]
        pieces.append(with_origins(take_rows(raw, rows), name, codes))
        chosen.append(codes)
    joined = join_rows(pieces)
    order = np.random.default_rng([seed, 65]).permutation(int(counts.sum()))
    return take_rows(joined, order), chosen


def _form(parts: list[Ingredient], raw: Raw, writers: DictConfig) -> str:
    """The format of the first source that is a dataset of ours, if it suits; else what is usual."""
    told = next((part.form for part in parts if part.form is not None), None)
    return told if told is not None and told in writers else usual_format(raw)


def _facts(parts: list[Ingredient], chosen: list[np.ndarray]) -> dict[str, Any]:
    """What is mixed, for the manifest."""
    every = np.concatenate(chosen)
    counts = counts_of(every)
    real = counts.get("real", 0)
    words = ", ".join(f"{number:,} {origin}" for origin, number in counts.items())
    synthetic: Any = True if not real else NOT_SYNTHETIC if real == len(every) else IN_PART
    sources = [
        {
            "name": part.name,
            "digest": part.digest,
            "share": len(codes) / len(every),
            "rows": len(codes),
            "of": len(part),
            "origins": counts_of(codes),
        }
        for part, codes in zip(parts, chosen, strict=True)
    ]
    return {
        "synthetic": synthetic,
        "statement": MIXED.format(counts=words, privacy=REAL_AMONG if real else NONE_REAL),
        "mix": {"sources": sources},
    }


def _deciding(cfg: DictConfig, kind: str) -> dict[str, Any]:
    """Settings that decide about the bytes of a dataset."""
    settings = resolved(cfg)
    words = {key: value for key, value in settings.items() if key not in OFFHAND}
    return words | {"writer": settings["writer"][kind], "zlib": zlib.ZLIB_RUNTIME_VERSION}
