"""Scenarios: named strata of rows, each with a share, wishes and a temper of its own.

    tail:
      share: 0.2
      given: {capital-gain: "> 20000"}
    young and rich:
      share: 0.3
      given: {age: "< 25", income: ">50K"}
      temper: 1.1

What the shares leave of 1 is drawn without wishes. In place of shares all strata may say how many
`rows` they have; these are then drawn one stratum after the other, and none without wishes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from genmodels.sampling.control.wishes import near, parse_wishes
from genmodels.schema import TableSchema
from genmodels.wishes import Wish

__all__ = ["Stratum", "check_temper", "parse_scenario", "read_scenario", "rows_of"]

_KEYS = ("share", "rows", "given", "temper")
_SLACK = 1e-9


@dataclass(frozen=True)
class Stratum:
    """A share of the rows that are asked for the same.

    Args:
        name: for people.
        share: of all rows, in [0, 1].
        wishes: one per column at most.
        temper: how far probabilities are flattened (above 1) or sharpened (below 1).
        rows: how many there are of it, exactly; None: its share of them, on average.
    """

    name: str
    share: float
    wishes: tuple[Wish, ...] = ()
    temper: float = 1.0
    rows: int | None = None


def read_scenario(path: str | Path) -> dict[str, Any]:
    """The plain content of a scenario file.

    Raises:
        ValueError: when it is not a file of YAML with named strata.
    """
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
        asked = yaml.safe_load(text)
    except OSError as error:
        raise ValueError(f"scenario={path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"scenario={path} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(asked, dict) or not asked:
        raise ValueError(f"scenario={path} must hold named strata, each with a share and wishes")
    return {str(name): stratum for name, stratum in asked.items()}


def parse_scenario(
    asked: Mapping[str, Any], schema: TableSchema, *, temper: float
) -> tuple[Stratum, ...]:
    """The strata of a scenario, and one for the rest.

    Args:
        asked: name -> {share or rows, given, temper}.
        schema: of the columns.
        temper: of strata that name none.

    Raises:
        ValueError: for unknown keys, shares that exceed 1, rows beside shares, or wishes that
            cannot be.
    """
    counted = _counted(asked)
    strata = [_stratum(name, body, schema, temper, counted) for name, body in asked.items()]
    total = sum(stratum.share for stratum in strata)
    if total > 1.0 + _SLACK:
        raise ValueError(f"scenario: the shares sum to {total:g}, at most 1 is possible")
    if total < 1.0 - _SLACK and counted is None:
        strata.append(Stratum("the rest", 1.0 - total, (), temper))
    return tuple(strata)


def rows_of(asked: Mapping[str, Any]) -> int | None:
    """How many rows a scenario is; None when it has shares, or cannot be read."""
    rows: list[Any] = [body.get("rows") for body in asked.values() if isinstance(body, Mapping)]
    return int(sum(rows)) if rows and all(map(_is_count, rows)) else None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _counted(asked: Mapping[str, Any]) -> int | None:
    """How many rows there are of all strata together, if they say so.

    Raises:
        ValueError: when some say so and others have shares, or it is no number of rows.
    """
    bodies = {name: body for name, body in asked.items() if isinstance(body, Mapping)}
    told = [name for name, body in bodies.items() if "rows" in body]
    if not told:
        return None
    for name, body in bodies.items():
        if "rows" not in body or "share" in body:
            raise ValueError(
                f"scenario: {told[0]!r} says how many rows it has, so all strata must, and none "
                f"has a share; look at {name!r}"
            )
        if not _is_count(body["rows"]):
            raise ValueError(
                f"scenario.{name}.rows must be a whole number of at least 1, got {body['rows']!r}"
            )
    return rows_of(bodies)


def _stratum(
    name: str, body: Any, schema: TableSchema, temper: float, counted: int | None
) -> Stratum:
    key = f"scenario.{name}"
    if not isinstance(body, Mapping):
        raise ValueError(f"{key} must have a share and wishes, got {body!r}")
    for word in body:
        if word not in _KEYS:
            raise ValueError(f"{key} has no {word!r}{near(str(word), _KEYS)}")
    rows = body.get("rows") if counted else None
    share = rows / counted if rows and counted else body.get("share")
    if not isinstance(share, int | float) or isinstance(share, bool) or not 0.0 <= share <= 1.0:
        raise ValueError(f"{key}.share must be in [0, 1], got {share!r}")
    given = body.get("given") or {}
    if not isinstance(given, Mapping):
        raise ValueError(f"{key}.given must name columns and what is asked of them, got {given!r}")
    own = check_temper(body.get("temper", temper), key=f"{key}.temper")
    wishes = parse_wishes(given, schema, key=f"{key}.given")
    return Stratum(name, float(share), wishes, own, rows)


def check_temper(value: Any, *, key: str) -> float:
    """A temper, above 0.

    Raises:
        ValueError: for anything else.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0.0 < value < float("inf"):
        raise ValueError(f"{key} must be a number above 0, got {value!r}")
    return float(value)
