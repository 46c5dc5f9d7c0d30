"""What a dataset of ours tells of where its rows come from, which is nothing to learn from."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from genmodels.data.attributes import Wanted, is_all
from genmodels.files import MANIFEST, read_json
from genmodels.provenance import named_in

__all__ = ["forgotten", "say_forgotten", "told_origins", "without_told"]

log = logging.getLogger(__name__)


def told_origins(files: Iterable[Path]) -> tuple[str, ...]:
    """By what name datasets that files belong to tell where rows come from; empty: by none."""
    places = [file.absolute() for file in files]
    near = {folder for place in places for folder in list(place.parents)[:3]}
    found = (_named(folder, places) for folder in sorted(near))
    return tuple(dict.fromkeys(name for name in found if name is not None))


def forgotten(files: Sequence[Path], drop: Sequence[str], *, keep: bool) -> tuple[str, ...]:
    """The names to leave out where they are met, besides those that a user left out."""
    return () if keep else tuple(name for name in told_origins(files) if name not in drop)


def without_told(
    found: Mapping[str, np.ndarray], files: Iterable[Path], wanted: Wanted, *, keep: bool
) -> dict[str, np.ndarray]:
    """Attributes of images that files hold; of all, without where these come from."""
    names = () if keep or not is_all(wanted) else told_origins(files)
    return {name: values for name, values in found.items() if name not in names}


def say_forgotten(names: Iterable[str], path: object) -> None:
    """One line on what was left out."""
    for name in names:
        log.info("%s: %r tells where rows come from and is left out: it is no feature", path, name)


def _named(folder: Path, places: Sequence[Path]) -> str | None:
    """The name, if the dataset of a folder has one and any of the files is of that dataset."""
    try:
        manifest = read_json(folder / MANIFEST)
        name = named_in(manifest)
        listed = set() if name is None else {folder / one["path"] for one in manifest["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return name if any(place in listed for place in places) else None
