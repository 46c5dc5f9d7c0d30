"""Whether a dataset's folder is as it was written: every byte of it, and nothing else."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from genmodels.files import read_json, sha256
from genmodels.writers.base import MANIFEST, is_of_ours

__all__ = ["differences", "digest", "lists_all", "read_manifest", "words_differ"]


def digest(manifest: Mapping[str, Any]) -> str:
    """A hash of all entries of a manifest but `digest` itself, in any order."""
    rest = {key: value for key, value in manifest.items() if key != "digest"}
    text = json.dumps(rest, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def differences(folder: Path) -> Iterator[str]:
    """What is changed, missing or extra in a dataset's folder, one line each.

    The manifest is data of a stranger: nothing outside the folder is opened, and no link followed.

    Args:
        folder: holds `manifest.json`.

    Raises:
        ValueError: when the folder holds no manifest that can be read.
    """
    folder = folder.resolve()
    manifest = read_manifest(folder)
    if manifest.get("digest") != digest(manifest):
        yield f"{MANIFEST}: changed since it was written"
    entries = [*_entries(manifest, "files"), *_entries(manifest, "documents")]
    yield from _twice(entries)
    for entry in entries:
        found = _difference(folder, entry)
        if found is not None:
            yield f"{entry.get('path')}: {found}"
    listed = {str(entry.get("path")) for entry in entries} | {MANIFEST}
    for path in sorted(_files(folder)):
        if path not in listed:
            yield f"{path}: not listed in {MANIFEST}"


def words_differ(folder: Path, manifest: Mapping[str, Any]) -> bool:
    """Whether the manifest, or a document beside it, is changed; the data are not looked at."""
    found = (_difference(folder.resolve(), entry) for entry in _entries(manifest, "documents"))
    return manifest.get("digest") != digest(manifest) or any(found)


def lists_all(folder: Path, manifest: Mapping[str, Any], place: Path) -> bool:
    """Whether each file at a place is of the dataset; contents are not looked at.

    Args:
        folder: of the dataset.
        manifest: of it.
        place: a file, a folder or a pattern within it, or the folder itself.
    """
    try:
        entries = [*_entries(manifest, "files"), *_entries(manifest, "documents")]
    except ValueError:
        return False
    listed = {str(entry.get("path")) for entry in entries} | {MANIFEST}
    within = place.relative_to(folder).as_posix()
    if glob.has_magic(within) and not place.exists():
        found = {p.relative_to(folder).as_posix() for p in folder.glob(within) if p.is_file()}
    elif place.is_dir():
        found = {f"{within}/{path}".removeprefix("./") for path in _files(place)}
    else:
        found = {within}
    return bool(found) and found <= listed


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a dataset, with a number of `rows` and a list of `files`.

    Raises:
        ValueError: when there is none, or it cannot be read.
    """
    path = folder / MANIFEST
    if path.is_symlink() or not path.is_file():
        raise ValueError(
            f"{folder} is not a dataset written by genmodels: it has no {MANIFEST}. Give the "
            "folder that `genmodels sample` named"
        )
    try:
        manifest = read_json(path)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if not isinstance(manifest, dict) or not is_of_ours(manifest):
        raise ValueError(f"{path} is not the manifest of a dataset written by genmodels")
    if not isinstance(manifest.get("rows", 0), int):
        raise ValueError(f"{path} does not say how many rows there are in its manifest")
    _entries(manifest, "files")
    return manifest


def _entries(manifest: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    entries = manifest.get(key, [] if key == "documents" else None)
    whole = isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
    if not whole:
        raise ValueError(f"{MANIFEST} has no list of {key}")
    return list(entries)


def _twice(entries: list[dict[str, Any]]) -> Iterator[str]:
    seen: set[str] = set()
    for path in (str(entry.get("path")) for entry in entries):
        if path in seen:
            yield f"{path}: listed more than once"
        seen.add(path)


def _difference(folder: Path, entry: Mapping[str, Any]) -> str | None:
    """How a file differs from what is written of it; None when it does not."""
    name = entry.get("path")
    if not isinstance(name, str) or not _inside(name):
        return "not a path inside the dataset"
    path = folder / name
    try:
        inside = (part for part in (path, *path.parents) if folder in part.parents)
        if any(part.is_symlink() for part in inside):
            return "a link, which no dataset has"
        if not path.is_file():
            return "missing"
    except (OSError, ValueError):
        return "not a name that a file can have"
    if path.stat().st_size != entry.get("bytes"):
        return f"changed: {path.stat().st_size:,} bytes instead of {entry.get('bytes')}"
    return None if sha256(path) == entry.get("sha256") else "changed"


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    plain = "\0" not in name and "\\" not in name and str(path) == name
    return plain and not path.is_absolute() and ".." not in path.parts


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield path.relative_to(folder).as_posix()
