"""What training needs of the data, and what the model is told of each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from omegaconf import DictConfig

from genmodels.combinations import LABEL
from genmodels.data.batching import Rows
from genmodels.data.splits import Split
from genmodels.data.streaming.buckets import Buckets
from genmodels.data.streaming.split import StreamSplit
from genmodels.layout import Condition
from genmodels.run import Run
from genmodels.schema import Schema
from genmodels.tasks.parts import instantiate
from genmodels.tasks.stored import read_codec
from genmodels.types import Encoded, Raw

__all__ = ["Coded", "Prepared", "choose_condition", "told_rows"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that training needs of the data, and what evaluation must know later.

    Args:
        schema: what the parts of the data mean.
        split: who may see which rows, with a `state()` for the record.
        codec: fitted on the training rows.
        condition: what the model is told.
        train: encoded training rows; a sample of them beside `buckets`.
        validation: encoded validation rows, or None when there are none.
        reference: the raw validation rows; the training rows when there are none.
        buckets: all training rows, where these are not in memory.
    """

    schema: Schema
    split: Split | StreamSplit
    codec: Any
    condition: Condition
    train: Rows
    validation: Rows | None
    reference: Raw
    buckets: Buckets | None = None

    @property
    def training_rows(self) -> int:
        """Rows to learn from, also where `train` are only some of them."""
        counts = self.split.state()["counts"]
        return int(counts["train"])


@dataclass(frozen=True, eq=False)
class Coded:
    """A fitted codec, and what the model is told of the rows that it encodes.

    Args:
        codec: fitted on training rows.
        condition: what the model is told.
        chosen: which of the codec's groups that is.
    """

    codec: Any
    condition: Condition
    chosen: list[int]

    @classmethod
    def of(cls, cfg: DictConfig, train: Raw, schema: Schema, earlier: Run | None) -> Coded:
        """Fit the codec of a configuration, or take that of the run that is resumed."""
        if earlier is None:
            codec = instantiate(cfg.codec)(train, schema, seed=cfg.seed)
        else:
            codec = read_codec(earlier)
        return cls(codec, *choose_condition(codec, schema, cfg.condition))

    def rows(self, part: Raw, seed: int) -> Rows:
        encoded = self.codec.encode(part, seed=seed)
        return told_rows(self.codec, part, encoded, self.condition, self.chosen)

    def codes(self, part: Raw, encoded: Encoded) -> np.ndarray:
        """Level (N, G) of each encoded row in each chosen group."""
        return _told_codes(self.codec, part, encoded, self.condition, self.chosen)


def told_rows(
    codec: Any, raw: Raw, encoded: Encoded, condition: Condition, chosen: list[int]
) -> Rows:
    """Encoded rows and what each is told: combinations of their own, exactly, or known levels."""
    if condition.combinations is not None:
        condition, codes = codec.combinations(raw)
    else:
        codes = _told_codes(codec, raw, encoded, condition, chosen)
    return Rows.of(encoded, codes, condition, codec.layout)


def _told_codes(
    codec: Any, raw: Raw, encoded: Encoded, condition: Condition, chosen: list[int]
) -> np.ndarray:
    """Level (N, G) of each row in each chosen group; from the encoded rows where they hold it."""
    if not chosen:
        return np.zeros((len(raw), 0), np.int32)
    held = all(group.code is not None for group in condition.groups)
    return np.ascontiguousarray(codec.condition_codes(encoded if held else raw)[:, chosen])


def choose_condition(codec: Any, schema: Schema, choice: str) -> tuple[Condition, list[int]]:
    """What the model will be told, and which of the codec's groups that is.

    Args:
        codec: fitted.
        schema: knows the target.
        choice: "all" groups, "none", or the "target" (classes and attributes count as one).

    Raises:
        ValueError: when `choice` is another word, or there is no such target.
    """
    groups = codec.condition.groups
    if choice == "all":
        chosen = list(range(len(groups)))
    elif choice == "none":
        chosen = []
    elif choice == "target":
        target = getattr(schema, "target", None)
        name = LABEL if target is None else target.name
        chosen = [i for i, g in enumerate(groups) if g.name == name or g.combinations is not None]
        if not chosen:
            raise ValueError(
                "condition=target needs a categorical target: set data.target=<name>, or "
                "choose condition=all or condition=none"
            )
    else:
        raise ValueError(f"condition must be all, none or target, got {choice!r}")
    return Condition(tuple(groups[i] for i in chosen)), chosen
