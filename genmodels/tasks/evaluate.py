"""`genmodels evaluate`: how far a synthetic dataset can be trusted.

Synthetic rows are compared with real rows that training never saw: the recorded holdout of a
run, or the data that the user names.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from genmodels.files import read_json, sha256
from genmodels.report.page.render import write_report
from genmodels.report.page.tensorboard import write_tensorboard
from genmodels.report.reading import kind_of, read_alike, with_sensitive
from genmodels.report.rows import Cell, Report, Suite
from genmodels.run import Run
from genmodels.tasks.compose import require
from genmodels.tasks.judged import Named, calibrated_by, dataset_manifest, names_of, real_data
from genmodels.tasks.parts import instantiate
from genmodels.tasks.prices import check_prices, prices_alone, with_prices
from genmodels.tasks.showing import report_folder, shown
from genmodels.types import Source
from genmodels.writers.base import MANIFEST
from genmodels.writers.evaluated import note_evaluation
from genmodels.writers.manifest import wishes_of

__all__ = ["evaluate", "run"]

log = logging.getLogger(__name__)


def run(cfg: DictConfig) -> None:
    """Evaluate, show the result, and say where the report is."""
    shown("evaluating", partial(evaluate, cfg))


def evaluate(
    cfg: DictConfig,
    *,
    progress: Callable[[str], None] = log.debug,
    given: Mapping[str, Source] | None = None,
) -> tuple[Report, list[Path]]:
    """Judge a synthetic dataset, write the report, and note its verdicts in the dataset's card.

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
    check_prices(cfg)
    named = Named(cfg, given or {})
    progress("loading")
    if cfg.finance.only:
        report = _introduced(prices_alone(named), named, None, "")
        return _finished(report, named, progress)
    made = named.source("synthetic").load()
    calibrated, wishes = calibrated_by(named), wishes_of(dataset_manifest(named))
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
    progress("prices")
    report = with_prices(report, real, synthetic, named)
    report = _introduced(report, named, calibrated, wishes)
    if cfg.run is not None:
        from genmodels.tasks.likelihood import with_likelihood  # models take seconds to import

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
    return _finished(report, named, progress)


def _finished(
    report: Report, named: Named, progress: Callable[[str], None]
) -> tuple[Report, list[Path]]:
    """Written, unless the synthetic data come from memory and no folder is named."""
    if named.cfg.out is None and "synthetic" in named.given:
        return report, []
    progress("writing")
    note = named.cfg.note and "synthetic" not in named.given
    return report, _written(report, named.cfg, note=note)


def _written(report: Report, cfg: DictConfig, *, note: bool) -> list[Path]:
    """The report's files, what TensorBoard shows of it, and its verdicts in the dataset."""
    folder = report_folder(cfg, "report")
    paths = write_report(report, folder)
    if cfg.tensorboard:
        write_tensorboard(report, _events(cfg, folder))
    if note:
        _note(Path(str(cfg.synthetic)), paths[0], cfg)
    return paths


def _note(place: Path, written: Path, cfg: DictConfig) -> None:
    """The verdicts of a report, in the dataset that it judged, if that is one of ours."""
    if not (place / MANIFEST).is_file():
        return
    axes = [
        {key: axis[key] for key in ("axis", "verdict", "sentence", "figure")}
        for axis in read_json(written)["axes"]
    ]
    try:
        note_evaluation(
            place, {"seed": int(cfg.seed), "report_sha256": sha256(written), "axes": axes}
        )
    except (ValueError, OSError) as error:
        log.warning("the verdicts are not noted in %s: %s", place, error)


def _introduced(report: Report, named: Named, how: str | None, wishes: str) -> Report:
    """The report with what is judged, how that was calibrated and what was asked of it, if so."""
    facts: dict[str, Cell] = {"judged": named.label("synthetic")}
    told = []
    if wishes:
        facts["asked for"] = wishes
        told.append(
            f"These rows were asked for ({wishes}) and are compared with all real rows: that they "
            "differ as they were asked to says nothing about the model. To judge it, evaluate rows "
            "of which nothing was asked."
        )
    if how is not None:
        facts["calibrated"] = how
        told.append(
            f"The synthetic data were calibrated to the training data (calibrate={how}): what was "
            "matched says nothing about the model. Compare this report with calibrated data only."
        )
    return replace(report, facts={**facts, **report.facts}, cautions=tuple(told))


def _events(cfg: DictConfig, folder: Path) -> Path:
    """Where TensorBoard finds the report: with the run, if there is one that we may write to.

    There each report has a place of its own, so that several can be seen side by side.
    """
    if cfg.run is not None:
        origin = Run.open(str(cfg.run))
        if os.access(origin.path, os.W_OK):
            return origin.tensorboard / "evaluation" / folder.name
    return folder / "tensorboard"
