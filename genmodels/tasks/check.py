"""Settings of the wrong type or out of range, found before anything is loaded or written."""

from __future__ import annotations

import inspect
import math
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from hydra.errors import HydraException
from hydra.utils import get_object

__all__ = ["check_values"]

NUMBERS: dict[str, tuple[type, float, bool]] = {
    "seed": (int, 0, False),
    "trainer.max_epochs": (int, -1, True),
    "batching.batch_size": (int, 1, False),
    "batching.updates_per_step": (int, 1, False),
    "batching.updates_per_epoch": (int, 1, True),
    "validation.every": (int, 1, False),
    "validation.rows": (int, 1, False),
    "validation.batch_size": (int, 1, False),
    "validation.patience": (int, 1, True),
    "validation.minimum_improvement": (float, 0, False),
    "strength": (int, 1, False),
    "least": (int, 1, False),
    "quantiles": (int, 1, False),
    "most": (int, 1, False),
    "listed": (int, 1, False),
    "data.holdout": (float, 0, False),
    "data.validation": (float, 0, False),
    "data.most_validation": (int, 1, False),
}
"""What numbers must be: their type, the least value, whether null is one."""
LARGEST_SEED = 2**32 - 1
PRECISIONS = ("32-true", "bf16-mixed")
"""Of training: float16 needs its losses scaled, and half weights lose what Adam adds to them."""


def check_values(settings: dict[str, Any]) -> None:
    """Check the numbers that users turn, and every plain value against the signature it goes to.

    Args:
        settings: a whole configuration as plain containers, interpolations resolved.

    Raises:
        ValueError: naming the key, what was expected and what came.
    """
    for key, (kind, least, nullable) in NUMBERS.items():
        found, value = _find(settings, key.split("."))
        if found and not (value is None and nullable):
            _check_number(key, value, kind, least)
    if settings.get("seed", 0) > LARGEST_SEED:
        raise ValueError(f"seed must be at most {LARGEST_SEED}, got {settings['seed']}")
    found, precision = _find(settings, ["trainer", "precision"])
    if found and precision not in PRECISIONS:
        raise ValueError(f"trainer.precision must be {' or '.join(PRECISIONS)}, got {precision!r}")
    for path, node in _nodes(settings):
        _check_node(path, node)


def _find(node: Any, parts: list[str]) -> tuple[bool, Any]:
    for part in parts:
        if not isinstance(node, dict) or part not in node:
            return False, None
        node = node[part]
    return True, node


def _check_number(key: str, value: Any, kind: type, least: float) -> None:
    if not _fits(value, kind):
        raise ValueError(f"{key} must be {_words(kind)}, got {value!r}")
    if not value >= least:
        raise ValueError(f"{key} must be at least {least}, got {value!r}")


def _nodes(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything in a configuration that names a part of this package."""
    if isinstance(node, dict):
        if str(node.get("_target_", "")).startswith("genmodels."):
            yield path, node
        for key, value in node.items():
            yield from _nodes(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _nodes(value, f"{path}[{index}]")


def _check_node(path: str, node: dict[str, Any]) -> None:
    try:
        target = get_object(node["_target_"])
    except (HydraException, ImportError, AttributeError, ValueError):
        return  # building it says what is wrong
    wanted = _types(target)
    for key, value in node.items():
        kind = wanted.get(key)
        plain = value is None or isinstance(value, bool | int | float | str)
        if plain and kind is not None and not _fits(value, kind):
            raise ValueError(f"{path}.{key} must be {_words(kind)}, got {value!r}")


def _types(target: Any) -> dict[str, Any]:
    """By parameter, the types that a signature asks for; those that can be told."""
    function = target.__init__ if inspect.isclass(target) else target
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError):
        return {}


def _fits(value: Any, kind: Any) -> bool:
    """Whether a plain value may go where `kind` is expected; True when that cannot be told."""
    if get_origin(kind) in (typing.Union, types.UnionType):
        return any(_fits(value, part) for part in get_args(kind))
    if get_origin(kind) is Literal:
        return any(value == word and type(value) is type(word) for word in get_args(kind))
    if kind is type(None):
        return value is None
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and not math.isnan(value)
    if kind in (bool, str):
        return isinstance(value, kind)
    return kind not in (list, tuple, dict) and get_origin(kind) not in (list, tuple, dict)


def _words(kind: Any) -> str:
    if get_origin(kind) in (typing.Union, types.UnionType):
        return " or ".join(_words(part) for part in get_args(kind))
    if get_origin(kind) is Literal:
        return " or ".join(map(str, get_args(kind)))
    known = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    return known.get(kind, "null" if kind is type(None) else "a list or the like")
