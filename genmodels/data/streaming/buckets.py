"""Encoded rows on disk, in files that are each a uniform sample and small enough for memory.

Which file a row goes to depends on a hash of its number, so reading the files in any order, each
shuffled, gives batches as from a shuffle of everything.
"""

from __future__ import annotations

import tempfile
import weakref
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO, cast

import numpy as np
import torch

from genmodels.data.streaming.split import hashed
from genmodels.types import Encoded

__all__ = ["Buckets"]

_ROWS, _MOST = 131_072, 240
"""Rows of a bucket, and most buckets: each is an open file, and some systems allow 256.

Beyond 31 million rows the buckets grow instead: of a thousand million rows of 60 numbers each
takes 1 GB.
"""


class Buckets:
    """Rows of `values` (N, F), `codes` (N, Q) and the levels that they may be told (N, G).

    The files have no name in their folder, where there is such a thing (not on Windows, nor on a
    network's disk): they are gone with the process, however it ends.

    Args:
        folder: where there is room for them.
        rows: about how many there will be.
        seed: of the run.
        widths: F, Q and G.

    Raises:
        OSError: when no file can be made there.
    """

    def __init__(self, *, folder: Path, rows: int, seed: int, widths: tuple[int, int, int]) -> None:
        self.count = min(max(1, -(-rows // _ROWS)), _MOST)
        self.seed, self.widths = seed, widths
        self.sizes = [0] * self.count
        opened = ExitStack()
        new = partial(tempfile.TemporaryFile, dir=folder)
        self._files = [opened.enter_context(cast(IO[bytes], new())) for _ in range(self.count)]
        self._close = weakref.finalize(self, opened.close)

    def add(self, encoded: Encoded, told: np.ndarray, numbers: np.ndarray) -> None:
        """Append rows.

        Args:
            encoded: N rows.
            told: level of each row in each of G groups, (N, G).
            numbers: of the rows in the data, int64 (N,).

        Raises:
            OSError: when the disk is full.
        """
        values = encoded["values"].numpy().view(np.int32)
        rows = np.concatenate([values, encoded["codes"].numpy(), told.astype(np.int32)], axis=1)
        draws = hashed(numbers, seed=self.seed, stream="bucket")
        place = (draws % np.uint64(self.count)).astype(np.int64)
        order = np.argsort(place, kind="stable")
        ends = np.bincount(place, minlength=self.count).cumsum()
        for bucket, part in enumerate(np.split(rows[order], ends[:-1])):
            self._files[bucket].write(part.tobytes())
            self.sizes[bucket] += len(part)

    def read(self, bucket: int) -> tuple[Encoded, torch.Tensor]:
        """The rows of a bucket, in the order of the data, and what each may be told, int64."""
        file = self._files[bucket]
        file.seek(0)
        rows = np.frombuffer(file.read(), np.int32).reshape(-1, sum(self.widths))
        f, q, _ = self.widths
        values, codes, told = np.split(rows, [f, f + q], axis=1)
        encoded = {
            "values": torch.from_numpy(np.ascontiguousarray(values).view(np.float32)),
            "codes": torch.from_numpy(np.ascontiguousarray(codes)),
        }
        return encoded, torch.from_numpy(told.astype(np.int64))

    def __len__(self) -> int:
        return sum(self.sizes)

    def close(self) -> None:
        """Let go of the disk."""
        self._close()
