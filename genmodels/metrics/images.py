"""What images need besides distances: copies, shuffled pixels and features of a sensible width."""

from __future__ import annotations

import numpy as np

from genmodels.metrics.kernels import nearest
from genmodels.metrics.random_features import shrink

__all__ = ["Copies", "copy_share", "exact_copies", "principal", "shuffled_pixels"]


class Copies:
    """Nearest training images of some images.

    Args:
        rows: numbers of the images that were looked at, shape (N,).
        index: nearest training image of each, shape (N,).
        distance: to it, root of the summed squared difference of values in [-1, 1], shape (N,).
    """

    def __init__(self, *, rows: np.ndarray, index: np.ndarray, distance: np.ndarray) -> None:
        self.rows, self.index, self.distance = rows, index, distance

    @classmethod
    def find(
        cls, pixels: np.ndarray, training: np.ndarray, *, count: int, side: int, seed: int
    ) -> Copies:
        """Look at `count` seeded images; all training images are searched.

        Args:
            pixels: uint8, shape (N, C, H, W).
            training: uint8, shape (M, C, H, W).
            count: images to look at.
            side: images are shrunk to at most this many pixels first.
            seed: of the choice.
        """
        rng = np.random.default_rng([seed, 8])
        rows = np.sort(rng.permutation(len(pixels))[:count])
        probe = shrink(pixels[rows], side).flatten(1).numpy()
        best = np.full((len(rows), 2), np.inf)
        for start in range(0, len(training), 8192):
            bank = shrink(training[start : start + 8192], side).flatten(1).numpy()
            found = nearest(probe, bank)
            found[:, 0] += start
            best = np.where((found[:, 1] < best[:, 1])[:, None], found, best)
        return cls(rows=rows, index=best[:, 0].astype(np.int64), distance=best[:, 1])


def copy_share(found: Copies, usual: float) -> tuple[int, int]:
    """How many images are nearer to a training image than half the usual distance, of how many.

    Args:
        found: from `Copies.find`.
        usual: median distance of a held-out real image to its nearest training image.
    """
    return int((found.distance < 0.5 * usual).sum()), len(found.distance)


def exact_copies(pixels: np.ndarray, training: np.ndarray) -> int:
    """How many images equal some training image in every value."""
    known = {image.tobytes() for image in np.ascontiguousarray(training)}
    return sum(image.tobytes() in known for image in np.ascontiguousarray(pixels))


def shuffled_pixels(pixels: np.ndarray, seed: int) -> np.ndarray:
    """Each position permuted over the images on its own: right marginals, no dependence."""
    rng = np.random.default_rng([seed, 9])
    flat = np.ascontiguousarray(pixels).reshape(len(pixels), -1)
    return rng.permuted(flat, axis=0).reshape(pixels.shape)


def principal(reference: np.ndarray, width: int) -> np.ndarray:
    """Directions (D, width) of the largest variance of `reference` (N, D)."""
    centred = reference - reference.mean(0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return vectors[:, ::-1][:, :width]
