"""A whole dataset by a writer alone, in shards, as an export writes it."""

import itertools

import numpy as np
import pyarrow as pa

from genmodels.types import Images, join_images
from genmodels.writers.base import Shard


def write_whole(writer, blocks, folder):
    """Write all blocks; returns the files in order, lists last."""
    blocks = list(blocks)
    every = join_images(blocks) if isinstance(blocks[0], Images) else pa.concat_tables(blocks)
    ends = list(itertools.accumulate(len(block) for block in blocks))
    rows, files = ends[-1], []
    size = writer.rows_per_shard or rows
    count = max(1, -(-rows // size))
    for number in range(count):
        start, stop = number * size, min(rows, (number + 1) * size)
        cuts = [start, *(end for end in ends if start < end < stop), stop]
        pieces = (part(every, a, b) for a, b in itertools.pairwise(cuts))
        files += writer.write(pieces, folder, Shard(number=number, of=count, start=start))
    return [*files, *writer.finish(folder, count)]


def part(raw, start, stop):
    if isinstance(raw, Images):
        return raw.take(np.arange(start, stop))
    return raw.slice(start, stop - start)
