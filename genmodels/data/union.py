"""Data of several sources brought to one schema: what they share, and where they disagree.

Tables must have the same columns, in any order; kinds may differ where one says less than another
(a constant, whole numbers beside others), and levels are joined. Images must be of one shape;
classes go by name.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from genmodels.data.images import infer_image_schema
from genmodels.data.infer import infer_schema
from genmodels.data.parse import apply_schema
from genmodels.schema import Column, ImageSchema, Kind, Level, Schema, TableSchema
from genmodels.types import Images, Raw

__all__ = ["is_flat", "united", "usual_format"]

log = logging.getLogger(__name__)
NUMBERS = {"integer", "continuous"}
WORDS = {"boolean", "categorical", "integer", "constant"}


def united(
    parts: Mapping[str, Raw], *, schema: TableSchema | None = None, key: str = "sources"
) -> tuple[list[Raw], Schema]:
    """The parts, typed alike, and the schema of all.

    Args:
        parts: raw data by the name of their source, in order.
        schema: of the user's; None: it is found out.
        key: the setting that named them, for messages.

    Raises:
        ValueError: naming the sources, and the columns or shapes in which they differ.
    """
    images = [name for name, raw in parts.items() if isinstance(raw, Images)]
    if images and len(images) < len(parts):
        other = next(name for name in parts if name not in images)
        raise ValueError(f"{key}: {images[0]} holds images and {other} a table; mix one kind")
    if images:
        return _images({n: r for n, r in parts.items() if isinstance(r, Images)}, key)
    return _tables({n: r for n, r in parts.items() if isinstance(r, pa.Table)}, schema, key)


def is_flat(schema: Mapping[str, object]) -> bool:
    """Whether the state of a schema is that of a table, whose columns a benchmark predicts."""
    return schema.get("kind") == "table"


def usual_format(raw: Raw) -> str:
    """The format that such data are usually written in."""
    return "imagefolder" if isinstance(raw, Images) else "parquet"


def _tables(
    parts: Mapping[str, pa.Table], schema: TableSchema | None, key: str
) -> tuple[list[Raw], Schema]:
    _check_names({name: raw.column_names for name, raw in parts.items()}, key)
    if schema is not None:
        return [apply_schema(raw, schema) for raw in parts.values()], schema
    order = next(iter(parts.values())).column_names
    parts = {name: raw.select(order) for name, raw in parts.items()}
    found = {name: infer_schema(raw) for name, raw in parts.items()}
    kinds = {c: _kind(c, {n: s[c] for n, s in found.items()}, key) for c in order}
    for name, raw in parts.items():
        wishes = {
            c: {"kind": kind}
            for c, kind in kinds.items()
            if found[name][c].kind not in (kind, "constant")
        }
        if wishes:
            found[name] = _inferred(name, raw, wishes, key)
    whole = TableSchema(
        tuple(_joined(c, kinds[c], {n: s[c] for n, s in found.items()}, key) for c in order)
    )
    return [apply_schema(raw, whole) for raw in parts.values()], whole


def _inferred(
    name: str, raw: pa.Table, wishes: Mapping[str, Mapping[str, str]], key: str
) -> TableSchema:
    try:
        return infer_schema(raw, overrides=wishes)
    except ValueError as error:
        raise ValueError(f"{key}: {name} is not like the others: {error}") from error


def _check_names(names: Mapping[str, Sequence[str]], key: str) -> None:
    first, known = next(iter(names.items()))
    for name, own in names.items():
        lacks, extra = [c for c in known if c not in own], [c for c in own if c not in known]
        if not lacks and not extra:
            continue
        parts = [f"lacks {', '.join(map(repr, lacks[:10]))}"] if lacks else []
        parts += [f"has also {', '.join(map(repr, extra[:10]))}"] if extra else []
        near = difflib.get_close_matches(lacks[0], extra, n=1) if lacks and extra else []
        advice = f" (is {near[0]!r} the {lacks[0]!r} of the other?)" if near else ""
        raise ValueError(
            f"{key}: {name} has other columns than {first}: it {' and '.join(parts)}{advice}"
        )


def _kind(column: str, found: Mapping[str, Column], key: str) -> Kind:
    """The kind that a column has in all sources."""
    kinds = {name: c.kind for name, c in found.items()}
    telling = {kind for kind in kinds.values() if kind != "constant"}
    if not telling:
        values = {str(c.value) for c in found.values()}
        return "constant" if len(values) == 1 else _of_constants(list(found.values()))
    if len(telling) == 1:
        return telling.pop()
    if telling == NUMBERS:
        return "continuous"
    if telling <= WORDS:  # few whole numbers are codes in one file and numbers in another
        return "categorical" if "categorical" in telling else next(
            kind for kind in kinds.values() if kind != "constant"
        )  # fmt: skip
    told = ", ".join(f"{kind} in {name}" for name, kind in kinds.items())
    raise ValueError(
        f"{key}: column {column!r} is {told}; bring it to one kind, or give a schema=<file>"
    )


def _of_constants(columns: list[Column]) -> Kind:
    """Of values that never change in a source, and are others in another."""
    values = [c.value for c in columns if c.value is not None]
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(values) or not values:
        return "categorical"
    return "integer" if all(isinstance(v, int) for v in numbers) else "continuous"


def _joined(column: str, kind: Kind, found: Mapping[str, Column], key: str) -> Column:
    """A column of all sources: their levels, bounds and gaps together."""
    alike = [c for c in found.values() if c.kind == kind] or list(found.values())
    first = alike[0]
    changes: dict[str, object] = {
        "kind": kind,
        "nullable": any(c.nullable or c.kind != kind for c in found.values()),
        "missing": tuple(dict.fromkeys(m for c in found.values() for m in c.missing)),
    }
    if kind in ("categorical", "boolean"):
        still = [(c.value,) for c in found.values() if c.kind == "constant" and c.value is not None]
        levels = _levels([c.levels or () for c in alike if c.kind == kind], still)
        if kind == "boolean" and len(levels) > 2:
            told = ", ".join(map(str, levels))
            raise ValueError(f"{key}: column {column!r} is yes or no in each source, but {told}")
        changes |= {"levels": levels, "closed": all(c.closed for c in alike)}
    for name, choose in (("minimum", min), ("maximum", max)):
        ends = [getattr(c, name) for c in alike if getattr(c, name) is not None]
        alone = [c.value for c in found.values() if c.kind == "constant" and c.value is not None]
        ends += alone if ends else []
        changes[name] = choose(ends) if ends and len({type(e) is str for e in ends}) == 1 else None
    if kind == "continuous":
        digits = [c.decimals for c in alike]
        changes["decimals"] = None if None in digits else max(d for d in digits if d is not None)
    return replace(first, **changes)  # type: ignore[arg-type]


def _levels(
    parts: Sequence[tuple[Level, ...]], still: Sequence[tuple[Level, ...]]
) -> tuple[Level, ...]:
    """All levels of sources, and values that never change in others, each once."""
    every = list(dict.fromkeys(level for part in parts for level in part))
    known = {str(level).casefold() for level in every}
    every += [v for part in still for v in part if str(v).casefold() not in known]
    texts = any(isinstance(level, str) for level in every)
    return tuple(dict.fromkeys(map(str, every))) if texts else tuple(dict.fromkeys(every))


def _images(parts: Mapping[str, Images], key: str) -> tuple[list[Raw], Schema]:
    shapes = {name: images.pixels.shape[1:] for name, images in parts.items()}
    first, shape = next(iter(shapes.items()))
    for name, own in shapes.items():
        if own != shape:
            raise ValueError(
                f"{key}: {name} has images of {_size(own)}, {first} of {_size(shape)}; bring them "
                "to one size first"
            )
    labelled = [name for name, images in parts.items() if images.labels is not None]
    if labelled and len(labelled) < len(parts):
        other = next(name for name in parts if name not in labelled)
        raise ValueError(f"{key}: {labelled[0]} has classes and {other} has none")
    names = tuple(dict.fromkeys(n for images in parts.values() for n in images.class_names))
    shared = _shared(parts)
    made: list[Raw] = []
    for images in parts.values():
        attributes = {name: images.attributes[name] for name in shared}
        labels = images.labels
        if labels is not None:
            places = np.array([names.index(n) for n in images.class_names], np.int64)
            labels = places[labels]
        made.append(Images(images.pixels, labels, names, attributes))
    whole = infer_image_schema(next(iter(parts.values())))
    return made, ImageSchema(whole.channels, whole.height, whole.width, names)


def _shared(parts: Mapping[str, Images]) -> list[str]:
    """Attributes that all have, of one kind; others are named and left out."""
    every = dict.fromkeys(name for images in parts.values() for name in images.attributes)
    shared = [
        name for name in every
        if all(name in images.attributes for images in parts.values())
        and len({_is_text(images.attributes[name]) for images in parts.values()}) == 1
    ]  # fmt: skip
    lost = [name for name in every if name not in shared]
    if lost:
        log.info("attributes that not all sources have alike are left out: %s", ", ".join(lost))
    return shared


def _is_text(values: np.ndarray) -> bool:
    return values.dtype.kind in "US"


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[2]}x{shape[1]} with {shape[0]} channels"
