"""What is known of images besides their class, from a list beside them or records within files.

`metadata.jsonl` and `metadata.csv` are read as Hugging Face's `imagefolder` reads them: a column
`file_name`, relative to the list, and others. A missing value is NaN, or an empty text.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genmodels.data.attributes import Wanted, pick

__all__ = ["OWN", "columns_of", "read_metadata"]

log = logging.getLogger(__name__)
OWN = ("file_name", "label", "class_name", "index", "image")
"""Columns that say which image it is and its class: no attributes."""
FILES = ("metadata.jsonl", "metadata.csv")
Record = Mapping[str, Any]


def read_metadata(root: Path, files: Sequence[str], wanted: Wanted) -> dict[str, np.ndarray]:
    """The wanted attributes of files, from the list in their folder.

    Args:
        root: the folder.
        files: of the images, N of them, below the folder.
        wanted: names, "all", or None, for which no list is read.

    Returns:
        Arrays (N,) by name; a file that is not in the list misses all values.

    Raises:
        ValueError: when there is no list but names are wanted, or it cannot be read.
    """
    place = next((root / name for name in FILES if (root / name).is_file()), None)
    if wanted is None or (place is None and wanted == "all"):
        return {}
    if place is None:
        raise ValueError(
            f"data.attributes: {root} has no {' or '.join(FILES)} with file_name and attributes"
        )
    records = {str(Path(str(row["file_name"])).as_posix()): row for row in _records(place)}
    names = (Path(os.path.relpath(file, root)).as_posix() for file in files)
    return columns_of([records.get(name, {}) for name in names], wanted)


def columns_of(records: Sequence[Record], wanted: Wanted) -> dict[str, np.ndarray]:
    """The wanted attributes (N,) in N records; lists and other nested values are none.

    Raises:
        ValueError: when a name is not known.
    """
    if wanted is None:
        return {}
    names = dict.fromkeys(name for row in records for name in row if name not in OWN)
    found = {name: _array([row.get(name) for row in records]) for name in names}
    known = {str(name): values for name, values in found.items() if values is not None}
    return {name: known[name] for name in pick(known, wanted)}


def _records(place: Path) -> Iterable[Record]:
    """The rows of a list."""
    try:
        if place.suffix == ".csv":
            rows: list[Any] = pd.read_csv(place, dtype={"file_name": str}).to_dict("records")
        else:
            lines = place.read_text(encoding="utf-8").splitlines()
            rows = [json.loads(line) for line in lines if line.strip()]
    except (ValueError, RecursionError, pd.errors.ParserError) as error:
        raise ValueError(f"{place} cannot be read: {' '.join(str(error).split())}") from error
    if not all(isinstance(row, dict) and "file_name" in row for row in rows):
        raise ValueError(f"{place} must say the file_name of each image")
    return rows


def _array(values: list[Any]) -> np.ndarray | None:
    """Values (N,) as bool, float64 or text; None when they are neither, or there is none."""
    there = [v for v in values if not _missing(v)]
    if there and all(isinstance(v, bool | np.bool_) for v in there):
        if len(there) == len(values):
            return np.array(values, bool)
        return np.array([math.nan if _missing(v) else float(v) for v in values])
    if there and all(isinstance(v, str) for v in there):
        return np.array(["" if _missing(v) else v for v in values], np.str_)
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in there)
    if there and numbers:
        return np.array([math.nan if _missing(v) else float(v) for v in values])
    return None


def _missing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))
