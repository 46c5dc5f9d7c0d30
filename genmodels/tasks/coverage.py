"""`genmodels coverage`: which combinations of values data lack, and what would fill them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from genmodels.data.attributes import OFFERED
from genmodels.data.open import open_source
from genmodels.files import MANIFEST, read_json
from genmodels.metrics.coverage.counts import Barred
from genmodels.report.coverage.files import SCENARIO, write_files
from genmodels.report.coverage.found import Found
from genmodels.report.coverage.page import page
from genmodels.report.coverage.reading import points, read_known
from genmodels.report.coverage.study import CoverageStudy
from genmodels.report.coverage.terminal import print_details
from genmodels.report.page.render import write_report
from genmodels.report.rows import Report
from genmodels.sampling.control.exclusions import excluded
from genmodels.schema import Schema, schema_from_state
from genmodels.tasks.choices import nearest
from genmodels.tasks.compose import compose, require, resolved
from genmodels.tasks.judged import names_of
from genmodels.tasks.parts import instantiate, source_of
from genmodels.tasks.showing import shown, stem
from genmodels.types import Source

__all__ = ["coverage", "run"]

log = logging.getLogger(__name__)
FILLED, AFTER = "filled", "after"


def run(cfg: DictConfig) -> None:
    """Count, show what is missing, and say how to fill it; with `scenario=fill` fill it."""
    _check_fill(cfg)
    found = _shown(cfg, _folder(cfg))
    short = len(found.top.below(found.least))
    if not short:
        return
    folder = _folder(cfg)
    if cfg.scenario is None:
        log.info("Fill it: genmodels sample run=<run> scenario=fill coverage=%s", folder)
        log.info("     or: genmodels simulate simulator=<...> scenario=fill coverage=%s", folder)
        return
    from genmodels.tasks.sample import sample  # models take seconds to import

    made = sample(compose("sample", _asked(cfg, folder)))
    log.info("With the rows in %s:", made)
    _shown(cfg, folder / AFTER, also=[open_source(made)])


def coverage(
    cfg: DictConfig,
    out: Path,
    *,
    also: Sequence[Source] = (),
    progress: Callable[[str], None] = log.debug,
) -> tuple[Found, Report, list[Path]]:
    """Count the combinations of values of some data, and write what is missing.

    Args:
        cfg: as `compose("coverage", ...)` gives it.
        out: the folder that files go to.
        also: further rows, counted with those of the data.
        progress: told in a few words what is being done.

    Returns:
        What was found, the report, and the paths of all files, the page last.

    Raises:
        ValueError: for settings or names that do not fit the data.
        FileNotFoundError: when something named is not there.
    """
    _require(cfg)
    settings = resolved(cfg)
    study = instantiate(cfg.study)
    assert isinstance(study, CoverageStudy)
    progress("loading")
    others = [] if cfg.reference is None else [open_source(str(cfg.reference))]
    edges, names = _edges(settings["bins"]), names_of(settings["factors"])
    known = read_known(
        [_source(cfg), *also, *others],
        list(dict.fromkeys([*names, *edges])) if names else [],
        binned=edges,
        told=_told(cfg),
        infer=instantiate(_infer(cfg)),
        parse=instantiate(cfg.parse),
    )
    _check_edges(edges, known.schema.names)
    factors, left_out = study.factors(known.whole, known.schema, names, edges)
    barred, exclude = _barred(settings["exclude"], factors, known.schema)
    views = known.views[: len(known.views) - len(others)]
    found = study.count(
        _name(cfg),
        known.joined(views),
        factors,
        barred=barred,
        exclude=exclude,
        reference=(Path(str(cfg.reference)).name, known.views[-1]) if others else None,
        left_out=left_out,
        progress=progress,
    )
    progress("writing")
    report = page(found)
    paths = write_files(found, out, most=int(cfg.most), listed=int(cfg.listed))
    return found, report, [*paths, *write_report(report, out)]


def _shown(cfg: DictConfig, out: Path, also: Sequence[Source] = ()) -> Found:
    """Count with progress, and print the result."""
    kept: list[Found] = []

    def judge(*, progress: Callable[[str], None]) -> tuple[Report, list[Path]]:
        found, report, paths = coverage(cfg, out, also=also, progress=progress)
        kept.append(found)
        return report, paths

    report = shown("counting", judge)
    console = Console()
    # Without a terminal there is no width to fit: one line per entry is easier to search.
    console.width = console.width if console.is_terminal else 160
    print_details(report, console)
    return kept[0]


def _barred(
    texts: Any, factors: Sequence[Any], schema: Any
) -> tuple[list[Barred], tuple[str, ...]]:
    """What cannot be, by the numbers of factors."""
    chosen = tuple(names_of(texts))
    places = {factor.name: f for f, factor in enumerate(factors)}
    found = []
    for one in excluded(chosen, schema, points(factors)):
        order = sorted(range(len(one.names)), key=lambda k: places[one.names[k]])
        numbers = tuple(places[one.names[k]] for k in order)
        found.append(Barred(numbers, one.cells.transpose(order)))
    return found, chosen


def _require(cfg: DictConfig) -> None:
    """Check the settings; data named alone take the place of `data.path`."""
    by_path = "path" in list(cfg.data)  # `in` alone would not see one that is not given
    if cfg.dataset is not None and by_path:
        OmegaConf.update(cfg, "data.path", cfg.dataset)
    elif by_path and OmegaConf.is_missing(cfg.data, "path"):
        raise ValueError(
            "name the data: genmodels coverage <file or folder>, or data=... data.path=..."
        )
    require(cfg)


def _source(cfg: DictConfig) -> Source:
    """The data, with all attributes that can be read where none are chosen."""
    if cfg.dataset is not None:
        return open_source(str(cfg.dataset))
    unchosen = "attributes" in cfg.data.source and cfg.data.source.attributes is None
    return source_of(cfg, **({"attributes": OFFERED} if unchosen else {}))


def _infer(cfg: DictConfig) -> DictConfig:
    """That of the data, with what the user knows of them, where it is about rows."""
    own = cfg.data.infer
    return own if own._target_ == cfg.infer._target_ else cfg.infer


def _told(cfg: DictConfig) -> Schema | None:
    """What a schema file says of the data, or a dataset of ours of itself."""
    if cfg.schema is not None:
        told: Schema = instantiate(cfg.read_schema)(str(cfg.schema))
        return told
    place = Path(str(cfg.dataset or cfg.data.get("path") or ""))
    try:
        said = read_json(place / MANIFEST)
        return schema_from_state(said["schema"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # the user named the data, not this file: it may be anything


def _edges(told: Any) -> dict[str, Any]:
    """`bins`: edges or a number of bins by name.

    Raises:
        ValueError: when it is of another form.
    """
    if not isinstance(told, Mapping):
        raise ValueError(f"bins: write bins.<name>=[0,18,65] or bins.<name>=5, got bins={told!r}")
    for name, edges in told.items():
        if isinstance(edges, bool) or not isinstance(edges, list | int):
            raise ValueError(
                f"bins.{name} must be edges such as [0,18,65] or a number of bins, got {edges!r}"
            )
    return {str(name): edges for name, edges in told.items()}


def _check_edges(edges: Mapping[str, Any], names: Sequence[str]) -> None:
    for name in edges:
        if name not in names:
            raise ValueError(f"bins.{name}: the data have no {name!r}{nearest(name, names)}")


def _name(cfg: DictConfig) -> str:
    path = cfg.dataset or cfg.data.get("path")
    return Path(str(path)).name if path else str(cfg.choices.data)


def _folder(cfg: DictConfig) -> Path:
    """Where files go: beside the data, which may be passed on."""
    if cfg.out is not None:
        return Path(str(cfg.out))
    path = cfg.dataset or cfg.data.get("path")
    if path is None:
        return Path(f"{cfg.choices.data}-coverage")
    place = Path(str(path)).expanduser().absolute()
    return place.with_name(f"{stem(place)}-coverage")


def _check_fill(cfg: DictConfig) -> None:
    if cfg.scenario not in (None, "fill"):
        raise ValueError(f"scenario must be fill or null, got {cfg.scenario!r}")
    if cfg.scenario == "fill" and cfg.run is None:
        raise ValueError(
            "scenario=fill needs the model that draws the rows: run=<folder>. With a simulator: "
            "genmodels simulate simulator=<...> scenario=fill coverage=<what this command writes>"
        )
    if cfg.run is not None and cfg.scenario is None:
        raise ValueError("run=... draws what is missing: add scenario=fill")


def _asked(cfg: DictConfig, folder: Path) -> list[str]:
    """The words of `genmodels sample` that fill what is missing."""
    words = [f"run={cfg.run}", f"scenario={folder / SCENARIO}", f"out={folder / FILLED}"]
    return [*words, "shortfall=drop", f"overwrite={str(bool(cfg.overwrite)).lower()}"]
