"""Images of a bar: upright or lying (the class), bright on dark or the reverse, at some place."""

import numpy as np

from genmodels.types import Images

SIDE = 12
NAMES = ("upright", "lying")


def barred(n, seed=0, *, labelled=True, upright=False):
    """A bar three pixels thick, around the place `position` in [2, 9]; noise is little."""
    rng = np.random.default_rng(seed)
    position = rng.uniform(2.0, 9.0, n)
    dark = rng.random(n) < 0.4
    lying = np.zeros(n, int) if upright else rng.integers(0, 2, n)
    light = np.clip(2.0 - np.abs(np.arange(SIDE) - position[:, None]), 0.0, 1.0)
    x = np.broadcast_to(light[:, None, :], (n, SIDE, SIDE)).copy()
    x[lying == 1] = x[lying == 1].transpose(0, 2, 1)
    x = 40.0 + 175.0 * np.where(dark[:, None, None], 1.0 - x, x) + rng.normal(0.0, 4.0, x.shape)
    pixels = np.clip(x, 0, 255).astype(np.uint8)[:, None]
    known = {"position": position, "dark": dark}
    return Images(pixels, lying if labelled else None, NAMES if labelled else (), known)


def tagged(n, seed=0, side=8):
    """Three yes or no: which of three quarters of an image are light."""
    rng = np.random.default_rng(seed)
    known = {name: rng.random(n) < p for name, p in (("a", 0.5), ("b", 0.3), ("c", 0.7))}
    pixels = rng.integers(0, 60, (n, 1, side, side))
    half = side // 2
    for name, (down, right) in zip("abc", ((0, 0), (0, half), (half, 0)), strict=True):
        pixels[known[name], :, down : down + half, right : right + half] += 180
    return Images(pixels.astype(np.uint8), attributes=known)


def measured(pixels, dark):
    """The place of an upright bar in images (N, 1, 12, 12), of known polarity (N,)."""
    light = pixels[:, 0].astype(float).mean(1) - 40.0
    light = np.clip(np.where(dark[:, None], 175.0 - light, light) - 60.0, 0.0, None)
    return (light * np.arange(SIDE)).sum(1) / np.maximum(light.sum(1), 1e-9)
