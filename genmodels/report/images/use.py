"""Section on utility: what a network learns from synthetic images, alone and beside real ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from genmodels.metrics.images.domain_cnn import FittedCNN
from genmodels.metrics.intervals import Z95, Interval, wilson
from genmodels.report.images.album import BASELINE, SIDES, Album, Part, Simple, points_of
from genmodels.report.rows import SIMPLE, Cell, Detail, Row, Section
from genmodels.types import Images, join_images

__all__ = ["Fit", "utility"]

Fit = Callable[[Images, str, float], FittedCNN]
"""(images, what to say, share of the configured updates) -> a network that learnt on them."""
QUARTER = 0.25
ONCE = (
    "Each network was trained once: the chance between training runs is in no interval here, so "
    "a small change is no evidence that the synthetic images help or do not."
)
CHECKED = 20_000  # images behind the agreement


@dataclass(frozen=True, eq=False)
class _Learnt:
    """Which held-out images each network names rightly, bool (N,), and what they learnt on."""

    rows: int
    right: dict[str, np.ndarray]

    def share(self, name: str) -> float:
        return float(self.right[name].mean())

    def interval(self, name: str) -> Interval:
        return wilson(int(self.right[name].sum()), len(self.right[name]))


def utility(album: Album, cnn: FittedCNN, fit: Fit) -> Part:
    """Accuracy on held-out images of networks that learnt on synthetic, real or both.

    Args:
        cnn: that learnt on the training images, see `Album.lessons`.
        fit: makes another one.
    """
    learnt = _learn(album, cnn, fit)
    accuracy, agreement = _accuracy(album, learnt), _agreement(album, cnn)
    rows = (accuracy.row, _hybrid(album, learnt), agreement.row)
    text = (
        f"The same small network learns from {learnt.rows:,} synthetic images, from as many real "
        "ones and from both together, with as many updates, and then names "
        f"{len(album.holdout):,} real images that none has seen. {_says(learnt)}"
    )
    details = (_arms(album, learnt), _recalls(album, learnt))
    section = Section("Train on synthetic, test on real", text, rows, details)
    return Part(section, (accuracy, agreement))


def _learn(album: Album, cnn: FittedCNN, fit: Fit) -> _Learnt:
    rows = min(len(album.train), len(album.synthetic))
    first = np.arange(rows)
    real, made = album.train.take(first), album.synthetic.take(first)
    truth = album.holdout.labels
    assert truth is not None

    def right(network: FittedCNN) -> np.ndarray:
        return network.predict(album.holdout.pixels) == truth

    found = {
        "all real": right(cnn),
        "real": right(fit(real, "as many real", 1.0)),
        "synthetic": right(fit(made, "synthetic", 1.0)),
        "both": right(fit(_joined(real, made), "real and synthetic", 1.0)),
        # There is nothing to learn, and it need not be looked for so long.
        "independent": right(fit(album.independent, "shuffled", QUARTER)),
    }
    if album.simple is not None:
        found[BASELINE] = right(fit(album.simple.take(first), "the simple reference's", 1.0))
    found["copies"] = found["real"]
    return _Learnt(rows, found)


def _joined(a: Images, b: Images) -> Images:
    """Both, without their attributes, which are not learnt here."""
    return join_images([replace(x, attributes={}) for x in (a, b)])


def _accuracy(album: Album, learnt: _Learnt) -> Simple:
    chance = _commonest(album)
    figures = {name: learnt.share(name) for name in SIDES}
    figures["independent"] = max(figures["independent"], chance)
    row = album.row(
        "utility",
        "accuracy, trained on synthetic",
        points_of(figures),
        "higher",
        n=len(album.holdout),
        interval=learnt.interval("synthetic"),
        note="Share of real images that it names rightly. Copies of the training images teach what "
        "the real ones teach; shuffled ones teach no more than the commonest class.",
    )
    return Simple(row, learnt.share(BASELINE) if BASELINE in learnt.right else None)


def _hybrid(album: Album, learnt: _Learnt) -> Row:
    figures = {"synthetic": learnt.share("both"), "real": learnt.share("real")}
    return album.row(
        "utility",
        "accuracy, trained on real and synthetic 1:1",
        points_of({**figures, "copies": learnt.share("copies")}),
        "higher",
        n=len(album.holdout),
        interval=learnt.interval("both"),
        note=f"Beside it the same network on the {learnt.rows:,} real images alone; one training "
        "run each, and the interval is by the chance of the test images alone.",
        headline=False,
        scale=max(0.05, learnt.share("real") - _commonest(album)),
    )


def _agreement(album: Album, cnn: FittedCNN) -> Simple:
    sides: dict[str, Images] = {name: album.side(name) for name in album.shown}
    sides["real"] = album.holdout  # the network knows the training images
    agree = {}
    for name, images in sides.items():
        some = images.take(np.arange(min(CHECKED, len(images))))
        agree[name] = cnn.predict(some.pixels) == some.labels
    figures = {name: float(x.mean()) for name, x in agree.items()}
    made = agree["synthetic"]
    row = album.row(
        "utility",
        "class agreement",
        points_of(figures),
        "higher",
        n=len(made),
        interval=wilson(int(made.sum()), len(made)),
        note="Share of images to which a network trained on real images gives their label.",
    )
    return Simple(row, figures.get(BASELINE))


def _says(learnt: _Learnt) -> str:
    """One training run each shows a change, and not whether another run would show it again."""
    gain, (low, high) = _difference(learnt)
    return (
        f"With the synthetic images beside as many real ones the accuracy changed by {gain:+.2%} "
        f"({low:+.2%} to {high:+.2%} by the chance of the test images alone). {ONCE}"
    )


def _difference(learnt: _Learnt) -> tuple[float, Interval]:
    """Accuracy of both minus that of real alone, paired over the held-out images."""
    gaps = learnt.right["both"].astype(float) - learnt.right["real"].astype(float)
    mean, half = float(gaps.mean()), Z95 * float(gaps.std(ddof=1)) / math.sqrt(len(gaps))
    return mean, (mean - half, mean + half)


def _arms(album: Album, learnt: _Learnt) -> Detail:
    named = {
        "synthetic": ("synthetic", learnt.rows),
        "real": ("real", learnt.rows),
        "both": ("real and synthetic", 2 * learnt.rows),
        BASELINE: (SIMPLE, learnt.rows),
        "all real": ("real, all but those of the other sample", len(album.lessons)),
    }
    lines: list[tuple[Cell, ...]] = [
        (text, count, learnt.share(name), *learnt.interval(name))
        for name, (text, count) in named.items()
        if name in learnt.right
    ]
    gain, interval = _difference(learnt)
    lines.append(("gain from adding synthetic to real", None, gain, *interval))
    headers = ("trained on", "images", "accuracy on real", "95 % from", "to")
    return Detail(f"What each network learnt. {ONCE}", headers, tuple(lines))


def _recalls(album: Album, learnt: _Learnt) -> Detail:
    truth = album.holdout.labels
    assert truth is not None
    lines: list[tuple[Cell, ...]] = []
    for label in np.unique(truth).tolist():
        here = truth == label
        shares = (float(learnt.right[name][here].mean()) for name in ("synthetic", "both", "real"))
        hits = int(learnt.right["synthetic"][here].sum())
        synthetic, both, real = shares
        interval = wilson(hits, int(here.sum()))
        lines.append((album.name(label), int(here.sum()), synthetic, *interval, both, real))
    headers = ("class", "held-out images", "synthetic", "95 % from", "to", "both", "real")
    return Detail("Recall of each class by what was learnt from", headers, tuple(lines))


def _commonest(album: Album) -> float:
    assert album.holdout.labels is not None
    return float(np.bincount(album.holdout.labels).max() / len(album.holdout))
