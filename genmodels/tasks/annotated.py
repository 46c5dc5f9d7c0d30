"""`genmodels augment` of what is in COCO's form: boxes and masks move along."""

from __future__ import annotations

import time
import zlib
from pathlib import Path

from omegaconf import DictConfig

from genmodels.augmentation.amounts import Amount, plan_of_rows
from genmodels.augmentation.annotated import AnnotatedBlocks
from genmodels.augmentation.base import Recipe
from genmodels.augmentation.groups import nothing_counted
from genmodels.augmentation.pictures import Pictures
from genmodels.data.coco import COCO
from genmodels.provenance import check_name
from genmodels.schema import ImageSchema
from genmodels.tasks.augmented import Augmented
from genmodels.tasks.compose import resolved
from genmodels.tasks.export import Work, export
from genmodels.tasks.facts import say_rate, versions
from genmodels.tasks.origin import augmented_facts, given_origin
from genmodels.tasks.parts import instantiate
from genmodels.tasks.ranks import this_rank
from genmodels.types import num_rows

__all__ = ["augment_annotated"]


def augment_annotated(cfg: DictConfig, recipe: Recipe, amount: Amount) -> Path:
    """Write the real files, unchanged, and new ones with their boxes and masks.

    Raises:
        ValueError: when the recipe moves no boxes, or a setting has no meaning here.
    """
    if not isinstance(recipe, Pictures):
        raise ValueError(
            f"recipe={cfg.choices.recipe} does not move boxes and masks; geometry does"
        )
    others = [key for key in ("per_class", "balance", "shares", "test_share") if cfg[key]]
    if others:
        raise ValueError(f"{others[0]}: files with boxes have no class; give ratio=...")
    if cfg.format not in (None, "coco"):
        raise ValueError(f"format={cfg.format} holds no boxes and masks; leave it out")
    path, out = Path(str(cfg.data.path)), Path(str(cfg.out))
    source, origin = COCO(path=path), given_origin(path)
    real, start = source.load(), time.monotonic()
    check_name(cfg.provenance, ImageSchema(1, 1, 1), (*real.schema.names, "id"))
    known = num_rows(real)
    plan = plan_of_rows(nothing_counted(known), max(1, round(amount.ratio * known)), seed=cfg.seed)
    made = AnnotatedBlocks(real=real, plan=plan, recipe=recipe)
    node, categories = cfg.writer.coco, source.categories()
    writer = instantiate(node)(categories=categories, provenance=cfg.provenance)
    rows = known + plan.rows
    settings = resolved(cfg)
    work = Work(
        out=out,
        overwrite=bool(cfg.overwrite),
        sampler=Augmented(real=real, fitted=made, provenance=cfg.provenance, origin=origin),
        writer=writer,
        rows=rows,
        chunk_rows=None,
        facts={
            **augmented_facts(origin, known, plan.rows, cfg.provenance),
            "rows": rows,
            "format": "coco",
            "seed": int(cfg.seed),
            "augmentation": {
                "recipe": recipe.name,
                "parameters": dict(recipe.parameters()),
                "amount": {"ratio": amount.ratio},
                "meaning": recipe.meaning,
            },
            "data": {"name": path.name, "source": "coco", "fingerprint": source.fingerprint()},
            "versions": versions(),
            "schema": {"kind": "annotated", "categories": categories},
        },
        options={"recipe": settings["recipe"], "writer": settings["writer"]["coco"],
                 "provenance": cfg.provenance, "zlib": zlib.ZLIB_RUNTIME_VERSION},
        told=dict,
    )  # fmt: skip
    if export(work, this_rank()) is not None:
        say_rate(out, rows, time.monotonic() - start)
    return out
