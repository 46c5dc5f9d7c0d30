"""Writing what is drawn or simulated as a dataset: shard by shard, by one process or several.

Interrupted, it goes on with the next shard when the same is asked again.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from genmodels.sampling.pieces import Piece, until
from genmodels.sampling.progress import tracked
from genmodels.tasks.ranks import Rank
from genmodels.types import Raw, num_rows
from genmodels.wishes import TooFewRowsError
from genmodels.writers.base import Shard, Writer, file_entry
from genmodels.writers.croissant import write_croissant
from genmodels.writers.export import Export, Written, refuse_existing, request_key
from genmodels.writers.manifest import manifest_of, write_card, write_manifest

__all__ = ["Drawn", "Work", "export"]

log = logging.getLogger(__name__)


class Drawn(Protocol):
    """Rows that can be had from any to any; row i is the same however they are cut.

    Attributes:
        counts: of what happened while the pieces that were taken were drawn.
    """

    counts: Counter[str]

    def pieces(self, start: int, stop: int, *, every: Sequence[int] = ()) -> Iterator[Piece]:
        """Rows start ... stop - 1 in order, cut at the multiples of each of `every`, at least."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What shall be written.

    Args:
        out: the folder that is asked for.
        overwrite: whether a dataset that is there is replaced.
        sampler, writer: make rows, and files of them.
        rows: asked for.
        chunk_rows: rows that go to the writer at once at most; None: as they are drawn.
        facts: of the manifest; they and `options` decide about every byte.
        options: of the writer.
        told: what else the manifest says once all is drawn, and `rows` if they are fewer.
    """

    out: Path
    overwrite: bool
    sampler: Drawn
    writer: Writer
    rows: int
    chunk_rows: int | None
    facts: Mapping[str, Any]
    options: Mapping[str, Any]
    told: Callable[[], Mapping[str, Any]]

    @property
    def per_shard(self) -> int:
        return self.writer.rows_per_shard or self.rows

    @property
    def shards(self) -> int:
        return -(-self.rows // self.per_shard)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The rows asked for in shards first ... last."""
        return first * self.per_shard, min(self.rows, (last + 1) * self.per_shard)


def export(work: Work, rank: Rank) -> dict[str, Any] | None:
    """Write the share of this process; the first process completes the dataset.

    Returns:
        The manifest; None in other processes than the first.

    Raises:
        ValueError: when rows are not as asked, or another process writes the same.
        OSError: when the folder exists, is not writable, or the disk is full.
    """
    key = request_key({"facts": work.facts, "options": work.options})
    place = Export(out=work.out, key=key, shards=work.shards, rank=rank.number, of=rank.of)
    mine = rank.share(work.shards)
    if rank.number and (not mine or (place.published() and not work.overwrite)):
        return None
    refuse_existing(work.out, overwrite=work.overwrite)
    with _held(place):
        _write_shards(work, place, mine)
        return None if rank.number else _completed(work, place, key)


@contextmanager
def _held(place: Export) -> Iterator[None]:
    """The folder under way, which keeps what is whole unless what was asked cannot be had."""
    place.open()
    for other in place.others():
        log.warning(
            "%s holds shards of another request for %s: repeat its command to go on with it, or "
            "remove it",
            other,
            place.out,
        )
    try:
        yield
    except BaseException as error:
        place.claim.fail()
        kept = place.close(keep=not isinstance(error, TooFewRowsError))
        if kept:
            log.warning(
                "%d of %d shards of %s are kept; the same command goes on from there",
                kept,
                place.shards,
                place.out,
            )
        raise
    place.close(keep=True)


def _write_shards(work: Work, place: Export, mine: range) -> None:
    there = place.written()
    missing = [k for k in mine if k not in there]
    if len(missing) < len(mine):
        log.info(
            "going on with an interrupted sampling: %d of %d shards are there",
            len(mine) - len(missing),
            len(mine),
        )
    spans = [work.span(k, k) for k in mine]
    total, done = (
        sum(stop - start for k, (start, stop) in zip(mine, spans, strict=True) if k in some)
        for some in (mine, set(mine) - set(missing))
    )
    every = [size for size in (work.per_shard, work.chunk_rows) if size is not None]
    for _, group in groupby(enumerate(missing), lambda pair: pair[1] - pair[0]):
        run = [k for _, k in group]
        start, stop = work.span(run[0], run[-1])
        pieces = tracked(work.sampler.pieces(start, stop, every=every), total, done=done)
        done += stop - start
        for k in run:
            _write_shard(work, place, k, pieces)


def _write_shard(work: Work, place: Export, number: int, pieces: Iterator[Piece]) -> None:
    start, stop = work.span(number, number)
    before, rows = work.sampler.counts.copy(), 0

    def counted() -> Iterator[Raw]:
        nonlocal rows
        for raw in until(pieces, stop):
            rows += num_rows(raw)
            yield raw

    shard = Shard(number=number, of=work.shards, start=start)
    files = work.writer.write(counted(), place.folder, shard)
    place.note(number, files, rows, work.sampler.counts - before)


def _completed(work: Work, place: Export, key: str) -> dict[str, Any]:
    """The whole dataset appears, with its manifest and its card."""
    shards = [shard for _, shard in sorted(place.wait().items())]
    place.sweep()
    work.sampler.counts = sum((Counter(shard.counts) for shard in shards), Counter())
    lists = work.writer.finish(place.folder, work.shards)
    facts = {**work.facts, "request": key, **work.told()}
    assert facts["rows"] == sum(shard.rows for shard in shards), "as many rows as were counted"
    manifest = manifest_of([*_entries(shards, lists, place)], facts)
    documents = [write_card(place.folder, manifest), write_croissant(place.folder, manifest)]
    manifest = write_manifest(place.folder, manifest, documents)
    place.publish(overwrite=work.overwrite)
    return manifest


def _entries(shards: list[Written], lists: Any, place: Export) -> Iterator[Mapping[str, Any]]:
    for shard in shards:
        yield from shard.files
    for file in lists:
        yield file_entry(place.folder, file)
