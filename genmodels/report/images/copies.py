"""Section on memorisation: images that are training images, or stand conspicuously near to one."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np

from genmodels.metrics.copying import copying_test
from genmodels.metrics.images.copies import exact_copies
from genmodels.metrics.images.encoders import Encoder
from genmodels.metrics.images.nearness import (
    Bank,
    Nearness,
    nearer_share,
    nearness,
    pixel_vectors,
)
from genmodels.metrics.intervals import wilson
from genmodels.metrics.tables.memorisation import authentic, share_interval
from genmodels.report.images.album import SIDES, Album, points_of
from genmodels.report.images.pictures import mosaic, thumbs
from genmodels.report.looks.neighbours import neighbour_sheet
from genmodels.report.rows import Picture, Row, Section

__all__ = ["memorisation"]

CLOSE = 0.5  # of the usual distance of real images: a near copy
FEWER = 4  # the reference points are looked at on a fourth of the images
CELLS, CELL_ROWS = 8, 5000
SHOWN, NEAREST = 8, 5  # synthetic images with their nearest training images, and how many of these


@dataclass(frozen=True, eq=False)
class _Search:
    """What was found in one space.

    Args:
        where: "pixels", or the name of an encoder.
        training, holdout: banks; the second is one half of the held-out images.
        probes: vectors of some images of each of `SIDES`; "real" are held-out ones.
        rows: numbers of these images.
        fresh: how many of the "real" ones are of the other half; they come first.
        found: their neighbours.
    """

    where: str
    training: Bank
    holdout: Bank
    probes: dict[str, np.ndarray]
    rows: dict[str, np.ndarray]
    fresh: int
    found: dict[str, Nearness]

    @property
    def usual(self) -> float:
        """Median distance of a real image to the nearest training image."""
        return float(np.median(self.found["real"].distance))

    def near_copies(self, name: str) -> np.ndarray:
        return self.found[name].distance < CLOSE * self.usual

    def nearer(self, name: str) -> tuple[float, tuple[float, float]]:
        found = self.found[name]
        if name == "real":
            found = Nearness(*(x[: self.fresh] for x in found.parts))
        return nearer_share(found, len(self.training), len(self.holdout))

    def authentic(self, name: str) -> np.ndarray:
        """Whether images are further from their training image than that is from another."""
        found = self.found[name]
        asked, back = np.unique(found.index, return_inverse=True)
        own = self.training.embed(self.training.rows[asked])
        radius = self.training.nearest(own, but=asked)[:, 1][back]
        return authentic(found.distance, radius)


def memorisation(
    album: Album, encoder: Encoder, *, count: int, bank: int, side: int, shown: int
) -> Section:
    """Copies, near copies, and nearness to training images in pixels and in features.

    Args:
        count: synthetic images whose neighbours are looked for.
        bank: training images that are searched for neighbours in features, at most.
        side: images are shrunk to so many pixels before pixels are compared.
        shown: pairs in each picture.
    """
    pixels = _search(album, "pixels", pixel_vectors(side), count, len(album.train))
    features = _search(album, encoder.name, encoder, count, bank)
    rows = [_exact(album), _near(album, pixels), _nearer(album, pixels, headline=True)]
    rows += [_nearer(album, features, headline=False), _authentic(album, features)]
    copying = _copying(album, features)
    rows += [] if copying is None else [copying]
    text = (
        "Images that were learnt by heart instead of made up. Held-out images show what "
        f"coincidence does. {count:,} synthetic images were looked up among "
        f"{len(pixels.training):,} training images in pixels and {len(features.training):,} in "
        f"{encoder.name} features. Not a test of privacy."
    )
    pictures = [_pairs(album, search, shown) for search in (pixels, features)]
    pictures.append(_neighbours(album, features))
    return Section("Copies", text, tuple(rows), (), tuple(pictures))


def _search(album: Album, where: str, embed: object, count: int, most: int) -> _Search:
    assert callable(embed)
    half = (len(album.holdout) + 1) // 2
    trained = album.train.pixels[:most]
    vectors = trained if where == "pixels" else embed(trained)
    training = Bank(vectors, embed if where == "pixels" else np.asarray)
    held = embed(album.holdout.pixels[:half])
    few = max(10, count // FEWER)
    drawn = np.random.default_rng([album.seed, 706]).integers(0, len(trained), min(few, most))
    fresh = np.arange(half, min(half + count, len(album.holdout)))
    choice = {
        "synthetic": (album.synthetic.pixels, np.arange(min(count, len(album.synthetic)))),
        "real": (album.holdout.pixels, np.append(fresh, np.arange(min(count, half)))),
        "independent": (album.independent.pixels, np.arange(min(few, len(album.independent)))),
        "copies": (trained, drawn),
    }
    probes = {name: embed(images[rows]) for name, (images, rows) in choice.items()}
    holdout = Bank(held, np.asarray)
    together = nearness(np.concatenate([probes[name] for name in SIDES]), training, holdout)
    ends = np.cumsum([len(probes[name]) for name in SIDES])[:-1]
    split = zip(*(np.split(x, ends) for x in together.parts), strict=True)
    found = {name: Nearness(*parts) for name, parts in zip(SIDES, split, strict=True)}
    rows = {name: rows for name, (_, rows) in choice.items()}
    return _Search(where, training, holdout, probes, rows, len(fresh), found)


def _exact(album: Album) -> Row:
    training = album.train.pixels
    sides = {name: album.side(name).pixels for name in ("synthetic", "independent", "copies")}
    sides["real"] = album.holdout.pixels
    counts = {name: exact_copies(x, training) for name, x in sides.items()}
    n = len(album.synthetic)
    return album.row(
        "memorisation",
        "exact copies of training images, share",
        points_of({name: counts[name] / len(x) for name, x in sides.items()}),
        "lower",
        n=n,
        interval=wilson(counts["synthetic"], n),
        note=f"{counts['synthetic']:,} of {n:,} synthetic images equal a training image in every "
        f"pixel; of {len(album.holdout):,} held-out images {counts['real']:,} do.",
        floor_is="copies",
    )


def _near(album: Album, search: _Search) -> Row:
    flags = {name: search.near_copies(name) for name in SIDES}
    made = flags["synthetic"]
    return album.row(
        "memorisation",
        "near copies of training images, share",
        points_of({name: float(x.mean()) for name, x in flags.items()}),
        "lower",
        n=len(made),
        interval=wilson(int(made.sum()), len(made)),
        note="Nearest training image nearer than half the usual distance of real images.",
        floor_is="copies",
    )


def _nearer(album: Album, search: _Search, *, headline: bool) -> Row:
    shares = {name: search.nearer(name) for name in SIDES}
    return album.row(
        "memorisation",
        f"nearer to training than to held-out images, share, in {search.where}",
        points_of({name: share for name, (share, _) in shares.items()}),
        "lower",
        n=len(search.found["synthetic"].distance),
        interval=shares["synthetic"][1],
        note="At equal numbers of both; ties are split. 0.5 is chance"
        + ("." if search.where == "pixels" else ", but for a network that knows one of the two."),
        floor_is="copies",
        headline=headline,
    )


def _authentic(album: Album, search: _Search) -> Row:
    flags = {name: search.authentic(name) for name in SIDES}
    made = flags["synthetic"]
    return album.row(
        "memorisation",
        f"authentic images, share, in {search.where}",
        points_of({name: float(x.mean()) for name, x in flags.items()}),
        "higher",
        n=len(made),
        interval=share_interval(made.astype(float), search.found["synthetic"].index),
        note="Images that are further from their nearest training image than that is from the "
        "other training images; images far off are authentic, too.",
        floor_is="copies",
        headline=False,
    )


def _copying(album: Album, search: _Search) -> Row | None:
    """C_T against one half of the real probes; the other half is the ceiling."""
    cells = _cells(search, album.seed)
    held, rest = np.arange(0, len(cells["real"]), 2), np.arange(1, len(cells["real"]), 2)
    real = search.found["real"].distance
    tests = {
        name: copying_test(
            search.found[name].distance, real[held], cells[name], cells["real"][held]
        )
        for name in ("synthetic", "independent", "copies")
    }
    tests["real"] = copying_test(real[rest], real[held], cells["real"][rest], cells["real"][held])
    made = tests["synthetic"]
    if made is None:
        return None
    return album.row(
        "memorisation",
        f"data-copying test C_T, in {search.where}",
        points_of({name: test.z for name, test in tests.items() if test is not None}),
        "higher",
        n=made.n,
        interval=made.interval,
        note=f"Over {made.cells} regions: below -3 synthetic images are nearer to training images "
        "than held-out ones are (copying), above 3 they are further away (poor fit).",
        floor_is="copies",
        headline=False,
        scale=10.0,
    )


def _cells(search: _Search, seed: int) -> dict[str, np.ndarray]:
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    points = search.training.rows[:CELL_ROWS]
    count = max(1, min(CELLS, len(points) // 50))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # equal images make fewer regions
        means = KMeans(count, n_init=1, random_state=seed).fit(points)
    return {name: means.predict(probe) for name, probe in search.probes.items()}


def _pairs(album: Album, search: _Search, shown: int) -> Picture:
    found = search.found["synthetic"]
    order = np.argsort(found.distance, kind="stable")[:shown]
    made = album.synthetic.pixels[search.rows["synthetic"][order]]
    theirs = album.train.pixels[found.index[order]]
    caption = (
        f"Above: the synthetic images that are nearest to a training image in {search.where}; "
        "below: that training image."
    )
    return mosaic([made, theirs], caption)


def _neighbours(album: Album, search: _Search) -> Picture:
    """Some synthetic images, not the nearest ones, beside their nearest training images."""
    rows = search.rows["synthetic"][:SHOWN]
    probes = search.probes["synthetic"][:SHOWN]
    few = min(NEAREST, len(search.training))
    index, distance = search.training.nearest_few(probes, few)
    chosen, place = np.unique(index, return_inverse=True)
    names: tuple[str, ...] = ()
    if album.synthetic.labels is not None:
        names = tuple(album.name(int(k)) for k in album.synthetic.labels[rows])
    sheet = neighbour_sheet(
        thumbs(album.synthetic.pixels[rows]),
        thumbs(album.train.pixels[chosen]),
        place.reshape(index.shape),
        distance,
        names,
    )
    out = BytesIO()
    sheet.save(out, "PNG", optimize=True)
    caption = (
        f"Synthetic images, a seeded choice, and the {few} training images nearest to each in "
        f"{search.where}, with their distances; held-out images lie {search.usual:.3g} from their "
        "nearest training image, in the median."
    )
    return Picture(caption, out.getvalue())
