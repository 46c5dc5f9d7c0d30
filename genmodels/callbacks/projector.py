"""The latents of training images in TensorBoard's projector, each shown as its image."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from genmodels.report.looks.sheet import to_rgb
from genmodels.types import Batch

__all__ = ["write_projector"]

TAG = "latents"
LARGEST = 4096  # pixels that all images together are wide, half of what a browser takes
SIDE = 64


def write_projector(
    writer: Any, embed: Any, batches: Iterable[Batch], names: tuple[str, ...], *, step: int
) -> bool:
    """Write latents, class names and small images once for each step.

    Args:
        writer: a TensorBoard `SummaryWriter`.
        embed: batch -> latents (B, Z).
        batches: of images x (B, C, H, W) in [-1, 1] and conditions c (B, K).
        names: of the classes; empty where nothing is told.
        step: on the clock of training.

    Returns:
        Whether there was anything to write: an earlier sitting may have been here.
    """
    if (Path(writer.log_dir) / f"{step:05d}" / TAG).exists():
        return False
    points, images, labels = [], [], []
    for batch in batches:
        points.append(embed(batch).float().cpu())
        images.append(_small(batch.x))
        labels += batch.c.argmax(1).tolist() if names else []
    told = [" ".join(names[label].split()) for label in labels] if names else None
    sprites = np.concatenate(images)
    side = max(sprites.shape[-2:])
    if side * len(sprites) ** 0.5 > LARGEST:
        raise ValueError(
            f"{len(sprites)} images of {side} pixels are too many for one picture; set "
            "looks.projector lower"
        )
    rgb = torch.from_numpy(to_rgb(sprites)).permute(0, 3, 1, 2).float().div(255.0)
    writer.add_embedding(torch.cat(points), metadata=told, label_img=rgb, global_step=step, tag=TAG)
    return True


def _small(x: torch.Tensor) -> np.ndarray:
    """Dense images as uint8, at most 64 pixels high and wide."""
    height, width = x.shape[-2:]
    scale = SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        x = F.interpolate(x, size, mode="bilinear", antialias=True, align_corners=False)
    levels = x.add(1.0).mul(127.5).round().clamp(0, 255)
    return levels.to(torch.uint8).cpu().numpy()
