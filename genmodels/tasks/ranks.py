"""Which of several processes this one is: as torchrun, Slurm or a user's own script says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ALONE", "Rank", "this_rank"]

_NAMES = (
    ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE"),
)
"""Of Slurm those that srun sets: a batch script has a number, too, and is alone."""


@dataclass(frozen=True)
class Rank:
    """One process of several that share a work.

    Args:
        number: of this process, from 0.
        of: how many there are.
        local: number of this process on its machine.
        local_of: how many there are on this machine.
    """

    number: int = 0
    of: int = 1
    local: int = 0
    local_of: int = 1

    def share(self, count: int) -> range:
        """Which of `count` things are this process's: one after another, as many as others have."""
        first, last = (-(-number * count // self.of) for number in (self.number, self.number + 1))
        return range(first, last)


ALONE = Rank()


def this_rank(environ: Mapping[str, str] | None = None) -> Rank:
    """What the environment says; alone when it says nothing.

    Without a number on this machine the processes are taken to be on machines of their own.

    Raises:
        ValueError: when what it says is impossible.
    """
    told = os.environ if environ is None else environ
    for names in _NAMES:
        if names[0] in told and names[1] in told:
            return _rank(told, names)
    return ALONE


def _rank(told: Mapping[str, str], names: tuple[str, str, str, str]) -> Rank:
    try:
        number, of, local, local_of = (
            int((told.get(name) or str(usual)).partition("(")[0].partition(",")[0])
            for name, usual in zip(names, (0, 1, 0, 1), strict=True)
        )
    except ValueError:
        number, of, local, local_of = -1, 0, 0, 1
    if not 0 <= number < of:
        said = ", ".join(f"{name}={told[name]}" for name in names if name in told)
        raise ValueError(f"the environment says {said}: the first must be below the second")
    return Rank(number, of, max(0, local), max(1, local_of, local + 1))
