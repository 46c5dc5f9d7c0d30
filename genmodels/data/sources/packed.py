"""Images that lie as files within other files: Parquet with PNG bytes, and tar shards.

Both are read as `genmodels sample` writes them (format=parquet, format=webdataset), and others of
the same form with them: a column {bytes, path} as of Hugging Face `datasets`, and archives for
WebDataset. Nothing is unpacked to disk.
"""

from __future__ import annotations

import io
import json
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from genmodels.data.attributes import Wanted
from genmodels.data.sources.decode import (
    BROKEN,
    Header,
    Policy,
    Resize,
    check_size,
    decode,
    read_header,
)
from genmodels.data.sources.metadata import columns_of
from genmodels.data.sources.origins import without_told
from genmodels.data.sources.parallel import for_chunks
from genmodels.data.sources.parquet import PARQUET_SUFFIXES
from genmodels.data.sources.parts import files_fingerprint, find_files
from genmodels.data.sources.reading import common_size, decide_channels, quiet_pillow
from genmodels.pixels import room
from genmodels.schema import TAKEN
from genmodels.types import Images

__all__ = ["TAR_SUFFIXES", "ImageParquet", "WebDataset", "holds_images"]

T = TypeVar("T")
TAR_SUFFIXES = (".tar",)
PICTURES = ("png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff")
MAX_PIXELS = 64_000_000
LARGEST_PICTURE = 1 << 28
"""Bytes of a member that is a picture: room for `MAX_PIXELS` of four channels, uncompressed."""
LARGEST_TEXT = 1 << 20
"""Bytes of a member that says something of an image."""


@dataclass(frozen=True)
class Item:
    """One image as a file in memory.

    Args:
        where: it was.
        blob: its bytes.
        label: its class (a number, a name).
        facts: what else is known of it.
    """

    where: str
    blob: bytes
    label: tuple[int, str] | None
    facts: dict[str, Any] = field(default_factory=dict)


class Packed(ABC):
    """Images out of files that hold many.

    Args:
        path: a file, a glob, a folder of them, or a list of those.
        size: null (all must agree), a number, or [height, width].
        resize: fit, crop, stretch or pad; see `decode.Policy`.
        attributes: names of those to read, "all", or null for none.
        origins: keep what a dataset of ours tells of where images come from among all.
    """

    suffixes: tuple[str, ...]

    def __init__(
        self,
        *,
        path: str | Path | Sequence[str | Path],
        size: int | list[int] | tuple[int, int] | None = None,
        resize: Resize = "fit",
        attributes: Wanted = None,
        origins: bool = False,
    ) -> None:
        self.path = path
        self.size = check_size(size)
        self.resize: Resize = resize
        self.attributes = attributes
        self.origins = origins

    @abstractmethod
    def items(self, file: Path) -> Iterator[Item]:
        """The images of one file, in order."""

    def load(self) -> Images:
        """Read every image.

        Raises:
            FileNotFoundError: when there are no such files.
            ValueError: no images, sizes or labels that do not go together, unreadable files.
        """
        files = find_files(self.path, self.suffixes)
        items = [item for file in files for item in self.items(file)]
        if not items:
            raise ValueError(f"{self.path} holds no images")
        pixels = _decoded(items, self.size, self.resize)
        told = columns_of([item.facts for item in items], self.attributes)
        attributes = without_told(told, files, self.attributes, keep=self.origins)
        labels = [item.label for item in items if item.label is not None]
        if not labels:
            return Images(pixels, attributes=attributes)
        if len(labels) < len(items):
            raise ValueError(f"{self.path}: {len(labels)} of {len(items)} images have a class")
        return Images(pixels, *_numbered(labels, str(self.path)), attributes)

    def fingerprint(self) -> str:
        """SHA-256 over the files, and the options."""
        told = files_fingerprint(find_files(self.path, self.suffixes))
        return told if self.size is None else f"{told}-{self.size}-{self.resize}"


class ImageParquet(Packed):
    """Images from a Parquet column {bytes, path}, classes from a column `label`; see `Packed`.

    Other columns of plain values are attributes.
    """

    suffixes = PARQUET_SUFFIXES

    def items(self, file: Path) -> Iterator[Item]:
        with pq.ParquetFile(file) as opened:
            schema = opened.schema_arrow
            image = next(field.name for field in schema if _is_image(field))
            names = _class_names(schema, "label")
            labelled = "label" in schema.names
            others = [] if self.attributes is None else _plain_columns(schema, image)
            coded = {name: found for name in others if (found := _class_names(schema, name))}
            columns = [image, *(["label"] if labelled else []), *others]
            row = 0
            for batch in opened.iter_batches(512, columns=columns):
                labels = batch["label"].to_pylist() if labelled else [None] * len(batch)
                facts = batch.select(others).to_pylist() if others else [{}] * len(batch)
                cells = batch[image].to_pylist()
                for cell, label, known in zip(cells, labels, facts, strict=True):
                    where = f"{file}, row {row}"
                    if cell is None or cell["bytes"] is None:
                        raise ValueError(f"{where} holds no image, only a path or nothing")
                    known = known | {k: _level(known[k], coded[k], where) for k in coded}
                    yield Item(where, cell["bytes"], _named(label, names, where), known)
                    row += 1


class WebDataset(Packed):
    """Images from tar archives, classes from `.cls` and `.json` beside them; see `Packed`.

    Other plain values in a `.json` are attributes.
    """

    suffixes = TAR_SUFFIXES

    def items(self, file: Path) -> Iterator[Item]:
        try:
            with tarfile.open(file, "r:") as archive:
                yield from _samples(archive, file)
        except (tarfile.TarError, EOFError) as error:
            raise ValueError(f"{file} is not an intact tar archive: {error}") from error


def holds_images(file: Path) -> bool:
    """Whether a Parquet file has a column of images; False for what cannot be read."""
    if not file.name.lower().endswith(PARQUET_SUFFIXES):
        return False
    try:
        return any(_is_image(field) for field in pq.read_schema(file))
    except (pa.ArrowException, UnicodeDecodeError, OSError):
        return False


def _is_image(field: pa.Field) -> bool:
    kind = field.type
    if not pa.types.is_struct(kind) or kind.get_field_index("bytes") < 0:
        return False
    inner = kind.field("bytes").type
    return pa.types.is_binary(inner) or pa.types.is_large_binary(inner)


def _plain_columns(schema: pa.Schema, image: str) -> list[str]:
    """Columns of truth values, numbers or text besides the image and its class."""
    return [f.name for f in schema if f.name not in (*TAKEN, image) and _is_plain(f.type)]


def _is_plain(kind: pa.DataType) -> bool:
    """Truth values, numbers or text, also as pandas and polars write its levels."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    types = pa.types
    tests = (types.is_boolean, types.is_integer, types.is_floating, types.is_string)
    return any(test(kind) for test in (*tests, types.is_large_string, types.is_string_view))


def _class_names(schema: pa.Schema, column: str) -> list[str]:
    """Names of the levels of a column as Hugging Face notes them; empty where it does not."""
    try:
        told = json.loads((schema.metadata or {})[b"huggingface"])
        return [str(name) for name in told["info"]["features"][column]["names"]]
    except (KeyError, TypeError, ValueError, RecursionError):
        return []


def _named(label: Any, names: list[str], where: str) -> tuple[int, str] | None:
    if label is None:
        return None
    if not isinstance(label, int) or not (0 <= label < (len(names) or label + 1)):
        raise ValueError(f"{where}: {label!r} is not the number of a class")
    return label, names[label] if names else str(label)


def _level(code: Any, names: list[str], where: str) -> str | None:
    """A coded attribute in words; a code below 0 is a missing value."""
    known = None if isinstance(code, int) and code < 0 else _named(code, names, where)
    return None if known is None else known[1]


def _samples(archive: tarfile.TarFile, file: Path) -> Iterator[Item]:
    """Members that share a name up to its first dot are one sample; they lie side by side."""
    key, parts = "", dict[str, bytes]()
    for member in archive:
        if not member.isfile():
            continue
        place = PurePosixPath(member.name)
        stem, _, kind = place.name.partition(".")
        if (own := str(place.parent / stem)) != key:
            yield from _sample(parts, f"{file}, {key}")
            key, parts = own, {}
        kind = kind.lower()
        if kind in PICTURES or (kind in ("cls", "json") and member.size <= LARGEST_TEXT):
            parts[kind] = _content(archive, member, f"{file}, {member.name}")
    yield from _sample(parts, f"{file}, {key}")


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, where: str) -> bytes:
    """The bytes of a member; few bytes of an archive must not claim much memory."""
    if member.issparse():
        raise ValueError(f"{where} is a sparse file, which is not read; pack it without --sparse")
    if member.size > LARGEST_PICTURE:
        raise ValueError(
            f"{where} claims {member.size:,} bytes, a picture may have {LARGEST_PICTURE:,}; "
            "leave it out or make it smaller"
        )
    opened = archive.extractfile(member)
    assert opened is not None, "a regular file"
    return opened.read()


def _sample(parts: dict[str, bytes], where: str) -> Iterator[Item]:
    image = next((blob for kind, blob in parts.items() if kind in PICTURES), None)
    if image is None:
        return
    try:
        told = json.loads(parts.get("json", b"{}"))
        facts = told if isinstance(told, dict) else {}
        number = parts["cls"].decode().strip() if "cls" in parts else facts.get("label")
        label = None if number is None else int(number)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{where}: its class cannot be read: {error}") from error
    name = facts.get("class_name", label)
    yield Item(where, image, None if label is None else (label, str(name)), facts)


def _decoded(items: list[Item], size: tuple[int, int] | None, resize: Resize) -> np.ndarray:
    """All images, (N, C, H, W) uint8; all headers together say how many channels there are."""
    with quiet_pillow():
        headers = dict(enumerate(_each(items, _header, "scanning")))
        shape = size or common_size([item.where for item in items], headers)
        policy = Policy(
            size=size,
            resize=resize,
            channels=decide_channels(headers, "keep"),
            alpha="keep",
            max_pixels=MAX_PIXELS,
        )
        pixels = room((len(items), policy.channels, *shape))

        def store(row: int, file: io.BytesIO) -> None:
            array = decode(file, policy)
            if array.shape != pixels.shape[1:]:
                raise ValueError(f"is {array.shape[1]}x{array.shape[2]} once decoded")
            pixels[row] = array

        for _ in _each(items, store, "reading"):
            pass
    return pixels


def _header(_: int, file: io.BytesIO) -> Header:
    return read_header(file, MAX_PIXELS)


def _each(items: list[Item], call: Callable[[int, io.BytesIO], T], verb: str) -> Iterator[T]:
    """`call` on the number and the bytes of every item, in threads, in order."""

    def work(start: int, stop: int) -> list[T]:
        return [one(row) for row in range(start, stop)]

    def one(row: int) -> T:
        try:
            return call(row, io.BytesIO(items[row].blob))
        except BROKEN as error:
            raise ValueError(f"{items[row].where} cannot be read: {error}") from error

    for chunk in for_chunks(work, len(items), workers=None, what=f"{verb} images"):
        yield from chunk


def _numbered(labels: list[tuple[int, str]], where: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class indices (N,) in the order of the numbers, and the names of those that occur."""
    known = sorted(set(labels))
    names = tuple(name for _, name in known)
    if len(set(names)) < len(known) or len({number for number, _ in known}) < len(known):
        raise ValueError(f"{where}: numbers and names of its classes contradict each other")
    place = {pair: i for i, pair in enumerate(known)}
    return np.array([place[pair] for pair in labels], np.int64), names
