"""`genmodels evaluate`: how far a synthetic dataset can be trusted.

Synthetic rows are compared with real rows that training never saw: the recorded holdout of a
run, or the data that the user names.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from genmodels.data.open import open_source
from genmodels.data.splits import Split
from genmodels.files import read_json, sha256
from genmodels.report.page.render import print_report, write_report
from genmodels.report.page.tensorboard import write_tensorboard
from genmodels.report.reading import kind_of, read_alike, with_sensitive
from genmodels.report.rows import Report, Suite
from genmodels.run import Run
from genmodels.schema import Schema, schema_from_state
from genmodels.tasks.build import instantiate, load_config, schema_of, source_of
from genmodels.tasks.compose import require
from genmodels.tasks.holdout import has_holdout, holdout_source, refuse_seen
from genmodels.tasks.likelihood import with_likelihood
from genmodels.types import Raw, Source

__all__ = [
    "Named",
    "Real",
    "evaluate",
    "names_of",
    "real_data",
    "report_folder",
    "run",
    "told",
]

log = logging.getLogger(__name__)
ENDING = re.compile(r"\.(csv|tsv|txt|parquet|pq|arrows?|feather|ipc|npz)(\.\w+)?$", re.IGNORECASE)
OTHERS = "name others with holdout=<path>"


@dataclass(frozen=True, eq=False)
class Real:
    """Real data of an evaluation.

    Args:
        train: what the generator saw.
        holdout: what it did not see.
        schema: what the data mean.
    """

    train: Raw
    holdout: Raw
    schema: Schema


def run(cfg: DictConfig) -> None:
    """Evaluate, show the result, and say where the report is."""
    console = Console()
    with told(console, "evaluating") as progress:
        report, paths = evaluate(cfg, progress=progress)
    print_report(report, console)
    log.info("Read more: %s", paths[-1])


@contextmanager
def told(console: Console, doing: str) -> Iterator[Callable[[str], None]]:
    """What tells the user what is being computed: one moving line, or plain lines."""
    status = console.status(doing) if console.is_terminal else nullcontext()

    def progress(text: str) -> None:
        if console.is_terminal:
            status.update(f"{doing}: {text}")  # type: ignore[union-attr]
        else:
            log.info("%s: %s", doing, text)

    with status:
        yield progress


def evaluate(
    cfg: DictConfig,
    *,
    progress: Callable[[str], None] = log.debug,
    given: Mapping[str, Source] | None = None,
) -> tuple[Report, list[Path]]:
    """Judge a synthetic dataset and write the report.

    Args:
        cfg: as `compose("evaluate", ...)` gives it.
        progress: told in a few words what is being computed.
        given: sources that take the place of what `synthetic`, `real` and `holdout` name. With
            synthetic data from memory nothing is written unless `out` says where to.

    Returns:
        The report and the paths of its JSON, Markdown and HTML form, if they were written.

    Raises:
        ValueError: when the real data changed since training, or do not go with the synthetic.
        FileNotFoundError: when something named is not there.
    """
    require(cfg)
    named = Named(cfg, given or {})
    progress("loading")
    made = named.source("synthetic").load()
    real = real_data(cfg, named)
    real = replace(real, schema=with_sensitive(real.schema, names_of(cfg.sensitive)))
    choice = cfg.kinds[kind_of(real.train)]
    synthetic = read_alike(made, real.schema, instantiate(choice.parse), what="synthetic")
    suite: Suite = instantiate(choice.suite)
    report = suite(
        real.train,
        real.holdout,
        synthetic,
        real.schema,
        target=cfg.target,
        seed=int(cfg.seed),
        progress=progress,
    )
    report = replace(report, facts={"judged": named.label("synthetic"), **report.facts})
    if cfg.run is not None:
        progress("likelihood")
        report = with_likelihood(
            report,
            Run.open(str(cfg.run)),
            real.train,
            real.holdout,
            parse=instantiate(choice.parse),
            options=cfg.likelihood,
            seed=int(cfg.seed),
        )
    if cfg.out is None and "synthetic" in named.given:
        return report, []
    progress("writing")
    folder = report_folder(cfg, "report")
    paths = write_report(report, folder)
    if cfg.tensorboard:
        write_tensorboard(report, _events(cfg, folder))
    return report, paths


def _events(cfg: DictConfig, folder: Path) -> Path:
    """Where TensorBoard finds the report: with the run, if there is one that we may write to."""
    if cfg.run is not None:
        origin = Run.open(str(cfg.run))
        if os.access(origin.path, os.W_OK):
            return origin.tensorboard / "evaluation"
    return folder / "tensorboard"


@dataclass(frozen=True, eq=False)
class Named:
    """The data that an evaluation names, by path or as sources."""

    cfg: DictConfig
    given: Mapping[str, Source]

    def has(self, key: str) -> bool:
        return key in self.given or self.cfg[key] is not None

    def label(self, key: str) -> str:
        """What to call these data: the last part of their path."""
        return "data in memory" if key in self.given else Path(str(self.cfg[key])).name

    def source(self, key: str) -> Source:
        return self.given[key] if key in self.given else open_source(str(self.cfg[key]))


def names_of(value: Any) -> list[str]:
    """A setting that is a list of names, or a single one, or null."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(name) for name in value]


def real_data(cfg: DictConfig, named: Named) -> Real:
    """The real data of a run, or those that the user names."""
    return _of_run(cfg, named) if cfg.run is not None else _of_files(cfg, named)


def _of_run(cfg: DictConfig, named: Named) -> Real:
    """The data that a run was trained on, split as recorded."""
    origin = Run.open(str(cfg.run))
    if cfg.schema is not None:
        raise ValueError("schema= is for evaluations without run=: a run has its own schema")
    saved, schema = load_config(origin), schema_from_state(read_json(origin.schema))
    recorded = origin.read_manifest().get("split")
    if recorded is None:
        raise ValueError(f"{origin} has no record of its split: it is not a complete run")
    if "source" not in saved.data:
        return _of_memory(cfg, origin, schema, named)
    split = Split.from_state(recorded)
    source = named.given.get("real") or source_of(
        saved, **({} if cfg.real is None else {"path": str(cfg.real)})
    )
    loaded = source.load()
    if source.fingerprint() != split.fingerprint:
        raise ValueError(
            f"the data changed since {origin} was trained (their fingerprint is another), so it is "
            "not known which rows it saw. Bring the data back, or name them with real=<path>"
        )
    train, _, holdout = split.take(loaded)
    if named.has("holdout") or has_holdout(saved):
        apart = named.given.get("holdout") or holdout_source(
            saved, None if cfg.holdout is None else str(cfg.holdout)
        )
        refuse_seen(apart, split.fingerprint, OTHERS)
        holdout = apart.load()
    elif not len(holdout):
        raise ValueError(
            f"{origin} held no rows out (data.holdout=0), so every row was seen in training. Name "
            "other real data with holdout=<path>"
        )
    _warn_of_other_model(origin, named)
    parse = instantiate(cfg.kinds[kind_of(loaded)].parse)
    train = instantiate(saved.data.parse)(train, schema)
    return Real(train, read_alike(holdout, schema, parse, what="held-out"), schema)


def _of_memory(cfg: DictConfig, origin: Run, schema: Schema, named: Named) -> Real:
    """Data that the user names, as the run saw data that lay in no file."""
    if not (named.has("real") and named.has("holdout")):
        raise ValueError(
            f"{origin} was trained on data in memory; give real=<what it saw> and "
            "holdout=<real data that it did not see>"
        )
    _warn_of_other_model(origin, named)
    parse = instantiate(cfg.kinds[str(schema.state()["kind"])].parse)
    source, apart = named.source("real"), named.source("holdout")
    refuse_seen(apart, source.fingerprint(), OTHERS)
    train = read_alike(source.load(), schema, parse, what="training")
    return Real(train, read_alike(apart.load(), schema, parse, what="held-out"), schema)


def _of_files(cfg: DictConfig, named: Named) -> Real:
    """Training and held-out data that the user names."""
    if not (named.has("real") and named.has("holdout")):
        raise ValueError(
            "name the run that made the data (run=<folder>), or both real=<what the generator saw> "
            "and holdout=<real data that it did not see>"
        )
    source, apart = named.source("real"), named.source("holdout")
    refuse_seen(apart, source.fingerprint(), OTHERS)
    loaded = source.load()
    choice = cfg.kinds[kind_of(loaded)]
    schema = schema_of(
        OmegaConf.create(
            {
                "schema": cfg.schema,
                "data": {"infer": choice.infer, "read_schema": choice.read_schema},
            }
        ),
        loaded,
    )
    parse = instantiate(choice.parse)
    train = read_alike(loaded, schema, parse, what="training")
    return Real(train, read_alike(apart.load(), schema, parse, what="held-out"), schema)


def report_folder(cfg: DictConfig, word: str) -> Path:
    """Where the report goes: beside the dataset, which may be passed on; it shows real data."""
    if cfg.out is not None:
        return Path(str(cfg.out))
    place = Path(str(cfg.synthetic)).absolute()
    name = place.name if place.is_dir() else ENDING.sub("", place.name) or place.name
    return place.with_name(f"{name}-{word}")


def _warn_of_other_model(origin: Run, named: Named) -> None:
    """Say so when the dataset records another model than the run holds now."""
    place = Path(str(named.cfg.synthetic))
    manifest = place / "manifest.json"
    if "synthetic" in named.given or not manifest.is_file() or not origin.weights.is_file():
        return
    known = read_json(manifest)
    maker = known.get("run") if isinstance(known, dict) else None
    recorded = maker.get("model_sha256") if isinstance(maker, dict) else None
    if recorded is not None and recorded != sha256(origin.weights):
        log.warning("%s was made by another state of the model than %s holds now", place, origin)
