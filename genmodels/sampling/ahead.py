"""Work that is done ahead of who takes it, in order, by threads that each keep to one core."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from genmodels.sampling.cores import one_thread_each, use_one_thread

__all__ = ["ahead"]

Item = TypeVar("Item")
Made = TypeVar("Made")


def ahead(make: Callable[[Item], Made], items: Iterable[Item], *, workers: int) -> Iterator[Made]:
    """The same as `map(make, items)`, with `workers` items at work and as many waiting at most.

    Small operations that torch would share among cores wait for each other longer than they
    work, so that blocks, not operations, are shared. What is not taken is given up.
    """
    with one_thread_each(), ThreadPoolExecutor(workers, initializer=use_one_thread) as pool:
        pending: deque[Future[Made]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(make, item))
                if len(pending) > workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
