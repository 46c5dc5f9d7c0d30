"""Images <-> model space: pixels pass as they are, class and attributes become the condition.

Scaling to [-1, 1] is `layout.Expand`'s; resizing and channel policies are the source's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from genmodels.combinations import LABEL, Combinations, Facet
from genmodels.layout import Condition, ConditionGroup, ImageLayout
from genmodels.schema import Attribute, ImageSchema
from genmodels.types import Encoded, Images, Raw

__all__ = ["ATTRIBUTES", "ImageCodec"]

ATTRIBUTES = "attributes"
"""Name of the group whose levels are combinations."""
KNOTS = 12
"""Places between which a number is interpolated, at most."""
GRID = 256
"""Values that a number is rounded to in what is kept, at most."""
SHARED = 8
"""Rows that a value which is kept stands for, at least."""


class ImageCodec:
    """The raw <-> encoded map of images; exact in both directions.

    Args:
        layout: shape of an image.
        condition: one group: "label", or `ATTRIBUTES` where there are some, with the combinations
            of class and attributes that occur in training; or none.
    """

    def __init__(self, *, layout: ImageLayout, condition: Condition) -> None:
        self.layout = layout
        self.condition = condition

    @classmethod
    def fit(cls, raw: Raw, schema: ImageSchema, *, seed: int) -> ImageCodec:
        """Learn what occurs in the training split, and how often; `seed` is not needed.

        Numbers are rounded to at most `GRID` values, each shared by `SHARED` rows or the mean of as
        many; only the smallest and the largest are kept exactly, apart from the combinations. What
        is kept serves to draw, training itself is told exact numbers.

        Raises:
            ValueError: when the images are not of the schema, or have no labels or attributes
                although the schema names some.
        """
        images = _images(raw)
        layout = ImageLayout(schema.channels, schema.height, schema.width)
        _check_shape(images, layout)
        if len(images) == 0:
            raise ValueError("no images to fit on: the training split is empty")
        if schema.attributes:
            return cls(layout=layout, condition=Condition((_combined(images, schema),)))
        if not schema.class_names:
            return cls(layout=layout, condition=Condition())
        if images.labels is None:
            raise ValueError(
                f"the schema names {len(schema.class_names)} classes, but the images have no "
                "labels; remove class_names from the schema or give one folder per class"
            )
        counts = np.bincount(images.labels, minlength=len(schema.class_names))
        frequencies = tuple((counts / counts.sum()).tolist())
        group = ConditionGroup(LABEL, frequencies, schema.class_names)
        return cls(layout=layout, condition=Condition((group,)))

    def encode(self, raw: Raw, seed: int) -> Encoded:
        """`pixels` (N, C, H, W) uint8, sharing memory with `raw` where that is possible."""
        images = _images(raw)
        _check_shape(images, self.layout)
        pixels = np.ascontiguousarray(images.pixels)
        return {"pixels": torch.from_numpy(pixels if pixels.flags.writeable else pixels.copy())}

    def combinations(self, raw: Raw) -> tuple[Condition, np.ndarray]:
        """What to tell of any images, exactly: their own combinations, and codes (N, 1) of them.

        Raises:
            ValueError: when they lack a class or an attribute, or have a level that is not known.
        """
        images, known = _images(raw), self.condition.combinations
        assert known is not None, "a codec of images with attributes"
        told, codes = Combinations.of(known.facets, images)
        shares = np.bincount(codes, minlength=len(told)) / max(len(codes), 1)
        group = ConditionGroup(ATTRIBUTES, tuple(shares.tolist()), combinations=told)
        return Condition((group,)), codes[:, None].astype(np.int32)

    def telling(self, condition: Condition) -> ImageCodec:
        """The same codec with other combinations of the same class and attributes."""
        return ImageCodec(layout=self.layout, condition=condition)

    def condition_codes(self, raw: Raw | Encoded) -> np.ndarray:
        """Class indices (N, 1) int32, or (N, 0) for an unconditional codec.

        With attributes `combinations` takes its place.

        Raises:
            ValueError: when the images have no labels.
            TypeError: for encoded images, which hold no label.
        """
        if isinstance(raw, dict):
            raise TypeError("encoded images hold no labels; give the raw images")
        images = _images(raw)
        if not self.condition.groups:
            return np.zeros((len(images), 0), np.int32)
        assert self.condition.combinations is None, "see `combinations`"
        if images.labels is None:
            raise ValueError("these images have no labels, but the model is told a class")
        return images.labels.astype(np.int32)[:, None]

    def decode(
        self,
        encoded: Encoded,
        *,
        conditions: np.ndarray | None,
        rng: np.random.Generator,
        start: int = 0,
    ) -> Images:
        """Encoded images to raw ones, with the class and the attributes that each was told.

        Args:
            encoded: `pixels` (N, C, H, W) uint8.
            conditions: class indices, or positions of combinations (N,); None: nothing was told.
            rng: not needed.
            start: not needed.
        """
        pixels = encoded["pixels"].cpu().numpy()
        if conditions is None or not self.condition.groups:
            return Images(pixels)
        rows = np.asarray(conditions, np.int64).reshape(len(pixels))
        told = self.condition.combinations
        if told is None:
            return Images(pixels, rows, self.condition.groups[0].levels)
        labels, attributes = told.told(rows)
        names = () if labels is None else told.facets[told.find(LABEL)].levels
        return Images(pixels, labels, names, attributes)

    def state(self) -> dict[str, Any]:
        return {
            "codec": "image",
            "layout": self.layout.state(),
            "condition": self.condition.state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ImageCodec:
        return cls(
            layout=ImageLayout.from_state(state["layout"]),
            condition=Condition.from_state(state["condition"]),
        )


def _combined(images: Images, schema: ImageSchema) -> ConditionGroup:
    """The combinations that occur, and their shares."""
    absent = [a.name for a in schema.attributes if a.name not in images.attributes]
    if absent:
        raise ValueError(f"the schema has the attribute {absent[0]!r}, but the images have none")
    facets = [_facet(attribute, images) for attribute in schema.attributes]
    if schema.class_names:
        facets.insert(0, Facet(LABEL, "class", schema.class_names))
    numbers = (facet.name for facet in facets if facet.kind == "continuous")
    grids = {name: _few(images.attributes[name], GRID) for name in numbers}
    told, codes = Combinations.of(facets, images, grids)
    shares = np.bincount(codes, minlength=len(told)) / len(codes)
    return ConditionGroup(ATTRIBUTES, tuple(shares.tolist()), combinations=told)


def _facet(attribute: Attribute, images: Images) -> Facet:
    if attribute.kind == "continuous":
        return Facet(attribute.name, "continuous", knots=_knots(images.attributes[attribute.name]))
    levels = ("no", "yes") if attribute.kind == "boolean" else attribute.levels
    return Facet(attribute.name, attribute.kind, levels)


def _knots(values: np.ndarray) -> tuple[float, ...]:
    """The smallest and the largest value, which the schema has too, and few between them."""
    few = len(np.unique(values)) <= KNOTS
    between = _few(values, KNOTS if few else KNOTS - 2)
    return tuple(np.unique([values.min(), *between, values.max()]).tolist())


def _few(values: np.ndarray, most: int) -> np.ndarray:
    """Means of neighbouring values, rising; a value that enough rows share is its own.

    Each stands for `SHARED` rows at least, where there are as many. Of more than `most` distinct
    values, each stands for about as many rows as any other.
    """
    levels, counts = np.unique(values, return_counts=True)
    upto = counts.cumsum()
    rows = int(upto[-1]) if len(levels) > most else 0
    starts, before = [0], 0
    for i, reached in enumerate(upto.tolist()):
        if reached - before >= SHARED and reached * most >= len(starts) * rows:
            starts, before = [*starts, i + 1], reached
    if len(starts) > 1:
        starts.pop()  # what is left after the last, nothing or too few, belongs to it
    means = np.add.reduceat(levels * counts, starts) / np.add.reduceat(counts, starts)
    alone = np.diff([*starts, len(levels)]) == 1
    return np.where(alone, levels[starts], means)


def _images(raw: Raw) -> Images:
    if not isinstance(raw, Images):
        raise ValueError(
            "this codec is for images, but the data is a table; choose a model for tables "
            "(model=tabvae, model=ctgan) or image data (data=imagefolder, data=npz)"
        )
    return raw


def _check_shape(images: Images, layout: ImageLayout) -> None:
    if images.pixels.shape[1:] != layout.shape or images.pixels.dtype != np.uint8:
        raise ValueError(
            f"expected uint8 images of shape {layout.shape}, got {images.pixels.dtype} "
            f"{images.pixels.shape[1:]}"
        )
