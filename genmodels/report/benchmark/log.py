"""Results of a long benchmark, written one line at a time so that a second call goes on."""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Hashable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from genmodels.files import write_text

__all__ = ["Record", "TrialLog"]

logger = logging.getLogger(__name__)


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

    @classmethod
    def read(cls, found: Any) -> Record:
        """From what JSON holds.

        Raises:
            ValueError: when it is anything but a record, saying what is wrong with it.
        """
        names = [f.name for f in fields(cls)]
        if not isinstance(found, dict) or sorted(found) != sorted(names):
            raise ValueError(f"it does not hold just {', '.join(names)}")
        whole = ("split", "train_rows") + (() if found["size"] is None else ("size",))
        wrong = [key for key in whole if type(found[key]) is not int or found[key] < 0]
        wrong += [key for key in ("arm", "learner") if not isinstance(found[key], str)]
        scores = found["scores"]
        if not isinstance(scores, dict) or not scores or not all(map(_finite, scores.values())):
            wrong.append("scores")
        if wrong:
            raise ValueError(f"no record has such {', '.join(wrong)}")
        return cls(**found)


@dataclass(eq=False)
class TrialLog:
    """The records so far, in memory and, with a path, on disk.

    The first line of the file says what the results belong to; a last line that is not whole was
    being written when the process ended, and is dropped.

    Args:
        path: a JSON-lines file; None: memory only.
        settings: all that the results depend on.

    Raises:
        ValueError: when the file holds results of other settings, or a line that is no record.
    """

    path: Path | None
    settings: dict[str, Any]
    records: dict[Hashable, Record] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path is None:
            return
        first = _line({"settings": self.settings})
        content = self.path.read_bytes() if self.path.exists() else b""
        *lines, torn = content.split(b"\n")  # no other end of a line: texts may hold those
        if not lines and first.encode().startswith(torn):
            write_text(self.path, first)
            return
        self._check(lines[0] if lines else torn)
        for number, line in enumerate(lines[1:], 2):
            if line.strip():
                self._take(number, line)
        if torn:
            logger.info("%s: the last line is not whole; it is dropped and done again", self.path)
            write_text(self.path, b"".join(line + b"\n" for line in lines).decode())

    def has(self, *key: Hashable) -> bool:
        """Whether (split, size, arm, learner) is done."""
        return key in self.records

    def add(self, record: Record) -> None:
        """Keep a record; it is on the disk when this returns."""
        self.records[record.key] = record
        if self.path is None:
            return
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(_line(asdict(record)))
            file.flush()
            os.fsync(file.fileno())

    def _take(self, number: int, line: bytes) -> None:
        try:
            record = Record.read(json.loads(line))
            first = next(iter(self.records.values()), record)
            if set(record.scores) != set(first.scores):
                raise ValueError(f"its scores are not {', '.join(first.scores)}, as above")
        except ValueError as error:
            raise ValueError(
                f"{self.path}, line {number}, is damaged ({error}); remove that line, and its "
                "model is tried again, or choose another folder with out="
            ) from error
        self.records[record.key] = record

    def _check(self, line: bytes) -> None:
        try:
            found = json.loads(line)["settings"]
        except (ValueError, KeyError, TypeError):
            found = None
        if not isinstance(found, dict):
            raise ValueError(
                f"{self.path}, line 1, does not say which settings the results belong to; choose "
                "another folder with out=, or overwrite=true to start again"
            )
        wanted = json.loads(_line(self.settings))
        if found == wanted:
            return
        differing = sorted(
            key for key in {*wanted, *found} if key not in found or found[key] != wanted.get(key)
        )
        raise ValueError(
            f"{self.path} holds results of other settings ({', '.join(differing[:5])}); choose "
            "another folder with out=, or overwrite=true to start again"
        )


def _finite(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"
