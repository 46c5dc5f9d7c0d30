"""`genmodels evaluate`: how far a synthetic dataset can be trusted.

Synthetic rows are compared with real rows that training never saw: the recorded holdout of a
run, or the data that the user names.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from genmodels.data.open import open_source
from genmodels.data.splits import Split
from genmodels.files import read_json, sha256
from genmodels.report.reading import kind_of, read_alike
from genmodels.report.render import print_report, write_report
from genmodels.report.rows import Report, Suite
from genmodels.run import Run
from genmodels.schema import Schema, schema_from_state
from genmodels.tasks.build import instantiate, load_config, schema_of, source_of
from genmodels.tasks.compose import require
from genmodels.tasks.holdout import has_holdout, holdout_source, refuse_seen
from genmodels.types import Raw

__all__ = ["Real", "evaluate", "run"]

log = logging.getLogger(__name__)
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
    status = console.status("evaluating") if console.is_terminal else nullcontext()

    def progress(text: str) -> None:
        if console.is_terminal:
            status.update(f"evaluating: {text}")  # type: ignore[union-attr]
        else:
            log.info("evaluating: %s", text)

    with status:
        report, paths = evaluate(cfg, progress=progress)
    print_report(report, console)
    log.info("Read more: %s", paths[-1])


def evaluate(
    cfg: DictConfig, *, progress: Callable[[str], None] = log.debug
) -> tuple[Report, list[Path]]:
    """Judge a synthetic dataset and write the report.

    Args:
        cfg: as `compose("evaluate", ...)` gives it.
        progress: told in a few words what is being computed.

    Returns:
        The report and the paths of its JSON, Markdown and HTML form.

    Raises:
        ValueError: when the real data changed since training, or do not go with the synthetic.
        FileNotFoundError: when something named is not there.
    """
    require(cfg)
    place = Path(str(cfg.synthetic))
    folder = _folder(cfg, place)
    progress("loading")
    made = open_source(place).load()
    real = _of_run(cfg, place) if cfg.run is not None else _of_files(cfg)
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
    progress("writing")
    return report, write_report(report, folder)


def _of_run(cfg: DictConfig, place: Path) -> Real:
    """The data that a run was trained on, split as recorded."""
    origin = Run.open(str(cfg.run))
    if cfg.schema is not None:
        raise ValueError("schema= is for evaluations without run=: a run has its own schema")
    saved, schema = load_config(origin), schema_from_state(read_json(origin.schema))
    recorded = origin.read_manifest().get("split")
    if recorded is None:
        raise ValueError(f"{origin} has no record of its split: it is not a complete run")
    if "source" not in saved.data:
        return _of_memory(cfg, origin, schema, place)
    split = Split.from_state(recorded)
    source = source_of(saved, **({} if cfg.real is None else {"path": str(cfg.real)}))
    loaded = source.load()
    if source.fingerprint() != split.fingerprint:
        raise ValueError(
            f"the data changed since {origin} was trained (their fingerprint is another), so it is "
            "not known which rows it saw. Bring the data back, or name them with real=<path>"
        )
    train, _, holdout = split.take(loaded)
    if cfg.holdout is not None or has_holdout(saved):
        apart = holdout_source(saved, None if cfg.holdout is None else str(cfg.holdout))
        refuse_seen(apart, split.fingerprint, OTHERS)
        holdout = apart.load()
    elif not len(holdout):
        raise ValueError(
            f"{origin} held no rows out (data.holdout=0), so every row was seen in training. Name "
            "other real data with holdout=<path>"
        )
    _warn_of_other_model(origin, place)
    parse = instantiate(cfg.kinds[kind_of(loaded)].parse)
    train = instantiate(saved.data.parse)(train, schema)
    return Real(train, read_alike(holdout, schema, parse, what="held-out"), schema)


def _of_memory(cfg: DictConfig, origin: Run, schema: Schema, place: Path) -> Real:
    """Files that the user names, as the run saw data that lay in no file."""
    if cfg.real is None or cfg.holdout is None:
        raise ValueError(
            f"{origin} was trained on data in memory; give real=<what it saw> and "
            "holdout=<real data that it did not see>"
        )
    _warn_of_other_model(origin, place)
    parts = {"training": str(cfg.real), "held-out": str(cfg.holdout)}
    parse = instantiate(cfg.kinds[str(schema.state()["kind"])].parse)
    train, holdout = (
        read_alike(open_source(path).load(), schema, parse, what=what)
        for what, path in parts.items()
    )
    return Real(train, holdout, schema)


def _of_files(cfg: DictConfig) -> Real:
    """Training and held-out data that the user names."""
    if cfg.real is None or cfg.holdout is None:
        raise ValueError(
            "name the run that made the data (run=<folder>), or both real=<what the generator saw> "
            "and holdout=<real data that it did not see>"
        )
    source, apart = open_source(str(cfg.real)), open_source(str(cfg.holdout))
    refuse_seen(apart, source.fingerprint(), OTHERS)
    loaded = source.load()
    choice = cfg.kinds[kind_of(loaded)]
    schema = schema_of(
        OmegaConf.create({"schema": cfg.schema, "data": {"infer": choice.infer}}), loaded
    )
    parse = instantiate(choice.parse)
    train = read_alike(loaded, schema, parse, what="training")
    return Real(train, read_alike(apart.load(), schema, parse, what="held-out"), schema)


def _folder(cfg: DictConfig, place: Path) -> Path:
    """Where the report goes: beside the dataset, which may be passed on; it shows real data."""
    if cfg.out is not None:
        return Path(str(cfg.out))
    place = place.absolute()
    name = place.name if place.is_dir() else place.name.split(".")[0]
    return place.with_name(f"{name}-report")


def _warn_of_other_model(origin: Run, place: Path) -> None:
    """Say so when the dataset records another model than the run holds now."""
    manifest = place / "manifest.json"
    if not manifest.is_file() or not origin.weights.is_file():
        return
    known = read_json(manifest)
    maker = known.get("run") if isinstance(known, dict) else None
    recorded = maker.get("model_sha256") if isinstance(maker, dict) else None
    if recorded is not None and recorded != sha256(origin.weights):
        log.warning("%s was made by another state of the model than %s holds now", place, origin)
