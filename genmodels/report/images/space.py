"""Sections on features: Frechet and kernel distance, per class, and where the images lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from genmodels.metrics.images.copies import principal
from genmodels.metrics.images.encoders import Encoder
from genmodels.metrics.images.frechet import (
    frechet_distance,
    frechet_infinity,
    frechet_infinity_interval,
    least_rows,
)
from genmodels.metrics.images.kernels import kernel_distance_interval, kernel_distances
from genmodels.metrics.intervals import jackknife
from genmodels.metrics.tables.marginals import total_variation
from genmodels.report.images.album import BASELINE, SIDES, Album, Part, Simple, points_of
from genmodels.report.page.pictures import scatter
from genmodels.report.rows import SIMPLE, Picture, Row, Section

__all__ = ["Space", "distances", "map_of_features"]

FEW = 100  # images below which nothing is extrapolated


@dataclass(frozen=True, eq=False)
class Space:
    """Features of equally many images of each data set.

    Args:
        encoder: that made them.
        held: of held-out images, shape (n, D).
        sides: of `Album.shown`, each (n, D).
    """

    encoder: Encoder
    held: np.ndarray
    sides: dict[str, np.ndarray]

    @classmethod
    def of(cls, album: Album, encoder: Encoder, count: int) -> Space:
        """Features of at most `count` images a side."""
        features = {name: encoder(x.pixels) for name, x in album.heads(count).items()}
        return cls(encoder, features.pop("holdout"), features)

    @property
    def n(self) -> int:
        return len(self.held)

    def kept(self, most: int | None = None) -> int:
        """Dimensions that n images can bear: all, or as many principal components."""
        width = self.held.shape[1]
        bearable = width if self.n >= least_rows(width) else max(1, self.n // 4)
        return bearable if most is None else min(bearable, most)

    def turned(self, kept: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Held-out and other features in the principal directions of real ones."""
        if kept == self.held.shape[1]:
            return self.held, self.sides
        basis = principal(np.concatenate([self.held, self.sides["real"]]), kept)
        return self.held @ basis, {name: x @ basis for name, x in self.sides.items()}

    def label(self, kind: str, kept: int) -> str:
        """Name of a distance, with the number of components where they are not all there."""
        width = self.held.shape[1]
        if kept == width:
            return self.encoder.distance(kind)
        return f"{kind}-{self.encoder.name}, {kept} of {width} components"


def distances(album: Album, space: Space, *, components: int, subsets: int) -> Part:
    """Distances of feature distributions from held-out images.

    Args:
        components: principal directions behind the extrapolated distance, at most.
        subsets: of 1,000 images behind the kernel distance.
    """
    rows = [
        _frechet(album, space),
        _infinity(album, space, components),
        _kernel(album, space, subsets),
    ]
    simple = tuple(row for row in rows if row is not None)
    shares = _class_shares(album)
    found = (*(s.row for s in simple), *(() if shares is None else (shares,)))
    known = "" if space.encoder.is_inception else " They compare with no published FID or KID."
    text = (
        f"How far the synthetic images as a whole are from {space.n:,} held-out ones for a "
        f"network; 0 is best. Network: {space.encoder.name}, weights sha256 "
        f"{space.encoder.checksum}, images {space.encoder.resize}.{known}"
    )
    return Part(Section("Distances", text, found), simple)


def _frechet(album: Album, space: Space) -> Simple:
    kept = space.kept()
    held, sides = space.turned(kept)
    figures = {name: frechet_distance(held, x) for name, x in sides.items()}
    made = sides["synthetic"]
    interval = jackknife(
        figures["synthetic"],
        lambda rows: frechet_distance(held[rows], made[rows]),
        space.n,
    )
    row = album.row(
        "fidelity",
        space.label("FD", kept),
        points_of(figures),
        "lower",
        n=space.n,
        interval=interval,
        note="Difference of the averages and of the joint spread of the features.",
        scale=max(figures["independent"], 1e-9),
    )
    return Simple(row, figures.get(BASELINE))


def _infinity(album: Album, space: Space, components: int) -> Simple | None:
    if space.n < FEW:
        return None
    kept = space.kept(components)
    held, sides = space.turned(kept)
    figures = {name: frechet_infinity(held, x, seed=album.seed) for name, x in sides.items()}
    interval = frechet_infinity_interval(
        held, sides["synthetic"], figures["synthetic"], seed=album.seed
    )
    row = album.row(
        "fidelity",
        f"{space.label('FD', kept)}, at infinitely many images",
        points_of(figures),
        "lower",
        n=space.n,
        interval=interval,
        note="The same without the error of few images: extrapolated over 15 numbers of images; "
        "it may fall a little below 0.",
        headline=False,
        scale=max(figures["independent"], 1e-9),
    )
    return Simple(row, figures.get(BASELINE))


def _kernel(album: Album, space: Space, subsets: int) -> Simple:
    prepare = _prepared(space)
    held = prepare(space.held)
    others = [prepare(x) for x in space.sides.values()]
    found = kernel_distances(held, others, repeats=subsets, seed=album.seed)
    figures = dict(zip(space.sides, found, strict=True))
    made = prepare(space.sides["synthetic"])
    row = album.row(
        "fidelity",
        space.encoder.distance("KD"),
        points_of(figures),
        "lower",
        n=space.n,
        interval=kernel_distance_interval(held, made, figures["synthetic"]),
        note="Like the distance above, but of whole distributions and without bias; it may fall a "
        "little below 0.",
        headline=False,
        scale=max(figures["independent"], 1e-9),
    )
    return Simple(row, figures.get(BASELINE))


def _prepared(space: Space) -> Callable[[np.ndarray], np.ndarray]:
    """Centred and of unit average variance, so that the kernel means the same for all encoders."""
    if not space.encoder.standardise:
        return lambda x: x
    centre = space.held.mean(0)
    unit = float(np.sqrt(space.held.var(0).mean())) or 1.0
    return lambda x: (x - centre) / unit


def _class_shares(album: Album) -> Row | None:
    held, classes = album.holdout.labels, album.classes
    given = {name: album.side(name).labels for name in SIDES}
    labels = {name: x for name, x in given.items() if x is not None}
    if held is None or len(labels) < len(given):
        return None
    figures = {name: total_variation(held, x, classes) for name, x in labels.items()}
    made = labels["synthetic"]
    interval = jackknife(
        figures["synthetic"],
        lambda rows: total_variation(held, made[rows], classes),
        len(made),
        high=1.0,
    )
    return album.row(
        "fidelity",
        "class share error",
        points_of(figures),
        "lower",
        n=len(made),
        interval=interval,
        note="Total variation distance of the shares of the classes.",
        headline=False,
        scale=0.5,
    )


def map_of_features(space: Space) -> Picture:
    """The first two principal components of the features of real and synthetic images."""
    basis = principal(np.concatenate([space.held, space.sides["real"]]), min(2, space.kept()))
    drawn = [space.held, space.sides["synthetic"]]
    drawn += [x for name, x in space.sides.items() if name == BASELINE]
    flat = [x @ basis for x in drawn]
    flat = [np.pad(x, ((0, 0), (0, 2 - x.shape[1]))) for x in flat]
    caption = (
        f"{space.encoder.name} features of images in the two directions in which real ones differ "
        "most. Grey that shows is what was missed."
    )
    other = flat[2] if len(flat) > 2 else None
    picture = scatter(flat[0], flat[1], other=other, other_name=SIMPLE)
    return Picture(caption, picture, wide=True)
