"""Attributes as they are asked for, of data that a model was told in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from genmodels.combinations import LABEL, Combinations
from genmodels.layout import Condition
from genmodels.sampling.combining import asked_values, shared_out
from genmodels.tasks.control import Asked, tells_something

__all__ = ["by_attributes"]


def by_attributes(
    told: Condition, asked: Asked | None, condition: str | Mapping[str, Any]
) -> tuple[Condition, Asked | None, str]:
    """What a model is told instead, what is left to ask, and how conditions are drawn from it.

    Args:
        told: in training, combinations of attributes.
        asked: of the rows, or None.
        condition: values by name of an attribute, or a rule of `Conditions`.

    Raises:
        ValueError: when it cannot be told, or two things contradict each other.
    """
    rule = condition if isinstance(condition, str) else "empirical"
    wishes = [key for key in ("balance", "shares") if asked is not None and getattr(asked, key)]
    if len(wishes) > 1:
        raise ValueError("balance and shares cannot be combined; give the shares alone")
    if wishes and asked is not None and asked.per_class is not None:
        raise ValueError(f"{wishes[0]} and per_class cannot be combined; give one of them")
    if wishes and tells_something(condition):
        raise ValueError(f"condition and {wishes[0]} cannot be combined; give one of them")
    if isinstance(condition, Mapping) and condition:
        before, told = told, asked_values(told, condition)
        if asked is not None and asked.per_class is not None:
            _check_classes(before.combinations, told.combinations, condition)
    if not wishes:
        return told, asked, rule
    assert asked is not None
    if asked.balance is not None:
        told = shared_out(told, asked.balance, None, f"balance={asked.balance}")
    else:
        told = _shared(told, asked.shares)
    return told, replace(asked, balance=None, shares={}), rule


def _check_classes(
    before: Combinations | None, after: Combinations | None, condition: Mapping[str, Any]
) -> None:
    """Refuse so many of each class where a class does not come with what is asked for."""
    assert before is not None
    assert after is not None
    place = before.find(LABEL)
    if place < 0:
        return
    if LABEL in condition:
        raise ValueError(
            f"condition.{LABEL} and per_class cannot be combined: one asks for a class, the other "
            "for all of them"
        )
    lost = sorted(set(before.values[:, place].tolist()) - set(after.values[:, place].tolist()))
    if lost:
        wish = ", ".join(f"condition.{name}={value}" for name, value in condition.items())
        raise ValueError(
            f"per_class and {wish} cannot be combined: no training row of class "
            f"{before.facets[place].levels[int(lost[0])]!r} has that; ask for n=... rows with "
            f"condition.{LABEL} of another class"
        )


def _shared(told: Condition, shares: Mapping[str, Any]) -> Condition:
    if len(shares) != 1:
        raise ValueError(
            f"shares of {', '.join(shares)}: give those of one attribute; the others follow from it"
        )
    ((name, wanted),) = shares.items()
    if not isinstance(wanted, Mapping) or not wanted:
        raise ValueError(f"shares.{name} must name levels and their shares, such as {{yes: 0.5}}")
    return shared_out(told, str(name), wanted, f"shares.{name}")
