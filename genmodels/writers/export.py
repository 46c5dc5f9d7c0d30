"""The folder of a dataset under way: what is finished stays, and the whole appears at once.

    .<name>.<request>.part/     beside the folder that is asked for, hidden
        dataset/                its files, which become the folder when all shards are there
        shards/00000.json       of a shard that is whole: rows, counts, and hashes of its files
        rank-0-of-1.lock        held by the process that writes, see `claim.py`

The name holds a hash of the request, so that the same request, and no other, goes on where an
interrupted one stopped. Several processes may write different shards of one request.
"""

from __future__ import annotations

import glob
import hashlib
import json
import logging
import os
import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genmodels.files import read_json, write_json
from genmodels.writers.base import MANIFEST, file_entry, is_of_ours
from genmodels.writers.claim import Claim

__all__ = ["Export", "Written", "refuse_existing", "request_key"]

log = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
_SECONDS_PER_LINE = 30.0


@dataclass(frozen=True)
class Written:
    """A shard that is whole.

    Args:
        rows: in it.
        counts: what was counted while its rows were drawn.
        files: its files in order, each a mapping of `path` (in the dataset), `bytes`, `sha256`.
    """

    rows: int
    counts: Mapping[str, int]
    files: Sequence[Mapping[str, Any]]


def request_key(request: Mapping[str, Any]) -> str:
    """A hash of what decides about every byte of a dataset: plain JSON, in any order."""
    text = json.dumps(request, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Export:
    """One process's hold on a dataset under way.

    Args:
        out: the folder that is asked for.
        key: of the request.
        shards: how many there are.
        rank: of this process among those that write the dataset.
        of: how many these are.
    """

    def __init__(self, *, out: Path, key: str, shards: int, rank: int = 0, of: int = 1) -> None:
        self.out = Path(os.path.realpath(out))  # what a link points to is replaced, not the link
        self.key, self.shards, self.alone = key, shards, of == 1
        self.hidden = self.out.with_name(f".{self.out.name}.{key}.part")
        self.folder, self.notes = self.hidden / "dataset", self.hidden / "shards"
        self.rank = rank
        self.claim = Claim(folder=self.hidden, rank=rank, of=of)

    def open(self) -> None:
        """Make the hidden folder, or take up one that an interrupted process left.

        Raises:
            ValueError: when another process is at it.
            OSError: when it cannot be made.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.notes.mkdir(exist_ok=True)
        if not self.claim.take():
            raise ValueError(
                f"another process is writing {self.out} as it is asked for here; wait for it, or "
                "choose another out=..."
            )
        if not self.rank:
            self.claim.forget()

    def others(self) -> list[Path]:
        """Hidden folders of other requests for the same place: interrupted, or at work now."""
        digits = "[0-9a-f]" * len(self.key)
        beside = self.out.parent.glob(f".{glob.escape(self.out.name)}.{digits}.part")
        return sorted(path for path in beside if path != self.hidden and path.is_dir())

    def published(self) -> bool:
        """Whether the dataset is there already, by this very request."""
        manifest = self.out / MANIFEST
        return manifest.is_file() and read_json(manifest).get("request") == self.key

    def written(self) -> dict[int, Written]:
        """The shards that are whole, by number."""
        found = ((k, self._read(k)) for k in range(self.shards))
        return {k: shard for k, shard in found if shard is not None}

    def note(
        self, number: int, files: Sequence[Path], rows: int, counts: Mapping[str, int]
    ) -> None:
        """A shard is whole: its files are on disk."""
        entries = [file_entry(self.folder, file) for file in files]
        write_json(self._note(number), asdict(Written(rows, dict(counts), entries)))

    def wait(self) -> dict[int, Written]:
        """All shards, once the other processes have written theirs.

        Raises:
            ValueError: when one of them has given up.
        """
        written, told = self.written(), time.monotonic()
        while left := [k for k in range(self.shards) if k not in written]:
            if time.monotonic() - told >= _SECONDS_PER_LINE:
                told = time.monotonic()
                log.info(
                    "waiting for other processes: %d of %d shards left", len(left), self.shards
                )
            if lost := self.claim.lost():
                raise ValueError(
                    f"another process gave up or was killed (rank {', '.join(map(str, lost))}): "
                    "see what it said, and give the same command again"
                )
            time.sleep(_POLL_SECONDS)
            found = ((k, self._read(k)) for k in left)
            written |= {k: shard for k, shard in found if shard is not None}
        return written

    def publish(self, *, overwrite: bool) -> None:
        """The dataset appears, whole, under its name."""
        refuse_existing(self.out, overwrite=overwrite)
        _replace(self.folder, self.out)
        self._forget()

    def close(self, *, keep: bool) -> int:
        """Let go of the folder, which is removed if nothing in it is whole or to be kept.

        Returns:
            How many shards are kept.
        """
        kept = len(self.written()) if keep or not self.alone else 0
        if not kept and self.alone and self.claim.is_held:
            self._forget()
        self.claim.release()
        return kept

    def sweep(self) -> None:
        """Remove temporary files that a process left that was killed while it completed this."""
        for orphan in self.folder.rglob(".*.part"):
            orphan.unlink(missing_ok=True)

    def _forget(self) -> None:
        shutil.rmtree(self.hidden, ignore_errors=True)

    def _note(self, number: int) -> Path:
        return self.notes / f"{number:05d}.json"

    def _read(self, number: int) -> Written | None:
        """What is noted of a shard, if its files are as they were noted."""
        try:
            shard = Written(**read_json(self._note(number)))
            whole = all(
                (self.folder / file["path"]).stat().st_size == file["bytes"] for file in shard.files
            )
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return shard if whole else None


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise `FileExistsError` unless a dataset may be put at `path`.

    Args:
        path: final name; it may exist only as an empty folder, unless `overwrite`.
        overwrite: an earlier dataset (a folder with a manifest) may be replaced.
    """
    if path.is_dir():
        if path.is_mount():
            raise FileExistsError(
                f"{path} is where a disk is mounted, and a dataset appears as a whole folder; "
                f"choose one in it: out={path / 'synthetic'}"
            )
        if not any(path.iterdir()) or (overwrite and _is_dataset(path)):
            return
        if overwrite:
            raise FileExistsError(
                f"{path} is not a dataset written by genmodels (no {MANIFEST} says so): "
                "overwrite=true replaces only such a folder; choose another out=..."
            )
        raise FileExistsError(
            f"{path} exists and is not empty; choose another out=... or add overwrite=true"
        )
    if path.exists() or path.is_symlink():
        raise FileExistsError(f"{path} exists and is not a folder; choose another out=...")


def _is_dataset(path: Path) -> bool:
    """Whether the manifest says so: a run has one, too."""
    try:
        return is_of_ours(read_json(path / MANIFEST))
    except (OSError, ValueError):
        return False


def _replace(new: Path, path: Path) -> None:
    old = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.old")
    existed = path.exists()
    if existed:
        path.rename(old)
    try:
        new.rename(path)
    except BaseException:
        if existed and not path.exists():
            old.rename(path)
        raise
    if existed:
        shutil.rmtree(old, ignore_errors=True)
