"""`genmodels augment`: real rows, and new ones that a recipe makes of them, as a dataset."""

from __future__ import annotations

import logging
import signal
import sys
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf

from genmodels.augmentation.amounts import Amount, Groups, Plan, plan_of
from genmodels.augmentation.base import Recipe, kind_words, says_kind
from genmodels.augmentation.groups import fixed_names, groups_of
from genmodels.data.attributes import OFFERED
from genmodels.data.coco import holds_coco
from genmodels.data.splits import Split
from genmodels.files import read_json
from genmodels.provenance import check_name, schema_with_origins
from genmodels.report.reading import kind_of
from genmodels.schema import Schema
from genmodels.tasks.annotated import augment_annotated
from genmodels.tasks.augmented import Augmented, Plain
from genmodels.tasks.build import instantiate, schema_of, source_of
from genmodels.tasks.choices import CONFIGS, choices
from genmodels.tasks.compose import require, resolved
from genmodels.tasks.control import read_shares
from genmodels.tasks.export import Work, export
from genmodels.tasks.origin import (
    augmented_facts,
    counted,
    given_origin,
    kept_apart_facts,
)
from genmodels.tasks.ranks import this_rank
from genmodels.tasks.sample import say_rate, versions
from genmodels.tasks.sampler import whole_number
from genmodels.tasks.writing import chosen_writer
from genmodels.types import Raw, num_rows
from genmodels.writers.base import MANIFEST
from genmodels.writers.export import refuse_existing, request_key

__all__ = ["augment", "check_kind", "run", "the_recipe"]

log = logging.getLogger(__name__)
OFFHAND = ("out", "overwrite", "chunk_rows", "writer", "choices", "overrides", "data", "test_out")
"""What does not decide about a byte of a dataset, or is told by its facts."""
ELSEWISE = ("per_class", "balance", "shares")


def run(cfg: DictConfig) -> None:
    """Write an augmented dataset, and say what comes next; SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    augment(cfg)
    if this_rank().number:
        return
    real = given_origin(_place(cfg)) == "real"
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
    asked = _Asked.of(cfg)
    recipe, out = the_recipe(cfg), Path(str(cfg.out))
    refuse_existing(out, overwrite=bool(cfg.overwrite))
    if holds_coco(_place(cfg)):
        return augment_annotated(cfg, recipe, asked.amount)
    loaded = _Loaded.of(cfg, recipe)
    groups = _groups(loaded, recipe, asked)
    plan = plan_of(groups, asked.amount, seed=int(cfg.seed))
    if not plan.rows:
        raise ValueError(
            f"nothing is to be added: {_already(asked, groups)}. Give ratio=..., other shares or "
            "per_class=..."
        )
    _keep_apart(cfg, loaded)
    counted = None if groups.name is None else groups.name
    fixed = fixed_names(loaded.schema, counted)
    schema = recipe.schema(loaded.schema, fixed)
    fitted = recipe.fit(loaded.real, loaded.schema, plan, fixed)
    whole = schema_with_origins(schema, cfg.provenance)
    kind = str(cfg.format or cfg.data.format)
    writer = chosen_writer(cfg.writer, kind, whole, synthetic=loaded.origin != "real")
    start = time.monotonic()
    rows = num_rows(loaded.real) + plan.rows
    work = Work(
        out=out,
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
    log.info(
        "%s %s rows, and %s made of them by recipe=%s",
        f"{num_rows(loaded.real):,}", loaded.origin, f"{plan.rows:,}", recipe.name,
    )  # fmt: skip
    if export(work, this_rank()) is not None:
        say_rate(out, rows, time.monotonic() - start)
    return out


@dataclass(frozen=True)
class _Asked:
    """The settings that say how many new rows there shall be.

    Args:
        amount: of new rows.
        counted: whose levels are counted; None: those of the target.
        key: the setting that named it.
        told: the settings, for the manifest.
        chunk: rows that go to the writer at once at most.
    """

    amount: Amount
    counted: str | None
    key: str
    told: Mapping[str, Any]
    chunk: int | None

    @classmethod
    def of(cls, cfg: DictConfig) -> _Asked:
        if not isinstance(cfg.shares, DictConfig):
            raise ValueError(f"shares: write shares.<name>={{level: share}}, got {cfg.shares!r}")
        shares = {str(name): read_shares(str(name), text) for name, text in cfg.shares.items()}
        given = [key for key in ELSEWISE if cfg[key]]
        words = [str(word).partition("=")[0].lstrip("+") for word in cfg.overrides]
        given += ["ratio"] if "ratio" in words else []
        if len(given) > 1:
            raise ValueError(f"{given[0]} and {given[1]} cannot be combined; give one of them")
        if len(shares) > 1:
            raise ValueError(f"shares of {', '.join(shares)}: give those of one alone")
        ratio = cfg.ratio
        if not isinstance(ratio, int | float) or isinstance(ratio, bool) or not 0 < ratio < 1e9:
            raise ValueError(f"ratio must be a number above 0, got {ratio!r}")
        per_class = cfg.per_class
        if per_class is not None:
            per_class = whole_number("per_class", per_class, least=1)
        name = next(iter(shares), None if cfg.balance is None else str(cfg.balance))
        wanted = shares.get(str(name), {})
        if shares and (not isinstance(wanted, dict) or not wanted):
            raise ValueError(f"shares.{name} must name levels and their shares: {{yes: 0.5}}")
        amount = Amount(
            ratio=float(ratio),
            per_class=per_class,
            balance=cfg.balance is not None,
            shares={str(level): share for level, share in wanted.items()},
        )
        told = {key: resolved(cfg)[key] for key in ("ratio", "per_class", "balance")}
        told = {key: v for key, v in told.items() if v is not None}
        if given and given != ["ratio"]:
            told.pop("ratio")
        told |= {"shares": shares} if shares else {}
        key = "balance" if cfg.balance is not None else f"shares.{name}"
        chunk = cfg.chunk_rows
        chunk = None if chunk is None else whole_number("chunk_rows", chunk, least=1)
        return cls(amount, name, key, told, chunk)


@dataclass(frozen=True, eq=False)
class _Loaded:
    """The data of a configuration, typed.

    Args:
        real: rows to augment.
        test: rows that are kept apart; None: none are.
        schema: of both.
        fingerprint: of their source.
        origin: what the rows to augment are called, see `ORIGINS`.
    """

    real: Raw
    test: Raw | None
    schema: Schema
    fingerprint: str
    origin: str

    @classmethod
    def of(cls, cfg: DictConfig, recipe: Recipe) -> _Loaded:
        if cfg.data.get("streaming"):
            raise ValueError("augment reads all rows into memory: leave out data.streaming")
        if cfg.data.get("holdout_path") is not None or cfg.data.get("holdout_split") is not None:
            raise ValueError("held-out rows are not augmented: leave out data.holdout_path")
        changed = {}
        if "attributes" in cfg.data.source and cfg.data.get("attributes") is None:
            changed = {"attributes": OFFERED}  # what is known of a row stays known
        source = source_of(cfg, **changed)
        raw = source.load()
        check_kind(cfg, recipe, kind_of(raw))
        schema = schema_of(cfg, raw)
        typed = instantiate(cfg.data.parse)(raw, schema)
        if changed:  # what no schema tells is not dropped by it
            typed = replace(typed, attributes=raw.attributes)
        check_name(cfg.provenance, schema, tuple(getattr(typed, "attributes", ())))
        real, test = typed, None
        if cfg.test_share:
            fingerprint = source.fingerprint()
            real, test = _split(cfg, typed, fingerprint)
        return cls(real, test, schema, source.fingerprint(), given_origin(_place(cfg)))


def _split(cfg: DictConfig, typed: Raw, fingerprint: str) -> tuple[Raw, Raw]:
    share = cfg.test_share
    if not isinstance(share, int | float) or isinstance(share, bool) or not 0 <= share < 1:
        raise ValueError(f"test_share must be at least 0 and below 1, got {share!r}")
    split = Split(
        rows=num_rows(typed), seed=cfg.seed, holdout=share, validation=0.0, fingerprint=fingerprint
    )
    real, _, test = split.take(typed)
    return real, test


def the_recipe(cfg: DictConfig) -> Recipe:
    """The recipe of a configuration.

    Raises:
        ValueError: when a setting of it is impossible.
    """
    recipe = instantiate(cfg.recipe)
    assert isinstance(recipe, Recipe)
    return recipe


def _words(kinds: tuple[str, ...]) -> str:
    return " and ".join(kind_words(kind) for kind in kinds)


def check_kind(cfg: DictConfig, recipe: Recipe, kind: str) -> None:
    """Refuse a recipe of other data.

    Raises:
        ValueError: with those that there are for these.
    """
    if kind not in recipe.kinds:
        raise ValueError(
            f"recipe={cfg.choices.recipe} is for {_words(recipe.kinds)}, and data="
            f"{cfg.choices.data} gives {_words((kind,))}; there are {_suiting(kind)}"
        )


def _suiting(kind: str) -> str:
    """Names of the recipes that are for such data, as their files say."""
    found = choices("recipe", [CONFIGS])
    return ", ".join(name for name, text in found.items() if says_kind(text, kind))


def _groups(loaded: _Loaded, recipe: Recipe, asked: _Asked) -> Groups:
    groups = groups_of(loaded.real, loaded.schema, asked.counted, key=asked.key)
    if recipe.needs_classes and not groups.names:
        raise ValueError(
            f"recipe={recipe.name} makes rows class by class: name what has classes with "
            "data.target=<name> or balance=<name>"
        )
    return groups


def _already(asked: _Asked, groups: Groups) -> str:
    return f"the levels of {groups.name} have these shares already" if asked.counted else "ratio=0"


def _facts(cfg: DictConfig, loaded: _Loaded, recipe: Recipe, asked: _Asked) -> dict[str, Any]:
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


def _data(cfg: DictConfig, loaded: _Loaded) -> dict[str, Any]:
    path = _place(cfg)
    told: dict[str, Any] = {"name": Path(str(path)).name if path else str(cfg.choices.data)}
    told |= {"source": str(cfg.choices.data), "fingerprint": loaded.fingerprint}
    if loaded.test is not None:
        told |= {"test_share": float(cfg.test_share), "kept_apart": num_rows(loaded.test)}
    return told


def _place(cfg: DictConfig) -> str | None:
    """Where the data are, if a setting says so."""
    path = OmegaConf.select(cfg, "data.path", throw_on_missing=False)
    return None if path is None else str(path)


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


def _keep_apart(cfg: DictConfig, loaded: _Loaded) -> None:
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
