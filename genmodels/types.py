"""The few data types that every room shares.

A *raw* value is in the user's units: a `pyarrow.Table` or `Images`. An *encoded* value is a
dict of tensors with one row per sample, compact enough to keep a whole training set on the
device; `layout.expand` turns rows of it into what a network reads. Nothing here computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pyarrow as pa

from genmodels.pixels import gather

if TYPE_CHECKING:  # torch takes seconds to import, and a process may do without it
    import torch
    from torch import Tensor

__all__ = ["Batch", "Encoded", "Images", "Raw", "Source", "join_images", "num_rows"]
__all__ += ["Streamable", "Truth", "join_rows", "take_rows"]

Encoded: TypeAlias = "dict[str, Tensor]"
"""Compact model-space data, first dimension N: `values` (N, F) float32 and `codes` (N, Q)
int32 for tables, `pixels` (N, C, H, W) uint8 for images."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of every pixel and every object of N simulated images.

    Args:
        instances: uint8, shape (N, H, W): k where the k-th object is seen, from 1; else 0.
        semantics: uint8, shape (N, H, W): indices of `semantic_names`.
        depth: uint16, shape (N, H, W), in `depth_unit`; 0 where it is not known.
        objects: of each image in the order of `instances`: `class`, `label` (an index of
            `class_names`), `bbox` [left, top, width, height] and whatever else, plain JSON.
        scenes: parameters of each image, plain JSON.
        class_names: of objects.
        semantic_names: of what a pixel can show.
        depth_unit: metres.
    """

    instances: np.ndarray
    semantics: np.ndarray
    depth: np.ndarray
    objects: tuple[Sequence[Mapping[str, Any]], ...]
    scenes: tuple[Mapping[str, Any], ...]
    class_names: tuple[str, ...]
    semantic_names: tuple[str, ...]
    depth_unit: float

    def take(self, rows: np.ndarray) -> Truth:
        return replace(
            self,
            instances=self.instances[rows],
            semantics=self.semantics[rows],
            depth=self.depth[rows],
            objects=tuple(self.objects[row] for row in rows.tolist()),
            scenes=tuple(self.scenes[row] for row in rows.tolist()),
        )


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled or unlabelled images in memory, or mapped into it from a file (see `pixels.py`).

    Args:
        pixels: uint8, shape (N, C, H, W).
        labels: int64 class indices, shape (N,), or None when unlabelled.
        class_names: one name per class, in the order of the indices.
        attributes: what else is known of each image, by name, shape (N,): bool for yes or no,
            text for a category, float64 for a number. NaN and the empty text are missing values.
        truth: of simulated images, more than a class and attributes.
    """

    pixels: np.ndarray
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)
    truth: Truth | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, rows: np.ndarray) -> Images:
        labels = None if self.labels is None else self.labels[rows]
        attributes = {name: values[rows] for name, values in self.attributes.items()}
        truth = None if self.truth is None else self.truth.take(rows)
        return Images(gather(self.pixels, rows), labels, self.class_names, attributes, truth)


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
    truth = [part.truth for part in parts if part.truth is not None]
    known = _join_truth(truth) if len(truth) == len(parts) else None
    return Images(pixels, joined, first.class_names, attributes, known)


def _join_truth(parts: Sequence[Truth]) -> Truth:
    return replace(
        parts[0],
        instances=np.concatenate([part.instances for part in parts]),
        semantics=np.concatenate([part.semantics for part in parts]),
        depth=np.concatenate([part.depth for part in parts]),
        objects=tuple(one for part in parts for one in part.objects),
        scenes=tuple(one for part in parts for one in part.scenes),
    )


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
