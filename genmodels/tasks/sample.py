"""`genmodels sample`: from a run to a synthetic dataset on disk."""

from __future__ import annotations

import logging
import signal
import sys
import time
import zlib
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from genmodels.files import read_json, sha256
from genmodels.run import Run
from genmodels.sampling.sampler import Sampler
from genmodels.tasks.build import Loaded, load_run
from genmodels.tasks.choices import nearest
from genmodels.tasks.compose import require, resolved
from genmodels.tasks.export import Work, export
from genmodels.tasks.facts import say_rate, versions
from genmodels.tasks.filtering import filter_facts
from genmodels.tasks.options import pick_device, rows_and_seed, whole_number
from genmodels.tasks.parts import complete, instantiate
from genmodels.tasks.ranks import this_rank
from genmodels.tasks.sampler import sampler_of, shortfall_facts
from genmodels.writers.base import MANIFEST, Writer
from genmodels.writers.manifest import wishes_of

__all__ = ["run", "sample"]

logger = logging.getLogger(__name__)

OFFHAND = ("run", "out", "overwrite", "workers", "chunk_rows", "device", "writer")
"""What does not decide about a byte of a dataset, or is told by its facts."""
_OF_COMPOSING = ("choices", "overrides")


def run(cfg: DictConfig) -> None:
    """Write a synthetic dataset, and say what comes next; SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    out = sample(cfg)
    if this_rank().number:
        return
    wishes = wishes_of(read_json(out / MANIFEST))
    if not wishes:
        logger.info("Measure it: genmodels evaluate run=%s synthetic=%s", cfg.run, out)
        return
    logger.info(
        "These rows were asked for (%s): do not judge the model by them, an evaluation compares "
        "with all real rows. For that, draw some of which nothing is asked: "
        "genmodels sample run=%s out=<folder>",
        wishes,
        cfg.run,
    )


def sample(cfg: DictConfig) -> Path:
    """Write a synthetic dataset: its files, `manifest.json` and `README.md`.

    Nothing appears under `cfg.out` before everything is written. What an interruption or a full
    disk leaves, if a shard of it is whole, waits hidden beside it for the same words again.
    Several processes that torchrun or Slurm started share the work; the first one completes it.

    Args:
        cfg: of the verb sample, see `configs/sample.yaml`.

    Returns:
        The folder of the dataset.

    Raises:
        ValueError: when an option does not fit the run, there is no run, or another process is
            writing the same.
        OSError: when the folder exists, is not writable, or the disk is full.
    """
    require(cfg)
    rows_and_seed(cfg)
    rank = this_rank()
    chunk = None if cfg.chunk_rows is None else whole_number("chunk_rows", cfg.chunk_rows, least=1)
    out, source = Path(str(cfg.out)), Run.open(str(cfg.run))
    loaded = load_run(source, device=pick_device(cfg.device, rank))
    source.warn_unfinished()
    kind = str(cfg.format or loaded.cfg.data.format)
    writer = build_writer(cfg.writer, kind, loaded)
    sampler, rows, told = sampler_of(cfg, loaded, source, rank)
    start = time.monotonic()
    work = Work(
        out=out,
        overwrite=bool(cfg.overwrite),
        sampler=sampler,
        writer=writer,
        rows=rows,
        chunk_rows=chunk,
        facts={
            "rows": rows,
            "format": kind,
            "seed": sampler.draws.seed,
            **told,
            **writer.facts,
            **_facts(source, loaded, sampler),
        },
        options=_deciding(cfg, kind, source, sampler),
        told=lambda: shortfall_facts(sampler) | filter_facts(sampler),
    )
    manifest = export(work, rank)
    if manifest is not None:
        say_rate(out, manifest["rows"], time.monotonic() - start)
    return out


def _deciding(cfg: DictConfig, kind: str, source: Run, sampler: Sampler) -> dict[str, Any]:
    """Settings, and files of the run, that decide about the bytes of a dataset."""
    settings = resolved(cfg)
    words = {key: settings[key] for key in settings if key not in (*OFFHAND, *_OF_COMPOSING)}
    writer = {key: value for key, value in settings["writer"][kind].items() if key != "workers"}
    files = [source.config, source.schema, source.codec, source.margins]
    files += [] if sampler.picker is None else [source.classifier]
    known = {file.name: sha256(file) for file in files if file.is_file()}
    return words | {"writer": writer, "run": known, "zlib": zlib.ZLIB_RUNTIME_VERSION}


def _facts(source: Run, loaded: Loaded, sampler: Sampler) -> dict[str, Any]:
    """What else the rows depend on, for the manifest."""
    record = source.read_manifest()
    learned_from = (record.get("split") or {}).get("fingerprint")
    return {
        "block_rows": sampler.draws.block_rows,
        "precision": sampler.precision,
        "device": sampler.device.type,
        "run": {
            "name": source.path.resolve().name,
            "model_sha256": sha256(source.weights),
            **({"data_fingerprint": learned_from} if learned_from else {}),
            **({} if record.get("finished", True) else {"finished": False}),
        },
        "versions": versions(),
        "schema": loaded.schema.state(),
    }


def build_writer(writers: DictConfig, kind: str, loaded: Loaded) -> Writer:
    """The writer of a format.

    Raises:
        ValueError: when there is no such format, or it cannot hold such data.
    """
    if kind not in writers:
        raise ValueError(f"there is no format={kind}{nearest(kind, map(str, writers))}")
    writer = complete(instantiate(writers[kind]), schema=loaded.schema)
    assert isinstance(writer, Writer)
    return writer
