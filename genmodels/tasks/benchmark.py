"""`genmodels benchmark`: does synthetic data help here?

Models are trained on real rows, on synthetic ones and on both, and tested on real rows that
neither they nor the generator have seen. What is done is kept: a second call goes on.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from genmodels import __version__
from genmodels.callbacks.stop import Interrupted
from genmodels.data.infer import with_target
from genmodels.data.open import open_source
from genmodels.metrics.benchmark.stand_ins import Rows
from genmodels.report.benchmark.conclusion import conclude
from genmodels.report.benchmark.log import TrialLog
from genmodels.report.benchmark.plan import Plan, Trials
from genmodels.report.benchmark.results import benchmark_report
from genmodels.report.benchmark.runs import run_trials
from genmodels.report.page.render import write_report
from genmodels.report.rows import Cell, Report
from genmodels.schema import TableSchema
from genmodels.tasks.compose import require, resolved
from genmodels.tasks.fit import check_fit
from genmodels.tasks.generators import fitter
from genmodels.tasks.parts import instantiate, schema_of, source_of
from genmodels.tasks.showing import shown, stem
from genmodels.types import Source

__all__ = ["benchmark", "run"]

log = logging.getLogger(__name__)
EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal."""
ELSEWHERE = ("run", "out", "overwrite", "keep_runs", "resume", "logger", "overrides", "choices")
"""Settings that no result depends on; where the data lie is another, what they hold is not."""


def run(cfg: DictConfig) -> int:
    """Do the benchmark, show the result, and say where the report is; 0 whatever the verdict."""
    try:
        shown("benchmark", partial(benchmark, cfg), every=EVERY)
    except (KeyboardInterrupt, Interrupted):
        log.info("What is done is kept in %s; the same command goes on", _folder(cfg))
        raise
    return 0


def benchmark(
    cfg: DictConfig,
    *,
    source: Source | None = None,
    progress: Callable[[str], None] = log.debug,
) -> tuple[Report, list[Path]]:
    """Answer whether synthetic data help, and write the report.

    Args:
        cfg: as `compose("benchmark", ...)` gives it.
        source: data to use instead of what `cfg.data.source` names.
        progress: told in a few words what is being done, and how long the rest may take.

    Returns:
        The report and the paths of its JSON, Markdown and HTML form.

    Raises:
        ValueError: for what the user can put right, such as data without a target.
    """
    require(cfg)
    if cfg.run is not None:
        raise ValueError("a benchmark fits generators of its own: leave out run=; see out=")
    if "target" not in cfg.data:
        raise ValueError(
            f"a benchmark predicts a target from other values, but data={cfg.choices.data} gives "
            f"{cfg.data.kind}: use rows with a target, such as data.path=my.csv target=income"
        )
    if cfg.generator == "trained":
        check_fit(cfg)
    plan, folder = _plan(cfg), _folder(cfg)
    progress("loading")
    source = source_of(cfg) if source is None else source
    rows, schema = _typed(cfg, source)
    assert schema.target is not None
    trials = Trials.prepare(rows, schema, schema.target.name, plan)
    fit = fitter(cfg, schema, folder / "runs")
    records = run_trials(trials, fit, _log(cfg, folder, source), progress=progress)
    report = benchmark_report(trials, conclude(trials, records), _facts(cfg))
    return report, write_report(report, folder)


def _typed(cfg: DictConfig, source: Source) -> tuple[Rows, TableSchema]:
    """All real rows; a schema of all of them says which kinds their parts are of, no more."""
    loaded = source.load()
    if not isinstance(loaded, Rows):
        raise ValueError("a benchmark needs rows with a target; these data are of another kind")
    schema = schema_of(cfg, loaded)
    assert isinstance(schema, TableSchema)
    asked = cfg.target if cfg.target is not None else cfg.data.target
    if asked is not None:
        schema = with_target(schema, str(asked))
    if schema.target is None:
        raise ValueError(f"say what is to be predicted: target=<name>, one of {_names(schema)}")
    return instantiate(cfg.data.parse)(loaded, schema), schema


def _names(schema: TableSchema) -> str:
    names = ", ".join(map(repr, schema.names[:20]))
    return names + (", ..." if len(schema.names) > 20 else "")


def _plan(cfg: DictConfig) -> Plan:
    settings = resolved(cfg)
    sizes = [size for size in settings["learning_curve"] or () if size is not None]
    for key in ("learners", "ratios", "learning_curve"):
        if not isinstance(settings[key], list):
            raise ValueError(f"{key} must be a list such as [a,b], got {settings[key]!r}")
    return Plan(
        repeats=settings["repeats"],
        test_share=settings["test_share"],
        split_by=settings["split_by"],
        time=settings["time"],
        learners=tuple(settings["learners"]),
        ratios=tuple(map(float, settings["ratios"])),
        sizes=(*sorted(set(sizes)), None),
        folds=settings["folds"],
        imbalanced=settings["imbalanced"],
        alpha=settings["alpha"],
        seed=settings["seed"],
    )


def _folder(cfg: DictConfig) -> Path:
    if cfg.out is not None:
        return Path(str(cfg.out))
    path = OmegaConf.select(cfg, "data.path", throw_on_missing=False)
    data = stem(Path(str(path))) if path else str(cfg.choices.data)
    made_by = _maker(cfg)
    return Path(re.sub(r"[^\w-]+", "_", f"{data or cfg.choices.data}-{made_by}-benchmark"))


def _maker(cfg: DictConfig) -> str:
    """What to call what makes the rows."""
    if cfg.generator == "augmented":
        return str(cfg.choices.recipe)
    return str(cfg.choices.model if cfg.generator == "trained" else cfg.generator)


def _log(cfg: DictConfig, folder: Path, source: Source) -> TrialLog:
    """The results so far; those of other settings are refused, or dropped with overwrite=true."""
    settings: dict[str, Any] = {k: v for k, v in resolved(cfg).items() if k not in ELSEWHERE}
    data = {k: v for k, v in settings["data"].items() if k not in ("path", "source")}
    if cfg.synthetic is not None:
        settings |= {"synthetic": open_source(str(cfg.synthetic)).fingerprint()}
    settings |= {"data": data, "content": source.fingerprint(), "genmodels": __version__}
    path = folder / "results.jsonl"
    if cfg.overwrite:
        path.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    return TrialLog(path, settings)


def _facts(cfg: DictConfig) -> dict[str, Cell]:
    if cfg.generator == "given":
        return {"generator": f"given: {Path(str(cfg.synthetic)).name}"}
    if cfg.generator == "augmented":
        words = " ".join(map(str, cfg.overrides))
        return {"generator": f"augmented: {cfg.choices.recipe}", "settings": words}
    if cfg.generator != "trained":
        return {"generator": str(cfg.generator)}
    return {
        "generator": str(cfg.choices.model),
        "settings": " ".join(map(str, cfg.overrides)) or "as shipped",
    }
