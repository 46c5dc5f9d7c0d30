"""Choosing among candidates by a classifier: those that are surely of the class asked for.

A block draws more candidates than it has rows and keeps the best of each class, so that row i
depends on (seed, what is asked, the block of i) and neither on how many rows were asked for nor
on the workers; a few blocks of candidates are in memory at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, get_args

import numpy as np
from torch import Tensor

from genmodels.sampling.draws import Draws
from genmodels.types import Images, Raw
from genmodels.wishes import TooFewRowsError

__all__ = ["Picked", "Picker", "Standard"]

LEAST_KEEP = 0.01
"""At most a hundred candidates are drawn for each image kept."""


class Source(Protocol):
    """What picking needs of a sampler."""

    draws: Draws

    def condition(self, number: int, attempt: int = 0) -> tuple[Tensor, np.ndarray | None]: ...
    def drawn(
        self,
        number: int,
        c: Tensor,
        index: np.ndarray | None,
        *,
        attempt: int = 0,
        rows: np.ndarray | None = None,
    ) -> Raw: ...


@dataclass(frozen=True, kw_only=True)
class Standard:
    """What an image must be to be kept.

    Args:
        keep: share of the candidates of each class that is kept, the surest, in [0.01, 1]; within
            a block the number of candidates is rounded up. None: as many as are drawn.
        agree: whether the classifier's likeliest class must be the one asked for.
        confidence: the least probability of the class asked for, in [0, 1]; None: any.
        redraws: how often another candidate is drawn for a row without one.
        shortfall: when rows are left without one: "error", or "drop" them.

    Raises:
        ValueError: when something is out of range.
    """

    keep: float | None = None
    agree: bool = False
    confidence: float | None = None
    redraws: int = 20
    shortfall: Literal["error", "drop"] = "error"

    def __post_init__(self) -> None:
        for name, least in (("keep", LEAST_KEEP), ("confidence", 0.0)):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and not (number and least <= value <= 1.0):
                raise ValueError(
                    f"filter.{name} must be null or a number from {least:g} to 1, got {value!r}"
                )
        if not isinstance(self.agree, bool):
            raise ValueError(f"filter.agree must be true or false, got {self.agree!r}")
        if self.shortfall not in get_args(Literal["error", "drop"]):
            raise ValueError(f"shortfall must be error or drop, got {self.shortfall!r}")

    @property
    def anything(self) -> bool:
        """Whether it asks for anything."""
        return self.keep is not None or self.agree or self.confidence is not None


@dataclass(frozen=True, eq=False)
class Picked:
    """A block and what became of its candidates.

    Args:
        images: all R rows; those that no candidate suited are as last drawn.
        held: which rows have a candidate that suits, bool (R,).
        right: which rows the classifier labels as asked, bool (R,).
        slots: of each of M candidates, the row that it was drawn for, int64 (M,).
        agreeing: which of the first R candidates the classifier labels as asked, bool (R,).
    """

    images: Images
    held: np.ndarray
    right: np.ndarray
    slots: np.ndarray
    agreeing: np.ndarray


class Picker:
    """Draws blocks of which a classifier thinks well, and counts.

    Args:
        judge: images -> probability of each class, (N, K).
        standard: what is asked.
        classes: names (K,).
    """

    def __init__(
        self,
        *,
        judge: Callable[[Images], np.ndarray],
        standard: Standard,
        classes: tuple[str, ...],
    ) -> None:
        self.judge, self.standard, self.classes = judge, standard, classes
        self.counts: Counter[str] = Counter()

    def block(self, source: Source, number: int) -> Picked:
        """All rows of one block."""
        c, index = source.condition(number)
        assert index is not None, "a model that is told classes"
        pool, rounds = _Pool(self, index), _rounds(index, self.standard.keep)
        for attempt, rows in enumerate(rounds):
            every = None if not attempt else rows
            pool.add(source.drawn(number, c, index, attempt=attempt, rows=every), rows)
        pool.choose()
        for redraw in range(self.standard.redraws):
            rows = np.flatnonzero(~pool.held)
            if not len(rows):
                break
            attempt = len(rounds) + redraw
            pool.add(source.drawn(number, c, index, attempt=attempt, rows=rows), rows)
            pool.fill()
        return pool.picked()

    def settled(self, picked: Picked, start: int, stop: int) -> Images:
        """Some rows of a block, in the order of the blocks; counts what was kept.

        Raises:
            TooFewRowsError: when some have no candidate that suits and `shortfall` is "error".
        """
        rows = slice(start, stop)
        images, held = picked.images.take(np.arange(start, stop)), picked.held[rows]
        labels, slots = _labels(picked.images), picked.slots
        self._count("candidates", labels[slots[(slots >= start) & (slots < stop)]])
        self._count("kept", labels[rows][held])
        self._count("missing", labels[rows][~held])
        self.counts.update(
            first=stop - start,
            agreed=int(picked.agreeing[rows].sum()),
            right=int((picked.right[rows] & held).sum()),
        )
        if held.all():
            return images
        if self.standard.shortfall == "error":
            kept = int(self._by_class("kept").sum())
            asked = kept + int(self._by_class("missing").sum())
            raise TooFewRowsError(self._complaint(kept, asked), kept=kept, asked=asked)
        return images.take(np.flatnonzero(held))

    def facts(self) -> dict[str, Any]:
        """What a manifest says: counts of candidates, and agreement before and after."""
        candidates, kept = self._by_class("candidates"), self._by_class("kept")
        return {
            "keep": self.standard.keep,
            "agree": self.standard.agree,
            "confidence": self.standard.confidence,
            "candidates": int(candidates.sum()),
            "kept": int(kept.sum()),
            "rejected": int((candidates - kept).sum()),
            "dropped": int(self._by_class("missing").sum()),
            "agreement_before": self.counts["agreed"] / max(1, self.counts["first"]),
            "agreement_after": self.counts["right"] / max(1, int(kept.sum())),
            "classes": {
                self.classes[k]: {
                    "candidates": int(candidates[k]),
                    "kept": int(kept[k]),
                    "rejected": int(candidates[k] - kept[k]),
                }
                for k in np.flatnonzero(candidates).tolist()
            },
        }

    def _count(self, what: str, labels: np.ndarray) -> None:
        for k, number in enumerate(np.bincount(labels).tolist()):
            self.counts[f"{what} {k}"] += number

    def _by_class(self, what: str) -> np.ndarray:
        return np.array([self.counts[f"{what} {k}"] for k in range(len(self.classes))])

    def _complaint(self, kept: int, asked: int) -> str:
        missing = self._by_class("missing")
        worst = int(missing.argmax())
        return (
            f"{kept:,} of the first {asked:,} rows are as filter asks after "
            f"{self.standard.redraws} redraws; class {self.classes[worst]!r} failed most "
            f"({missing[worst]:,} rows): the model may not have learned it. Ask for less "
            "(filter.agree=false, a lower filter.confidence), raise redraws=..., or set "
            "shortfall=drop for fewer rows"
        )


class _Pool:
    """The candidates of one block."""

    def __init__(self, picker: Picker, index: np.ndarray) -> None:
        self.picker, self.index = picker, index
        self.drawn: list[Images] = []
        self.slots = np.zeros(0, np.int64)  # rows that candidates were drawn for
        self.sure = np.zeros(0, np.float32)  # probability of the class asked for
        self.right = np.zeros(0, bool)
        self.held = np.zeros(len(index), bool)
        self.source = np.arange(len(index))  # candidate in each row

    def add(self, images: Raw, rows: np.ndarray) -> None:
        """Judge candidates that were drawn for some rows."""
        assert isinstance(images, Images)
        labels, chances = self.index[rows], self.picker.judge(images)
        self.drawn.append(images)
        self.slots = np.concatenate([self.slots, rows])
        self.sure = np.concatenate([self.sure, chances[np.arange(len(rows)), labels]])
        self.right = np.concatenate([self.right, chances.argmax(1) == labels])

    def choose(self) -> None:
        """The surest of each class that suit; who was drawn for a row stays there."""
        suit, labels = self._suit(), self.index[self.slots]
        order = np.lexsort((np.arange(len(labels)), -self.sure, labels))
        order = order[suit[order]]
        room = np.bincount(self.index, minlength=len(self.picker.classes))
        chosen = np.sort(order[_ranks(labels[order]) < room[labels[order]]])
        own = chosen[chosen < len(self.index)]  # the first candidates are one for each row
        self.source[own], self.held[own] = own, True
        for k in np.unique(self.index):
            free = np.flatnonzero((self.index == k) & ~self.held)
            moved = chosen[(chosen >= len(self.index)) & (labels[chosen] == k)]
            self.source[free[: len(moved)]], self.held[free[: len(moved)]] = moved, True

    def fill(self) -> None:
        """Rows without a candidate take the last one that was drawn for them, if it suits."""
        new = np.arange(len(self.slots) - len(self.drawn[-1]), len(self.slots))
        self.source[self.slots[new]] = new
        self.held[self.slots[new]] = self._suit()[new]

    def picked(self) -> Picked:
        pixels = np.concatenate([images.pixels for images in self.drawn])[self.source]
        first = self.drawn[0]
        return Picked(
            images=replace(first, pixels=pixels),
            held=self.held,
            right=self.right[self.source],
            slots=self.slots,
            agreeing=self.right[: len(self.index)],
        )

    def _suit(self) -> np.ndarray:
        standard = self.picker.standard
        suit = self.right.copy() if standard.agree else np.ones(len(self.slots), bool)
        return suit if standard.confidence is None else suit & (self.sure >= standard.confidence)


def _rounds(index: np.ndarray, keep: float | None) -> list[np.ndarray]:
    """Rows that candidates are drawn for, in turn: first all, then as many more as `keep` needs.

    Those are spread evenly over a class, so that the first rows of a block have their share.
    """
    every = np.arange(len(index))
    if keep is None:
        return [every]
    size = np.bincount(index)[index]
    wanted = np.ceil(size / keep - 1e-9).astype(np.int64)
    rank = np.empty(len(index), np.int64)
    order = np.argsort(index, kind="stable")
    rank[order] = _ranks(index[order])
    drawn = (rank + 1) * wanted // size - rank * wanted // size
    return [every[drawn > attempt] for attempt in range(int(drawn.max()))]


def _ranks(groups: np.ndarray) -> np.ndarray:
    """Position of each within its run of equals, for sorted groups (N,)."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    return np.arange(len(groups)) - np.repeat(starts, np.diff(starts, append=len(groups)))


def _labels(images: Images) -> np.ndarray:
    assert images.labels is not None
    return images.labels
