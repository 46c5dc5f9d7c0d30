"""Random numbers of epidemics: block b of runs, or of patients, depends on (seed, b) alone.

Counts of a step depend on those of the step before, so that they cannot be drawn beforehand as
those of prices are (`simulators/draws.py`). Each purpose has a generator of its own; a block is
always made whole, whatever is asked of it. All is drawn on the host: any device gets the same.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

__all__ = ["Purpose", "generator"]

Purpose = Literal["epidemic", "reports", "order", "histories", "profile", "clinic", "costs", "gaps"]
_PURPOSES: dict[str, int] = {name: number for number, name in enumerate(get_args(Purpose))}


def generator(purpose: Purpose, *, seed: int, block: int) -> np.random.Generator:
    """The generator of one purpose and block.

    Raises:
        ValueError: when the seed is negative.
    """
    if seed < 0:
        raise ValueError(f"seed must be 0 or larger, got {seed}")
    key = (1 + _PURPOSES[purpose], block, 0)
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=key)))
