"""Generators for a benchmark: trained here on the rows that they may see, or stand-ins."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from genmodels.data.sources.memory import Memory
from genmodels.layout import Condition
from genmodels.metrics.benchmark.stand_ins import Bootstrap, FittedGenerator, Independent, Rows
from genmodels.report.benchmark.runs import Fit
from genmodels.sampling.control.attempts import takes_evidence
from genmodels.schema import Level, Schema, TableSchema
from genmodels.tasks.build import Loaded, load_run
from genmodels.tasks.control import Asked
from genmodels.tasks.options import pick_device
from genmodels.tasks.quiet import isolated, whispering
from genmodels.tasks.ready import augmented_fit, given_fit
from genmodels.tasks.sampler import build_sampler
from genmodels.tasks.train import train as learn

__all__ = ["STAND_INS", "Trained", "fitter"]

STAND_INS: dict[str, Callable[[Rows], FittedGenerator]] = {
    "bootstrap": Bootstrap,
    "independent": Independent,
}


class Trained:
    """A trained model as a benchmark asks it.

    Args:
        loaded: the run.
    """

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded

    def sample(self, n: int, *, seed: int) -> Rows:
        return self._draw(n, seed)

    def of_level(self, target: str, level: str, n: int, *, seed: int) -> Rows | None:
        if takes_evidence(self.loaded.model):
            known = _level_of(self.loaded.schema, target, level)
            return None if known is None else self._draw(n, seed, given={target: known})
        if not _tellable(self.loaded.model.condition, target, level):
            return None
        return self._draw(n, seed, {target: level})

    def _draw(
        self,
        n: int,
        seed: int,
        condition: str | Mapping[str, Any] = "empirical",
        given: Mapping[str, Any] | None = None,
    ) -> Rows:
        asked = Asked(given=given or {})
        sampler = build_sampler(self.loaded, seed=seed, condition=condition, asked=asked)
        rows = sampler.sample(n)
        assert isinstance(rows, Rows)
        return rows


def _tellable(condition: Condition, name: str, level: str) -> bool:
    """Whether a model was trained with this level of this name."""
    groups = [g for g in condition.groups if name == g.name]
    groups = groups or [g for g in condition.groups if name == g.name.rsplit(".", 1)[0]]
    return len(groups) == 1 and level in (groups[0].levels or map(str, range(groups[0].size)))


def _level_of(schema: Schema, name: str, level: str) -> Level | None:
    """The level of this name as the training rows have it; None: they have none, or no levels."""
    known = schema[name].levels if isinstance(schema, TableSchema) else None
    return next((own for own in known or () if str(own).strip().lower() == level.lower()), None)


def fitter(cfg: DictConfig, schema: TableSchema, folder: Path) -> Fit:
    """What fits the generators of a benchmark.

    Args:
        cfg: of benchmark; `generator` says which.
        schema: of all real rows: which kinds their parts are of, and which is the target.
        folder: for the runs; they are removed when they are not needed any more.

    Raises:
        ValueError: when there is no such generator.
    """
    if cfg.generator in STAND_INS:
        stand_in = STAND_INS[cfg.generator]

        def draw_again(train: Rows, *, seed: int, name: str) -> FittedGenerator:
            return stand_in(train)

        return draw_again
    if cfg.generator == "augmented":
        return augmented_fit(cfg, schema)
    if cfg.generator == "given":
        return given_fit(cfg, schema)
    if cfg.generator != "trained":
        known = ", ".join(("trained", *STAND_INS, "augmented", "given"))
        raise ValueError(f"generator must be one of {known}, got {cfg.generator!r}")

    def fit(train: Rows, *, seed: int, name: str) -> FittedGenerator:
        place = folder / name
        with whispering(), isolated():
            own = _of_train(cfg, schema, train, seed, place)
            run = learn(own, source=Memory(raw=train))
            loaded = load_run(run, device=pick_device("auto"))
        if not cfg.keep_runs:
            shutil.rmtree(place, ignore_errors=True)
            with suppress(OSError):  # others are kept from an earlier call
                folder.rmdir()
        return Trained(loaded)

    return fit


def _of_train(
    cfg: DictConfig, schema: TableSchema, rows: Rows, seed: int, place: Path
) -> DictConfig:
    """A configuration of train: these rows, all of them, and nothing that is shown."""
    own = cfg.copy()
    kinds = {name: {"kind": kind} for name, kind in _kinds(schema, rows).items()}
    wishes = OmegaConf.to_container(own.data.infer.overrides, resolve=True)
    assert isinstance(wishes, dict)
    changed = {
        "seed": seed,
        "run": str(place),
        "resume": False,
        "overwrite": True,
        "logger": None,
        "data": {
            "target": None if schema.target is None else schema.target.name,
            "holdout": 0.0,
            "holdout_path": None,
            "infer": {
                "overrides": {
                    name: kinds.get(name, {}) | (wishes.get(name) or {})
                    for name in {**kinds, **wishes}
                }
            },
        },
        "callbacks": {"progress": None, "preview": None},
    }
    OmegaConf.set_struct(own, False)
    own.merge_with(changed)
    if own.data.get("holdout_split") is not None:
        own.data.holdout_split = None
    return own


def _kinds(schema: TableSchema, rows: Rows) -> dict[str, str]:
    """The kind of each part that these rows have a value of; few rows could look otherwise."""
    return {
        name: schema[name].kind
        for name in schema.names
        if schema[name].kind != "constant" and rows[name].null_count < rows.num_rows
    }
