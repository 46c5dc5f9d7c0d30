"""Few combinations of several factors in which every two levels of different factors meet.

References:
    Cohen, Dalal, Fredman and Patton, "The AETG System: An Approach to Testing Based on
    Combinatorial Design", 1997. Here all combinations are candidates, so that nothing is random.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["covering", "pairs_of"]

Pair = tuple[tuple[str, Any], tuple[str, Any]]


def pairs_of(combination: Mapping[str, Any]) -> set[Pair]:
    """All two factors of a combination with their levels."""
    return set(itertools.combinations(combination.items(), 2))


def covering(factors: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Combinations that hold every pair of levels, each chosen for the most pairs that are new.

    Args:
        factors: levels by name.

    Returns:
        Mappings of factor to level, the same for the same factors.
    """
    every = [
        dict(zip(factors, levels, strict=True)) for levels in itertools.product(*factors.values())
    ]
    pairs = [pairs_of(one) for one in every]
    missing = set().union(*pairs)
    chosen = every[:1] if not missing else []
    while missing:
        best = max(range(len(every)), key=lambda k: len(pairs[k] & missing))
        chosen.append(every[best])
        missing -= pairs[best]
    return chosen
