"""The report on synthetic images: utility, distances on own features, coverage and copies."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from genmodels.metrics.domain_cnn import FittedCNN, fit_cnn
from genmodels.metrics.images import shuffled_pixels
from genmodels.metrics.random_features import random_features
from genmodels.report.image_sections import Album, copies, coverage, distances, gallery, utility
from genmodels.report.rows import Cell, Report, Section
from genmodels.schema import ImageSchema
from genmodels.types import Images

__all__ = ["ImageSuite"]


class ImageSuite:
    """Fidelity, coverage, utility and memorisation of images; see `rows.Suite`.

    Args:
        images: at most this many images behind a distance.
        neighbours: images a side of density and coverage, and k.
        steps: updates of the small classifier that gives features and utility.
        side: longer side in pixels that images are shrunk to before they are compared.
        copies: synthetic images whose nearest training image is looked for.
        shown: images a row in the pictures.
    """

    def __init__(
        self,
        *,
        images: int,
        neighbours: int,
        k: int,
        steps: int,
        side: int,
        copies: int,
        shown: int,
    ) -> None:
        self.images, self.neighbours, self.k = images, neighbours, k
        self.steps, self.side, self.copies, self.shown = steps, side, copies, shown

    def __call__(
        self,
        train: Images,
        holdout: Images,
        synthetic: Images,
        schema: ImageSchema,
        *,
        target: str | None,
        seed: int,
        progress: Callable[[str], None],
    ) -> Report:
        if target is not None:
            raise ValueError("target= names a column of a table; images are judged by their labels")
        album = self._album(train, holdout, synthetic, seed)
        remarks: list[str] = []
        progress("pictures")
        sections: list[Section] = [gallery(album, schema.class_names, shown=self.shown)]
        cnn = self._classifier(album, remarks, progress)
        if cnn is not None:
            progress("training on synthetic images")
            sections.append(utility(album, cnn, fit=self._fit))
        progress("distances")
        name = "random-conv" if cnn is None else "domain-cnn"
        features = [self._features(cnn, x) for x in album.samples(self.images)]
        sections.append(distances(album, features, name))
        sections.append(coverage(album, [f[: self.neighbours] for f in features], name, k=self.k))
        progress("copies")
        sections.append(copies(album, count=self.copies, side=self.side, shown=self.shown))
        facts: dict[str, Cell] = {
            "training images": len(train),
            "held-out images": len(holdout),
            "synthetic images": len(synthetic),
            "images behind a distance": min(album.n, self.images),
            "shape": " x ".join(map(str, train.pixels.shape[1:])),
            "seed": seed,
        }
        return Report("Synthetic images", facts, tuple(sections), tuple(remarks))

    def _album(self, train: Images, holdout: Images, synthetic: Images, seed: int) -> Album:
        named = {"training": train, "held-out": holdout, "synthetic": synthetic}
        for name, images in named.items():
            if len(images) < 10:
                raise ValueError(f"{len(images)} {name} images are too few to compare; 10 is least")
        shapes = {name: images.pixels.shape[1:] for name, images in named.items()}
        if len(set(shapes.values())) > 1:
            found = ", ".join(f"{k} {' x '.join(map(str, v))}" for k, v in shapes.items())
            raise ValueError(f"images must have one shape (channels x height x width): {found}")
        mixed = [
            x.take(np.random.default_rng([seed, 11, k]).permutation(len(x)))
            for k, x in enumerate(named.values())
        ]
        count = min(len(train), self.images)
        shuffled = shuffled_pixels(mixed[0].pixels[:count], seed)
        return Album(mixed[0], mixed[1], mixed[2], shuffled, seed)

    def _classifier(
        self, album: Album, remarks: list[str], progress: Callable[[str], None]
    ) -> FittedCNN | None:
        """Trained on real images, or None without labels to train on."""
        lost = [
            name
            for name, images in (("real", album.train), ("synthetic", album.synthetic))
            if images.labels is None
        ]
        if lost or album.holdout.labels is None:
            what = " and ".join(lost) or "held-out"
            remarks.append(
                f"Utility was skipped: the {what} images have no labels. Distances are on random "
                "convolutions, which see less than a trained network."
            )
            return None
        progress("training on real images")
        return self._fit(album.train, album)

    def _fit(self, images: Images, album: Album) -> FittedCNN:
        assert images.labels is not None
        return fit_cnn(
            images.pixels,
            images.labels,
            album.classes,
            seed=album.seed,
            steps=self.steps,
            side=self.side,
        )

    def _features(self, cnn: FittedCNN | None, pixels: np.ndarray) -> np.ndarray:
        return random_features(pixels, side=self.side) if cnn is None else cnn.features(pixels)
