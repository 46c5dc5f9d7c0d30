"""Many small independent pieces of work: a few threads, and progress that one can read.

On a terminal a rich bar with rate and time left; otherwise a plain log line every few seconds.
Short work says nothing.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

__all__ = ["for_chunks", "num_workers"]

log = logging.getLogger(__name__)
T = TypeVar("T")
CHUNK = 64
QUIET_BELOW = 5_000
SECONDS_BETWEEN_LINES = 5.0


def num_workers(workers: int | None) -> int:
    """Threads to use: as asked, else one per core but at most 8."""
    return workers if workers is not None else min(8, os.cpu_count() or 1)


def for_chunks(
    work: Callable[[int, int], T], total: int, *, workers: int | None = None, what: str
) -> Iterator[T]:
    """Call `work(start, stop)` for consecutive ranges of `range(total)` and yield in order.

    Args:
        work: thread-safe; what it raises stops everything that has not begun.
        total: number of items.
        workers: threads, or None for one per core.
        what: for people, such as "reading images".
    """
    starts = range(0, total, CHUNK)
    pool = ThreadPoolExecutor(num_workers(workers))
    try:
        results = pool.map(lambda start: work(start, min(start + CHUNK, total)), starts)
        show = _bar if sys.stderr.isatty() and total >= QUIET_BELOW else _lines
        yield from show(results, total, what)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _bar(results: Iterable[T], total: int, what: str) -> Iterator[T]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f}/s"),
        TimeRemainingColumn(),
    )
    begun = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total, rate=0.0)
        for done, result in _count(results, total):
            progress.update(task, completed=done, rate=done / (time.monotonic() - begun + 1e-9))
            yield result


def _lines(results: Iterable[T], total: int, what: str) -> Iterator[T]:
    begun = said = time.monotonic()
    for done, result in _count(results, total):
        now = time.monotonic()
        if now - said > SECONDS_BETWEEN_LINES:
            said, rate = now, done / (now - begun)
            log.info(
                "%s: %d/%d, %.0f/s, %.0f s left", what, done, total, rate, (total - done) / rate
            )
        yield result


def _count(results: Iterable[T], total: int) -> Iterator[tuple[int, T]]:
    for chunk, result in enumerate(results, 1):
        yield min(chunk * CHUNK, total), result
