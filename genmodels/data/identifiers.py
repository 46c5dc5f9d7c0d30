"""Recognising keys: values that name a row and say nothing about it."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "NEARLY_UNIQUE",
    "TIME_NAME",
    "id_format",
    "is_key_of_rows",
    "named_like_code",
    "named_like_id",
    "text_is_key",
]

MIN_ROWS = 20
"""Fewer rows than this are often all different by chance."""
NEARLY_UNIQUE = 0.95

ID_NAME = re.compile(
    r"(?:^|[\W_])(?:id|ids|uuid|guid|key|index|idx|serial|rownum|sno|no|nr|number)[\W_]*$",
    re.IGNORECASE,
)
CAMEL_ID = re.compile(r"[a-z](?:Id|ID)$|^[A-Z]{3,}ID$")
CODE_NAME = re.compile(r"zip|postal|postcode|fips|(?:^|[\W_])(?:code|cd)[\W_]*$", re.IGNORECASE)
TIME_NAME = re.compile(r"time|date|year|month|week|day|epoch|period|stamp", re.IGNORECASE)
UUID = r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"


def named_like_id(name: str) -> bool:
    return bool(ID_NAME.search(name) or CAMEL_ID.search(name))


def named_like_code(name: str) -> bool:
    """Numbers so named (postcodes) are names: their size means nothing."""
    return bool(CODE_NAME.search(name))


def is_key_of_rows(name: str, distinct: int, in_order: np.ndarray, *, gaps: bool) -> bool:
    """Whether whole numbers are a key: row numbers, or unique and sorted, or named like one.

    Args:
        name: of the column.
        distinct: number of distinct values.
        in_order: values of the rows that have one, in the order of the rows.
        gaps: whether some rows have none; only a name makes such a column a key.
    """
    rows = len(in_order)
    if rows < MIN_ROWS or distinct < NEARLY_UNIQUE * rows:
        return False
    if named_like_id(name):
        return True
    if distinct < rows or gaps:
        return False
    steps = np.diff(in_order)
    years = bool(((in_order >= 1500) & (in_order <= 2200)).all())
    if years or TIME_NAME.search(name):
        return False
    return bool((steps > 0).all())


def id_format(name: str, values: pa.Array) -> str:
    """A pattern that writes identifiers like these texts.

    Returns:
        "uuid", a prefix with digits such as "C{:06d}", or for other texts the column's name
        with digits.
    """
    if pc.all(pc.match_substring_regex(values, UUID)).as_py():
        return "uuid"
    parts = pc.extract_regex(values, r"^(?P<prefix>\D*)(?P<digits>\d{1,18})$")
    if parts.null_count == 0:
        prefixes, digits = parts.flatten()
        prefix = prefixes[0].as_py()
        plain = not set(prefix) & set("{}")
        if plain and pc.all(pc.equal(prefixes, prefix)).as_py():
            widths = np.asarray(pc.utf8_length(digits))
            padded = pc.any(pc.starts_with(digits, "0")).as_py() or (widths == widths[0]).all()
            return f"{prefix}{{:0{widths.max()}d}}" if padded else f"{prefix}{{:d}}"
    word = re.sub(r"\W+", "_", name).strip("_") or "row"
    return f"{word}_{{:0{max(6, len(str(len(values))))}d}}"


def text_is_key(name: str, distinct: int, rows: int) -> bool:
    """Whether texts are a key: all different, or nearly so and named like one."""
    if rows < MIN_ROWS:
        return False
    return distinct == rows or (named_like_id(name) and distinct >= NEARLY_UNIQUE * rows)
