"""What a model makes on the way from one latent to another, and from one class to the next.

Every latent on the way is as likely as one that was drawn: z = cos(a) z_0 + sin(a) z_1 is standard
normal for every angle a when z_0 and z_1 are. A straight line would lead through latents that are
too short, of which a model has seen none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genmodels.algorithms.base import GenerativeModel
from genmodels.report.looks.rows import Rows, shown_rows

__all__ = ["Cast", "between", "make", "morph", "walk"]

ROWS = 256  # images that are made at once


@dataclass(frozen=True, eq=False)
class Cast:
    """The latents and conditions that a grid shows: the same latents in every row of a class.

    Args:
        z: latents that are visited in turn, shape (K, rows * columns, Z).
        c: conditions, shape (rows * columns, K).
        u: uniforms, shape (rows * columns, U).
        rows: number of rows.
        names: of the rows, where the model is told something.
    """

    z: Tensor
    c: Tensor
    u: Tensor
    rows: int
    names: tuple[str, ...]

    @classmethod
    def of(cls, model: GenerativeModel, *, rows: int, columns: int, keys: int, seed: int) -> Cast:
        """Draw `keys` latents for each column; where nothing is told, for each cell.

        Args:
            model: of any kind.
            rows: most rows; of more classes, evenly spaced ones are shown. See `looks/rows.py`.
            columns: images a row.
            keys: latents that are visited.
            seed: of all latents.
        """
        told = Rows((), torch.zeros(rows * columns, 0), torch.arange(rows * columns))
        if model.condition.width:
            told = shown_rows(model.condition, most=rows, columns=columns, seed=seed)
        own = int(told.latents.max()) + 1
        rng = torch.Generator().manual_seed(seed)
        z = torch.randn(keys, own, model.latent_dim, generator=rng)[:, told.latents]
        u = torch.rand(own, model.noise_dim, generator=rng)[told.latents]
        return cls(z, told.c, u, len(told.c) // columns, told.names)

    @property
    def columns(self) -> int:
        return len(self.c) // self.rows


def between(a: Tensor, b: Tensor, t: float) -> Tensor:
    """The latent at t in [0, 1] on the arc from a to b, see the module."""
    angle = 0.5 * math.pi * t
    return math.cos(angle) * a + math.sin(angle) * b


def walk(model: GenerativeModel, cast: Cast, *, steps: int) -> Iterator[np.ndarray]:
    """Images (rows * columns, C, H, W) on the way through all latents and back to the first.

    Raises:
        ValueError: when the model has no latent to walk in.
    """
    if model.latent_dim == 0:
        raise ValueError(
            "this model draws discrete codes one after another; it has no latent to walk in"
        )
    for number in range(len(cast.z)):
        start, end = cast.z[number], cast.z[(number + 1) % len(cast.z)]
        for step in range(steps):
            yield make(model, between(start, end, step / steps), cast.c, cast.u)


def morph(model: GenerativeModel, cast: Cast, *, steps: int) -> Iterator[np.ndarray]:
    """Images on the way from the class of each row to that of the next, and back again.

    Raises:
        ValueError: when the model is not told a class, or knows one only, or chooses codes by it.
    """
    if cast.rows < 2 or not cast.names:
        raise ValueError("this model is not told which of several classes to make")
    if model.latent_dim == 0:
        raise ValueError("this model draws discrete codes, which nothing lies between")
    following = cast.c.roll(-cast.columns, 0)
    for step in range(2 * steps):
        share = 0.5 - 0.5 * math.cos(math.pi * step / steps)
        yield make(model, cast.z[0], torch.lerp(cast.c, following, share), cast.u)


@torch.no_grad()
def make(model: GenerativeModel, z: Tensor, c: Tensor, u: Tensor) -> np.ndarray:
    """Images uint8 (N, C, H, W) of latents (N, Z), conditions (N, K) and uniforms (N, U)."""
    parts = zip(*(x.to(model.device).split(ROWS) for x in (z, c, u)), strict=True)
    made = [model.sample(*part)["pixels"].cpu() for part in parts]
    return torch.cat(made).numpy()
