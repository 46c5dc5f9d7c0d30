"""`genmodels simulate`: from a model with known or fitted parameters to a dataset on disk."""

from __future__ import annotations

import logging
import signal
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from genmodels.covering import merged_rows
from genmodels.files import sha256
from genmodels.report.coverage.files import read_wanted
from genmodels.sampling.ahead import ahead
from genmodels.sampling.cores import cores
from genmodels.sampling.pieces import Piece, cuts, part_of
from genmodels.simulators.base import Covering, Formatted, Interpreted, Seeded, Simulator
from genmodels.tasks.choices import nearest
from genmodels.tasks.compose import require, resolved
from genmodels.tasks.export import Work, export
from genmodels.tasks.facts import say_rate, versions
from genmodels.tasks.options import pick_device, rows_and_seed, whole_number
from genmodels.tasks.parts import complete, instantiate
from genmodels.tasks.ranks import Rank, this_rank
from genmodels.types import Raw
from genmodels.writers.base import SIMULATED, Writer

__all__ = ["Simulated", "run", "simulate"]

log = logging.getLogger(__name__)

OFFHAND = ("out", "overwrite", "workers", "chunk_rows", "device", "writer", "choices", "overrides")
"""What does not decide about a byte of a dataset, or is told by its facts."""

PARAMETERS = ("simulator.model.", "simulator.bars.")
UNFITTED = ("simulator.bars.pieces",)

_WORTH_PROCESSES = 32
"""Blocks of Python's own work that outweigh the second in which processes begin."""


class Simulated:
    """The rows of a simulator, from any to any.

    Args:
        simulator: makes them.
        seed: of all.
        device: where they are computed.
        workers: blocks at work at once, by threads or, where these would wait, by processes.
    """

    def __init__(
        self, *, simulator: Simulator, seed: int, device: torch.device, workers: int = 1
    ) -> None:
        self.simulator, self.seed, self.device = simulator, seed, device
        self.workers = workers
        self.counts: Counter[str] = Counter()

    def pieces(self, start: int, stop: int, *, every: Sequence[int] = ()) -> Iterator[Piece]:
        size = self.simulator.block_rows
        numbers = range(start // size, -(-stop // size))
        make: Callable[[int], Raw]
        if isinstance(self.simulator, Interpreted):
            make = partial(self.simulator.host_block, seed=self.seed)
            apart = len(numbers) >= _WORTH_PROCESSES and self.workers > 1
        else:
            make, apart = partial(self.simulator.block, seed=self.seed, device=self.device), False
        blocks = ahead(make, numbers, workers=self.workers, processes=apart)
        for number, block in zip(numbers, blocks, strict=True):
            first = number * size
            begin, end = max(start, first), min(stop, first + size)
            for a, b in cuts(begin, end, every):
                yield Piece(a, b, part_of(block, a - first, b - first))


def run(cfg: DictConfig) -> None:
    """Write a simulated dataset, and say how to check it; SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    out = simulate(cfg)
    if not this_rank().number:
        log.info("Check it at any time: genmodels verify %s", out)


def simulate(cfg: DictConfig) -> Path:
    """Write a simulated dataset: its files, `manifest.json` and `README.md`.

    With `fit` the parameters are estimated from real data first, and what was found is said and
    kept in the manifest. Shards, interruption and several processes are as in `sample`.

    Args:
        cfg: of the verb simulate, see `configs/simulate.yaml`.

    Returns:
        The folder of the dataset.

    Raises:
        ValueError: when a parameter is impossible, data do not allow a fit, or another process
            is writing the same.
        OSError: when the folder exists, is not writable, or the disk is full.
    """
    require(cfg)
    _refuse_told_and_fitted(cfg)
    n, seed = rows_and_seed(cfg)
    rank, out = this_rank(), Path(str(cfg.out))
    chunk = None if cfg.chunk_rows is None else whole_number("chunk_rows", cfg.chunk_rows, least=1)
    device = pick_device(cfg.device, rank)
    simulator, known = _simulator(cfg, seed)
    simulator, filling, n = _filling(cfg, simulator, n)
    known |= filling
    form = _format(cfg, simulator)
    writer = _writer(cfg, form, simulator)
    rows, start = simulator.rows_of(n), time.monotonic()
    work = Work(
        out=out,
        overwrite=bool(cfg.overwrite),
        sampler=Simulated(
            simulator=simulator, seed=seed, device=device, workers=_workers(cfg, device, rank)
        ),
        writer=writer,
        rows=rows,
        chunk_rows=chunk,
        facts={
            "statement": SIMULATED,
            "rows": rows,
            "format": form,
            "seed": seed,
            **writer.facts,
            **_facts(simulator, device),
            **known,
        },
        options=_deciding(cfg, form),
        told=dict,
    )
    manifest = export(work, rank)
    if manifest is not None:
        say_rate(out, manifest["rows"], time.monotonic() - start)
    return out


def _facts(simulator: Simulator, device: torch.device) -> dict[str, Any]:
    return {
        "simulator": simulator.facts(),
        "block_rows": simulator.block_rows,
        "device": device.type,
        "versions": versions(),
        "schema": simulator.schema.state(),
    }


def _simulator(cfg: DictConfig, seed: int) -> tuple[Simulator, dict[str, Any]]:
    """With the parameters that are told, or those that real data tell, and what these told."""
    simulator = instantiate(cfg.simulator)
    assert isinstance(simulator, Simulator)
    facts: dict[str, Any] = {}
    if cfg.fit is not None:
        simulator, found, lines = simulator.fitted(instantiate(cfg.observed).load())
        for line in lines:
            log.info("%s", line)
        place = Path(str(cfg.fit)).expanduser()
        facts = {"fit": {"of": place.name, **found}}
        if place.is_file():
            facts["fit"]["sha256"] = sha256(place)
    if isinstance(simulator, Seeded):
        simulator = simulator.seeded(seed)
    for note in simulator.notes if cfg.fit is None else ():
        log.info("note: %s", note)
    return simulator, facts


def _filling(
    cfg: DictConfig, simulator: Simulator, n: int
) -> tuple[Simulator, dict[str, Any], int]:
    """With scenario=fill, a simulator of what a coverage lacks; what it is, and how many of it.

    Raises:
        ValueError: when the simulator cannot be told, there is no coverage, or nothing is missing.
        FileNotFoundError: when the coverage is not there.
    """
    if cfg.scenario is None:
        if cfg.coverage is not None:
            raise ValueError(f"coverage={cfg.coverage} says what to fill: add scenario=fill")
        return simulator, {}, n
    if cfg.scenario != "fill":
        raise ValueError(f"scenario must be fill or null, got {cfg.scenario!r}")
    if cfg.coverage is None:
        raise ValueError("scenario=fill needs coverage=<folder that `genmodels coverage` wrote>")
    if not isinstance(simulator, Covering):
        raise ValueError(
            f"simulator={simulator.name} cannot do scenario=fill: what it makes has no factors"
        )
    wanted, impossible = read_wanted(Path(str(cfg.coverage)).expanduser())
    if not wanted:
        raise ValueError(f"scenario=fill: by coverage={cfg.coverage} nothing is missing")
    rows = merged_rows(wanted, impossible)
    if not any(str(word).partition("=")[0] == "n" for word in cfg.overrides):
        n = len(rows)
    log.info("%s combinations go into %s examples", f"{len(wanted):,}", f"{len(rows):,}")
    asked = {str(number): row for number, row in enumerate(rows, 1)}
    return simulator.covering(rows), {"control": {"scenario": asked}}, n


def _workers(cfg: DictConfig, device: torch.device, rank: Rank) -> int:
    """As told; else one per core of this process's share, and one alone beside a GPU."""
    if cfg.workers is not None:
        return whole_number("workers", cfg.workers, least=1)
    return 1 if device.type != "cpu" else max(1, cores() // rank.local_of)


def _refuse_told_and_fitted(cfg: DictConfig) -> None:
    """A parameter is told or found, not both.

    Raises:
        ValueError: when one is told that a fit would replace.
    """
    keys = [str(word).lstrip("+").partition("=")[0] for word in cfg.overrides]
    fit = cfg.simulator.get("fit") or {}
    if "finds" in fit:
        wrong = [key for key in keys if key in {f"simulator.{name}" for name in fit["finds"]}]
    else:
        kept = {f"simulator.model.{key}" for key in fit} | set(UNFITTED)
        wrong = [key for key in keys if key.startswith(PARAMETERS) and key not in kept]
    if cfg.fit is not None and wrong:
        raise ValueError(
            f"{wrong[0]}=... and fit={cfg.fit} cannot be combined: the fit finds the parameters"
        )


def _format(cfg: DictConfig, simulator: Simulator) -> str:
    """As told; else what keeps all that the simulator knows.

    Raises:
        ValueError: when there is no such format.
    """
    form = str(cfg.format)
    if form == "auto":
        form = simulator.default_format if isinstance(simulator, Formatted) else "parquet"
    if form not in cfg.writer:
        known = map(str, cfg.writer)
        raise ValueError(f"there is no format={form}{nearest(form, known)}")
    return form


def _writer(cfg: DictConfig, form: str, simulator: Simulator) -> Writer:
    writer = complete(instantiate(cfg.writer[form]), schema=simulator.schema)
    assert isinstance(writer, Writer)
    return writer


def _deciding(cfg: DictConfig, form: str) -> dict[str, Any]:
    """Settings that decide about the bytes of a dataset."""
    settings = resolved(cfg)
    words = {key: value for key, value in settings.items() if key not in OFFHAND}
    return words | {
        "format": form,
        "writer": settings["writer"][form],
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }
