"""Cores are shared among workers, each of which computes with one thread."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["cores", "one_thread_each", "use_one_thread"]


def cores() -> int:
    """Number of cores that this process may use."""
    affinity: Any = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def use_one_thread() -> None:
    """What each worker starts with."""
    import torch

    torch.set_num_threads(1)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """The workers are the parallelism: torch's own threads would fight over the same cores."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
