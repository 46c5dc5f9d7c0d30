"""Pictures changed one by one: moved, coloured, blurred, in other weather, by a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from torchvision import tv_tensors

from genmodels.augmentation.amounts import Plan
from genmodels.augmentation.base import Fitted, Kind
from genmodels.schema import Schema
from genmodels.types import Images, Raw

__all__ = ["PictureBlocks", "Pictures", "Step", "drawing"]

BLOCK = 64
Seen = tuple[tv_tensors.Image, tv_tensors.Mask | None]


class Step(Protocol):
    """One change of a picture.

    Attributes:
        channels: how many a picture may have.
        moves_masks: whether masks of objects can go with it.
    """

    channels: tuple[int, ...]
    moves_masks: bool

    def parameters(self) -> Mapping[str, Any]:
        """What decides about the change, plain JSON."""

    def __call__(self, picture: tv_tensors.Image, masks: tv_tensors.Mask | None) -> Seen:
        """The changed picture (C, H, W) uint8, and masks (K, H, W) moved alike.

        Draws come from torch's own generator.
        """


class PictureBlocks:
    """New pictures, made block by block.

    Args:
        make: pictures of one block, from its number and the numbers of its pictures (R,).
        rows: how many there are in all.
        real: adds what is told of each picture to real ones; None: nothing is.
    """

    def __init__(
        self,
        make: Callable[[int, np.ndarray], Images],
        rows: int,
        *,
        real: Callable[[Images], Images] | None = None,
    ) -> None:
        self._make, self.rows, self._real = make, rows, real
        self.block_rows = BLOCK

    def block(self, number: int) -> Images:
        first = number * BLOCK
        return self._make(number, np.arange(first, min(first + BLOCK, self.rows)))

    def real(self, rows: Images) -> Images:
        return rows if self._real is None else self._real(rows)


class Pictures:
    """Changes each picture by steps: policy, geometry, colour, blur, weather, noise, in that order.

    Labels and attributes stay those of the real picture; size and channels do, too.

    Args:
        name: of the recipe.
        meaning: a sentence for people.
        policy, geometry, colour, blur, weather, noise: the steps; None: none.
    """

    kinds: tuple[Kind, ...] = ("images", "annotated")
    needs_classes = False

    def __init__(
        self,
        *,
        name: str,
        meaning: str,
        policy: Any = None,
        geometry: Any = None,
        colour: Any = None,
        blur: Any = None,
        weather: Any = None,
        noise: Any = None,
    ) -> None:
        told = {
            "policy": policy, "geometry": geometry, "colour": colour,
            "blur": blur, "weather": weather, "noise": noise,
        }  # fmt: skip
        self.name, self.meaning = name, meaning
        self.steps: dict[str, Step] = {key: step for key, step in told.items() if step is not None}
        if not self.steps:
            raise ValueError(f"recipe={name} has no step left: nothing would be changed")

    def parameters(self) -> Mapping[str, Any]:
        return {key: dict(step.parameters()) for key, step in self.steps.items()}

    def schema(self, schema: Schema, fixed: tuple[str, ...]) -> Schema:
        return schema

    def fit(self, real: Raw, schema: Schema, plan: Plan, fixed: tuple[str, ...]) -> Fitted:
        assert isinstance(real, Images)
        self.check(real.pixels.shape[1])
        parents = plan.parents()

        def make(block: int, rows: np.ndarray) -> Images:
            made = real.take(parents[rows])
            pixels = np.empty_like(made.pixels)
            for i, row in enumerate(rows.tolist()):
                pixels[i], _ = self.changed(made.pixels[i], None, seed=plan.seed, row=row)
            return replace(made, pixels=pixels)

        return PictureBlocks(make, plan.rows)

    def check(self, channels: int, *, masks: bool = False) -> None:
        """Refuse pictures that a step cannot change.

        Raises:
            ValueError: naming the step.
        """
        for key, step in self.steps.items():
            if channels not in step.channels:
                known = ", ".join(map(str, step.channels))
                raise ValueError(
                    f"recipe={self.name}: its {key} takes pictures of {known} channels, these "
                    f"have {channels}; set recipe.{key}=null, or data.channels"
                )
            if masks and not step.moves_masks:
                raise ValueError(
                    f"recipe={self.name}: its {key} does not move boxes and masks with the "
                    "picture; choose recipe=geometry, light, colour, blur, noise or weather"
                )

    def changed(
        self, pixels: np.ndarray, masks: np.ndarray | None, *, seed: int, row: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """New picture `row` of a real one (C, H, W) uint8, and masks (K, H, W) of its objects."""
        picture = tv_tensors.Image(torch.from_numpy(np.ascontiguousarray(pixels)))
        moved = None if masks is None else tv_tensors.Mask(torch.from_numpy(masks))
        with drawing(seed, row):
            for step in self.steps.values():
                picture, moved = step(picture, moved)
        assert picture.dtype == torch.uint8
        assert picture.shape == pixels.shape
        return picture.numpy(), None if moved is None else moved.numpy()


@contextmanager
def drawing(seed: int, row: int) -> Iterator[None]:
    """Torch draws what belongs to (seed, row) alone, and goes on as before afterwards."""
    state = np.random.SeedSequence(seed, spawn_key=(64, row)).generate_state(1, np.uint64)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(state[0]))
        yield
