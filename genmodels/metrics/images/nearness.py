"""How near images lie to training images, in pixels or in any features.

None of this is a privacy test. What distances say about copying is in `memorisation.py` and
`copying.py`; here they are found, and shared out between training and held-out images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from genmodels.metrics.images.kernels import nearest
from genmodels.metrics.images.random_features import shrink
from genmodels.metrics.intervals import Interval
from genmodels.metrics.manifold import squared_distances
from genmodels.metrics.tables.memorisation import share_interval

__all__ = ["Bank", "Nearness", "nearer_share", "nearness", "pixel_vectors"]

BLOCK = 4096
TIE = 1e-6


@dataclass(frozen=True, eq=False)
class Bank:
    """Images among which neighbours are looked for, read in blocks.

    Args:
        rows: of whatever kind, first dimension M.
        embed: rows -> vectors (m, D), called on one block after the other.
    """

    rows: np.ndarray
    embed: Callable[[np.ndarray], np.ndarray]

    def __len__(self) -> int:
        return len(self.rows)

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        for start in range(0, len(self.rows), BLOCK):
            yield start, self.embed(self.rows[start : start + BLOCK])

    def nearest(self, probes: np.ndarray, *, but: np.ndarray | None = None) -> np.ndarray:
        """Index of and distance to the nearest of the bank, shape (N, 2).

        Args:
            probes: vectors (N, D).
            but: number in the bank that each probe may not have, shape (N,): itself.
        """
        best = np.full((len(probes), 2), np.inf)
        for start, vectors in self.blocks():
            left_out = None if but is None else but - start
            found = nearest(probes, vectors, but=left_out)
            found[:, 0] += start
            best = np.where((found[:, 1] < best[:, 1])[:, None], found, best)
        return best

    def nearest_few(self, probes: np.ndarray, few: int) -> tuple[np.ndarray, np.ndarray]:
        """Numbers in the bank and distances of the nearest ones, the nearest first.

        Args:
            probes: vectors (N, D).
            few: how many of each, at most as many as the bank has.

        Returns:
            Both of shape (N, few); numbers are int64.
        """
        index: np.ndarray = np.zeros((len(probes), 0), np.int64)
        distance: np.ndarray = np.zeros((len(probes), 0))
        for start, vectors in self.blocks():
            here, away = _few(probes, vectors, few)
            index = np.concatenate([index, here + start], axis=1)
            distance = np.concatenate([distance, away], axis=1)
            order = np.argsort(distance, axis=1, kind="stable")[:, :few]
            index = np.take_along_axis(index, order, 1)
            distance = np.take_along_axis(distance, order, 1)
        return index, distance


def _few(probes: np.ndarray, vectors: np.ndarray, few: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and distances of the nearest vectors of one block, both (N, few)."""
    apart = squared_distances(probes.astype(np.float32), vectors.astype(np.float32))
    index = np.argpartition(apart, min(few, apart.shape[1]) - 1, axis=1)[:, :few]
    # The fast formula loses digits near 0, where copies are told from neighbours.
    gap = probes[:, None].astype(np.float64) - vectors[index].astype(np.float64)
    return index, np.sqrt((gap**2).sum(2))


def pixel_vectors(side: int) -> Callable[[np.ndarray], np.ndarray]:
    """Images (N, C, H, W) -> values in [-1, 1], averaged down to at most `side` pixels, (N, D)."""
    return lambda pixels: shrink(pixels, side).flatten(1).numpy()


@dataclass(frozen=True, eq=False)
class Nearness:
    """Where some images lie between training and held-out images.

    Args:
        index: nearest training image of each, shape (N,).
        distance: to it, shape (N,).
        held: distance to the nearest held-out image, shape (N,).
        held_index: that image, shape (N,).
    """

    index: np.ndarray
    distance: np.ndarray
    held: np.ndarray
    held_index: np.ndarray

    @property
    def parts(self) -> tuple[np.ndarray, ...]:
        """The four arrays, in order."""
        return self.index, self.distance, self.held, self.held_index


def nearness(probes: np.ndarray, training: Bank, holdout: Bank) -> Nearness:
    """Look up the nearest training and held-out image of each of the vectors (N, D)."""
    near, other = training.nearest(probes), holdout.nearest(probes)
    return Nearness(
        near[:, 0].astype(np.int64), near[:, 1], other[:, 1], other[:, 0].astype(np.int64)
    )


def nearer_share(found: Nearness, trained: int, held: int) -> tuple[float, Interval]:
    """Share of images nearer to training than to held-out images, at equal numbers of both.

    s = (a / n_t) / (a / n_t + (1 - a) / n_h), a = mean[1(d_t < d_h) + n_t / (n_t + n_h) 1(d_t =
    d_h)]: an image that knows nothing of the training set is nearest to each real image with the
    same chance, so that s is then 0.5 for any n_t and n_h.

    Args:
        found: of the images to judge.
        trained: n_t, training images that were searched.
        held: n_h, held-out images that were searched.

    Returns:
        s and its 95 % interval (Wilson's, images with the same neighbour counting as dependent).
    """
    chance = trained / (trained + held)
    tied = np.abs(found.distance - found.held) <= TIE * (1.0 + found.held)
    wins = np.where(tied, chance, (found.distance < found.held).astype(np.float64))
    closest = np.where(found.distance <= found.held, found.index, trained + found.held_index)
    low, high = share_interval(wins, closest)

    def level(a: float) -> float:
        mine, theirs = a / trained, (1.0 - a) / held
        return mine / (mine + theirs)

    return level(float(wins.mean())), (level(low), level(high))
