"""What images are, and whether they are what a schema says: the image side of parsing."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from genmodels.data.attributes import Unfit, Wanted, infer_attributes, typed
from genmodels.schema import ImageSchema
from genmodels.types import Images

__all__ = ["check_images", "infer_image_schema", "with_known_attributes"]

log = logging.getLogger(__name__)


def infer_image_schema(images: Images, *, attributes: Wanted = None) -> ImageSchema:
    """Shape, class names and attributes of images.

    Args:
        images: any.
        attributes: names of those that count; "all"; None: none.

    Raises:
        ValueError: when there is no image, the array is not (N, C, H, W) uint8, or an attribute
            is not there or cannot be told, see `infer_attributes`.
    """
    _check_array(images)
    if len(images) == 0:
        raise ValueError(
            "images must be a uint8 array (N, C, H, W) with at least one image, got "
            f"{images.pixels.shape}"
        )
    channels, height, width = images.pixels.shape[1:]
    known = infer_attributes(images.attributes, attributes)
    return ImageSchema(channels, height, width, images.class_names, known)


def check_images(images: Images, schema: ImageSchema, *, unfit: Unfit = "error") -> Images:
    """The same images, or none, with labels numbered as in `schema`; classes are matched by name.

    Unlabelled images pass, and labels are left out when the schema has no classes. Attributes
    that the schema does not have are left out, those that it has are typed as it says.

    Args:
        images: any.
        schema: what they should be.
        unfit: images with a missing value or another level than the schema's: "error", "drop"
            them, or "keep" them for a report, with unknown levels, but without attributes that
            are not there or have no such value for some.

    Raises:
        ValueError: when the shape differs, a class is not in the schema, or an attribute is not
            there.
    """
    _check_array(images)
    found = images.pixels.shape[1:]
    wanted = (schema.channels, schema.height, schema.width)
    if found != wanted:
        raise ValueError(
            f"images are {_words(*found)}, but {_words(*wanted)} are expected; set "
            f"data.size=[{schema.height},{schema.width}] and data.channels={schema.channels}"
        )
    if images.attributes or schema.attributes:
        images = _attributed(images, schema, unfit)
    if images.labels is None:
        return Images(images.pixels, attributes=images.attributes)
    if not schema.class_names:
        log.info("the schema has no class names: labels are left out")
        return Images(images.pixels, attributes=images.attributes)
    if images.class_names == schema.class_names:
        return images
    return replace(images, labels=_renumber(images, schema), class_names=schema.class_names)


def with_known_attributes(images: Images, train: Images, schema: ImageSchema) -> Images:
    """The images whose attributes have values that the schema knows; `train` is not needed."""
    return check_images(images, schema, unfit="drop") if schema.attributes else images


def _attributed(images: Images, schema: ImageSchema, unfit: Unfit) -> Images:
    """The images with the attributes of the schema alone, typed."""
    found, fits = {}, np.ones(len(images), bool)
    for attribute in schema.attributes:
        values = images.attributes.get(attribute.name)
        if values is None and unfit == "keep":
            continue
        if values is None:
            raise ValueError(
                f"the schema has the attribute {attribute.name!r}, but the images have "
                f"{', '.join(map(repr, images.attributes)) or 'no attributes'}; choose it with "
                "data.attributes, or take it out of the schema"
            )
        known, fit = typed(values, attribute)
        if unfit == "keep" and not (fit.all() or attribute.kind == "categorical"):
            log.info("attribute %r has no value for some images: left out", attribute.name)
            continue
        found[attribute.name] = known
        if not fit.all() and unfit == "error":
            raise ValueError(
                f"attribute {attribute.name!r}: {int((~fit).sum()):,} of {len(fit):,} images have "
                f"no value that the schema allows, the first {values[~fit][0].item()!r}"
            )
        fits &= fit
    images = replace(images, attributes=found)
    if unfit == "keep" or fits.all():
        return images
    log.info("%s images have attributes that training had not: left out", f"{(~fits).sum():,}")
    return images.take(np.flatnonzero(fits))


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
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or 0 in pixels.shape[1:]:
        raise ValueError(
            f"images must be a uint8 array (N, C, H, W), got {pixels.dtype} {pixels.shape}"
        )
    _check_attributes(images)


def _check_attributes(images: Images) -> None:
    for name, values in images.attributes.items():
        if not isinstance(values, np.ndarray) or values.shape != (len(images),):
            raise ValueError(
                f"attribute {name!r} must be an array of shape ({len(images)},), got "
                f"{type(values).__name__} of shape {np.shape(values)}"
            )
        if values.dtype.kind not in "biufU":
            raise ValueError(
                f"attribute {name!r} must be an array of numbers, truth values or text, got "
                f"{values.dtype}; give text as values.astype(str), with '' where it is missing, "
                "and numbers as values.astype(float)"
            )


def _words(channels: int, height: int, width: int) -> str:
    return f"{height}x{width} (height x width) with {channels} channel(s)"
