"""What a recipe is: a way of making new rows out of real ones.

`genmodels augment` writes the real rows first and unchanged, and then what a recipe makes of them.
Nothing here has to do with the augmentation that a GAN sees while it trains (`augment.py`,
`adaptive/`), which is differentiable and leaves no data behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from genmodels.augmentation.amounts import Plan
from genmodels.schema import Schema
from genmodels.types import Raw

__all__ = ["STREAMS", "Fitted", "Kind", "Recipe", "kind_words", "rng_of", "says_kind", "share"]

Kind = Literal["table", "images", "annotated"]
STREAMS = ("noise", "partner", "weight", "choice", "identity")


@runtime_checkable
class Fitted(Protocol):
    """A recipe that has seen the real rows."""

    @property
    def block_rows(self) -> int:
        """New rows made together."""

    def block(self, number: int) -> Raw:
        """New rows of one block, the last of which may be shorter; the same whenever asked."""

    def real(self, rows: Raw) -> Raw:
        """Real rows, unchanged, with what the recipe tells of each row besides."""


@runtime_checkable
class Recipe(Protocol):
    """Makes new rows.

    Attributes:
        name: of the recipe.
        kinds: of data that it is for.
        needs_classes: whether it makes rows class by class, and cannot do without classes.
        meaning: a sentence for people on what the new rows are.
    """

    name: str
    kinds: tuple[Kind, ...]
    needs_classes: bool
    meaning: str

    def parameters(self) -> Mapping[str, Any]:
        """What decides about the new rows, plain JSON."""

    def schema(self, schema: Schema, fixed: tuple[str, ...]) -> Schema:
        """The schema of real and new rows together; `fixed` are columns that stay as they are."""

    def fit(self, real: Raw, schema: Schema, plan: Plan, fixed: tuple[str, ...]) -> Fitted:
        """Get ready to make the rows of a plan.

        Args:
            real: N rows, typed as the schema says.
            schema: of them.
            plan: how many new rows each group gets.
            fixed: columns that new rows have of their real row: their labels.

        Raises:
            ValueError: when the recipe cannot be used on such rows.
        """


def kind_words(kind: str) -> str:
    """A kind of data in words."""
    known = {"table": "tables", "images": "images", "annotated": "annotated images"}
    return known[kind]


def says_kind(comment: str, kind: str) -> bool:
    """Whether the first comment of a recipe's file says that it is for such data."""
    return comment.startswith(("Tables" if kind == "table" else "Images", "Weighted means"))


def rng_of(seed: int, stream: str, block: int) -> np.random.Generator:
    """Random numbers of one purpose in one block; streams are independent of each other."""
    key = (62, STREAMS.index(stream), block)
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=key)))


def share(key: str, value: float, *, least: float = 0.0) -> float:
    """A setting that is a share in [least, 1].

    Raises:
        ValueError: when it is none.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not least <= value <= 1.0:
        raise ValueError(f"recipe.{key} must be in [{least:g}, 1], got {value!r}")
    return float(value)
