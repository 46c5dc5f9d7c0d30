"""Progress of a stream of rows: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator

from genmodels.sampling.pieces import Piece

__all__ = ["tracked"]

logger = logging.getLogger(__name__)
_SECONDS_PER_LINE = 5.0


def tracked(pieces: Iterator[Piece], total: int, *, done: int = 0) -> Iterator[Piece]:
    """The same pieces, while rows done, rows per second and the time left are shown.

    Args:
        pieces: that stand for `total - done` rows together.
        total: number of rows asked for.
        done: of these, before.
    """
    show = _bar if sys.stderr.isatty() else _lines
    return show(pieces, total, done)


def _bar(pieces: Iterator[Piece], total: int, before: int) -> Iterator[Piece]:
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
        task = progress.add_task("sampling", total=total, completed=before, rate="")
        done = 0
        for piece in pieces:
            yield piece
            done += piece.stop - piece.start
            rate = f"{done / (time.monotonic() - start):,.0f} rows/s"
            progress.update(task, completed=before + done, rate=rate)


def _lines(pieces: Iterator[Piece], total: int, before: int) -> Iterator[Piece]:
    start = last = time.monotonic()
    done = 0
    for piece in pieces:
        yield piece
        done += piece.stop - piece.start
        now = time.monotonic()
        if now - last >= _SECONDS_PER_LINE and before + done < total:
            last, rate = now, done / (now - start)
            left = (total - before - done) / rate
            logger.info(
                "%s of %s rows, %s rows/s, %.0f s left",
                f"{before + done:,}",
                f"{total:,}",
                f"{rate:,.0f}",
                left,
            )
