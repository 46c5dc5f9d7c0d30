"""Section on attributes: whether synthetic images show what they were told, as far as can be seen.

What can be seen is what a linear model reads from features of real images; held-out real images
say how much that is. Nothing larger is trained here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from genmodels.metrics.images.encoders import Encoder
from genmodels.metrics.images.random_features import shrink
from genmodels.metrics.intervals import bootstrap
from genmodels.report.images.album import SIDES, Album, points_of
from genmodels.report.rows import Cell, Detail, Row, Section
from genmodels.schema import Attribute
from genmodels.types import Images

__all__ = ["agreement"]

MOST = 5000
"""Images that are read of each data set."""
COARSE = 8
"""Pixels a side of the small pictures that are read beside the features."""
NOTES = {
    "boolean": "Mean share of yes and of no that a linear model on features of real images reads.",
    "categorical": "Mean share of each level that a linear model on features of real images reads.",
    "continuous": "Correlation of what was told with what a linear model on features of real "
    "images reads.",
}


def agreement(
    album: Album, encoder: Encoder, attributes: Sequence[Attribute], remarks: list[str]
) -> Section | None:
    """One row per attribute; None where there is none to compare.

    Args:
        album: real and synthetic images.
        encoder: makes the features.
        attributes: that the schema knows.
        remarks: gets a line on each that is left out.
    """
    sides = {"lessons": album.lessons, "real": album.holdout}
    sides |= {name: album.side(name) for name in SIDES if name != "real"}
    some = {name: images.take(np.arange(min(MOST, len(images)))) for name, images in sides.items()}
    shown = [attribute for attribute in attributes if _comparable(some, attribute, remarks)]
    if not shown:
        return None
    read = {name: _Read.of(images, encoder) for name, images in some.items()}
    found = [_row(album, attribute, read) for attribute in shown]
    lines: list[tuple[Cell, ...]] = [
        (a.name, a.kind, row.value, row.ceiling, row.floor)
        for a, row in zip(shown, found, strict=True)
    ]
    headers = ("attribute", "kind", "synthetic", "real, held out", "shuffled")
    text = (
        f"A linear model reads each attribute from {encoder.name} features and a coarse picture "
        "of real images. What it reads from synthetic images is compared with what they were told; "
        "what it reads from held-out real ones is as good as it gets."
    )
    detail = Detail("Each attribute", headers, tuple(lines))
    return Section("Attributes as they were told", text, tuple(found), (detail,))


@dataclass(frozen=True, eq=False)
class _Read:
    """Some images and what a linear model sees of them (N, D)."""

    images: Images
    features: np.ndarray

    @classmethod
    def of(cls, images: Images, encoder: Encoder) -> _Read:
        coarse = shrink(images.pixels, COARSE).flatten(1).double().numpy()
        return cls(images, np.concatenate([encoder(images.pixels), coarse], axis=1))


def _comparable(some: dict[str, Images], attribute: Attribute, remarks: list[str]) -> bool:
    """Whether real images have it and synthetic ones were told different values of it."""
    words = {"lessons": "real", "real": "held-out", "synthetic": "synthetic"}
    for side, name in words.items():
        values = some[side].attributes.get(attribute.name)
        if values is None or len(np.unique(values)) < 2:
            what = f"{'do not say' if values is None else 'all have the same'} {attribute.name}"
            remarks.append(f"Agreement on {attribute.name} was skipped: the {name} images {what}.")
            return False
    return True


def _row(album: Album, attribute: Attribute, read: dict[str, _Read]) -> Row:
    lessons = read["lessons"]
    number = attribute.kind == "continuous"
    predict = _reader(attribute, lessons.features, lessons.images.attributes[attribute.name])
    score = _correlation if number else _balanced
    pairs = {}
    for name in SIDES:
        pair = read[name].images.attributes[attribute.name], predict(read[name].features)
        pairs[name] = pair if number else _coded(*pair)
    told, seen = pairs["synthetic"]
    return album.row(
        "utility",
        f"agreement on {attribute.name}",
        points_of({name: score(*pair) for name, pair in pairs.items()}),
        "higher",
        n=len(told),
        interval=bootstrap(lambda rows: score(told[rows], seen[rows]), len(told), seed=album.seed),
        note=NOTES[attribute.kind],
        headline=False,
        scale=0.3,
    )


def _reader(
    attribute: Attribute, features: np.ndarray, values: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Features (N, D) -> what is read from them (N,), learnt on real images."""
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model: Any = LogisticRegression(max_iter=500, class_weight="balanced")
    if attribute.kind == "continuous":
        model = RidgeCV(alphas=np.logspace(-2, 4, 13))
    else:
        values = values.astype(np.str_)
    fitted = make_pipeline(StandardScaler(), model).fit(features, values)
    return lambda x: np.asarray(fitted.predict(x))


def _coded(told: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels as numbers, which are compared sooner than words in each resample."""
    _, codes = np.unique(np.concatenate([told.astype(np.str_), seen]), return_inverse=True)
    return codes[: len(told)], codes[len(told) :]


def _balanced(told: np.ndarray, seen: np.ndarray) -> float:
    """Mean over levels of the share that is read rightly."""
    right = told == seen
    return float(np.mean([right[told == level].mean() for level in np.unique(told)]))


def _correlation(told: np.ndarray, seen: np.ndarray) -> float:
    """Pearson's, 0 where either does not vary."""
    a, b = told - told.mean(), seen - seen.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0
