"""One pass over a large table: who sees which rows, a sample to fit to, and rows to validate on."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from genmodels.data.sources.csv_options import DECIMAL
from genmodels.data.splits import rows_of
from genmodels.data.streaming.reservoir import Part, Reservoir
from genmodels.data.streaming.split import StreamSplit
from genmodels.data.streaming.witnesses import Witnesses

__all__ = ["Sketch", "numbered", "sketched"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Sketch:
    """What is known of a large table.

    Args:
        split: of all its rows.
        sample: training rows, uniform.
        shown: the few training rows that show values which these lack.
        validation: the rows that choose the weights.
        holdout: a uniform sample of the rows that are held out; empty unless asked for.
    """

    split: StreamSplit
    sample: pa.Table
    shown: pa.Table
    validation: pa.Table
    holdout: pa.Table

    @property
    def telling(self) -> pa.Table:
        """What schema and codec are made from: the sample, and then what it lacks."""
        return pa.concat_tables([self.sample, self.shown]).combine_chunks()


def numbered(pieces: Iterable[pa.Table]) -> Iterator[Part]:
    """The pieces, with the number that each row has in the data."""
    start = 0
    for piece in pieces:
        yield piece, np.arange(start, start + len(piece))
        start += len(piece)


def sketched(
    pieces: Iterable[pa.Table],
    split: StreamSplit,
    *,
    most: int,
    most_holdout: int = 0,
    most_levels: int = 200,
) -> Sketch:
    """Read a table once.

    Args:
        pieces: of the table, in order.
        split: whose counts and cutoff are found here.
        most: rows of the sample, besides the few that show what it lacks.
        most_holdout: rows of the sample of what is held out.
        most_levels: columns with more distinct values are numbers or open sets, whose rare values
            need not be in the sample.

    Raises:
        ValueError: when too few rows are left to train on.
    """
    seen, held = Reservoir(most + split.most_validation), Reservoir(most_holdout)
    witnesses: Witnesses | None = None
    rows = test = 0
    for table, numbers in numbered(pieces):
        if witnesses is None:
            mark = (table.schema.metadata or {}).get(DECIMAL, b".").decode()
            witnesses = Witnesses(most_levels=most_levels, decimal=mark)
        out = split.held_out(numbers)
        rows, test = rows + len(numbers), test + int(out.sum())
        if most_holdout and out.any():
            apart = table.filter(pa.array(out)), numbers[out]
            for _ in held.offer(apart, split.order(apart[1])):
                pass
        part = table.filter(pa.array(~out)), numbers[~out]
        for left in seen.offer(part, split.order(part[1])):
            witnesses.see(left)
    (table, numbers), order, last = seen.finish()
    if last is not None and witnesses is not None:
        witnesses.see(last)
    count = min(rows_of(rows - test, split.validation), split.most_validation)
    if rows - test - count < 2 or witnesses is None:
        raise ValueError(
            f"{rows:,} rows are too few: {max(0, rows - test - count)} would be left to train on"
        )
    train = rows - test - count
    counts = {"rows": rows, "train": train, "validation": count, "holdout": test}
    split = replace(split, counts=counts, cutoff=int(order[count]))
    sample = table.slice(count)
    shown = witnesses.lacking(sample)
    log.info(
        "%s rows: %s to train on, %s to validate, %s held out; what follows is made from a sample "
        "of %s and from %s rows with values that it lacks",
        *(f"{n:,}" for n in (rows, train, count, test, len(sample), len(shown))),
    )
    kept = held.finish()[0][0] if most_holdout else table.slice(0, 0)
    return Sketch(split, sample, shown, table.slice(0, count), kept)
