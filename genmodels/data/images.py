"""What images are, and whether they are what a schema says: the image side of parsing."""

from __future__ import annotations

import logging

import numpy as np

from genmodels.schema import ImageSchema
from genmodels.types import Images

__all__ = ["check_images", "infer_image_schema"]

log = logging.getLogger(__name__)


def infer_image_schema(images: Images) -> ImageSchema:
    """Shape and class names of images.

    Raises:
        ValueError: when there is no image, or the array is not (N, C, H, W) uint8.
    """
    _check_array(images)
    channels, height, width = images.pixels.shape[1:]
    return ImageSchema(channels, height, width, images.class_names)


def check_images(images: Images, schema: ImageSchema) -> Images:
    """The same images with labels numbered as in `schema`; classes are matched by name.

    Unlabelled images pass, and labels are left out when the schema has no classes.

    Raises:
        ValueError: when the shape differs, or a class is not in the schema.
    """
    _check_array(images)
    found = images.pixels.shape[1:]
    wanted = (schema.channels, schema.height, schema.width)
    if found != wanted:
        raise ValueError(
            f"images are {_words(*found)}, but {_words(*wanted)} are expected; set "
            f"data.size=[{schema.height},{schema.width}] and data.channels={schema.channels}"
        )
    if images.labels is None:
        return Images(images.pixels)
    if not schema.class_names:
        log.info("the schema has no class names: labels are left out")
        return Images(images.pixels)
    if images.class_names == schema.class_names:
        return images
    return Images(images.pixels, _renumber(images, schema), schema.class_names)


def _renumber(images: Images, schema: ImageSchema) -> np.ndarray:
    assert images.labels is not None
    used = np.unique(images.labels)
    position = {name: i for i, name in enumerate(schema.class_names)}
    unknown = [images.class_names[i] for i in used if images.class_names[i] not in position]
    if unknown:
        raise ValueError(
            f"classes {', '.join(map(repr, unknown[:10]))} are not in the schema, which has "
            f"{', '.join(map(repr, schema.class_names[:10]))}"
        )
    table = np.array([position.get(name, -1) for name in images.class_names], np.int64)
    return table[images.labels]


def _check_array(images: Images) -> None:
    if not isinstance(images, Images):
        raise ValueError(f"expected images, got a {type(images).__name__}: is this a table?")
    pixels = images.pixels
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or 0 in pixels.shape:
        raise ValueError(
            f"images must be a uint8 array (N, C, H, W) with at least one image, got "
            f"{pixels.dtype} {pixels.shape}"
        )


def _words(channels: int, height: int, width: int) -> str:
    return f"{height}x{width} (height x width) with {channels} channel(s)"
