"""Shares of levels as they are told."""

from __future__ import annotations

from typing import Any

from genmodels.tasks.compose import parts_of

__all__ = ["read_shares"]


def read_shares(name: str, asked: Any) -> Any:
    """{level: share} of a text such as "{>50K: 0.5}"; anything else as it is.

    Raises:
        ValueError: when the text is of another form.
    """
    if not isinstance(asked, str):
        return asked
    found = {}
    for part in parts_of(asked.strip().removeprefix("{").removesuffix("}")):
        level, _, share = part.rpartition(":")
        try:
            found[level.strip().strip("'\"")] = float(share)
        except ValueError:
            raise ValueError(
                f"shares.{name}={asked}: write {{level: share, ...}}, such as {{yes: 0.5}}"
            ) from None
    return found
