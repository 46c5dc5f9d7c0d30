"""Sections of the report on synthetic images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from genmodels.metrics.domain_cnn import FittedCNN
from genmodels.metrics.images import Copies, copy_share, exact_copies, principal
from genmodels.metrics.intervals import wilson
from genmodels.metrics.kernels import density_and_coverage, frechet_distance, kernel_distance
from genmodels.metrics.marginals import total_variation
from genmodels.report.pictures import image_rows
from genmodels.report.rows import Axis, Better, Cell, Detail, Floor, Picture, Points, Row, Section
from genmodels.types import Images

__all__ = ["Album", "copies", "coverage", "distances", "gallery", "utility"]

CHOICE = "A seeded choice, not a selection."


@dataclass(frozen=True, eq=False)
class Album:
    """Real, synthetic and shuffled images in random order; the reference is the held-out set.

    Args:
        train, holdout, synthetic: images.
        shuffled: training pixels, each position permuted on its own, uint8 (M, C, H, W).
        seed: of every random choice.
    """

    train: Images
    holdout: Images
    synthetic: Images
    shuffled: np.ndarray
    seed: int

    @property
    def n(self) -> int:
        return min(len(self.train), len(self.holdout), len(self.synthetic))

    @property
    def classes(self) -> int:
        """Number of classes over all labels; 0 when unlabelled."""
        sides = (self.train, self.holdout, self.synthetic)
        return max(0 if x.labels is None else int(x.labels.max()) + 1 for x in sides)

    def row(
        self,
        axis: Axis,
        metric: str,
        points: Points,
        better: Better,
        n: int,
        *,
        interval: tuple[float, float] | None = None,
        note: str = "",
        floor_is: Floor = "independent",
        scale: float = 1.0,
    ) -> Row:
        return Row(
            axis,
            metric,
            points.value,
            points.ceiling,
            points.independent,
            points.copies,
            better,
            n,
            self.seed,
            interval,
            note,
            floor_is,
            scale=scale,
        )

    def samples(self, count: int) -> list[np.ndarray]:
        """Equally many held-out, synthetic, training and shuffled images."""
        n = min(self.n, count, len(self.shuffled))
        sides = (self.holdout.pixels, self.synthetic.pixels, self.train.pixels, self.shuffled)
        return [pixels[:n] for pixels in sides]


def gallery(album: Album, names: tuple[str, ...], *, shown: int) -> Section:
    """Real and synthetic images side by side, one class a row where there are classes."""
    real, made = album.holdout, album.synthetic
    if real.labels is None or made.labels is None:
        rows = [x.pixels[k * shown : (k + 1) * shown] for k in range(4) for x in (real, made)]
        picture = _mosaic([r for r in rows if len(r)], "Rows in turn: real, synthetic.")
        return Section(
            "Real and synthetic", "A seeded choice, not a selection.", (), (), (picture,)
        )
    half = max(1, shown // 2)
    rows, labels = [], []
    for k in range(min(album.classes, 20)):
        a, b = (x.pixels[x.labels == k][:half] for x in (real, made) if x.labels is not None)
        filled = [_fill(part, half) for part in (a, b)]
        rows.append(np.concatenate([filled[0], _gap(filled[0]), filled[1]]))
        labels.append(names[k] if k < len(names) else str(k))
    caption = f"Left real, right synthetic; classes from the top: {', '.join(labels)}."
    return Section("Real and synthetic", CHOICE, (), (), (_mosaic(rows, caption),))


def utility(album: Album, cnn: FittedCNN, *, fit: Callable[[Images, Album], FittedCNN]) -> Section:
    """Accuracy on held-out images of a classifier that saw synthetic images only."""
    truth, made = album.holdout.labels, album.synthetic.labels
    assert truth is not None
    assert made is not None
    rows = min(len(album.train), len(album.synthetic))
    learnt = fit(album.synthetic.take(np.arange(rows)), album)
    guess = learnt.predict(album.holdout.pixels)
    real = cnn.predict(album.holdout.pixels) == truth
    agree = cnn.predict(album.synthetic.pixels[:20_000]) == made[:20_000]
    chance = float(np.bincount(truth).max() / len(truth))
    right = guess == truth
    ceiling = float(real.mean())
    found = (
        album.row(
            "utility",
            "accuracy, trained on synthetic",
            Points(float(right.mean()), ceiling, chance),
            "higher",
            len(truth),
            interval=wilson(int(right.sum()), len(right)),
            note=f"A small network learnt on {rows:,} synthetic images, tested on {len(truth):,} "
            "real ones; chance is the commonest class.",
        ),
        album.row(
            "utility",
            "class agreement",
            Points(float(agree.mean()), ceiling, chance),
            "higher",
            len(agree),
            interval=wilson(int(agree.sum()), len(agree)),
            note="Share of images to which a network trained on real images gives their label.",
        ),
    )
    detail = _per_class(truth, right, real, made, agree)
    return Section(
        "Train on synthetic, test on real", "The same network, steps and seed.", found, (detail,)
    )


def distances(album: Album, features: list[np.ndarray], name: str) -> Section:
    """Frechet and kernel distance to held-out images; features as in `Album.samples`."""
    reference = features[0]
    n, width = reference.shape
    kept = min(width, max(1, n // 4))
    basis = principal(np.concatenate([reference, features[2]]), kept)
    label = name if kept == width else f"{name}, {kept} of {width} components"
    # Centred and of unit average variance: the kernel then means the same for all features.
    centre, unit = reference.mean(0), float(np.sqrt((reference @ basis).var(0).mean())) or 1.0
    near = (reference - centre) @ basis / unit
    made, real, floor = features[1:]
    frechet, kernel = (
        (distance(made), distance(real), distance(floor))
        for distance in (
            lambda f: frechet_distance(reference @ basis, f @ basis),
            lambda f: kernel_distance(near, (f - centre) @ basis / unit, seed=album.seed),
        )
    )
    found = [
        album.row(
            "fidelity",
            f"{kind}[{label}]",
            Points(*values),
            "lower",
            n,
            note=f"{kind} is on own features and comparable with no published {known}.",
            scale=max(values[2], 1e-9),
        )
        for kind, known, values in (("FD", "FID", frechet), ("KD", "KID", kernel))
    ]
    if album.holdout.labels is not None and album.synthetic.labels is not None:
        found.append(_class_shares(album))
    text = f"Distances of {name} features to {n:,} held-out images. 0 is best."
    return Section("Distances", text, tuple(found))


def coverage(album: Album, features: list[np.ndarray], name: str, *, k: int) -> Section:
    """Density and coverage with k nearest neighbours."""
    values = [density_and_coverage(features[0], f, k=k) for f in features[1:]]
    n = len(features[0])
    hits = round(values[0][1] * n)
    density, covered = (Points(*column) for column in zip(*values, strict=True))
    found = (
        album.row(
            "coverage",
            f"coverage, k={k} [{name}]",
            covered,
            "higher",
            n,
            interval=wilson(hits, n),
            note="Share of real images with a synthetic one nearby.",
        ),
        album.row(
            "fidelity",
            f"density, k={k} [{name}]",
            density,
            "higher",
            n,
            note="How many real neighbourhoods a synthetic image lies in.",
        ),
    )
    return Section("Coverage", "Neighbourhoods of held-out images in feature space.", found)


def copies(album: Album, *, count: int, side: int, shown: int) -> Section:
    """Synthetic images that are, or nearly are, training images."""
    seed, training = album.seed, album.train.pixels
    made, real = (
        Copies.find(x.pixels, training, count=count, side=side, seed=seed)
        for x in (album.synthetic, album.holdout)
    )
    usual = float(np.median(real.distance))
    near, total = copy_share(made, usual)
    near_real, total_real = copy_share(real, usual)
    exact = exact_copies(album.synthetic.pixels, training)
    exact_real = exact_copies(album.holdout.pixels, training)
    n = len(album.synthetic)
    found = (
        album.row(
            "memorisation",
            "near copies of training images, share",
            Points(near / total, near_real / total_real, None, 1.0),
            "lower",
            total,
            interval=wilson(near, total),
            note="Nearest training image nearer than half the usual distance of real images.",
            floor_is="copies",
        ),
        album.row(
            "memorisation",
            "exact copies of training images, share",
            Points(exact / n, exact_real / len(album.holdout), None, 1.0),
            "lower",
            n,
            interval=wilson(exact, n),
            note=f"{exact:,} of {n:,} images.",
            floor_is="copies",
        ),
    )
    order = np.argsort(made.distance, kind="stable")[:shown]
    rows = [album.synthetic.pixels[made.rows[order]], training[made.index[order]]]
    picture = _mosaic(rows, "Above: synthetic images nearest to the training set; below: theirs.")
    text = "Not a test of privacy. Distances between values in [-1, 1]."
    return Section("Copies", text, found, (), (picture,))


def _per_class(
    truth: np.ndarray, right: np.ndarray, real: np.ndarray, made: np.ndarray, agree: np.ndarray
) -> Detail:
    lines: list[tuple[Cell, ...]] = []
    for k in range(int(truth.max()) + 1):
        here, there = truth == k, made[: len(agree)] == k
        figures = [float(x.mean()) if len(x) else None for x in (right[here], real[here])]
        agreement = float(agree[there].mean()) if there.any() else None
        lines.append((k, int(here.sum()), *figures, agreement))
    headers = ("class", "held-out images", "trained on synthetic", "trained on real", "agreement")
    return Detail("Accuracy per class", headers, tuple(lines))


def _class_shares(album: Album) -> Row:
    real, made, other = (x.labels for x in (album.holdout, album.synthetic, album.train))
    assert real is not None
    assert made is not None
    assert other is not None
    value, ceiling = (total_variation(real, x, album.classes) for x in (made, other))
    return album.row(
        "fidelity",
        "class share error",
        Points(value, ceiling, None),
        "lower",
        len(made),
        note="Total variation distance of the shares of the classes.",
        scale=0.5,
    )


def _mosaic(rows: list[np.ndarray], caption: str) -> Picture:
    side = max(rows[0].shape[-2:])
    scale = max(1, 32 // side)
    stride = max(1, side // 64)
    thin = [r[:, :, ::stride, ::stride] for r in rows]
    return Picture(caption, image_rows(thin, scale=scale), wide=True)


def _fill(images: np.ndarray, count: int) -> np.ndarray:
    """Exactly `count` images, white ones at the end where some are missing."""
    blank = np.full((count - len(images), *images.shape[1:]), 255, dtype=np.uint8)
    return np.concatenate([images, blank])


def _gap(images: np.ndarray) -> np.ndarray:
    return np.full_like(images[:1], 255)
