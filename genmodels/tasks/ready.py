"""Generators of a benchmark that learn nothing: a recipe of augmentation, and rows made before."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from genmodels.augmentation.amounts import Plan, plan_of_rows
from genmodels.augmentation.base import Recipe
from genmodels.augmentation.groups import fixed_names, groups_of
from genmodels.data.open import open_source
from genmodels.files import MANIFEST, read_json
from genmodels.metrics.benchmark.stand_ins import FittedGenerator, Rows, having
from genmodels.provenance import ORIGINS, named_in, origins_of, without_origins
from genmodels.report.benchmark.runs import Fit
from genmodels.report.reading import read_alike
from genmodels.schema import TableSchema
from genmodels.tasks.parts import instantiate
from genmodels.tasks.quiet import whispering
from genmodels.tasks.to_augment import check_kind, the_recipe
from genmodels.types import join_rows, num_rows, take_rows

__all__ = ["augmented_fit", "given_fit"]

log = logging.getLogger(__name__)


class AugmentedRows:
    """What a recipe makes of training rows, as a benchmark asks for it.

    Args:
        train: the rows that it may see.
        schema: of them; its target stays with each row.
        recipe: makes new ones.
    """

    def __init__(self, *, train: Rows, schema: TableSchema, recipe: Recipe) -> None:
        self.train, self.schema, self.recipe = train, schema, recipe
        self.groups = groups_of(train, schema, None, key="target")

    def sample(self, n: int, *, seed: int) -> Rows:
        return self._made(plan_of_rows(self.groups, n, seed=seed))

    def of_level(self, target: str, level: str, n: int, *, seed: int) -> Rows | None:
        names = [name.casefold() for name in self.groups.names]
        if self.groups.name != target or level.casefold() not in names:
            return None
        number = names.index(level.casefold())
        if not (self.groups.level == number).any():
            return None
        return self._made(plan_of_rows(self.groups, n, seed=seed, level=number))

    def _made(self, plan: Plan) -> Rows:
        """The rows of a plan in random order: a benchmark takes the first that it needs."""
        fixed = fixed_names(self.schema, self.groups.name)
        with whispering():
            fitted = self.recipe.fit(self.train, self.schema, plan, fixed)
        blocks = range(-(-plan.rows // fitted.block_rows))
        rows = join_rows([fitted.block(k) for k in blocks]) if plan.rows else self.train.slice(0, 0)
        order = np.random.default_rng([plan.seed, 66]).permutation(num_rows(rows))
        found = take_rows(rows, order)
        assert isinstance(found, Rows)
        return found


class GivenRows:
    """Rows that were made before, drawn without replacement.

    Args:
        rows: typed as the real ones.
    """

    def __init__(self, *, rows: Rows) -> None:
        self.rows = rows

    def sample(self, n: int, *, seed: int) -> Rows:
        if n > self.rows.num_rows:
            raise ValueError(
                f"synthetic= has {self.rows.num_rows:,} rows, and {n:,} are needed: make more, or "
                "lower ratios"
            )
        return _some(self.rows, n, seed)

    def of_level(self, target: str, level: str, n: int, *, seed: int) -> Rows | None:
        """As many rows of the level as there are, n at most."""
        return _some(having(self.rows, target, level), n, seed)


def _some(rows: Rows, n: int, seed: int) -> Rows:
    """At most n of the rows, in random order."""
    order = np.random.default_rng([seed, 67]).permutation(rows.num_rows)[:n]
    found = take_rows(rows, order)
    assert isinstance(found, Rows)
    return found


def augmented_fit(cfg: DictConfig, schema: TableSchema) -> Fit:
    """Makes new rows of the training side of a split, and never sees the other side.

    Raises:
        ValueError: when no recipe is named, or it is of other data.
    """
    if cfg.get("recipe") is None:
        raise ValueError("generator=augmented needs a recipe: recipe=smote, jitter, mixup, ...")
    recipe = the_recipe(cfg)
    check_kind(cfg, recipe, str(schema.state()["kind"]))

    def fit(train: Rows, *, seed: int, name: str) -> FittedGenerator:
        return AugmentedRows(train=train, schema=schema, recipe=recipe)

    return fit


def given_fit(cfg: DictConfig, schema: TableSchema) -> Fit:
    """Rows of a dataset that are not real, whatever the split.

    Raises:
        ValueError: when none is named, it has no such rows, or they are not like the real ones.
    """
    if cfg.synthetic is None:
        raise ValueError("generator=given needs the rows: synthetic=<folder or file>")
    raw = open_source(str(cfg.synthetic), least=1, origins=True).load()
    name = _told(Path(str(cfg.synthetic)).expanduser())
    counts: Counter[str] = Counter()
    if name is not None:
        origins = origins_of(raw, name)
        counts.update(ORIGINS[k] for k in origins)
        raw = take_rows(without_origins(raw, name), np.flatnonzero(origins != 0))
        if not num_rows(raw):
            raise ValueError(f"synthetic={cfg.synthetic} has real rows alone: nothing to try")
        log.info("%s: %s; the real ones are left out", cfg.synthetic, _listed(counts))
    rows = read_alike(raw, schema, instantiate(cfg.data.parse_apart), what="synthetic")
    assert isinstance(rows, Rows)
    if set(counts) - {"real"} != {"simulated"}:
        log.warning(
            "the rows of synthetic= were made before the real rows were split: if their maker saw "
            "rows of data.path, it saw test rows, and the verdict is too kind"
        )
    given = GivenRows(rows=rows.select(list(schema.names)))

    def fit(train: Rows, *, seed: int, name: str) -> FittedGenerator:
        return given

    return fit


def _told(place: Path) -> str | None:
    """By what name a dataset tells where its rows come from."""
    for folder in (place, *list(place.parents)[:2]):
        if (folder / MANIFEST).is_file():
            return named_in(read_json(folder / MANIFEST))
    return None


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{number:,} {origin}" for origin, number in counts.items())
