"""Images of two classes for tests: a horizontal or a vertical bar at a random place, with noise."""

import numpy as np

from genmodels.types import Images


def bars(n: int, seed: int, side: int = 8) -> Images:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    pixels = rng.integers(0, 60, (n, 1, side, side))
    for i, (label, place) in enumerate(zip(labels, rng.integers(1, side - 1, n), strict=True)):
        if label:
            pixels[i, 0, place] += 180
        else:
            pixels[i, 0, :, place] += 180
    return Images(pixels.astype(np.uint8), labels.astype(np.int64), ("vertical", "horizontal"))
