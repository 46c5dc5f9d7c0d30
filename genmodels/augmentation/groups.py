"""Real rows that are alike in what an augmentation must keep: class, and what is balanced."""

from __future__ import annotations

import difflib

import numpy as np
import pyarrow as pa

from genmodels.augmentation.amounts import Groups
from genmodels.augmentation.cells import DISCRETE
from genmodels.schema import Schema, TableSchema
from genmodels.types import Images, Raw, num_rows

__all__ = ["LABEL", "fixed_names", "groups_of", "nothing_counted"]

LABEL = "label"
"""What the class of a picture is called."""


def fixed_names(schema: Schema, counted: str | None) -> tuple[str, ...]:
    """Columns that new rows have of their real row: the target, and what is counted."""
    if not isinstance(schema, TableSchema):
        return ()
    target = schema.target
    names = ([target.name] if target is not None else []) + ([counted] if counted else [])
    return tuple(dict.fromkeys(names))


def nothing_counted(rows: int) -> Groups:
    """Rows that are all alike."""
    nothing = np.zeros(rows, np.int64)
    return Groups(None, nothing - 1, (), nothing)


def groups_of(raw: Raw, schema: Schema, counted: str | None, *, key: str) -> Groups:
    """Groups of real rows.

    Args:
        raw: N rows, typed as the schema says.
        schema: of them.
        counted: whose levels are counted; None: those of the target, if it has any.
        key: the setting that named it, for messages.

    Raises:
        ValueError: when it is not there, or has no levels.
    """
    if isinstance(raw, Images):
        return _of_images(raw, counted, key)
    assert isinstance(schema, TableSchema)
    target = schema.target
    asked = counted is not None
    name = counted if asked else None if target is None else target.name
    if name is None:
        nothing = np.zeros(raw.num_rows, np.int64)
        return Groups(None, nothing - 1, (), nothing)
    if name not in schema.names:
        raise ValueError(f"{key}: there is no column {name!r}{_near(name, schema.names)}")
    if schema[name].kind not in DISCRETE:
        if asked:
            raise ValueError(
                f"{key}: column {name!r} is {schema[name].kind} and has no levels to count; if "
                f"they are categories: 'data.infer.overrides={{\"{name}\": {{kind: categorical}}}}'"
            )
        nothing = np.zeros(raw.num_rows, np.int64)
        return Groups(None, nothing - 1, (), nothing)
    codes, names = _levels(raw[name])
    parts = [codes]
    if target is not None and target.name != name and target.kind in DISCRETE:
        parts.append(_levels(raw[target.name])[0])
    _, group = np.unique(np.column_stack(parts), axis=0, return_inverse=True)
    return Groups(name, codes, names, group.reshape(-1))


def _of_images(images: Images, counted: str | None, key: str) -> Groups:
    if counted in (None, LABEL):
        if images.labels is None:
            if counted is not None:
                raise ValueError(f"{key}={LABEL}: these images have no classes")
            nothing = np.zeros(num_rows(images), np.int64)
            return Groups(None, nothing - 1, (), nothing)
        names = images.class_names or tuple(map(str, range(int(images.labels.max()) + 1)))
        labels = images.labels.astype(np.int64)
        return Groups(LABEL, labels, tuple(names), np.unique(labels, return_inverse=True)[1])
    if counted not in images.attributes:
        raise ValueError(
            f"{key}: there is no {counted!r}{_near(str(counted), (LABEL, *images.attributes))}"
        )
    values = images.attributes[str(counted)]
    if values.dtype.kind == "f":
        raise ValueError(f"{key}: attribute {counted!r} is a number and has no levels to count")
    levels, codes = np.unique(values, return_inverse=True)
    labels = np.zeros(len(images), np.int64) if images.labels is None else images.labels
    _, group = np.unique(np.column_stack([codes, labels]), axis=0, return_inverse=True)
    return Groups(counted, codes, tuple(map(str, levels.tolist())), group.reshape(-1))


def _levels(column: pa.ChunkedArray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Position of the level of each row, -1 where it is missing, and the names of the levels."""
    array = column.combine_chunks()
    if pa.types.is_boolean(array.type):
        return np.asarray(array.cast(pa.int64()).fill_null(-1)), ("False", "True")
    codes = np.asarray(array.indices.cast(pa.int64()).fill_null(-1))
    return codes, tuple(map(str, array.dictionary.to_pylist()))


def _near(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known[:20])}"
