"""What is known of images besides their class, from a list beside them or records within files.

`metadata.jsonl` and `metadata.csv` are read as Hugging Face's `imagefolder` reads them: a column
`file_name`, relative to the list, and others. A missing value is NaN, or an empty text.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genmodels.data.attributes import OFFERED, Wanted, is_all, pick
from genmodels.schema import TAKEN

__all__ = ["LETTERS", "columns_of", "read_metadata"]

log = logging.getLogger(__name__)
FILES = ("metadata.jsonl", "metadata.csv")
EMPTY = ["", "nan", "NaN"]
"""What is a missing value in a CSV."""
ABSENT = ["None", "NA", "N/A", "n/a", "<NA>", "null", "NULL"]
"""What is one among numbers, and a category among words."""
LETTERS = 100
"""Of a category, at most: longer text is a description."""
Record = Mapping[str, Any]


def read_metadata(root: Path, files: Sequence[str], wanted: Wanted) -> dict[str, np.ndarray]:
    """The wanted attributes of files, from the list in their folder.

    Args:
        root: the folder.
        files: of the images, N of them, below the folder.
        wanted: names, "all", or None, for which no list is read; `OFFERED`: what can be read.

    Returns:
        Arrays (N,) by name; a file that is not in the list misses all values.

    Raises:
        ValueError: when there is no list but names are wanted, or it cannot be read.
    """
    place = next((root / name for name in FILES if (root / name).is_file()), None)
    if wanted is None or (place is None and is_all(wanted)):
        return {}
    if place is None:
        raise ValueError(
            f"data.attributes: {root} has no {' or '.join(FILES)} with file_name and attributes"
        )
    try:
        rows = _records(place)
    except ValueError as error:
        if wanted != OFFERED:
            raise
        log.warning("%s: read without attributes", error)
        return {}
    records = {Path(str(row["file_name"])).as_posix(): row for row in rows}
    if len(records) < len(rows):
        twice = len(rows) - len(records)
        log.warning("%s says %s files more than once: the last line counts", place, f"{twice:,}")
    names = (Path(os.path.relpath(file, root)).as_posix() for file in files)
    return columns_of([records.get(name, {}) for name in names], wanted)


def columns_of(records: Sequence[Record], wanted: Wanted) -> dict[str, np.ndarray]:
    """The wanted attributes (N,) in N records.

    Lists, other nested values, long text and values of several kinds are none: of all, they are
    left out with a warning.

    Raises:
        ValueError: when one that is wanted by name is not known, or is none.
    """
    if wanted is None:
        return {}
    names = dict.fromkeys(name for row in records for name in row if name not in TAKEN)
    found = {
        name: _array([row.get(name) for row in records]) for name in pick(map(str, names), wanted)
    }
    others = [name for name, values in found.items() if values is None]
    if others:
        what = f"neither yes or no, numbers nor text of at most {LETTERS} letters throughout"
        if not is_all(wanted):
            raise ValueError(f"data.attributes: {others[0]!r} cannot be told: it is {what}")
        level = logging.INFO if wanted == OFFERED else logging.WARNING
        log.log(level, "no attributes, as they are %s: %s", what, ", ".join(others))
    return {name: values for name, values in found.items() if values is not None}


def _records(place: Path) -> list[Record]:
    """The rows of a list."""
    try:
        if place.suffix == ".csv":
            rows: list[Any] = _read_csv(place).to_dict("records")
        else:
            lines = place.read_text(encoding="utf-8").split("\n")
            rows = [json.loads(line) for line in lines if line.strip()]
    except (ValueError, RecursionError, pd.errors.ParserError) as error:
        raise ValueError(f"{place} cannot be read: {' '.join(str(error).split())}") from error
    if not all(isinstance(row, dict) and "file_name" in row for row in rows):
        raise ValueError(f"{place} must say the file_name of each image")
    return rows


def _read_csv(place: Path) -> pd.DataFrame:
    told = {"file_name": str}
    frame = pd.read_csv(place, dtype=told, keep_default_na=False, na_values=EMPTY, low_memory=False)
    for name in frame.columns.drop("file_name", errors="ignore"):
        if not pd.api.types.is_numeric_dtype(frame[name]):
            there = frame[name][frame[name].notna() & ~frame[name].isin(ABSENT)]
            numbers = pd.to_numeric(there, errors="coerce")
            if len(there) < len(frame) and len(there) and numbers.notna().all():
                frame[name] = numbers.reindex(frame.index)
    return frame


def _array(values: list[Any]) -> np.ndarray | None:
    """Values (N,) as bool, float64 or text; None when they are neither, or there is none."""
    there = [v for v in values if not _missing(v)]
    if there and all(isinstance(v, bool | np.bool_) for v in there):
        if len(there) == len(values):
            return np.array(values, bool)
        return np.array([math.nan if _missing(v) else float(v) for v in values])
    if there and all(isinstance(v, str) and len(v) <= LETTERS for v in there):
        return np.array(["" if _missing(v) else v for v in values], np.str_)
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in there)
    if there and numbers:
        return np.array([math.nan if _missing(v) else float(v) for v in values])
    return None


def _missing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))
