"""The report on synthetic images: utility, distances on features, coverage and copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genmodels.metrics.images.domain_cnn import FittedCNN, fit_cnn
from genmodels.metrics.images.encoders import (
    Encoder,
    check_encoder,
    domain_encoder,
    pretrained,
    random_encoder,
)
from genmodels.report.images.album import BASELINE, Album, Part
from genmodels.report.images.attributes import agreement
from genmodels.report.images.baseline import baseline, noted, told
from genmodels.report.images.copies import memorisation
from genmodels.report.images.coverage import classes_found, coverage
from genmodels.report.images.pictures import gallery
from genmodels.report.images.space import Space, distances, map_of_features
from genmodels.report.images.use import utility
from genmodels.report.rows import Cell, Report, Section
from genmodels.schema import ImageSchema
from genmodels.types import Images

__all__ = ["ImageSuite"]

Tell = Callable[[str], None]


class ImageSuite:
    """Fidelity, coverage, utility and memorisation of images; see `rows.Suite`.

    Args:
        encoder: what turns images into features, see `encoders.check_encoder`.
        images: at most this many images behind a distance.
        pretrained_images: the same for an encoder with foreign weights, which is slow.
        components: principal directions behind the extrapolated distance, at most.
        subsets: of 1,000 images behind the kernel distance.
        neighbours: images a side of precision, recall, density and coverage.
        ks: numbers of neighbours of these; the middle one stands in the rows.
        steps: updates of the small classifier that gives features and utility.
        side: longer side in pixels that images are shrunk to before they are compared.
        copies: synthetic images whose nearest training image is looked for.
        bank: training images among which neighbours in features are looked for, at most.
        references: generators beside the synthetic images, `pca_gaussian` (the simplest one: a
            Gaussian for each class in principal components) or none.
        simple: principal components of it.
        shown: images a row in the pictures.
    """

    def __init__(
        self,
        *,
        encoder: str,
        images: int,
        pretrained_images: int,
        components: int,
        subsets: int,
        neighbours: int,
        ks: Sequence[int],
        steps: int,
        side: int,
        copies: int,
        bank: int,
        references: Sequence[str],
        simple: int,
        shown: int,
    ) -> None:
        self.encoder = check_encoder(encoder)
        self.images, self.pretrained_images = images, pretrained_images
        self.components, self.subsets = components, subsets
        self.neighbours, self.ks = neighbours, tuple(ks)
        self.steps, self.side, self.copies, self.bank = steps, side, copies, bank
        unknown = sorted(set(references) - {BASELINE})
        if unknown:
            raise ValueError(
                f"kinds.images.suite.references may hold {BASELINE}; there is no {unknown[0]!r}"
            )
        self.simple = simple if BASELINE in references else None
        self.shown = shown

    def __call__(
        self,
        train: Images,
        holdout: Images,
        synthetic: Images,
        schema: ImageSchema,
        *,
        target: str | None,
        seed: int,
        progress: Tell,
    ) -> Report:
        if target is not None:
            raise ValueError("target= names a column of a table; images are judged by their labels")
        foreign = None if self.encoder == "domain_cnn" else pretrained(self.encoder)
        progress("pictures")
        album = Album.prepare(
            train, holdout, synthetic, most=self.images, components=self.simple, seed=seed
        )
        remarks: list[str] = []
        cnn = self._classifier(album, remarks, progress)
        encoder = foreign or self._own(album, cnn, remarks)
        count = self.images if foreign is None else min(self.images, self.pretrained_images)
        sections = self._sections(album, cnn, encoder, count, remarks, progress)
        if schema.attributes:
            progress("attributes")
            found = agreement(album, encoder, schema.attributes, remarks)
            sections += [] if found is None else [found]
        facts: dict[str, Cell] = {
            "training images": len(train),
            "held-out images": len(holdout),
            "synthetic images": len(synthetic),
            "images behind a distance": min(album.n, count),
            "shape": " x ".join(map(str, train.pixels.shape[1:])),
            "encoder": f"{encoder.name}, sha256 {encoder.checksum}",
            "resize": encoder.resize,
            "seed": seed,
        }
        return Report("Synthetic images", facts, tuple(sections), tuple(remarks))

    def _sections(
        self,
        album: Album,
        cnn: FittedCNN | None,
        encoder: Encoder,
        count: int,
        remarks: list[str],
        progress: Tell,
    ) -> list[Section]:
        parts: list[Part] = []
        if cnn is not None and self._can_teach(album, remarks):
            parts.append(utility(album, cnn, self._fitter(album, progress)))
        progress(f"features of {encoder.name}")
        space = Space.of(album, encoder, count)
        progress("distances")
        parts.append(distances(album, space, components=self.components, subsets=self.subsets))
        progress("coverage")
        parts.append(coverage(album, space, neighbours=self.neighbours, ks=self.ks))
        if cnn is not None:
            parts.append(classes_found(album, cnn, self.images))
        progress("copies")
        bank = self.bank if count == self.images else min(self.bank, count)
        copies = memorisation(
            album, encoder, count=self.copies, bank=bank, side=self.side, shown=self.shown
        )
        last = [copies]
        if self.simple is not None:
            simple = [s for part in parts for s in part.simple]
            remarks.insert(0, told(simple))
            last.append(baseline(album, simple, components=self.simple, shown=self.shown))
        looks = gallery(album, shown=self.shown)
        drawn = (*looks.pictures, map_of_features(space))
        return [
            Section(looks.title, looks.text, (), (), drawn),
            *(noted(part) for part in parts),
            *last,
        ]

    def _classifier(self, album: Album, remarks: list[str], progress: Tell) -> FittedCNN | None:
        """Trained on real images, or None without labels to train on."""
        real, held = album.train.labels, album.holdout.labels
        if real is None or held is None:
            what = "real" if real is None else "held-out"
            remarks.append(
                f"Utility and the search for missing classes were skipped: the {what} images have "
                "no labels. Give them in folders by class, or as labels of an npz."
            )
            return None
        if len(set(real.tolist())) < 2:
            remarks.append(
                "Utility and the search for missing classes were skipped: the real images are of "
                "one class only."
            )
            return None
        return self._fitter(album, progress)(album.lessons, "real", 1.0)

    def _can_teach(self, album: Album, remarks: list[str]) -> bool:
        if album.synthetic.labels is None:
            remarks.append("Utility was skipped: the synthetic images have no labels.")
        return album.synthetic.labels is not None

    def _own(self, album: Album, cnn: FittedCNN | None, remarks: list[str]) -> Encoder:
        if cnn is not None:
            return domain_encoder(cnn)
        remarks.append(
            "Distances are on random convolutions, since there are no classes to train a network "
            "on: they see less. kinds.images.suite.encoder=efficientnet_lite0 sees more."
        )
        return random_encoder(album.train.pixels.shape[1], side=self.side)

    def _fitter(self, album: Album, progress: Tell) -> Callable[[Images, str, float], FittedCNN]:
        def fit(images: Images, what: str, share: float) -> FittedCNN:
            assert images.labels is not None
            progress(f"a network learns from {what} images")
            return fit_cnn(
                images.pixels,
                images.labels,
                album.classes,
                seed=album.seed,
                steps=max(1, round(share * self.steps)),
                side=self.side,
            )

        return fit
