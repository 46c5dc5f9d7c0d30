"""How the verbs that write a report show their work, and where they put it."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from omegaconf import DictConfig
from rich.console import Console

from genmodels.report.page.render import print_report
from genmodels.report.rows import Report

__all__ = ["report_folder", "shown", "stem"]

log = logging.getLogger(__name__)
ENDING = re.compile(r"\.(csv|tsv|txt|parquet|pq|arrows?|feather|ipc|npz)(\.\w+)?$", re.IGNORECASE)


class Judge(Protocol):
    """Makes and writes a report, and tells what it is doing."""

    def __call__(self, *, progress: Callable[[str], None]) -> tuple[Report, list[Path]]: ...


def shown(doing: str, judge: Judge, *, every: float = 0.0) -> Report:
    """Make a report with progress, print it, and say where to read more.

    Args:
        doing: what is done, such as "evaluating".
        judge: makes the report.
        every: least number of seconds between two lines of progress where there is no terminal.
    """
    console = Console()
    with _told(console, doing, every) as progress:
        report, paths = judge(progress=progress)
    print_report(report, console)
    log.info("Read more: %s", paths[-1])
    return report


@contextmanager
def _told(console: Console, doing: str, every: float) -> Iterator[Callable[[str], None]]:
    """One moving line, or plain lines."""
    status = console.status(doing) if console.is_terminal else nullcontext()
    last = -every

    def progress(text: str) -> None:
        nonlocal last
        if console.is_terminal:
            status.update(f"{doing}: {text}")  # type: ignore[union-attr]
        elif time.monotonic() - last >= every:
            last = time.monotonic()
            log.info("%s: %s", doing, text)

    with status:
        yield progress


def report_folder(cfg: DictConfig, word: str) -> Path:
    """Where the report goes: beside the dataset, which may be passed on; it shows real data."""
    if cfg.out is not None:
        return Path(str(cfg.out))
    place = Path(str(cfg.synthetic)).absolute()
    return place.with_name(f"{stem(place)}-{word}")


def stem(path: Path) -> str:
    """The name of a folder, or of a data file without its ending."""
    return path.name if path.is_dir() else ENDING.sub("", path.name) or path.name
