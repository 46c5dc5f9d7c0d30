"""Pictures made of two: blended (mixup) or pasted into each other (cutmix)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from genmodels.augmentation.amounts import Plan
from genmodels.augmentation.base import rng_of
from genmodels.augmentation.pictures import PictureBlocks
from genmodels.types import Images

__all__ = ["Pair", "blended", "check_alpha", "mixed_images", "pasted"]

Pair = Callable[[np.ndarray, np.ndarray, float, np.random.Generator], tuple[np.ndarray, float]]
"""(first, second, share of the first, draws) -> the picture and the exact share of the first."""


def mixed_images(real: Images, plan: Plan, alpha: float, pair: Pair) -> PictureBlocks:
    """Pictures of two real ones each, with the label of the larger share.

    The share of it and the label of the other are attributes, `mix_share` and `mix_label`.

    Args:
        real: N pictures.
        plan: says of which the new ones are made, first of all.
        alpha: shares are drawn from Beta(alpha, alpha).
        pair: makes one picture of two.
    """
    parents = plan.parents()

    def make(block: int, rows: np.ndarray) -> Images:
        mine = parents[rows]
        other = rng_of(plan.seed, "partner", block).integers(0, max(1, len(real) - 1), len(rows))
        other = (other + (other >= mine)) % len(real)  # none is mixed with itself
        weight = rng_of(plan.seed, "weight", block).beta(alpha, alpha, len(rows))
        weight = np.maximum(weight, 1 - weight)  # the first of the two prevails: its label is told
        made = real.take(mine)
        pixels, shares = np.empty_like(made.pixels), np.empty(len(rows))
        second = real.take(other)
        for i, row in enumerate(rows.tolist()):
            draws = np.random.default_rng([plan.seed, 63, row])
            pixels[i], shares[i] = pair(made.pixels[i], second.pixels[i], float(weight[i]), draws)
        told = {"mix_share": shares, "mix_label": _names(real, other)}
        return replace(made, pixels=pixels, attributes={**made.attributes, **told})

    def alone(images: Images) -> Images:
        rows = np.arange(len(images))
        told = {"mix_share": np.ones(len(images)), "mix_label": _names(images, rows)}
        return replace(images, attributes={**images.attributes, **told})

    return PictureBlocks(make, plan.rows, real=alone)


def blended(
    first: np.ndarray, second: np.ndarray, weight: float, draws: np.random.Generator
) -> tuple[np.ndarray, float]:
    """The weighted mean of two pictures (C, H, W) uint8."""
    mean = weight * first.astype(np.float64) + (1 - weight) * second
    return np.rint(mean).astype(np.uint8), weight


def pasted(
    first: np.ndarray, second: np.ndarray, weight: float, draws: np.random.Generator
) -> tuple[np.ndarray, float]:
    """A rectangle of the second picture in the first; both of shape (C, H, W).

    Its sides are sqrt(1 - weight) of those of the picture, and it is cut at the edge; the share is
    that of the pixels.

    References:
        Yun et al., CutMix: Regularization strategy to train strong classifiers with localizable
        features, 2019, equation 2.
    """
    _, height, width = first.shape
    side = np.sqrt(1 - weight)
    h, w = int(side * height), int(side * width)
    y, x = draws.uniform(0, height), draws.uniform(0, width)
    top, left = round(y - h / 2), round(x - w / 2)
    bottom, right = min(height, top + h), min(width, left + w)
    top, left = max(0, top), max(0, left)
    made = first.copy()
    made[:, top:bottom, left:right] = second[:, top:bottom, left:right]
    return made, 1 - (bottom - top) * (right - left) / (height * width)


def check_alpha(alpha: float) -> float:
    """The parameter of a Beta distribution.

    Raises:
        ValueError: when it is none.
    """
    number = isinstance(alpha, int | float) and not isinstance(alpha, bool)
    if not number or not 0.0 < alpha < float("inf"):
        raise ValueError(f"recipe.alpha must be a number above 0, got {alpha!r}")
    return float(alpha)


def _names(real: Images, rows: np.ndarray) -> np.ndarray:
    """Names of the classes of real pictures; empty where they have none."""
    if real.labels is None:
        return np.full(len(rows), "", np.str_)
    names = real.class_names or tuple(map(str, range(int(real.labels.max()) + 1)))
    return np.array(names, np.str_)[real.labels[rows]]
