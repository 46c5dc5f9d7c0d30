"""Images <-> model space: pixels pass as they are, the class label becomes the condition.

Scaling to [-1, 1] is `layout.Expand`'s; resizing and channel policies are the source's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from genmodels.layout import Condition, ConditionGroup, ImageLayout
from genmodels.schema import ImageSchema
from genmodels.types import Encoded, Images, Raw

__all__ = ["ImageCodec"]


class ImageCodec:
    """The raw <-> encoded map of images; exact in both directions.

    Args:
        layout: shape of an image.
        condition: one group "label", or none for unlabelled images.
    """

    def __init__(self, *, layout: ImageLayout, condition: Condition) -> None:
        self.layout = layout
        self.condition = condition

    @classmethod
    def fit(cls, raw: Raw, schema: ImageSchema, *, seed: int) -> ImageCodec:
        """Learn the class frequencies of the training split; `seed` is not needed.

        Raises:
            ValueError: when the images are not of the schema, or have no labels although the
                schema names classes.
        """
        images = _images(raw)
        layout = ImageLayout(schema.channels, schema.height, schema.width)
        _check_shape(images, layout)
        if len(images) == 0:
            raise ValueError("no images to fit on: the training split is empty")
        if not schema.class_names:
            return cls(layout=layout, condition=Condition())
        if images.labels is None:
            raise ValueError(
                f"the schema names {len(schema.class_names)} classes, but the images have no "
                "labels; remove class_names from the schema or give one folder per class"
            )
        counts = np.bincount(images.labels, minlength=len(schema.class_names))
        frequencies = tuple((counts / counts.sum()).tolist())
        group = ConditionGroup("label", frequencies, schema.class_names)
        return cls(layout=layout, condition=Condition((group,)))

    def encode(self, raw: Raw, seed: int) -> Encoded:
        """`pixels` (N, C, H, W) uint8, sharing memory with `raw` where that is possible."""
        images = _images(raw)
        _check_shape(images, self.layout)
        pixels = np.ascontiguousarray(images.pixels)
        return {"pixels": torch.from_numpy(pixels if pixels.flags.writeable else pixels.copy())}

    def condition_codes(self, raw: Raw | Encoded) -> np.ndarray:
        """Class indices (N, 1) int32, or (N, 0) for an unconditional codec.

        Raises:
            ValueError: when the images have no labels.
            TypeError: for encoded images, which hold no label.
        """
        if isinstance(raw, dict):
            raise TypeError("encoded images hold no labels; give the raw images")
        images = _images(raw)
        if not self.condition.groups:
            return np.zeros((len(images), 0), np.int32)
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
        """Encoded images to raw ones, labelled with the class that each was told.

        Args:
            encoded: `pixels` (N, C, H, W) uint8.
            conditions: class indices (N,), or None for unlabelled images.
            rng: not needed.
            start: not needed.
        """
        pixels = encoded["pixels"].cpu().numpy()
        if conditions is None or not self.condition.groups:
            return Images(pixels)
        labels = np.asarray(conditions, np.int64).reshape(len(pixels))
        return Images(pixels, labels, self.condition.groups[0].levels)

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


def _images(raw: Raw) -> Images:
    if not isinstance(raw, Images):
        raise ValueError(
            "this codec is for images, but the data is a table; choose a model for tables "
            "(model=ctgan, model=tvae) or image data (data=imagefolder, data=npz)"
        )
    return raw


def _check_shape(images: Images, layout: ImageLayout) -> None:
    if images.pixels.shape[1:] != layout.shape or images.pixels.dtype != np.uint8:
        raise ValueError(
            f"expected uint8 images of shape {layout.shape}, got {images.pixels.dtype} "
            f"{images.pixels.shape[1:]}"
        )
