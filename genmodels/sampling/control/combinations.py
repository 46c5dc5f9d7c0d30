"""Combinations of values that may occur together, from a file: `city, state in combos.csv`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.data.open import open_source
from genmodels.data.parse import apply_schema
from genmodels.sampling.control.wishes import find_column, near
from genmodels.schema import TableSchema

__all__ = ["Combinations", "listed_in", "read_combinations"]

_FORM = re.compile(r"^(?P<names>.+?)\s+in\s+(?P<path>\S.*\.(?:csv|tsv|txt|parquet|arrow|feather))$")
_BETWEEN = "\x1f"  # a sign that no text has


@dataclass(frozen=True, eq=False)
class Combinations:
    """Some columns hold only combinations that a file lists; rows with a gap break nothing.

    Args:
        text: as asked.
        columns: their names.
        known: the combinations, as `_joined` writes them (M,).
    """

    text: str
    columns: tuple[str, ...]
    known: pa.Array

    def broken(self, table: pa.Table) -> np.ndarray:
        joined = _joined(table, self.columns)
        listed = np.asarray(pc.is_in(joined, value_set=self.known), bool)
        return np.asarray(joined.is_valid(), bool) & ~listed


def read_combinations(text: str, schema: TableSchema) -> Combinations | None:
    """The constraint that a text of this form means; None for a text of another form.

    Raises:
        ValueError: when the file or a column does not exist, or the file lacks the column.
    """
    form = _FORM.match(text.strip())
    if form is None:
        return None
    names = [name.strip().strip("`") for name in form["names"].split(",")]
    key = f"constraints: {text!r}"
    columns = [find_column(schema, name, key=key) for name in names]
    try:
        raw = open_source(form["path"], least=1).load()
    except OSError as error:
        raise ValueError(f"{key}: {error}") from error
    assert isinstance(raw, pa.Table)
    for name in names:
        if name not in raw.column_names:
            raise ValueError(
                f"{key}: {form['path']} has no column {name!r}{near(name, raw.column_names)}"
            )
    # a file of combinations may name levels and gaps that training never showed
    part = TableSchema(
        tuple(replace(c, nullable=True, closed=c.kind == "boolean") for c in columns)
    )
    typed = apply_schema(raw.select(names), part)
    known = _joined(typed, names).drop_null().unique()
    if not len(known):
        raise ValueError(f"{key}: {form['path']} lists no combination")
    return Combinations(text, tuple(names), known)


def listed_in(texts: Sequence[str]) -> dict[str, str]:
    """The files that constraints name, and a hash of what is in each; what cannot be read is not.

    Args:
        texts: of constraints of any form.
    """
    found = {}
    for form in filter(None, (_FORM.match(text.strip()) for text in texts)):
        with suppress(OSError, ValueError):  # `read_combinations` says what is wrong
            found[form["path"]] = open_source(form["path"], least=1).fingerprint()
    return found


def _joined(table: pa.Table, names: Sequence[str]) -> pa.Array:
    """The values of each row as one text (N,); null where one of them is missing."""
    texts = []
    for name in names:
        array = table.column(name)
        if pa.types.is_dictionary(array.type):
            array = array.cast(array.type.value_type)
        texts.append(array.cast(pa.string()))
    joined = pc.binary_join_element_wise(*texts, _BETWEEN)
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined
