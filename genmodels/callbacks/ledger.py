"""Where measured numbers go: `metrics.jsonl`, TensorBoard, and whoever asks for the latest."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genmodels.files import write_text

__all__ = ["Ledger"]


class Ledger:
    """Appends lines of numbers, each with its clock readings.

    Args:
        path: the `metrics.jsonl` of the run.
        writer: a TensorBoard `SummaryWriter`, or None.
    """

    def __init__(self, *, path: Path, writer: Any | None) -> None:
        self.path, self.writer = path, writer
        self.latest: dict[str, float] = {}
        self.seconds = 0.0
        self._fresh: dict[str, float] = {}
        self._times: dict[str, int] = {}
        self._since = time.monotonic()

    def start(self, *, seconds: float, samples_seen: int) -> None:
        """Begin or go on: lines beyond `samples_seen` are of a future that did not happen."""
        self.seconds, self._since = seconds, time.monotonic()
        if self.path.is_file():
            lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if _samples(line) <= samples_seen]
            if len(kept) < len(lines):
                write_text(self.path, "".join(kept))

    @property
    def elapsed(self) -> float:
        """Seconds of training, over all sittings."""
        return self.seconds + time.monotonic() - self._since

    def record(self, values: Mapping[str, float], *, samples_seen: int, epoch: int) -> None:
        """Write one line; a value that is not finite becomes null there."""
        if not values:
            return
        self.latest.update(values)
        self._fresh.update(values)
        self._times.update({name: self._times.get(name, 0) + 1 for name in values})
        row: dict[str, Any] = {
            "samples_seen": samples_seen,
            "epoch": epoch,
            "time": round(self.elapsed, 3),
        }
        row |= {k: float(v) if math.isfinite(v) else None for k, v in values.items()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        if self.writer is not None:
            for name, value in values.items():
                self.writer.add_scalar(name, value, samples_seen)

    def show(self, tag: str, data: bytes, size: tuple[int, int], *, samples_seen: int) -> None:
        """Give TensorBoard a picture as it is: a GIF moves there, where an array could not.

        Args:
            tag: name of the picture.
            data: a PNG or GIF file.
            size: its width and height in pixels.
            samples_seen: the clock of training.
        """
        if self.writer is None:
            return
        from tensorboard.compat.proto.summary_pb2 import Summary

        width, height = size
        picture = Summary.Image(encoded_image_string=data, width=width, height=height, colorspace=3)
        summary = Summary(value=[Summary.Value(tag=tag, image=picture)])
        self.writer.file_writer.add_summary(summary, samples_seen)

    def times(self, name: str) -> tuple[int, float]:
        """How often `name` was recorded in this sitting, and its latest value (else NaN)."""
        return self._times.get(name, 0), self.latest.get(name, math.nan)

    def take(self, name: str) -> float | None:
        """The value of `name` if it was recorded since the last time it was taken."""
        return self._fresh.pop(name, None)


def _samples(line: str) -> float:
    """The clock of a line; a line cut short by a crash counts as the far future."""
    try:
        return int(json.loads(line)["samples_seen"])
    except (ValueError, KeyError, TypeError):
        return math.inf
