"""The real and synthetic images that figures are computed from, and rows made of figures.

The reference is the held-out set, which no training saw. In the place of the synthetic images
stand training images (what another real sample scores), shuffled pixels, copies of training images
and, as a further reference, a Gaussian in principal components. The training images that stand
for another real sample are kept from the network that makes features: it would know them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genmodels.metrics.images.copies import drawn_copies, shuffled_pixels
from genmodels.metrics.images.pca_gaussian import pca_gaussian
from genmodels.report.rows import Points, Row, RowMaker, Section
from genmodels.types import Images

__all__ = ["BASELINE", "SIDES", "Album", "Part", "Simple", "points_of"]

SIDES = ("synthetic", "real", "independent", "copies")
BASELINE = "pca_gaussian"
BOTH = "both level with real"
LEAST = 10


@dataclass(frozen=True)
class Simple:
    """What the simple generator scores in a figure of the report; None where there is none."""

    row: Row
    value: float | None

    @property
    def found(self) -> float:
        """Its figure, where there is one."""
        assert self.value is not None
        return self.value

    @property
    def judged(self) -> str:
        """Whether the synthetic images are better: yes (beyond chance), no, or both are good."""
        row = self.row
        if row.ceiling is None:
            return "-"
        mine, its = row.worse(row.value), row.worse(self.found)
        low, high = row.interval or (row.value, row.value)
        if (mine <= 0 or low <= row.ceiling <= high) and (its <= 0 or low <= self.found <= high):
            return BOTH
        if row.better == "near":
            surest = max(row.worse(low), row.worse(high))
        else:
            surest = row.worse(low if row.better == "higher" else high)
        return "yes" if surest < its else "no"


@dataclass(frozen=True, eq=False)
class Part:
    """A section and what the simple generator scores in its figures."""

    section: Section
    simple: tuple[Simple, ...] = ()


@dataclass(frozen=True, eq=False)
class Album:
    """All images in random order.

    Args:
        train, holdout, synthetic: as given.
        apart: first so many training images, the other real sample.
        independent: training images with each position permuted on its own; labels as they were.
        copies: training images drawn with replacement.
        simple: of a Gaussian per class in principal components; None: it was not asked for.
        seed: of every random choice.
    """

    train: Images
    holdout: Images
    synthetic: Images
    apart: int
    independent: Images
    copies: Images
    simple: Images | None
    seed: int

    @classmethod
    def prepare(
        cls,
        train: Images,
        holdout: Images,
        synthetic: Images,
        *,
        most: int,
        components: int | None,
        seed: int,
    ) -> Album:
        """Shuffle the order of images and make the data sets of reference.

        Args:
            most: images of the data sets that are made here; the simple one has as many as
                there are to learn from.
            components: of the simple one; None: leave it out.

        Raises:
            ValueError: when there is nothing to compare.
        """
        named = {"training": train, "held-out": holdout, "synthetic": synthetic}
        _check(named)
        real, held, made = (
            x.take(np.random.default_rng([seed, 11, k]).permutation(len(x)))
            for k, x in enumerate(named.values())
        )
        few = real.take(np.arange(min(len(real), most)))
        shuffled = replace(few, pixels=shuffled_pixels(few.pixels, seed))
        copied = drawn_copies(real, min(len(real), most), seed)
        count = min(len(real), len(made))
        simple = (
            None
            if components is None
            else pca_gaussian(real, count, components=components, seed=seed)
        )
        apart = min(max(len(real) // 3, LEAST), len(held), most)
        return cls(real, held, made, apart, shuffled, copied, simple, seed)

    @property
    def n(self) -> int:
        return min(self.apart, len(self.holdout), len(self.synthetic))

    @property
    def lessons(self) -> Images:
        """What the network that makes features learns from; all when there are very few."""
        start = self.apart if len(self.train) >= 3 * LEAST else 0
        return self.train.take(np.arange(start, len(self.train)))

    @property
    def classes(self) -> int:
        """Number of classes over all labels; 0 when unlabelled."""
        sides = (self.train, self.holdout, self.synthetic)
        return max(0 if x.labels is None else int(x.labels.max()) + 1 for x in sides)

    def name(self, label: int) -> str:
        """What users call a class."""
        names = self.holdout.class_names or self.train.class_names or self.synthetic.class_names
        return names[label] if label < len(names) else str(label)

    def side(self, name: str) -> Images:
        """One of `shown`."""
        known: dict[str, Any] = {"real": self.train, BASELINE: self.simple}
        found: Images = known[name] if name in known else getattr(self, name)
        return found

    @property
    def shown(self) -> tuple[str, ...]:
        """`SIDES`, and `BASELINE` where it was asked for."""
        return SIDES if self.simple is None else (*SIDES, BASELINE)

    def heads(self, count: int) -> dict[str, Images]:
        """Equally many images of each of `shown`, and `holdout`."""
        sides = {name: self.side(name) for name in self.shown}
        rows = np.arange(min(self.n, count, *map(len, sides.values())))
        return {name: x.take(rows) for name, x in {"holdout": self.holdout, **sides}.items()}

    @property
    def row(self) -> RowMaker:
        return RowMaker(self.seed, self.n)


def points_of(figures: Mapping[str, float]) -> Points:
    """The figures of `SIDES`; one that is missing is None."""
    value, *others = (figures.get(name) for name in SIDES)
    assert value is not None
    return Points(value, *others)


def _check(named: dict[str, Images]) -> None:
    for name, images in named.items():
        if len(images) < LEAST:
            raise ValueError(
                f"{len(images)} {name} images are too few to compare; {LEAST} is least"
            )
    shapes = {name: images.pixels.shape[1:] for name, images in named.items()}
    if len(set(shapes.values())) > 1:
        found = ", ".join(f"{k} {' x '.join(map(str, v))}" for k, v in shapes.items())
        raise ValueError(f"images must have one shape (channels x height x width): {found}")
