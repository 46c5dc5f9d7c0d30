"""Work that is done ahead of who takes it, in order, by workers that each keep to one core."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context, parent_process
from typing import TypeVar

from genmodels.sampling.cores import one_thread_each, use_one_thread

__all__ = ["ahead"]

Item = TypeVar("Item")
Made = TypeVar("Made")


def ahead(
    make: Callable[[Item], Made],
    items: Iterable[Item],
    *,
    workers: int,
    processes: bool = False,
) -> Iterator[Made]:
    """The same as `map(make, items)`, with `workers` items at work and as many waiting at most.

    Small operations that torch would share among cores wait for each other longer than they
    work, so that blocks, not operations, are shared. What is not taken is given up.

    Args:
        make: with `processes`, something that another process can be told: a module's function,
            a method of a plain object, or a partial of one.
        items: what is made, each by one worker.
        workers: at least 1.
        processes: work that runs in Python itself, where threads wait for each other, is given
            to processes; to begin one takes as long as importing what `make` needs.
    """
    with one_thread_each(), _pool(workers, processes) as pool:
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


def _pool(workers: int, processes: bool) -> Executor:
    """Processes are spawned: a copy of a process that has threads can wait for ever."""
    if processes:
        return ProcessPoolExecutor(workers, get_context("spawn"), _begin)
    return ThreadPoolExecutor(workers, initializer=use_one_thread)


def _begin() -> None:
    """What each process starts with: Ctrl-C is its parent's affair, and it ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"  # read by torch, should the work import it
    if "torch" in sys.modules:  # the main script of the parent, which begins again here, did
        use_one_thread()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
