"""`genmodels audit bias`: how groups fare in synthetic data, beside the same groups of real data.

Exit codes besides those of every verb: 3 when a figure that `fail_on` names is above `fail_above`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from genmodels.report.bias.audit import GATES, gate_values
from genmodels.report.page.render import write_report
from genmodels.report.page.summary import number
from genmodels.report.reading import kind_of, read_alike
from genmodels.report.rows import Report
from genmodels.tasks.choices import nearest
from genmodels.tasks.compose import require
from genmodels.tasks.judged import Named, names_of, real_data
from genmodels.tasks.parts import instantiate
from genmodels.tasks.showing import report_folder, shown

__all__ = ["FAILED", "audit", "failures", "run"]

log = logging.getLogger(__name__)
FAILED = 3


def run(cfg: DictConfig) -> int:
    """Audit, show the result, and return 3 when a figure is above what is allowed."""
    found = failures(cfg, shown("auditing", partial(audit, cfg)))
    for line in found:
        log.warning(line)
    return FAILED if found else 0


def audit(
    cfg: DictConfig, *, progress: Callable[[str], None] = log.debug
) -> tuple[Report, list[Path]]:
    """Audit a synthetic dataset for bias and write the report.

    Args:
        cfg: as `compose("audit", ...)` gives it.
        progress: told in a few words what is being computed.

    Returns:
        The report and the paths of its JSON, Markdown and HTML form.

    Raises:
        ValueError: for settings or names that do not fit, or data without named attributes.
        FileNotFoundError: when something named is not there.
    """
    require(cfg)
    _check(cfg)
    named = Named(cfg, {})
    progress("loading")
    made = named.source("synthetic").load()
    choice = cfg.kinds[kind_of(made)]
    if "audit" not in choice:
        raise ValueError(
            f"a bias audit compares groups of rows with named attributes; {cfg.synthetic} holds "
            f"{kind_of(made)}. `genmodels evaluate` has figures for each class of those"
        )
    real = real_data(cfg, named)
    synthetic = read_alike(made, real.schema, instantiate(choice.parse), what="synthetic")
    report = instantiate(choice.audit)(
        real.train,
        real.holdout,
        synthetic,
        real.schema,
        sensitive=names_of(cfg.sensitive),
        edges=OmegaConf.to_container(cfg.edges) if cfg.edges is not None else {},
        target=cfg.target,
        positive=None if cfg.positive is None else str(cfg.positive),
        blind=bool(cfg.blind),
        seed=int(cfg.seed),
        progress=progress,
    )
    progress("writing")
    return report, write_report(report, report_folder(cfg, "audit"))


def failures(cfg: DictConfig, report: Report) -> list[str]:
    """One line for each figure in `fail_on` that is above `fail_above`.

    Raises:
        ValueError: when a figure that should decide was not computed: that is no pass.
    """
    if cfg.fail_above is None:
        return []
    found, values = [], gate_values(report)
    for name in names_of(cfg.fail_on):
        if name not in values:
            raise ValueError(
                f"fail_on={name} was not computed (the report says why), so it cannot pass; give "
                "what is missing, or leave it out of fail_on"
            )
        value, row = values[name]
        if value > float(cfg.fail_above):
            found.append(
                f"failed: {name} is {number(value)}, above fail_above={cfg.fail_above} "
                f"({row.metric}: {number(row.value)})"
            )
    return found


def _check(cfg: DictConfig) -> None:
    for name in names_of(cfg.fail_on):
        if name not in GATES:
            raise ValueError(f"fail_on={name} is no figure{nearest(name, GATES)}")
    limit = cfg.fail_above
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | float)):
        raise ValueError(f"fail_above must be a number or null, got {limit!r}")
    edges = OmegaConf.to_container(cfg.edges) if isinstance(cfg.edges, DictConfig) else cfg.edges
    if edges is not None and not (
        isinstance(edges, dict)
        and all(isinstance(v, list) and all(map(_is_number, v)) for v in edges.values())
    ):
        raise ValueError("edges must be of the form edges={age:[25,45,65]}")


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)
