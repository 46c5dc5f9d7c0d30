"""`genmodels look`: pictures of a finished run, without training and without an evaluation."""

from __future__ import annotations

import logging
from html import escape
from pathlib import Path

from omegaconf import DictConfig

from genmodels.files import atomic_path, read_json, write_text
from genmodels.report.looks.looks import WHAT, Look, Looks
from genmodels.run import Run
from genmodels.tasks.build import load_run
from genmodels.tasks.choices import nearest
from genmodels.tasks.compose import require
from genmodels.tasks.judged import names_of, split_as_recorded
from genmodels.tasks.options import pick_device, whole_number
from genmodels.tasks.parts import instantiate, source_of
from genmodels.tasks.stored import load_config
from genmodels.types import Raw

__all__ = ["look", "run"]

log = logging.getLogger(__name__)


def run(cfg: DictConfig) -> None:
    """Make the pictures, and say where they are."""
    paths = look(cfg)
    log.info("Look at them: %s", paths[-1])


def look(cfg: DictConfig) -> list[Path]:
    """Make pictures of a run's model: `<what>.png` or `<what>.gif`, and a page with all of them.

    Args:
        cfg: as `compose("look", ...)` gives it.

    Returns:
        The paths of the pictures, and last that of `index.html`.

    Raises:
        ValueError: when there is no such run or picture, or no picture can be made of this model.
    """
    require(cfg)
    asked, seed = _asked(cfg), whole_number("seed", cfg.seed, least=0)
    source = Run.open(str(cfg.run))
    looks = _looks(cfg, source)
    loaded = load_run(source, device=pick_device(cfg.device))
    source.warn_unfinished()
    made: list[Look] = []
    reasons: list[str] = []
    for what in asked:
        try:
            training = _training(cfg, source) if what == "neighbours" else None
            made.append(looks(what, loaded.model, training=training, seed=seed))
        except (ValueError, FileNotFoundError) as error:
            reasons.append(f"no {what}: {error}")
    if not made:
        raise ValueError("; ".join(reasons))
    for reason in reasons:
        log.warning(reason)
    return _written(made, Path(str(cfg.out)) if cfg.out else source.pictures / "look", source)


def _asked(cfg: DictConfig) -> list[str]:
    asked = names_of(cfg.what) or list(WHAT)
    unknown = next((name for name in asked if name not in WHAT), None)
    if unknown is not None:
        raise ValueError(f"what={unknown} is none of the pictures{nearest(unknown, WHAT)}")
    return list(dict.fromkeys(asked))


def _looks(cfg: DictConfig, source: Run) -> Looks:
    """What makes pictures of this kind of data."""
    kind = str(read_json(source.schema).get("kind"))
    if kind not in cfg.kinds:
        raise ValueError(
            f"{source} is a run on data of the kind {kind}; look is for {', '.join(cfg.kinds)}. "
            "What it makes is shown in its folder `pictures` and by `genmodels evaluate`"
        )
    found: Looks = instantiate(cfg.kinds[kind])
    return found


def _training(cfg: DictConfig, origin: Run) -> Raw:
    """What the run was trained on, as recorded."""
    saved = load_config(origin)
    if "source" not in saved.data:
        raise ValueError(f"{origin} was trained on data in memory, which are not here")
    moved = {} if cfg.real is None else {"path": str(cfg.real)}
    train, _, _ = split_as_recorded(origin, source_of(saved, **moved))
    return train


def _written(made: list[Look], folder: Path, source: Run) -> list[Path]:
    paths = []
    for one in made:
        paths.append(folder / f"{one.what}.{one.suffix}")
        with atomic_path(paths[-1]) as temporary:
            temporary.write_bytes(one.data)
    figures = "".join(
        f'<figure><img src="{path.name}" alt=""><figcaption>{escape(one.caption)}</figcaption>'
        "</figure>"
        for path, one in zip(paths, made, strict=True)
    )
    title = escape(source.path.absolute().name)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1>{figures}</body></html>\n"
    )
    write_text(folder / "index.html", page)
    return [*paths, folder / "index.html"]
