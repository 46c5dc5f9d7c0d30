"""Which source reads a path: by the ending of a file, or by what a folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from genmodels.data.attributes import OFFERED
from genmodels.data.sources.csv import CSV, CSV_SUFFIXES
from genmodels.data.sources.frame import Frame
from genmodels.data.sources.memory import Memory
from genmodels.data.sources.packed import TAR_SUFFIXES, ImageParquet, WebDataset, holds_images
from genmodels.data.sources.parquet import ARROW_SUFFIXES, PARQUET_SUFFIXES, Parquet
from genmodels.data.sources.parts import find_files
from genmodels.types import Images, Source

__all__ = ["as_source", "open_source"]

TABLES = PARQUET_SUFFIXES + ARROW_SUFFIXES
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


def open_source(path: str | Path | list[str | Path] | pd.DataFrame, **options: Any) -> Source:
    """The source for data in files or memory.

    Args:
        path: a CSV, Parquet, Arrow, .npz or .tar file; a glob, list or folder of such files; a
            folder of images; a synthetic dataset as written by `sample`; or a DataFrame.
        options: of the source, such as `separator` of a CSV or `size` of images; `least` rows
            of a table, which images do not mind.

    Raises:
        FileNotFoundError: when nothing is there, with near names.
        ValueError: when it cannot be told what it is.
    """
    if isinstance(path, pd.DataFrame):
        return Frame(frame=path, **options)
    if isinstance(path, str | Path):
        place = Path(path).expanduser()
        if place.is_dir():
            return _folder(place, options)
    elif not path:
        raise ValueError("an empty list of files")
    files = find_files(path, TABLES + CSV_SUFFIXES + TAR_SUFFIXES)
    return _by_ending(path, files[0], options)


def as_source(data: Any, *, what: str, least: int = 2) -> Source:
    """The source for whatever a Python user hands over.

    Args:
        data: a DataFrame, an Arrow table, `Images`, or a path.
        what: whose data it is, for the message, such as "fit".
        least: how many rows a table must have, 1 or 2.

    Raises:
        TypeError: when it is of another type.
    """
    if isinstance(data, pa.Table | Images):
        return Memory(raw=data, least=least)
    if isinstance(data, pd.DataFrame | str | Path):
        return open_source(data, least=least)
    raise TypeError(
        f"{what} needs a pandas DataFrame, a pyarrow Table, genmodels.types.Images or a path, got "
        f"{type(data).__module__}.{type(data).__name__}"
    )


def _by_ending(path: Any, first: Path, options: dict[str, Any]) -> Source:
    name = first.name.lower()
    if holds_images(first):
        return ImageParquet(path=path, **_of_images(options))
    if name.endswith(TAR_SUFFIXES):
        return WebDataset(path=path, **_of_images(options))
    if name.endswith(TABLES):
        return Parquet(path=path, **options)
    if name.endswith(CSV_SUFFIXES):
        return CSV(path=path, **options)
    if name.endswith(".npz"):
        return _npz(path, first, options)
    if name.endswith(PICTURES):
        raise ValueError(f"{first} is one picture; give the folder that holds all of them")
    raise ValueError(
        f"{first}: files ending in {first.suffix or 'nothing'!r} are not known; known are "
        f"{', '.join((*CSV_SUFFIXES[:2], *TABLES, '.npz', '.tar'))} and folders of images"
    )


def _folder(folder: Path, options: dict[str, Any]) -> Source:
    """A folder of parts, a written dataset (`data/`, `train/`, `images/`), or one of images."""
    if (folder / "manifest.json").is_file():
        if (folder / "data").is_dir():
            return _folder(folder / "data", options)
        if (folder / "train").is_dir():
            return _images(folder / "train", options)
        if (folder / "images").is_dir():  # simulated scenes: beside them are masks and depth
            return _images(folder / "images", options)
    names = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name[0] not in "._"]
    if any(p.suffix.lower() in PICTURES for p in names):
        names = [p for p in names if p.name != "metadata.csv"]  # it is about the pictures
    parquet = [p for p in names if p.name.lower().endswith(PARQUET_SUFFIXES)]
    if parquet and holds_images(parquet[0]):
        return ImageParquet(path=folder, **_of_images(options))
    for endings, source in ((TABLES, Parquet), (CSV_SUFFIXES, CSV)):
        if any(p.name.lower().endswith(endings) for p in names if p.suffix != ".txt"):
            return source(path=folder, **options)
    packed = [p for p in names if p.suffix.lower() == ".npz"]
    if packed:
        return _npz(folder, packed[0], options)
    if any(p.suffix.lower() in PICTURES for p in names):
        return _images(folder, options)
    # Last: an archive that lies beside data is more often a download than a shard.
    if any(p.name.lower().endswith(TAR_SUFFIXES) for p in names):
        return WebDataset(path=folder, **_of_images(options))
    raise ValueError(
        f"{folder} holds neither CSV, Parquet, Arrow or .tar files nor images nor .npz files"
    )


def _npz(path: Any, first: Path, options: dict[str, Any]) -> Source:
    from genmodels.data.sources.npz import NPZ
    from genmodels.data.sources.npz_table import NPZTable, holds_table

    if holds_table(first):
        return NPZTable(path=path, **options)
    return NPZ(path=path, **_of_images(options))


def _images(folder: Path, options: dict[str, Any]) -> Source:
    from genmodels.data.sources.imagefolder import ImageFolder

    return ImageFolder(path=folder, **_of_images(options))


def _of_images(options: dict[str, Any]) -> dict[str, Any]:
    """Options of a source of images; what is opened by path has the attributes that can be read."""
    plain = {name: value for name, value in options.items() if name != "least"}
    return {"attributes": OFFERED} | plain
