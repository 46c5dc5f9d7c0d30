"""What columns and images mean to the user: names, kinds, bounds, roles.

Frozen dataclasses with a JSON and YAML form; no inference (see `data/infer.py`), no tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

__all__ = [
    "TAKEN",
    "UNFIT",
    "Attribute",
    "Column",
    "ImageSchema",
    "Kind",
    "Role",
    "Schema",
    "TableSchema",
    "schema_from_state",
]

Kind = Literal[
    "continuous", "integer", "categorical", "boolean", "datetime", "identifier", "constant"
]
Role = Literal["feature", "target", "sensitive"]
Level = str | int | float | bool

UNFIT = b"genmodels.unfit"
"""Metadata of raw rows in memory: JSON {column: values that did not fit and are now missing}."""


@dataclass(frozen=True)
class Column:
    """One column of a table, in the user's units.

    Args:
        name: as in the file.
        kind: one of `Kind`.
        role: what the column is for; at most one column is the target.
        nullable: whether a value may be missing.
        minimum: smallest value seen or allowed (numbers; ISO-8601 text for datetimes).
        maximum: largest value seen or allowed.
        decimals: digits after the point that the source uses (continuous), or None if full
            precision.
        levels: the categories, in a stable order (categorical, boolean); text, or whole
            numbers for integer-coded categories. Booleans: (false value, true value).
        closed: whether the set of levels is complete (False: rare or unseen levels may be
            bucketed as "other").
        format: strftime format of the source text (datetime), or a pattern for identifiers:
            "integer", "uuid", or a prefix with digits such as "C{:06d}".
        timezone: IANA name or fixed offset of a datetime, None if naive.
        missing: source texts that mean "missing" besides the empty one, such as "?".
        value: the one value of a constant column.
        note: why this was decided, for people.
    """

    name: str
    kind: Kind
    role: Role = "feature"
    nullable: bool = False
    minimum: float | int | str | None = None
    maximum: float | int | str | None = None
    decimals: int | None = None
    levels: tuple[Level, ...] | None = None
    closed: bool = True
    format: str | None = None
    timezone: str | None = None
    missing: tuple[str, ...] = ()
    value: Level | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            known = ", ".join(get_args(Kind))
            raise ValueError(f"column {self.name!r}: kind {self.kind!r} is not one of {known}")
        if self.role not in get_args(Role):
            known = ", ".join(get_args(Role))
            raise ValueError(f"column {self.name!r}: role {self.role!r} is not one of {known}")
        if self.kind in ("categorical", "boolean") and not self.levels:
            raise ValueError(f"column {self.name!r}: a {self.kind} column needs `levels`")


@dataclass(frozen=True)
class TableSchema:
    """The columns of a table, in order."""

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        names = [c.name for c in self.columns]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"column names occur more than once: {', '.join(map(repr, twice))}")
        targets = [c.name for c in self.columns if c.role == "target"]
        if len(targets) > 1:
            raise ValueError(f"more than one target column: {', '.join(map(repr, targets))}")

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"no column {name!r}; the columns are {', '.join(self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def target(self) -> Column | None:
        return next((c for c in self.columns if c.role == "target"), None)

    def state(self) -> dict[str, Any]:
        """Plain JSON: {"kind": "table", "columns": [...]}, defaults left out."""
        defaults = {f.name: f.default for f in fields(Column)}
        rows = []
        for column in self.columns:
            row = {k: v for k, v in asdict(column).items() if v != defaults[k] or k == "kind"}
            rows.append({k: list(v) if isinstance(v, tuple) else v for k, v in row.items()})
        return {"kind": "table", "columns": rows}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> TableSchema:
        known = {f.name for f in fields(Column)}
        columns = []
        for row in state["columns"]:
            unknown = sorted(set(row) - known)
            if unknown:
                raise ValueError(
                    f"schema column {row.get('name')!r}: unknown keys {', '.join(unknown)}; "
                    f"known are {', '.join(sorted(known))}"
                )
            plain: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in row.items()
            }
            columns.append(Column(**plain))
        return cls(tuple(columns))


AttributeKind = Literal["boolean", "categorical", "continuous"]
TAKEN = ("label", "labels", "class_name", "class_names", "image", "images", "index", "file_name")
"""What data sets of images call something else: no names of attributes."""


@dataclass(frozen=True)
class Attribute:
    """Something that is known of each image besides its class.

    Args:
        name: as in the data.
        kind: one of `AttributeKind`: yes or no, a category, or a number.
        levels: the categories, in a stable order; of a category alone.
        minimum, maximum: of the numbers seen.
    """

    name: str
    kind: AttributeKind
    levels: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"the name of an attribute must be text, got {self.name!r}")
        if self.name in TAKEN:
            raise ValueError(
                f"an attribute cannot be called {self.name!r}: datasets use that otherwise"
            )
        if self.kind not in get_args(AttributeKind):
            known = ", ".join(get_args(AttributeKind))
            raise ValueError(f"attribute {self.name!r}: kind {self.kind!r} is not one of {known}")
        if self.kind == "categorical" and not self.levels:
            raise ValueError(f"attribute {self.name!r}: a categorical attribute needs `levels`")
        wrong = [level for level in self.levels if not isinstance(level, str)]
        if wrong:
            raise ValueError(
                f"attribute {self.name!r}: levels must be text, got {wrong[0]!r}; put it in quotes"
            )
        if len(set(self.levels)) < len(self.levels):
            raise ValueError(f"attribute {self.name!r}: a level occurs more than once")

    def state(self) -> dict[str, Any]:
        """Plain JSON, defaults left out."""
        told: dict[str, Any] = {"name": self.name, "kind": self.kind}
        if self.kind == "continuous":
            told |= {"minimum": self.minimum, "maximum": self.maximum}
        return told | ({"levels": list(self.levels)} if self.levels else {})


@dataclass(frozen=True)
class ImageSchema:
    """Images of one shape: channels, height and width in pixels, class names, attributes."""

    channels: int
    height: int
    width: int
    class_names: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()

    def __post_init__(self) -> None:
        names = [attribute.name for attribute in self.attributes]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"attributes occur more than once: {', '.join(map(repr, twice))}")

    def state(self) -> dict[str, Any]:
        """Plain JSON; without attributes it says nothing of them."""
        shape = {"channels": self.channels, "height": self.height, "width": self.width}
        told = {"kind": "images"} | shape | {"class_names": list(self.class_names)}
        known = [attribute.state() for attribute in self.attributes]
        return told | ({"attributes": known} if known else {})

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ImageSchema:
        attributes = tuple(
            Attribute(**(dict(row) | {"levels": tuple(map(_level, row.get("levels", ())))}))
            for row in state.get("attributes", ())
        )
        shape = state["channels"], state["height"], state["width"]
        return cls(*shape, tuple(state["class_names"]), attributes)


def _level(told: Any) -> Any:
    """A level as text; YAML takes 3 for a number, which is as good, and yes for a truth value."""
    return str(told) if isinstance(told, int | float) and not isinstance(told, bool) else told


Schema = TableSchema | ImageSchema


def schema_from_state(state: Mapping[str, Any]) -> Schema:
    """Rebuild a schema from its JSON form.

    Raises:
        ValueError: when `kind` is neither "table" nor "images".
    """
    if state.get("kind") == "table":
        return TableSchema.from_state(state)
    if state.get("kind") == "images":
        return ImageSchema.from_state(state)
    raise ValueError(f"schema kind must be 'table' or 'images', got {state.get('kind')!r}")
