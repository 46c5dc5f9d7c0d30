"""Several things that a generator is told at once: a class and attributes, as one vector.

Each is a *facet* with a stretch of the vector of its own, whose weights are not negative and sum
to 1: a level is one-hot, yes or no is a level too (so that "no" is not "not told"). A number has
two stretches: it lies between two knots, and between the smallest and the largest of them. The one
tells it finely; by the other, what is learnt of a number is soon known of all. Networks that are
linear in the vector so learn one direction per level, and interpolate numbers. A zero vector says
nothing.

References:
    Ding et al., "CcGAN: Continuous Conditional Generative Adversarial Networks for Image
    Generation", 2021. There a label is embedded by a network that was trained to regress it, and
    the losses are averaged over real images with labels nearby; here neighbouring numbers share
    the weights of their knots and ends, and losses stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from genmodels.types import Images

__all__ = ["LABEL", "NO", "YES", "Combinations", "Facet", "FacetKind", "packed", "unpacked"]

FacetKind = Literal["class", "boolean", "categorical", "continuous"]
LABEL = "label"
"""Name of the facet that is the class of an image."""
NO, YES = ("no", "false", "0"), ("yes", "true", "1")
"""Words for the levels of a "boolean", in small letters."""
SHOWN = 20


@dataclass(frozen=True)
class Facet:
    """One of the things that are told together.

    Its values are float64: the number of a level, or a number in the user's units.

    Args:
        name: of the attribute, or `LABEL` for the class.
        kind: what it is; a "boolean" has the levels no and yes.
        levels: names; empty for a number.
        knots: of a number, rising, from the smallest to the largest; empty for levels.
    """

    name: str
    kind: FacetKind
    levels: tuple[str, ...] = ()
    knots: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        return len(self.levels) or len(self.knots) + 2 * self.has_ends

    @property
    def has_ends(self) -> bool:
        """Whether there are two stretches: of two knots the second would be the first."""
        return len(self.knots) > 2

    def weights(self, values: np.ndarray) -> np.ndarray:
        """Values (N,) -> weights (N, width) float32; numbers beyond the ends are the ends."""
        out = np.zeros((len(values), self.width), np.float32)
        rows = np.arange(len(values))
        if self.levels:
            out[rows, values.astype(np.int64)] = 1.0
            return out
        knots = np.asarray(self.knots, np.float64)
        place = np.interp(values, knots, np.arange(len(knots)))
        below = np.minimum(place.astype(np.int64), max(len(knots) - 2, 0))
        share = place - below
        out[rows, below] = 1.0 - share
        if len(knots) > 1:
            out[rows, below + 1] = share
        if self.has_ends:
            out[:, -1] = place / (len(knots) - 1)
            out[:, -2] = 1.0 - out[:, -1]
        return out

    def read(self, images: Images) -> np.ndarray:
        """The values (N,) that images have.

        Raises:
            ValueError: when they do not have it, or have a level that is not known.
        """
        if self.kind == "class":
            if images.labels is None:
                raise ValueError("these images have no labels, but the model is told a class")
            return images.labels.astype(np.float64)
        if self.name not in images.attributes:
            raise ValueError(f"these images have no attribute {self.name!r}, which is told")
        found = images.attributes[self.name]
        if self.kind != "categorical":
            values = found.astype(np.float64)
            if not np.isfinite(values).all():
                raise ValueError(f"attribute {self.name!r} is missing for some of these images")
            return values
        known = {level: i for i, level in enumerate(self.levels)}
        unknown = sorted(set(found.tolist()) - set(known))
        if unknown:
            raise ValueError(
                f"attribute {self.name!r} has the level {unknown[0]!r}, which training had not; "
                f"known are {self._known()}"
            )
        return np.array([known[level] for level in found.tolist()], np.float64)

    def written(self, values: np.ndarray) -> np.ndarray:
        """Values (N,) as images have them: bool, text, class numbers or float64."""
        if self.kind == "boolean":
            return values > 0.5
        if self.kind == "categorical":
            return np.array(self.levels)[values.astype(np.int64)]
        return values.astype(np.int64 if self.kind == "class" else np.float64)

    def parse(self, told: Any, key: str) -> float:
        """The value that a user means.

        Raises:
            ValueError: naming the levels or the range.
        """
        text = str(told)
        if self.kind == "continuous":
            low, high = self.knots[0], self.knots[-1]
            try:
                number = float("nan") if isinstance(told, bool) else float(text)
            except ValueError:
                number = math.nan
            if not low <= number <= high:
                raise ValueError(
                    f"{key}={told}: {self.name} must be a number from {low:g} to {high:g}, the "
                    "range in training"
                )
            return number
        if text in self.levels:
            return float(self.levels.index(text))
        if self.kind == "boolean" and text.lower() in NO + YES:
            return float(text.lower() in YES)
        raise ValueError(f"{key}={told}: no such level; known are {self._known()}")

    def show(self, value: float) -> str:
        """A value in words, such as "hair=red"."""
        return f"{self.name}={self.levels[int(value)] if self.levels else f'{value:g}'}"

    def _known(self) -> str:
        return ", ".join(self.levels[:SHOWN]) + (", ..." if len(self.levels) > SHOWN else "")


@dataclass(frozen=True, eq=False)
class Combinations:
    """Values of several facets that come together, L of them; row i is what position i tells.

    Args:
        facets: A of them.
        values: float64, shape (L, A).
    """

    facets: tuple[Facet, ...]
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    @property
    def width(self) -> int:
        return sum(facet.width for facet in self.facets)

    @property
    def shares(self) -> tuple[float, ...]:
        """What makes the weights of each facet, which may have two stretches, sum to 1."""
        return tuple(0.5 if f.has_ends else 1.0 for f in self.facets for _ in range(f.width))

    @cached_property
    def features(self) -> np.ndarray:
        """The vector of each combination, float32 (L, width)."""
        columns = zip(self.facets, self.values.T, strict=True)
        return np.concatenate([facet.weights(column) for facet, column in columns], axis=1)

    @classmethod
    def of(
        cls, facets: Sequence[Facet], images: Images, grids: Mapping[str, np.ndarray] | None = None
    ) -> tuple[Combinations, np.ndarray]:
        """The distinct combinations that images have, and which one each has, int64 (N,).

        Args:
            facets: of the combinations.
            images: with all facets.
            grids: numbers to round to, rising, by name of facet; exact without.
        """
        columns = [facet.read(images) for facet in facets]
        for i, facet in enumerate(facets):
            grid = (grids or {}).get(facet.name)
            if grid is not None:
                columns[i] = grid[np.searchsorted((grid[1:] + grid[:-1]) / 2, columns[i])]
        values, codes = np.unique(np.stack(columns, 1), axis=0, return_inverse=True)
        return cls(tuple(facets), values), codes.reshape(-1).astype(np.int64)

    def find(self, name: str) -> int:
        """The place of a facet by name, or -1; `LABEL` is that of the class alone."""
        found = (i for i, facet in enumerate(self.facets) if facet.name == name)
        place = next(found, -1)
        return place if name != LABEL or self.facets[place].kind == "class" else -1

    def told(self, rows: np.ndarray) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """Class numbers, if there are classes, and attributes of the positions (N,)."""
        labels, attributes = None, {}
        for facet, column in zip(self.facets, self.values.T, strict=True):
            if facet.kind == "class":
                labels = facet.written(column[rows])
            else:
                attributes[facet.name] = facet.written(column[rows])
        return labels, attributes

    def state(self) -> dict[str, Any]:
        """Plain JSON; values by facet, each one text, as there may be as many as images."""
        rows = [
            packed(column.astype(np.int64) if facet.levels else column)
            for facet, column in zip(self.facets, self.values.T, strict=True)
        ]
        facets = [
            asdict(f) | {"levels": list(f.levels), "knots": list(f.knots)} for f in self.facets
        ]
        return {"facets": facets, "values": rows}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Combinations:
        facets = tuple(
            Facet(f["name"], f["kind"], tuple(f["levels"]), tuple(f["knots"]))
            for f in state["facets"]
        )
        columns = [unpacked(text) for text in state["values"]]
        return cls(facets, np.array(columns, np.float64).reshape(len(facets), -1).T)


def packed(numbers: Iterable[float]) -> str:
    """Numbers as one text, from which `unpacked` makes the same: in JSON they are one line."""
    return " ".join(repr(number) for number in np.asarray(numbers).tolist())


def unpacked(text: str) -> list[float]:
    """The numbers of a text of `packed`."""
    return [float(word) for word in text.split()]
