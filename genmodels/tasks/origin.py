"""What rows say of where they come from when `mix` and `augment` read them."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genmodels.files import MANIFEST, read_json
from genmodels.provenance import IN_PART, NOT_SYNTHETIC, ORIGINS, named_in
from genmodels.writers.base import (
    AUGMENTED,
    AUGMENTED_OTHERS,
    KEPT_APART,
    KEPT_APART_OTHERS,
    is_of_ours,
)
from genmodels.writers.verify import lists_all, words_differ

__all__ = [
    "augmented_facts",
    "counted",
    "given_origin",
    "kept_apart_facts",
    "manifest_near",
    "origin_kept_apart",
]

log = logging.getLogger(__name__)


def manifest_near(place: Path) -> dict[str, Any]:
    """What a dataset of ours, of which this is the folder or a part, says; else nothing.

    A place with files that the manifest does not list is no part: they may be anyone's.
    """
    place = Path(os.path.abspath(place))  # noqa: PTH100  a link may lead out of the folder
    for folder in (place, *list(place.parents)[:2]):
        if not (folder / MANIFEST).is_file():
            continue
        try:
            found = read_json(folder / MANIFEST)
        except ValueError:
            continue
        if is_of_ours(found) and lists_all(folder, found, place):
            if words_differ(folder, found):
                log.warning("%s was changed after it was written: see genmodels verify", folder)
            return dict(found)
    return {}


def given_origin(path: str | Path | None) -> str:
    """Where all rows that are read from a place come from: one of `ORIGINS`.

    Rows of a dataset in which real ones are among others are called real, which is the careful
    word, and those of several other origins augmented; a line says so.

    Args:
        path: of a file or folder; None: there is none, as of embedded data.
    """
    manifest = {} if path is None else manifest_near(Path(path).expanduser())
    if not manifest:
        return "real"
    if "kept_apart" in manifest:
        return origin_kept_apart(manifest)
    if "simulator" in manifest:
        return "simulated"
    if named_in(manifest) is None and "augmentation" not in manifest and "mix" not in manifest:
        return "generated"
    if manifest["synthetic"] is True:
        return _made(manifest, path)
    log.warning("%s holds rows that were made, too: here all of them are called real", path)
    return "real"


def _made(manifest: Mapping[str, Any], path: object) -> str:
    """What rows are called of which some tell where they come from, and none is real."""
    counts = manifest.get("provenance", {}).get("counts")
    found = [name for name in ORIGINS if isinstance(counts, Mapping) and name in counts]
    if len(found) == 1:
        return found[0]
    log.warning("%s holds rows of several origins: here all are called augmented", path)
    return "augmented"


def counted(origin: str, given: int, made: int) -> dict[str, int]:
    """Rows of each origin, of given ones and those that were made of them."""
    if origin == "augmented":
        return {origin: given + made}
    return {origin: given, "augmented": made}


def augmented_facts(origin: str, given: int, made: int, name: str | None) -> dict[str, Any]:
    """What the manifest of an augmented dataset says of where its rows come from.

    Args:
        origin: of the rows that were given.
        given, made: how many there are.
        name: of what tells it row by row.
    """
    real = origin == "real"
    words = AUGMENTED if real else AUGMENTED_OTHERS
    return {
        "synthetic": IN_PART if real else True,
        "statement": words.format(real=given, made=made, rows=given + made, origin=origin),
        "provenance": {"name": name, "counts": counted(origin, given, made)},
    }


def kept_apart_facts(origin: str, rows: int, share: float) -> dict[str, Any]:
    """What the manifest of rows that were kept apart from an augmentation says of them."""
    real = origin == "real"
    words = KEPT_APART if real else KEPT_APART_OTHERS
    return {
        "synthetic": NOT_SYNTHETIC if real else True,
        "statement": words.format(rows=rows, origin=origin),
        "kept_apart": {"share": share, "origin": origin},
    }


def origin_kept_apart(manifest: Mapping[str, Any]) -> str:
    """Where rows come from that were kept apart."""
    told = manifest["kept_apart"]
    origin = told.get("origin") if isinstance(told, Mapping) else None
    return origin if isinstance(origin, str) and origin in ORIGINS else "real"
