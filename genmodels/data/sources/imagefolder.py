"""A folder of images, one sub-folder per class or flat and unlabelled, as one array.

Finding files and their classes is here; `reading.py` turns a list of files into an array, and
what happens to one file is in `decode.py`.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json

from genmodels.data.attributes import Wanted
from genmodels.data.sources.decode import Alpha, Resize, check_size
from genmodels.data.sources.metadata import read_metadata
from genmodels.data.sources.origins import without_told
from genmodels.data.sources.parallel import for_chunks
from genmodels.data.sources.reading import read_files
from genmodels.files import sha256
from genmodels.types import Images

__all__ = ["EXTENSIONS", "ImageFolder"]

log = logging.getLogger(__name__)
EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
SPLITS = ("train", "test", "val", "valid", "validation")
NAMED = 10


@dataclass(frozen=True)
class Found:
    """Files in row order, with their classes."""

    root: Path
    files: list[str]
    labels: np.ndarray | None
    class_names: tuple[str, ...]


class ImageFolder:
    """Images from `<path>/<class>/**/*.png|jpg|jpeg|webp|bmp|tif|tiff`, or from `<path>/*.png`.

    Hidden files are ignored, EXIF orientation is applied, 16-bit files are scaled to 8 bits.
    A folder that holds nothing but `train`, `test`, ... is read as its `train` part. Attributes are
    read from `metadata.jsonl` or `metadata.csv` in the folder, see `metadata.py`.

    Args:
        path: the folder.
        size: null (all files must agree), a number, or [height, width].
        resize: fit, crop, stretch or pad; see `decode.Policy`.
        channels: auto (from the files), 1, 2, 3 or 4.
        alpha: what becomes of transparency when it is not asked for as a channel: `white`
            blends with white, `drop` forgets it, `keep` makes `auto` count it as a channel.
        unreadable: `error` refuses the folder, `skip` leaves such files out; listed either way.
        max_pixels: larger files count as unreadable.
        workers: decoding threads, or null for one per core.
        attributes: names of those to read, "all", or null for none.
        origins: keep what a dataset of ours tells of where images come from among all.
    """

    def __init__(
        self,
        *,
        path: str | Path | None,
        size: int | list[int] | tuple[int, int] | None = None,
        resize: Resize = "fit",
        channels: Literal["auto"] | int = "auto",
        alpha: Alpha = "white",
        unreadable: Literal["error", "skip"] = "error",
        max_pixels: int = 64_000_000,
        workers: int | None = None,
        attributes: Wanted = None,
        origins: bool = False,
    ) -> None:
        _check("resize", resize, get_args(Resize))
        _check("alpha", alpha, get_args(Alpha))
        _check("unreadable", unreadable, ("error", "skip"))
        _check("channels", channels, ("auto", 1, 2, 3, 4))
        if path is None:
            raise ValueError("data.path is not set: give data.path=<folder of images>")
        self.path = Path(path).expanduser()
        self.size = check_size(size)
        self.resize: Resize = resize
        self.channels = channels
        self.alpha: Alpha = alpha
        self.unreadable = unreadable
        self.max_pixels = max_pixels
        self.workers = workers
        self.attributes = attributes
        self.origins = origins

    def load(self) -> Images:
        """Read every file.

        Raises:
            FileNotFoundError: when there is no such folder.
            ValueError: no images, an empty class, sizes that differ while `size` is null,
                unreadable files, attributes that are not there.
        """
        found = find(self.path)
        told = read_metadata(found.root, found.files, self.attributes)
        pixels, kept = read_files(
            found.files,
            size=self.size,
            resize=self.resize,
            channels=self.channels,
            alpha=self.alpha,
            unreadable=self.unreadable,
            max_pixels=self.max_pixels,
            workers=self.workers,
        )
        told = without_told(told, map(Path, found.files[:1]), self.attributes, keep=self.origins)
        attributes = {name: values[kept] for name, values in told.items()}
        if found.labels is None:
            return Images(pixels, attributes=attributes)
        labels = found.labels[kept]
        _refuse_empty(found.class_names, labels, "has no readable image")
        return Images(pixels, labels, found.class_names, attributes)

    def known(self) -> Images:
        """Classes and attributes of all files, none of which is opened: images without pixels.

        Raises:
            FileNotFoundError: when there is no such folder.
            ValueError: no images, or attributes that are not there.
        """
        found = find(self.path)
        told = read_metadata(found.root, found.files, self.attributes)
        empty = np.zeros((len(found.files), 0, 0, 0), np.uint8)
        return Images(empty, found.labels, found.class_names, told)

    def fingerprint(self) -> str:
        """SHA-256 over names and contents of all files, over attributes, and over the options."""
        found = find(self.path)
        options = (self.size, self.resize, self.channels, self.alpha, self.unreadable)
        digest = hashlib.sha256(repr(options).encode())
        for attribute, values in read_metadata(found.root, found.files, self.attributes).items():
            digest.update(f"{attribute}\0{values.tolist()}\n".encode())

        def hashes(start: int, stop: int) -> list[str]:
            return [sha256(Path(file)) for file in found.files[start:stop]]

        done = 0
        chunks = for_chunks(hashes, len(found.files), workers=self.workers, what="hashing images")
        for chunk in chunks:
            for file_hash in chunk:
                name = os.path.relpath(found.files[done], found.root)
                digest.update(f"{Path(name).as_posix()}\0{file_hash}\n".encode())
                done += 1
        return digest.hexdigest()


def _check(key: str, value: object, choices: Sequence[object]) -> None:
    if value not in choices:
        known = ", ".join(map(str, choices))
        raise ValueError(f"data.{key} must be one of {known}; got {value!r}")


def find(path: Path) -> Found:
    """List the image files of a folder in a fixed order and tell their classes."""
    if not path.exists():
        raise FileNotFoundError(f"no folder {path}; data.path must name a folder of images")
    if not path.is_dir():
        raise ValueError(f"{path} is a file; data.path must name a folder of images")
    root = _train_part(path)
    flat = sorted(e.path for e in _visible(root) if e.is_file() and _is_image(e.name))
    folders = sorted(e.name for e in _visible(root) if e.is_dir())
    per_class = {name: list(_images_below(root / name)) for name in folders}
    filled = {name: files for name, files in per_class.items() if files}
    if flat and filled:
        raise ValueError(
            f"{root} holds images both directly ({Path(flat[0]).name}, ...) and in folders "
            f"({', '.join(list(filled)[:3])}, ...): it is neither flat nor one folder per class"
        )
    if flat:
        return Found(root, flat, None, ())
    if not filled:
        raise ValueError(f"no images in {root}: {_what_is_there(root)}")
    empty = [name for name in folders if name not in filled]
    if empty:
        raise ValueError(
            f"{len(empty)} class folder(s) of {root} hold no images: "
            f"{', '.join(empty[:NAMED])}; fill or remove them"
        )
    order, names = _class_order(root, folders)
    labels = np.repeat(np.arange(len(order)), [len(filled[f]) for f in order])
    return Found(root, [f for folder in order for f in filled[folder]], labels, names)


def _train_part(path: Path) -> Path:
    """`path`, its `train` folder when it holds splits, or its `images` beside annotations."""
    entries = list(_visible(path))
    folders = {e.name for e in entries if e.is_dir()}
    if {"annotations", "images"} <= folders:  # beside them are masks, depth and labels
        return path / "images"
    images = any(e.is_file() and _is_image(e.name) for e in entries)
    if images or "train" not in folders or not folders <= set(SPLITS):
        return path
    log.info("%s holds the splits %s: reading train", path, ", ".join(sorted(folders)))
    return path / "train"


def _visible(path: Path | str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        yield from (e for e in entries if not e.name.startswith((".", "__MACOSX")))


def _is_image(name: str) -> bool:
    return name.lower().endswith(EXTENSIONS)


def _images_below(folder: Path, above: frozenset[str] = frozenset()) -> Iterator[str]:
    """Image files at any depth, sorted; a link back to a folder above is not followed."""
    real = os.path.realpath(folder)
    if real in above:
        return
    for entry in sorted(_visible(folder), key=lambda e: e.name):
        if entry.is_dir():
            yield from _images_below(Path(entry.path), above | {real})
        elif _is_image(entry.name):
            yield entry.path


def _what_is_there(root: Path) -> str:
    files = [name for _, _, names in os.walk(root) for name in names]
    kinds = Counter(Path(name).suffix.lower() or "no suffix" for name in files)
    seen = ", ".join(f"{n} x {kind}" for kind, n in kinds.most_common(5)) or "it is empty"
    return f"{seen}; known are {', '.join(EXTENSIONS)}"


def _class_order(root: Path, folders: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Folders in class order and their names: as `metadata.jsonl` says, else alphabetical."""
    file = root / "metadata.jsonl"
    if not file.is_file():
        return folders, tuple(folders)
    try:
        table = pa_json.read_json(file)
        first = pc.list_element(pc.split_pattern(table["file_name"], "/", max_splits=1), 0)
        told = pa.table([first, table["label"], table["class_name"]], ["folder", "label", "name"])
        rows = told.group_by(["folder", "label", "name"]).aggregate([]).to_pylist()
    except (pa.ArrowException, KeyError) as error:
        log.info("%s does not name classes (%s): taking folder names", file, error)
        return folders, tuple(folders)
    labels = {row["folder"]: (row["label"], row["name"]) for row in rows}
    if len(rows) != len(folders) or set(labels) != set(folders):
        log.info("%s does not match the folders: taking folder names", file)
        return folders, tuple(folders)
    order = sorted(folders, key=lambda folder: labels[folder])
    return order, tuple(str(labels[folder][1]) for folder in order)


def _refuse_empty(class_names: tuple[str, ...], labels: np.ndarray, complaint: str) -> None:
    counts = np.bincount(labels, minlength=len(class_names))
    empty = [name for name, n in zip(class_names, counts, strict=True) if n == 0]
    if empty:
        raise ValueError(f"class {', '.join(empty[:NAMED])} {complaint}; fill or remove it")
