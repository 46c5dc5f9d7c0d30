"""`genmodels selftest metrics`: planted failures must be seen by the figures said to see them.

`selftest crash` is `crash.py`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from genmodels.files import write_json, write_text
from genmodels.report.selftest import Matrix, judge
from genmodels.tasks import crash
from genmodels.tasks.compose import require
from genmodels.tasks.parts import instantiate

__all__ = ["run", "selftest"]

log = logging.getLogger(__name__)


def run(cfg: DictConfig) -> int:
    """Print the matrices; 0 when every failure was caught and fresh data passed, else 3."""
    if cfg.subject == "crash":
        return crash.run(cfg)
    matrices = selftest(cfg, progress=log.info)
    console = Console()
    for matrix in matrices:
        console.print(matrix.terminal())
    console.print(
        "✗ seen   + close to real data   · nothing to see   blank: not measured; [ ] round a sign: "
        "this figure must see it",
        markup=False,
    )
    wrong = [
        f"{line.name}: {'; '.join([*(f'missed by {x}' for x in line.missed), *line.alarms])}"
        for matrix in matrices
        for line in matrix.lines
        if not line.passed
    ]
    for text in wrong:
        log.warning("%s", text)
    return 3 if wrong else 0


def selftest(cfg: DictConfig, *, progress: Callable[[str], None] = log.debug) -> list[Matrix]:
    """Judge every case of the chosen kinds, and write the matrices when `out` is given.

    Args:
        cfg: as `compose("selftest", ["subject=metrics", ...])` gives it.
        progress: told what is being judged.

    Raises:
        ValueError: when a kind is not known.
    """
    require(cfg)
    unknown = [kind for kind in cfg.of if kind not in cfg.kinds]
    if unknown or not cfg.of:
        raise ValueError(f"of must name some of {', '.join(cfg.kinds)}, got {list(cfg.of)}")
    matrices = []
    for kind in cfg.of:
        worlds, schema, failures = instantiate(cfg.worlds[kind])
        suite = instantiate(cfg.kinds[kind].suite)
        title = f"Figures on {kind}"
        matrices.append(
            judge(title, suite, schema, worlds, failures, seed=int(cfg.seed), progress=progress)
        )
    if cfg.out is not None:
        write_json(Path(str(cfg.out)) / "selftest.json", [matrix.state() for matrix in matrices])
        text = "\n".join(matrix.markdown() for matrix in matrices)
        write_text(Path(str(cfg.out)) / "selftest.md", f"{text}\n")
    return matrices
