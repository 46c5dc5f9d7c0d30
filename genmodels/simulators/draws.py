"""Random numbers of simulations: path i depends on (seed, i) alone, to the byte.

Paths are simulated in fixed blocks; block b takes its numbers from generators keyed by (seed,
stream, b), and is always computed whole, so that neither the number of paths asked for nor the
way they are cut into chunks changes a bit. `sampling/draws.py` does the same for networks; its
16-bit normals end near 4.3 standard deviations, which is too near for a tail of prices.

Numbers are drawn on the host in float64, and moved to the device that computes: every device
gets the same draws.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

__all__ = ["BlockDraws", "Stream"]

Stream = Literal[
    "noise", "variance", "jumps", "jump_sizes", "regime", "mixing", "start",
    "gap", "bridge", "high", "low", "volume",
]  # fmt: skip
_STREAMS: dict[str, int] = {name: number for number, name in enumerate(get_args(Stream))}


class BlockDraws:
    """The random numbers of one block of paths.

    Each method may be called once per stream: a second call would repeat its numbers.

    Args:
        seed: any non-negative whole number.
        block: which block, from 0.
        paths: R, in a block; part of what a path depends on.
        device: where the numbers are needed.
    """

    def __init__(self, *, seed: int, block: int, paths: int, device: torch.device) -> None:
        if seed < 0:
            raise ValueError(f"seed must be 0 or larger, got {seed}")
        self.seed, self.block, self.paths, self.device = seed, block, paths, device

    def normal(self, stream: Stream, steps: int, width: int) -> Tensor:
        """Standard normals, shape (T, R, A)."""
        return self._moved(self._rng(stream).standard_normal((steps, self.paths, width)))

    def uniform(self, stream: Stream, steps: int, width: int) -> Tensor:
        """Uniforms in [0, 1), shape (T, R, A)."""
        return self._moved(self._rng(stream).random((steps, self.paths, width)))

    def poisson(self, stream: Stream, steps: int, rate: Tensor) -> Tensor:
        """Poisson counts of the means `rate` (A,), shape (T, R, A), float64."""
        size = (steps, self.paths, len(rate))
        counts = self._rng(stream).poisson(rate.cpu().numpy(), size)
        return self._moved(counts.astype(np.float64))

    def gamma(self, stream: Stream, steps: int, shape: Tensor) -> Tensor:
        """Gamma variates of scale 1 and the shapes `shape` (A,), shape (T, R, A)."""
        size = (steps, self.paths, len(shape))
        return self._moved(self._rng(stream).standard_gamma(shape.cpu().numpy(), size))

    def _rng(self, stream: Stream) -> np.random.Generator:
        key = (_STREAMS[stream], self.block)
        sequence = np.random.SeedSequence(entropy=self.seed, spawn_key=key)
        return np.random.Generator(np.random.SFC64(sequence))

    def _moved(self, numbers: np.ndarray) -> Tensor:
        return torch.from_numpy(numbers).to(self.device)
