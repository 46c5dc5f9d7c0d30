"""A table in `.npz` files, as `genmodels sample format=npz` writes it: one array per column."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from genmodels.data.sources.npz import UNREADABLE
from genmodels.data.sources.origins import forgotten, say_forgotten
from genmodels.data.sources.parts import (
    check_rows,
    drop_columns,
    files_fingerprint,
    find_files,
    join_parts,
)

__all__ = ["NPZTable", "holds_table"]

MISSING = ".missing"


class NPZTable:
    """Arrays (N,) of numbers, times, texts and booleans; arrays of objects are refused.

    NaN and NaT are missing values; `<column>.missing` (bool) says where others are.

    Args:
        path: a file, a glob, a folder of parts, or a list of those.
        least: how many rows it must have, 1 or 2.
        origins: keep what a dataset of ours tells of where rows come from.
    """

    def __init__(
        self,
        *,
        path: str | Path | Sequence[str | Path],
        least: int = 2,
        origins: bool = False,
    ) -> None:
        self.path = path
        self.least = least
        self.origins = origins

    def load(self) -> pa.Table:
        """Read all columns of all parts.

        Raises:
            ValueError: when an array cannot be read, is no column, or has another length.
        """
        files = find_files(self.path, (".npz",))
        table = join_parts((file, _read(file)) for file in files)
        forget = forgotten(files, (), keep=self.origins)
        say_forgotten(set(forget) & set(table.column_names), self.path)
        table = drop_columns(table, (), forget)
        return check_rows(table, str(self.path), least=self.least)

    def fingerprint(self) -> str:
        """SHA-256 of the files."""
        return files_fingerprint(find_files(self.path, (".npz",)))


def _read(path: Path) -> pa.Table:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except UNREADABLE as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    masks = {
        name
        for name, array in arrays.items()
        if name.endswith(MISSING)
        and array.dtype == np.bool_
        and name.removesuffix(MISSING) in arrays
    }
    columns = {name: array for name, array in arrays.items() if name not in masks}
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
        raise ValueError(
            f"{path} is not a table: its arrays must be columns of one length, their "
            f"shapes are {', '.join(map(str, sorted(shapes)))}"
        )
    return pa.table(
        {
            name: _column(array, arrays[name + MISSING] if name + MISSING in masks else None)
            for name, array in columns.items()
        }
    )


def holds_table(path: Path) -> bool:
    """Whether an `.npz` holds columns and no `images`."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, RuntimeError, OSError):
        return False  # reading it says what is wrong
    return bool(names) and "images.npy" not in names


def _column(array: np.ndarray, missing: np.ndarray | None) -> pa.Array:
    if missing is None and array.dtype.kind == "f":
        missing = np.isnan(array)
    return pa.array(array, mask=missing)
