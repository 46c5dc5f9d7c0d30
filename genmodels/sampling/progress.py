"""Progress of a stream of raw blocks: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator

from genmodels.types import Raw, num_rows

__all__ = ["tracked"]

logger = logging.getLogger(__name__)
_SECONDS_PER_LINE = 5.0


def tracked(blocks: Iterator[Raw], total: int) -> Iterator[Raw]:
    """The same blocks, while rows done, rows per second and the time left are shown.

    Args:
        blocks: of `total` rows together.
        total: number of rows to come.
    """
    return _bar(blocks, total) if sys.stderr.isatty() else _lines(blocks, total)


def _bar(blocks: Iterator[Raw], total: int) -> Iterator[Raw]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("sampling"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} rows"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    start = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("sampling", total=total, rate="")
        done = 0
        for block in blocks:
            yield block
            done += num_rows(block)
            rate = f"{done / (time.monotonic() - start):,.0f} rows/s"
            progress.update(task, completed=done, rate=rate)


def _lines(blocks: Iterator[Raw], total: int) -> Iterator[Raw]:
    start = last = time.monotonic()
    done = 0
    for block in blocks:
        yield block
        done += num_rows(block)
        now = time.monotonic()
        if now - last >= _SECONDS_PER_LINE and done < total:
            last, rate = now, done / (now - start)
            left = (total - done) / rate
            logger.info(
                "%s of %s rows, %s rows/s, %.0f s left",
                f"{done:,}",
                f"{total:,}",
                f"{rate:,.0f}",
                left,
            )
