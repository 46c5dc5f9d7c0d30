"""Pictures of images: real and synthetic ones side by side, mosaics of a sensible size."""

from __future__ import annotations

import numpy as np

from genmodels.metrics.images.random_features import shrink
from genmodels.report.images.album import Album
from genmodels.report.page.pictures import image_rows
from genmodels.report.rows import Picture, Section

__all__ = ["gallery", "mosaic", "thumbs"]

CHOICE = "A seeded choice, not a selection."
CLASSES = 20
LARGE = 64


def gallery(album: Album, *, shown: int) -> Section:
    """Real and synthetic images side by side, one class a row where there are classes."""
    real, made = album.holdout, album.synthetic
    if real.labels is None or made.labels is None:
        rows = [x.pixels[k * shown : (k + 1) * shown] for k in range(4) for x in (real, made)]
        picture = mosaic([r for r in rows if len(r)], "Rows in turn: real, synthetic.")
        return Section("Real and synthetic", CHOICE, (), (), (picture,))
    half = max(1, shown // 2)
    rows, labels = [], []
    for k in range(min(album.classes, CLASSES)):
        a, b = (x.pixels[x.labels == k][:half] for x in (real, made) if x.labels is not None)
        filled = [_fill(part, half) for part in (a, b)]
        rows.append(np.concatenate([filled[0], _gap(filled[0]), filled[1]]))
        labels.append(album.name(k))
    caption = f"Left real, right synthetic; classes from the top: {', '.join(labels)}."
    return Section("Real and synthetic", CHOICE, (), (), (mosaic(rows, caption),))


def mosaic(rows: list[np.ndarray], caption: str) -> Picture:
    """Images (K, C, H, W) of each row side by side, small ones enlarged, large ones averaged."""
    scale = max(1, 32 // max(rows[0].shape[-2:]))
    return Picture(caption, image_rows([thumbs(r) for r in rows], scale=scale), wide=True)


def thumbs(images: np.ndarray) -> np.ndarray:
    """At most 64 pixels high and wide."""
    if max(images.shape[-2:]) <= LARGE:
        return images
    small = shrink(images, LARGE).add(1.0).mul(127.5).round().clamp(0, 255)
    return small.numpy().astype(np.uint8)


def _fill(images: np.ndarray, count: int) -> np.ndarray:
    """Exactly `count` images, white ones at the end where some are missing."""
    blank = np.full((count - len(images), *images.shape[1:]), 255, dtype=np.uint8)
    return np.concatenate([images, blank])


def _gap(images: np.ndarray) -> np.ndarray:
    return np.full_like(images[:1], 255)
