"""Results of a long benchmark, written one line at a time so that a second call goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Hashable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from genmodels.files import write_text

__all__ = ["Record", "TrialLog"]


@dataclass(frozen=True)
class Record:
    """What one model scored.

    Args:
        split: number of the repeat.
        size: real training rows asked for; None: all.
        arm, learner: which model.
        train_rows: rows that it learnt from, real and synthetic.
        scores: on the test rows, by name.
    """

    split: int
    size: int | None
    arm: str
    learner: str
    train_rows: int
    scores: dict[str, float]

    @property
    def key(self) -> Hashable:
        return self.split, self.size, self.arm, self.learner


@dataclass(eq=False)
class TrialLog:
    """The records so far, in memory and, with a path, on disk.

    The first line of the file says what the results belong to; a last line that is not whole was
    being written when the process ended, and is dropped.

    Args:
        path: a JSON-lines file; None: memory only.
        settings: all that the results depend on.

    Raises:
        ValueError: when the file holds results of other settings.
    """

    path: Path | None
    settings: dict[str, Any]
    records: dict[Hashable, Record] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path is None:
            return
        if not self.path.exists():
            write_text(self.path, _line({"settings": self.settings}))
            return
        text = self.path.read_text(encoding="utf-8")
        lines = text[: text.rfind("\n") + 1].splitlines()
        self._check(lines)
        for line in lines[1:]:
            record = Record(**json.loads(line))
            self.records[record.key] = record
        if not text.endswith("\n"):
            write_text(self.path, "".join(f"{line}\n" for line in lines))

    def has(self, *key: Hashable) -> bool:
        """Whether (split, size, arm, learner) is done."""
        return key in self.records

    def add(self, record: Record) -> None:
        """Keep a record; it is on the disk when this returns."""
        self.records[record.key] = record
        if self.path is None:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line(asdict(record)))
            file.flush()
            os.fsync(file.fileno())

    def _check(self, lines: list[str]) -> None:
        try:
            found = json.loads(lines[0])["settings"] if lines else None
        except (json.JSONDecodeError, KeyError, TypeError):
            found = None
        wanted = json.loads(_line(self.settings))
        if found == wanted:
            return
        differing = sorted(
            key for key in {*wanted, *(found or {})} if (found or {}).get(key) != wanted.get(key)
        )
        raise ValueError(
            f"{self.path} holds results of other settings ({', '.join(differing[:5])}); choose "
            "another folder with out=, or overwrite=true to start again"
        )


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"
