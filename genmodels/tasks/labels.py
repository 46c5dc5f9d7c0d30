"""Labelled data of classes as they are asked for: so many of each, or in other proportions.

Where a label is all that a model is told, asking for classes is telling it; rows with named
attributes are `control.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from genmodels.combinations import LABEL
from genmodels.schema import TableSchema
from genmodels.tasks.build import Loaded
from genmodels.tasks.control import Asked, model_of, tells_something

__all__ = ["by_label", "rows_of_classes"]

WISHES = ("per_class", "balance", "shares")
"""What can be asked of the classes; each says how frequent all of them are."""


def by_label(
    loaded: Loaded, asked: Asked, condition: str | Mapping[str, Any] = "empirical"
) -> tuple[Asked, str | Mapping[str, Any]]:
    """What is left to ask, and what the model is told instead of the rest.

    Args:
        loaded: the run; one of data with named attributes is left as it is.
        asked: of its rows.
        condition: what the model is told besides, which must then be nothing in particular.

    Raises:
        ValueError: when the run has no classes, or two things contradict each other.
    """
    wishes = [key for key in WISHES if getattr(asked, key)]
    if asked.per_class is not None:
        _check_name(loaded, "per_class", None)
    if isinstance(loaded.schema, TableSchema) or not wishes:
        return asked, condition
    if len(wishes) > 1:
        raise ValueError(
            f"{wishes[0]} and {wishes[1]} cannot be combined: each says how frequent the classes "
            "are"
        )
    if tells_something(condition):
        raise ValueError(f"condition and {wishes[0]} cannot be combined; give one of them")
    rule: str | Mapping[str, Any] = "each"
    if asked.balance is not None:
        _check_name(loaded, "balance=", asked.balance)
        rule = "balanced"
    elif asked.shares:
        _check_shares(loaded, asked.shares)
        rule = asked.shares
    return replace(asked, per_class=None, balance=None, shares={}), rule


def rows_of_classes(loaded: Loaded, per_class: int) -> int:
    """How many rows so many of each class are; classes without a training row do not count.

    Raises:
        ValueError: when the run has no classes.
    """
    _check_name(loaded, "per_class", None)
    group, told = loaded.model.condition.groups[0], loaded.model.condition.combinations
    if told is not None:
        return per_class * len(set(told.values[:, told.find(LABEL)].tolist()))
    return per_class * sum(share > 0 for share in group.frequencies)


def _check_shares(loaded: Loaded, shares: Mapping[str, Any]) -> None:
    for name, wanted in shares.items():
        _check_name(loaded, "shares.", name)
        if not isinstance(wanted, Mapping) or not wanted:
            raise ValueError(
                f"shares.{name} must name classes and their shares, such as {{cat: 0.5}}"
            )


def _check_name(loaded: Loaded, key: str, name: str | None) -> None:
    """Refuse to ask for classes where there are none, or under another name than theirs."""
    groups = [group.name for group in loaded.model.condition.groups]
    named = key if name is None else f"{key}{name}"
    if isinstance(loaded.schema, TableSchema):
        raise ValueError(
            f"{named} is for pictures of classes; balance=<name> draws all levels of an attribute "
            "equally often, with n=... rows"
        )
    if len(groups) != 1:
        raise ValueError(
            f"{named}: model={model_of(loaded)} of this run was not told classes of pictures, so "
            "none can be asked for"
        )
    told = loaded.model.condition.combinations
    if told is not None and told.find(LABEL) < 0:
        raise ValueError(
            f"{named}: this run is told attributes, but no class; use balance=<attribute>"
        )
    if name is not None and name != groups[0]:
        raise ValueError(f"{named}: the classes of this run are called {groups[0]}")
