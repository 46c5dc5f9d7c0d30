"""A table schema as a YAML file that a person reads, edits and passes back."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import yaml

from genmodels.files import write_json
from genmodels.schema import Column, Kind, Role, Schema, TableSchema

__all__ = ["draft", "load_schema", "near", "parse_schema", "schema_path"]

HEADER = """\
# What each column of the table means. Edit it and pass it back with schema=<this file>.
#
# kind      continuous | integer | categorical | boolean | datetime
#           identifier (made up anew, never learned) | constant
# role      feature (if left out) | target (at most one) | sensitive
# nullable  true where values may be missing
# missing   texts that mean missing besides the empty one, such as ["?", "-200"]
# levels    the categories; of a boolean: [false value, true value]
# closed    false where there are more levels than those listed
# minimum, maximum, decimals (digits after the point), timezone
# format    strftime of a datetime; "integer", "uuid" or such as "C{:06d}" of an identifier
# note      why it was decided so; of no effect
"""


class _Loader(yaml.SafeLoader):
    """Safe YAML in which only true and false are booleans, and dates stay text.

    Otherwise an unquoted `no` among the levels would become False, and 2013-01-01 a date.
    """


_Loader.yaml_implicit_resolvers = {
    letter: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag != "tag:yaml.org,2002:timestamp"
        and (tag != "tag:yaml.org,2002:bool" or letter in "tTfF")
    ]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.SafeDumper):
    """Short lists on one line."""


def _flow(dumper: yaml.SafeDumper, values: Any) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=True)


_Dumper.add_representer(tuple, _flow)


def draft(schema: TableSchema) -> str:
    """YAML text of the schema, with comments on how to edit it."""
    known = {column.name: column for column in schema.columns}
    parts = [HEADER, "kind: table\ncolumns:\n"]
    for row in schema.state()["columns"]:
        column = known[row["name"]]
        lists = {key: getattr(column, key) for key in ("levels", "missing") if key in row}
        ordered = {"name": row["name"], **row, **lists}
        ordered["note"] = ordered.pop("note", "")
        ordered = {key: value for key, value in ordered.items() if value != ""}
        text = yaml.dump([ordered], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
        parts.append(text)
    return "".join(parts)


def load_schema(path: str | Path) -> TableSchema:
    """Read an edited schema.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: for YAML that is none, unknown keys (with the nearest) or unfit values.
    """
    place = Path(path).expanduser()
    if not place.is_file():
        raise FileNotFoundError(f"there is no schema file {place}")
    try:
        return parse_schema(place.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def parse_schema(text: str) -> TableSchema:
    """The schema of a YAML text.

    Raises:
        ValueError: see `load_schema`.
    """
    try:
        state = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ValueError(f"not valid YAML: {' '.join(str(error).split())}") from error
    rows = state.get("columns") if isinstance(state, Mapping) else None
    if not isinstance(rows, list) or not rows:
        raise ValueError("a schema is a mapping with a list `columns`")
    unknown = [key for key in state if key not in ("kind", "columns")]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r} beside `columns`")
    return TableSchema(tuple(_column(row, number) for number, row in enumerate(rows, start=1)))


def _column(row: Any, number: int) -> Column:
    if not isinstance(row, Mapping) or "name" not in row or "kind" not in row:
        raise ValueError(f"column {number} needs at least `name` and `kind`")
    known = [f.name for f in fields(Column)]
    for key in row:
        if key not in known:
            raise ValueError(f"column {row['name']!r}: unknown key {key!r}{near(key, known)}")
    for key, choices in (("kind", get_args(Kind)), ("role", get_args(Role))):
        if key in row and row[key] not in choices:
            raise ValueError(
                f"column {row['name']!r}: {key} {row[key]!r} is not one of {', '.join(choices)}"
                f"{near(row[key], list(choices))}"
            )
    values: dict[str, Any] = {**row, "name": str(row["name"])}
    for key in ("levels", "missing"):
        values[key] = _list(values, key)
    values["missing"] = tuple(str(m) for m in values["missing"] or ())
    _check_types(values)
    return Column(**values)


def _list(values: dict[str, Any], key: str) -> tuple | None:
    value = values.get(key)
    if value is None:
        return None
    if not isinstance(value, list):
        raise ValueError(f"column {values['name']!r}: `{key}` is a list, such as [{value}]")
    return tuple(value)


def _check_types(values: dict[str, Any]) -> None:
    wanted: dict[str, tuple[type, ...]] = {
        "nullable": (bool,), "closed": (bool,), "decimals": (int,), "format": (str,),
        "timezone": (str,), "note": (str,),
    }  # fmt: skip
    for key, types in wanted.items():
        value = values.get(key)
        if value is not None and not isinstance(value, types):
            expected = types[0].__name__
            raise ValueError(f"column {values['name']!r}: `{key}` is {value!r}, not a {expected}")
    levels = values["levels"] or ()
    if len({type(level) for level in levels}) > 1:
        raise ValueError(
            f"column {values['name']!r}: `levels` mixes texts and numbers; put the texts in quotes"
        )
    twice = [level for level in levels if levels.count(level) > 1] if len(levels) < 2000 else []
    if twice:
        raise ValueError(f"column {values['name']!r}: level {twice[0]!r} is listed twice")


def near(key: Hashable, known: list[str]) -> str:
    """What to say after a name that is not known: the nearest that is, or all."""
    near = difflib.get_close_matches(str(key), known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def schema_path(schema: Schema | Mapping[str, Any] | str | Path, folder: Path) -> Path:
    """The file of a schema that may be in memory, written into `folder` if it is."""
    if isinstance(schema, str | Path):
        return Path(schema)
    path = folder / "schema.yaml"
    write_json(path, dict(schema) if isinstance(schema, Mapping) else schema.state())
    return path
