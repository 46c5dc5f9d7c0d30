"""`genmodels augment`: real rows, and new ones that a recipe makes of them, as a dataset."""

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

from genmodels.augmentation.amounts import Groups, Plan, plan_of
from genmodels.augmentation.base import Recipe
from genmodels.augmentation.groups import fixed_names, groups_of
from genmodels.data.coco import holds_coco
from genmodels.files import read_json
from genmodels.provenance import schema_with_origins
from genmodels.tasks.annotated import augment_annotated
from genmodels.tasks.augmented import Augmented, Plain
from genmodels.tasks.compose import require, resolved
from genmodels.tasks.export import Work, export
from genmodels.tasks.facts import say_rate, versions
from genmodels.tasks.origin import (
    augmented_facts,
    counted,
    given_origin,
    kept_apart_facts,
)
from genmodels.tasks.ranks import this_rank
from genmodels.tasks.to_augment import Asked, Loaded, place_of, the_recipe
from genmodels.tasks.writing import chosen_writer
from genmodels.types import num_rows
from genmodels.writers.base import MANIFEST
from genmodels.writers.export import refuse_existing, request_key

__all__ = ["augment", "run"]

log = logging.getLogger(__name__)
OFFHAND = ("out", "overwrite", "chunk_rows", "writer", "choices", "overrides", "data", "test_out")
"""What does not decide about a byte of a dataset, or is told by its facts."""


def run(cfg: DictConfig) -> None:
    """Write an augmented dataset, and say what comes next; SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    augment(cfg)
    if this_rank().number:
        return
    real = given_origin(place_of(cfg)) == "real"
    if real:
        log.info("It holds real rows: handle it as you handle your data.")
    if cfg.test_share:
        log.info("Test on %s, of which nothing was made", _test_out(cfg))
    elif real:
        log.info("Test on other real rows: what was made of a row tells of it (see test_share)")


def augment(cfg: DictConfig) -> Path:
    """Write the real rows, unchanged, and what a recipe makes of them.

    Shards, interruption and several processes are as in `sample`; the data are in memory.

    Args:
        cfg: of the verb augment, see `configs/augment.yaml`.

    Returns:
        The folder of the dataset.

    Raises:
        ValueError: when a setting is impossible, the recipe does not suit the data, or another
            process is writing the same.
        OSError: when the folder exists, is not writable, or the disk is full.
    """
    require(cfg)
    asked = Asked.of(cfg)
    recipe, out = the_recipe(cfg), Path(str(cfg.out))
    refuse_existing(out, overwrite=bool(cfg.overwrite))
    if holds_coco(place_of(cfg)):
        return augment_annotated(cfg, recipe, asked.amount)
    loaded = Loaded.of(cfg, recipe)
    groups = _groups(loaded, recipe, asked)
    plan = plan_of(groups, asked.amount, seed=int(cfg.seed))
    if not plan.rows:
        raise ValueError(
            f"nothing is to be added: {_already(asked, groups)}. Give ratio=..., other shares or "
            "per_class=..."
        )
    _keep_apart(cfg, loaded)
    start, work = time.monotonic(), _work(cfg, loaded, recipe, asked, groups, plan)
    log.info(
        "%s %s rows, and %s made of them by recipe=%s",
        f"{num_rows(loaded.real):,}", loaded.origin, f"{plan.rows:,}", recipe.name,
    )  # fmt: skip
    if export(work, this_rank()) is not None:
        say_rate(out, work.rows, time.monotonic() - start)
    return out


def _work(
    cfg: DictConfig, loaded: Loaded, recipe: Recipe, asked: Asked, groups: Groups, plan: Plan
) -> Work:
    """What is to be written: the recipe fitted to the rows, and all that the manifest says."""
    fixed = fixed_names(loaded.schema, groups.name)
    schema = recipe.schema(loaded.schema, fixed)
    fitted = recipe.fit(loaded.real, loaded.schema, plan, fixed)
    whole = schema_with_origins(schema, cfg.provenance)
    kind = str(cfg.format or cfg.data.format)
    writer = chosen_writer(cfg.writer, kind, whole, synthetic=loaded.origin != "real")
    rows = num_rows(loaded.real) + plan.rows
    return Work(
        out=Path(str(cfg.out)),
        overwrite=bool(cfg.overwrite),
        sampler=Augmented(
            real=loaded.real, fitted=fitted, provenance=cfg.provenance, origin=loaded.origin
        ),
        writer=writer,
        rows=rows,
        chunk_rows=asked.chunk,
        facts={
            **_facts(cfg, loaded, recipe, asked),
            **_counted(cfg, groups, plan, loaded.origin),
            "rows": rows,
            "format": kind,
            **writer.facts,
            "schema": whole.state(),
        },
        options=_deciding(cfg, kind),
        told=dict,
    )


def _groups(loaded: Loaded, recipe: Recipe, asked: Asked) -> Groups:
    groups = groups_of(loaded.real, loaded.schema, asked.counted, key=asked.key)
    if recipe.needs_classes and not groups.names:
        raise ValueError(
            f"recipe={recipe.name} makes rows class by class: name what has classes with "
            "data.target=<name> or balance=<name>"
        )
    return groups


def _already(asked: Asked, groups: Groups) -> str:
    return f"the levels of {groups.name} have these shares already" if asked.counted else "ratio=0"


def _facts(cfg: DictConfig, loaded: Loaded, recipe: Recipe, asked: Asked) -> dict[str, Any]:
    """What the rows are and depend on, for the manifest."""
    return {
        "seed": int(cfg.seed),
        "augmentation": {
            "recipe": recipe.name,
            "parameters": dict(recipe.parameters()),
            "amount": dict(asked.told),
            "meaning": recipe.meaning,
        },
        "data": _data(cfg, loaded),
        "versions": versions() | _of_recipes(),
    }


def _data(cfg: DictConfig, loaded: Loaded) -> dict[str, Any]:
    path = place_of(cfg)
    told: dict[str, Any] = {"name": Path(str(path)).name if path else str(cfg.choices.data)}
    told |= {"source": str(cfg.choices.data), "fingerprint": loaded.fingerprint}
    if loaded.test is not None:
        told |= {"test_share": float(cfg.test_share), "kept_apart": num_rows(loaded.test)}
    return told


def _of_recipes() -> dict[str, str]:
    """Versions of what recipes are made with."""
    from importlib.metadata import version

    return {name: version(name) for name in ("imbalanced-learn", "torchvision")}


def _counted(cfg: DictConfig, groups: Groups, plan: Plan, origin: str) -> dict[str, Any]:
    """How many rows are real and how many are not, in all and by level."""
    real = len(groups.group)
    told = augmented_facts(origin, real, plan.rows, cfg.provenance)
    if groups.name is None:
        return told
    level_of = np.full(len(plan.new), -1)
    level_of[groups.group] = groups.level
    made = np.array([plan.new[level_of == k].sum() for k in range(len(groups.names))], int)
    pairs = zip(groups.names, groups.counts().tolist(), made.tolist(), strict=True)
    counts = {name: counted(origin, a, b) for name, a, b in pairs}
    return {**told, "classes": {"name": groups.name, "counts": counts}}


def _deciding(cfg: DictConfig, kind: str) -> dict[str, Any]:
    """Settings that decide about the bytes of a dataset."""
    settings = resolved(cfg)
    words = {key: value for key, value in settings.items() if key not in OFFHAND}
    return words | {"writer": settings["writer"][kind], "zlib": zlib.ZLIB_RUNTIME_VERSION}


def _test_out(cfg: DictConfig) -> Path:
    return Path(str(cfg.test_out)) if cfg.test_out is not None else Path(f"{cfg.out}-test")


def _keep_apart(cfg: DictConfig, loaded: Loaded) -> None:
    """Write the rows that nothing is made of, unless an interrupted command did so already."""
    if loaded.test is None:
        return
    kind, rows = str(cfg.format or cfg.data.format), num_rows(loaded.test)
    writer = chosen_writer(cfg.writer, kind, loaded.schema, synthetic=loaded.origin != "real")
    facts = {
        **kept_apart_facts(loaded.origin, rows, float(cfg.test_share)),
        "rows": rows,
        "format": kind,
        "seed": int(cfg.seed),
        **writer.facts,
        "data": _data(cfg, loaded),
        "versions": versions(),
        "schema": loaded.schema.state(),
    }
    options = _deciding(cfg, kind)
    out = _test_out(cfg)
    if (out / MANIFEST).is_file():
        key = request_key({"facts": facts, "options": options})
        if read_json(out / MANIFEST).get("request") == key:
            return
    work = Work(
        out=out,
        overwrite=bool(cfg.overwrite),
        sampler=Plain(rows=loaded.test),
        writer=writer,
        rows=rows,
        chunk_rows=None,
        facts=facts,
        options=options,
        told=dict,
    )
    export(work, this_rank())
