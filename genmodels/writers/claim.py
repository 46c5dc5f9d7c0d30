"""Who writes a dataset under way: locks of the processes that share it, gone when they are.

Processes that share a work form a team of a size; process k of n holds `rank-k-of-n.lock`. Two
teams would write the same shards, so a process that finds another team at work gives way. Each
takes its own lock before it looks at others', so of two that start at once at least one sees the
other.
"""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["Claim"]

_STARTED = time.time()
"""Of this process: what is older is of an earlier attempt."""
_PROBED_SECONDS = 2.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAME = re.compile(r"rank-(\d+)-of-(\d+)\.lock")


class Claim:
    """One process's place among those that write a dataset.

    Args:
        folder: of the locks.
        rank: of this process.
        of: how many there are.
    """

    def __init__(self, *, folder: Path, rank: int, of: int) -> None:
        self.folder, self.rank, self.of = folder, rank, of
        self._lock = FileLock(self._path(rank), timeout=_PROBED_SECONDS)  # others look at it, too

    def take(self) -> bool:
        """Whether the place was free, and no other team is at work."""
        try:
            self._lock.acquire()
        except Timeout:
            return False
        if any(_is_held(lock) for lock in self._of_others()):
            self._lock.release()
            return False
        self._host(self.rank).write_text(_machine(), encoding="utf-8")
        self._failure(self.rank).unlink(missing_ok=True)
        return True

    def release(self) -> None:
        """Leave in good order: nobody need wait for this process."""
        if self._lock.is_locked:
            self._host(self.rank).unlink(missing_ok=True)
        self._lock.release()

    @property
    def is_held(self) -> bool:
        return self._lock.is_locked

    def fail(self) -> None:
        """Let the first process know that this one has given up."""
        if self.rank and self.folder.is_dir():
            self._failure(self.rank).touch()

    def forget(self) -> None:
        """What processes of earlier attempts left behind."""
        for rank in range(self.of):
            if rank == self.rank or _is_held(self._path(rank)):
                continue
            for note in (self._host(rank), self._failure(rank)):
                if _is_older(note, _STARTED):
                    note.unlink(missing_ok=True)

    def lost(self) -> list[int]:
        """Processes that gave up, or that are no more though they had begun.

        Of a process on another machine it is only known when it gave up: a lock need not be seen
        across a network.
        """
        here = _machine()
        return [
            rank
            for rank in range(self.of)
            if rank != self.rank and (self._failure(rank).exists() or self._died(rank, here))
        ]

    def _died(self, rank: int, here: str) -> bool:
        """Whether a process of this machine is gone and did not say so, as those do that end."""
        host = self._host(rank)
        gone = _text(host) == here and not _is_held(self._path(rank))
        return gone and _text(host) == here

    def _of_others(self) -> list[Path]:
        found = ((path, _NAME.fullmatch(path.name)) for path in self.folder.glob("rank-*.lock"))
        return [path for path, name in found if name is not None and int(name[2]) != self.of]

    def _path(self, rank: int) -> Path:
        return self.folder / f"rank-{rank}-of-{self.of}.lock"

    def _host(self, rank: int) -> Path:
        return self._path(rank).with_suffix(".host")

    def _failure(self, rank: int) -> Path:
        return self._path(rank).with_suffix(".failed")


def _machine() -> str:
    """This machine since it started; its name alone where the system does not say more."""
    return f"{socket.gethostname()} {_text(_BOOT) or ''}".strip()


def _is_older(path: Path, seconds: float) -> bool:
    try:
        return path.stat().st_mtime < seconds
    except OSError:
        return False


def _is_held(path: Path) -> bool:
    lock = FileLock(path, timeout=0)
    try:
        with lock:
            return False
    except Timeout:
        return True


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return None
