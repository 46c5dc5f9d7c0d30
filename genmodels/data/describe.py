"""A schema in a few lines for people: what was decided, and why."""

from __future__ import annotations

from pathlib import Path

import yaml

from genmodels.data.attributes import typed
from genmodels.schema import Attribute, Column, ImageSchema, Schema, TableSchema, schema_from_state
from genmodels.types import Images

__all__ = [
    "describe_images",
    "describe_table",
    "draft_images",
    "explain_images",
    "load_image_schema",
]

SHOWN = 60


def describe_table(schema: TableSchema) -> str:
    """One line per column, the first 60."""
    names = [_short(c.name, 24) for c in schema.columns[:SHOWN]]
    width = max(len(name) for name in names)
    lines = [
        f"  {name:<{width}}  {column.kind:<12}{_facts(column)}"
        for name, column in zip(names, schema.columns, strict=False)
    ]
    if len(schema.columns) > SHOWN:
        lines.append(f"  ... and {len(schema.columns) - SHOWN} more columns")
    return f"{len(schema.columns)} columns:\n" + "\n".join(lines)


def describe_images(schema: ImageSchema) -> str:
    """One line: shape, classes and attributes."""
    size = f"{schema.channels} x {schema.height} x {schema.width}"
    line = f"images of {size} (channels x height x width), {len(schema.class_names)} classes"
    if not schema.attributes:
        return line
    names = ", ".join(a.name for a in schema.attributes[:SHOWN])
    return f"{line}, {len(schema.attributes)} attributes ({names})"


def explain_images(schema: ImageSchema, raw: Images) -> str:
    """Shape, number, how many of each class, and the attributes."""
    lines = [f"{len(raw):,} {describe_images(schema)}"]
    if raw.labels is not None:
        for index, name in enumerate(schema.class_names):
            lines.append(f"  {_short(name, 40):<40} {int((raw.labels == index).sum()):>8,}")
    lines += [f"  {_short(a.name, 40):<40} {a.kind:<12}{_about(a, raw)}" for a in schema.attributes]
    return "\n".join(lines)


def _about(attribute: Attribute, raw: Images) -> str:
    """The range of an attribute, or how often it has each of its levels."""
    if attribute.kind == "continuous":
        return f"{attribute.minimum:g} to {attribute.maximum:g}"
    values, _ = typed(raw.attributes[attribute.name], attribute)
    if attribute.kind == "boolean":
        return f"yes {int(values.sum()):,}, no {int((~values).sum()):,}"
    counts = [f"{_short(x, 24)} {int((values == x).sum()):,}" for x in attribute.levels[:12]]
    more = ", ..." if len(attribute.levels) > 12 else ""
    return f"{len(attribute.levels)} levels: {', '.join(counts)}{more}"


def draft_images(schema: ImageSchema) -> str:
    """YAML text of the schema."""
    head = "# The shape of the images and the names of their classes, in the order of the labels.\n"
    if schema.attributes:
        head += "# An attribute is boolean, categorical (with levels) or continuous.\n"
    return head + yaml.safe_dump(schema.state(), sort_keys=False, allow_unicode=True)


def load_image_schema(path: str | Path) -> Schema:
    """Read a schema file of images.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it is not such a file.
    """
    place = Path(path).expanduser()
    if not place.is_file():
        raise FileNotFoundError(f"there is no schema file {place}")
    try:
        state = yaml.safe_load(place.read_text(encoding="utf-8"))
        return schema_from_state(state)
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{place} is not a schema of images: {error!r}") from error


def _facts(column: Column) -> str:
    facts: list[str] = []
    if column.role != "feature":
        facts.append(column.role)
    if column.levels is not None and not column.note:
        facts.append(f"{len(column.levels)} levels{'' if column.closed else ', open'}")
    if column.minimum is not None:
        facts.append(f"{_short(str(column.minimum), 26)} to {_short(str(column.maximum), 26)}")
    if column.nullable:
        facts.append("may be missing")
    if column.note:
        facts.append(_short(column.note, 60))
    return "; ".join(facts)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
