"""Scenarios: named strata of rows, each with a share, wishes and a temper of its own.

    tail:
      share: 0.2
      given: {capital-gain: "> 20000"}
    young and rich:
      share: 0.3
      given: {age: "< 25", income: ">50K"}
      temper: 1.1

What the shares leave of 1 is drawn without wishes.
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

__all__ = ["Stratum", "parse_scenario", "read_scenario"]

_KEYS = ("share", "given", "temper")
_SLACK = 1e-9


@dataclass(frozen=True)
class Stratum:
    """A share of the rows that are asked for the same.

    Args:
        name: for people.
        share: of all rows, in [0, 1].
        wishes: one per column at most.
        temper: how far probabilities are flattened (above 1) or sharpened (below 1).
    """

    name: str
    share: float
    wishes: tuple[Wish, ...] = ()
    temper: float = 1.0


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
        asked: name -> {share, given, temper}.
        schema: of the columns.
        temper: of strata that name none.

    Raises:
        ValueError: for unknown keys, shares that exceed 1, or wishes that cannot be.
    """
    strata = [_stratum(name, body, schema, temper) for name, body in asked.items()]
    total = sum(stratum.share for stratum in strata)
    if total > 1.0 + _SLACK:
        raise ValueError(f"scenario: the shares sum to {total:g}, at most 1 is possible")
    if total < 1.0 - _SLACK:
        strata.append(Stratum("the rest", 1.0 - total, (), temper))
    return tuple(strata)


def _stratum(name: str, body: Any, schema: TableSchema, temper: float) -> Stratum:
    key = f"scenario.{name}"
    if not isinstance(body, Mapping):
        raise ValueError(f"{key} must have a share and wishes, got {body!r}")
    for word in body:
        if word not in _KEYS:
            raise ValueError(f"{key} has no {word!r}{near(str(word), _KEYS)}")
    share = body.get("share")
    if not isinstance(share, int | float) or isinstance(share, bool) or not 0.0 <= share <= 1.0:
        raise ValueError(f"{key}.share must be in [0, 1], got {share!r}")
    given = body.get("given") or {}
    if not isinstance(given, Mapping):
        raise ValueError(f"{key}.given must name columns and what is asked of them, got {given!r}")
    own = check_temper(body.get("temper", temper), key=f"{key}.temper")
    return Stratum(name, float(share), parse_wishes(given, schema, key=f"{key}.given"), own)


def check_temper(value: Any, *, key: str) -> float:
    """A temper, above 0.

    Raises:
        ValueError: for anything else.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0.0 < value < float("inf"):
        raise ValueError(f"{key} must be a number above 0, got {value!r}")
    return float(value)
