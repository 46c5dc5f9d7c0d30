"""The few data types that every room shares.

A *raw* value is in the user's units: a `pyarrow.Table` or `Images`. An *encoded* value is a
dict of tensors with one row per sample, compact enough to keep a whole training set on the
device; `layout.expand` turns rows of it into what a network reads. Nothing here computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from genmodels.pixels import gather

__all__ = ["Batch", "Encoded", "Images", "Raw", "Source", "join_images", "num_rows"]
__all__ += ["Streamable", "join_rows", "take_rows"]

Encoded = dict[str, Tensor]
"""Compact model-space data, first dimension N: `values` (N, F) float32 and `codes` (N, Q)
int32 for tables, `pixels` (N, C, H, W) uint8 for images."""


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled or unlabelled images in memory, or mapped into it from a file (see `pixels.py`).

    Args:
        pixels: uint8, shape (N, C, H, W).
        labels: int64 class indices, shape (N,), or None when unlabelled.
        class_names: one name per class, in the order of the indices.
        attributes: what else is known of each image, by name, shape (N,): bool for yes or no,
            text for a category, float64 for a number. NaN and the empty text are missing values.
    """

    pixels: np.ndarray
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, rows: np.ndarray) -> Images:
        labels = None if self.labels is None else self.labels[rows]
        attributes = {name: values[rows] for name, values in self.attributes.items()}
        return Images(gather(self.pixels, rows), labels, self.class_names, attributes)


Raw: TypeAlias = "pa.Table | Images"


def join_images(parts: Sequence[Images]) -> Images:
    """All images one after the other; all parts have the same classes and attributes, or none."""
    first = parts[0]
    labels = [part.labels for part in parts if part.labels is not None]
    attributes = {
        name: np.concatenate([part.attributes[name] for part in parts]) for name in first.attributes
    }
    pixels = np.concatenate([part.pixels for part in parts])
    joined = np.concatenate(labels) if labels else None
    return Images(pixels, joined, first.class_names, attributes)


def join_rows(parts: Sequence[Raw]) -> Raw:
    """All rows one after the other; all parts are alike."""
    tables = [part for part in parts if isinstance(part, pa.Table)]
    if tables:
        return pa.concat_tables(tables)
    return join_images([part for part in parts if isinstance(part, Images)])


def num_rows(raw: Raw) -> int:
    return len(raw) if isinstance(raw, Images) else raw.num_rows


def take_rows(raw: Raw, rows: np.ndarray) -> Raw:
    return raw.take(rows) if isinstance(raw, Images) else raw.take(pa.array(rows))


@dataclass(frozen=True, eq=False, slots=True)
class Batch:
    """One update's worth of data, already on the device.

    Args:
        x: dense model-space data, shape (B, D) or (B, C, H, W), float.
        c: condition, shape (B, K), float; K may be 0.
    """

    x: Tensor
    c: Tensor

    def to(self, *args: torch.device | str | torch.dtype, **kwargs: bool) -> Batch:
        return Batch(self.x.to(*args, **kwargs), self.c.to(*args, **kwargs))  # type: ignore[call-overload]


@runtime_checkable
class Source(Protocol):
    """Where raw data comes from."""

    def load(self) -> Raw:
        """Read everything; raises `ValueError` or `FileNotFoundError` with advice."""

    def fingerprint(self) -> str:
        """A hash of the content, to recognise the same data later."""


@runtime_checkable
class Streamable(Source, Protocol):
    """A source that need not fit into memory."""

    def pieces(self) -> Iterator[pa.Table]:
        """The rows of `load` with their types, some megabytes at a time; always the same pieces."""
