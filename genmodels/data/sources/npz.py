"""Images in `.npz` files: `images`, and optionally `labels`, `class_names` and attributes."""

from __future__ import annotations

import glob
import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib.format import read_array_header_1_0, read_array_header_2_0, read_magic
from numpy.lib.npyio import NpzFile

from genmodels.data.attributes import Wanted, by_name, is_all, pick
from genmodels.data.sources.decode import Resize, check_size, resize_pixels
from genmodels.data.sources.metadata import LETTERS
from genmodels.data.sources.origins import without_told
from genmodels.data.sources.parts import files_fingerprint, find_files
from genmodels.schema import TAKEN
from genmodels.types import Images, join_images

__all__ = ["NPZ", "UNREADABLE"]

UNREADABLE = (ValueError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What reading an archive of arrays raises when it is damaged or holds objects."""
ADVICE = "an .npz holds `images` (uint8, NHW or NHWC) and, optionally, `labels` and `class_names`"
KNOWN = ("images", "labels", "class_names")


class NPZ:
    """Images from an `.npz` file; arrays of objects are refused, so nothing in it is run.

    Any further array (N,) of numbers, truth values or text is an attribute. `labels` (N, K) of 0
    and 1 are K of them, yes or no, called as `class_names` says: an image may have several.

    Args:
        path: a file, a glob, a folder of parts, or a list of those.
        size: null (as stored), a number, or [height, width].
        resize: fit, crop, stretch or pad; see `decode.Policy`.
        attributes: names of those to read, "all", or null for none.
        origins: keep what a dataset of ours tells of where images come from among all.
    """

    def __init__(
        self,
        *,
        path: str | Path | Sequence[str | Path] | None,
        size: int | list[int] | tuple[int, int] | None = None,
        resize: Resize = "fit",
        attributes: Wanted = None,
        origins: bool = False,
    ) -> None:
        if path is None:
            raise ValueError("data.path is not set: give data.path=<file>.npz")
        self.path = path
        self.size = check_size(size)
        self.resize: Resize = resize
        self.attributes = attributes
        self.origins = origins

    def load(self) -> Images:
        """Read the arrays of all parts.

        Raises:
            FileNotFoundError: when there is no such file.
            ValueError: when it is no `.npz`, an array has another name, type or shape, or the
                parts are not alike.
        """
        files = self._files()
        parts = [self._part(file) for file in files]
        for file, part in zip(files, parts, strict=True):
            if _kind(part) != _kind(parts[0]):
                raise ValueError(
                    f"{file} has images of another shape, or other classes or attributes, than "
                    f"{files[0]}: {_kind(part)} and {_kind(parts[0])}"
                )
        return parts[0] if len(parts) == 1 else join_images(parts)

    def _files(self) -> list[Path]:
        if isinstance(self.path, str | Path):
            place = Path(self.path).expanduser()
            if not place.is_dir() and not glob.has_magic(str(place)):
                return [place]
        return find_files(self.path, (".npz",))

    def _part(self, path: Path) -> Images:
        arrays, further = _read(path, self.attributes)
        pixels = _pixels(arrays["images"], path)
        pixels = resize_pixels(pixels, self.size, self.resize)
        attributes = self._attributes(path, arrays, further)
        if "labels" not in arrays or (self.attributes is not None and _several(arrays["labels"])):
            return Images(pixels, attributes=attributes)
        labels, names = _labels(arrays["labels"], arrays.get("class_names"), path)
        if len(labels) != len(pixels):
            raise ValueError(f"{path}: {len(pixels)} images but {len(labels)} labels")
        return Images(pixels, labels, names, attributes)

    def _attributes(
        self, path: Path, arrays: dict[str, np.ndarray], further: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """The wanted ones of further arrays and of several labels per image."""
        if self.attributes is None:
            return {}
        known = {}
        if "labels" in arrays and _several(arrays["labels"]):
            known = _yes_no(arrays["labels"], arrays.get("class_names"), path)
        for name, values in further.items():
            known[name] = values if values.dtype.kind in "bU" else values.astype(np.float64)
        chosen = {name: known[name] for name in pick(known, self.attributes)}
        return without_told(chosen, [path], self.attributes, keep=self.origins)

    def fingerprint(self) -> str:
        """SHA-256 of the files, and of the options."""
        options = repr((files_fingerprint(self._files()), self.size, self.size and self.resize))
        return hashlib.sha256(options.encode()).hexdigest()


def _kind(images: Images) -> tuple[object, ...]:
    """What parts must share to be one data set."""
    known = tuple(sorted((name, x.dtype.kind) for name, x in images.attributes.items()))
    return images.pixels.shape[1:], images.class_names, images.labels is None, known


def _read(path: Path, wanted: Wanted) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The arrays that are known, and further ones that are wanted as attributes."""
    if not (wanted is None or is_all(wanted)):
        by_name(wanted)  # a wish that is no name is no fault of the file
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; data.path must name an .npz file")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is not an .npz file (a zip archive of arrays); {ADVICE}")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            there = archive.files
            arrays = {name: archive[name] for name in KNOWN if name in there}
            further = _further(archive, wanted, len(arrays.get("images", ())))
    except UNREADABLE as error:
        raise ValueError(
            f"{path} cannot be read: {error}; {ADVICE}, none of them an array of objects"
        ) from error
    if "images" not in arrays:
        raise ValueError(
            f"{path} has no `images`, it has {', '.join(there) or 'nothing'}; {ADVICE}"
        )
    return arrays, further


def _further(archive: NpzFile, wanted: Wanted, rows: int) -> dict[str, np.ndarray]:
    """Arrays (N,) of numbers, truth values or text that are wanted; no other one is read."""
    if wanted is None:
        return {}
    chosen = archive.files if is_all(wanted) else by_name(wanted)
    others = [name for name in archive.files if name in chosen and name not in TAKEN]
    longest = LETTERS if is_all(wanted) else None
    return {name: archive[name] for name in others if _is_plain(archive, name, rows, longest)}


def _is_plain(archive: NpzFile, name: str, rows: int, longest: int | None) -> bool:
    """Whether a member says that it is an array (rows,) of numbers, truth values or short text."""
    assert archive.zip is not None, "it is open"
    if f"{name}.npy" not in archive.zip.namelist():
        return False
    with archive.zip.open(f"{name}.npy") as member:
        readers = {(1, 0): read_array_header_1_0, (2, 0): read_array_header_2_0}
        try:
            shape, _, dtype = readers[read_magic(member)](member)
        except (ValueError, KeyError):
            return False
    if shape != (rows,) or dtype.kind not in "biufU":
        return False
    return dtype.kind != "U" or longest is None or dtype.itemsize <= 4 * longest


def _pixels(images: np.ndarray, path: Path) -> np.ndarray:
    """NHW or NHWC uint8 -> NCHW."""
    what = f"{path}: `images` is {images.dtype} {images.shape}"
    if images.dtype != np.uint8:
        unit = images.dtype.kind == "f" and images.size and 0 <= images.min() <= images.max() <= 1
        advice = "(images * 255).round()" if unit else "images, scaled to 0..255,"
        raise ValueError(f"{what}, expected uint8; save {advice} as .astype(np.uint8)")
    if images.ndim not in (3, 4) or 0 in images.shape:
        raise ValueError(f"{what}, expected (N, H, W) or (N, H, W, C), none of them 0")
    if images.ndim == 3:
        return images[:, None]
    if images.shape[1] <= 4 < images.shape[3]:
        raise ValueError(
            f"{what}, which looks like (N, C, H, W); save images.transpose(0, 2, 3, 1)"
        )
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def _several(labels: np.ndarray) -> bool:
    return labels.ndim == 2 and labels.shape[1] > 1


def _yes_no(labels: np.ndarray, names: np.ndarray | None, path: Path) -> dict[str, np.ndarray]:
    """0 and 1 (N, K) -> bool (N,) by class name."""
    if names is None or names.shape != labels.shape[1:] or names.dtype.kind != "U":
        raise ValueError(
            f"{path}: `labels` is {labels.dtype} {labels.shape}, so `class_names` must be "
            f"{labels.shape[1]} texts"
        )
    if labels.dtype.kind not in "biu" or not np.isin(labels, (0, 1)).all():
        raise ValueError(
            f"{path}: `labels` is {labels.dtype} {labels.shape}; several labels per image must be "
            "0 and 1"
        )
    return {str(name): labels[:, k] == 1 for k, name in enumerate(names)}


def _labels(
    labels: np.ndarray, names: np.ndarray | None, path: Path
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class indices int64 and class names; without names, the distinct labels name themselves."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iubU":
        more = "; data.attributes=all takes 0 and 1 of shape (N, K) as K yes or no"
        raise ValueError(
            f"{path}: `labels` is {labels.dtype} {labels.shape}, "
            f"expected whole numbers or text of shape (N,){more if _several(labels) else ''}"
        )
    if names is None:
        levels, codes = np.unique(labels, return_inverse=True)
        return codes.astype(np.int64), tuple(str(level) for level in levels.tolist())
    if names.ndim != 1 or names.dtype.kind not in "iuU" or len(np.unique(names)) != len(names):
        raise ValueError(
            f"{path}: `class_names` is {names.dtype} {names.shape}, expected distinct texts"
        )
    if labels.dtype.kind == "U":
        raise ValueError(f"{path}: `labels` must be numbers when there are `class_names`")
    codes = labels.astype(np.int64)
    if codes.min() < 0 or codes.max() >= len(names):
        raise ValueError(
            f"{path}: `labels` go from {codes.min()} to {codes.max()}, but there are "
            f"{len(names)} class names"
        )
    return codes, tuple(str(name) for name in names.tolist())
