"""What the rows of a grid are told: a class each, or one attribute each and the rest as it comes.

With attributes, every column has a combination drawn from those of training, as it has a latent,
and a row changes one thing in it: a level, or a number that rises from left to right in the
combination and the latent of the first column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genmodels.combinations import Combinations, Facet
from genmodels.layout import Condition, Vectors
from genmodels.types import Images

__all__ = ["Rows", "shown_rows"]

ORDER = ("continuous", "boolean", "categorical", "class")


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a grid, each of the same number of columns.

    Args:
        names: of the rows; empty where nothing is told.
        c: conditions, row by row, (rows * columns, K).
        latents: which of `columns` latents each cell has, int64 (rows * columns,).
        wanted: place of the facet and the value that each cell shows, (rows * columns, 2); None
            for classes alone.
    """

    names: tuple[str, ...]
    c: Tensor
    latents: Tensor
    wanted: np.ndarray | None = None

    def real(self, images: Images, told: Combinations, rng: np.random.Generator) -> np.ndarray:
        """Numbers of images (rows * columns,), as near to what each cell shows as there are."""
        assert self.wanted is not None, "only of attributes"
        order = rng.permutation(len(images))
        places = set(self.wanted[:, 0].tolist())
        read = {place: told.facets[int(place)].read(images)[order] for place in places}
        turns: Counter[tuple[float, float]] = Counter()
        out = np.zeros(len(self.wanted), np.int64)
        for cell, (place, value) in enumerate(self.wanted.tolist()):
            distance = np.abs(read[place] - value)
            nearest = np.flatnonzero(distance == distance.min())
            out[cell] = order[nearest[turns[place, value] % len(nearest)]]
            turns[place, value] += 1
        return out


def shown_rows(condition: Condition, *, most: int, columns: int, seed: int) -> Rows:
    """At most so many rows; of more classes or levels, evenly spaced ones.

    Args:
        condition: that a model is told, something.
        most: rows.
        columns: cells of each.
        seed: of the combinations that the columns have.
    """
    told = condition.combinations
    if told is not None:
        return _of_facets(condition, told, most, columns, seed)
    group = condition.groups[0]
    names = group.levels or tuple(map(str, range(group.size)))
    shown = _spaced(len(names), most)
    positions = torch.from_numpy(shown).repeat_interleave(columns)
    latents = torch.arange(columns).repeat(len(shown))
    return Rows(tuple(str(names[i]) for i in shown), Vectors(condition)(positions), latents)


def _of_facets(
    condition: Condition, told: Combinations, most: int, columns: int, seed: int
) -> Rows:
    rng = np.random.default_rng(seed)
    shares = np.array(condition.groups[0].frequencies)
    base = told.values[rng.choice(len(told), columns, p=shares / shares.sum())]
    names, values, latents, wanted = [], [], [], []
    for place, name, shown in _shown(told, most, columns):
        rising = not told.facets[place].levels
        latents.append(np.zeros(columns, np.int64) if rising else np.arange(columns))
        row = base[latents[-1]].copy()
        row[:, place] = shown
        names.append(name)
        values.append(row)
        wanted.append(np.stack([np.full(columns, float(place)), shown], 1))
    made = Combinations(told.facets, np.concatenate(values))
    return Rows(
        tuple(names),
        torch.from_numpy(made.features),
        torch.from_numpy(np.concatenate(latents)),
        np.concatenate(wanted),
    )


def _shown(told: Combinations, most: int, columns: int) -> Iterator[tuple[int, str, np.ndarray]]:
    """Place, name and values (columns,) of each row: numbers first, classes last."""
    room = most
    for kind in ORDER:
        for place, facet in enumerate(told.facets):
            if facet.kind != kind or room <= 0:
                continue
            if not facet.levels:
                yield place, f"{facet.name}: {_range(facet)}", _rising(facet, columns)
                room -= 1
                continue
            for level in _spaced(len(facet.levels), room):
                yield place, facet.show(float(level)), np.full(columns, float(level))
                room -= 1


def _range(facet: Facet) -> str:
    return f"{facet.knots[0]:g} to {facet.knots[-1]:g}"


def _rising(facet: Facet, columns: int) -> np.ndarray:
    """Evenly spaced in frequency, from the smallest number to the largest; one: the middle."""
    share = np.linspace(0, 1, columns) if columns > 1 else np.full(1, 0.5)
    return np.interp(share, np.linspace(0, 1, len(facet.knots)), facet.knots)


def _spaced(count: int, most: int) -> np.ndarray:
    """At most so many of the first numbers, evenly spaced, int64."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(np.int64)
