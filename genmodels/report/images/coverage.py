"""Section on coverage: neighbourhoods in feature space, per class, and which classes are there."""

from __future__ import annotations

import numpy as np

from genmodels.metrics.images.copies import principal
from genmodels.metrics.images.domain_cnn import FittedCNN
from genmodels.metrics.images.frechet import frechet_distance
from genmodels.metrics.intervals import Interval, wilson
from genmodels.metrics.manifold import Manifold, Prdc, prdc
from genmodels.report.images.album import BASELINE, Album, Part, Simple, points_of
from genmodels.report.images.space import Space
from genmodels.report.rows import SIMPLE, Axis, Cell, Detail, Row, Section

__all__ = ["classes_found", "coverage"]

NOTES = {
    "precision": "Share of synthetic images that lie where real ones do.",
    "density": "How many real neighbourhoods a synthetic image lies in.",
    "coverage": "Share of real images with a synthetic one in their neighbourhood.",
    "recall": "Share of real images that lie where synthetic ones do.",
}
AXES: dict[str, Axis] = {
    "precision": "fidelity",
    "density": "fidelity",
    "coverage": "coverage",
    "recall": "coverage",
}
CLIPPED = ("clipped_density", "clipped_coverage")
FEW, MANY = 20, 50  # images that a class must have; classes that are listed
SHARE = 0.1  # of the share that a class has in real images: it counts as found


def coverage(album: Album, space: Space, *, neighbours: int, ks: tuple[int, ...]) -> Part:
    """Precision, recall, density and coverage at several numbers of neighbours.

    Args:
        neighbours: images a side that are compared.
        ks: numbers of neighbours; the middle one stands in the rows.
    """
    n = min(space.n, neighbours)
    held = Manifold.of(space.held[:n], max(ks))
    found = {name: prdc(held, Manifold.of(x[:n], max(ks)), ks) for name, x in space.sides.items()}
    middle = len(ks) // 2
    simple = tuple(
        _row(album, space, {name: x[middle] for name, x in found.items()}, measure, n)
        for measure in NOTES
    )
    details = [_all_k(found, ks)]
    by_class = _per_class(album, space, held.order.shape[1])
    if by_class is not None:
        details.append(by_class)
    text = (
        f"Each of {n:,} held-out images has a neighbourhood: the ball, in {space.encoder.name} "
        "features, that reaches its k-th nearest other one. Real images without a synthetic one "
        "nearby are kinds of images that the generator misses."
    )
    return Part(Section("Coverage", text, tuple(s.row for s in simple), tuple(details)), simple)


def _row(album: Album, space: Space, at: dict[str, Prdc], measure: str, n: int) -> Simple:
    figures = {name: float(getattr(x, measure)) for name, x in at.items()}
    made = at["synthetic"]
    row = album.row(
        AXES[measure],
        f"{measure}-{space.encoder.name}, k={made.k}",
        points_of(figures),
        "near" if measure == "density" else "higher",
        n=n,
        interval=_interval(made, measure),
        note=NOTES[measure],
        headline=measure == "coverage",
        scale=0.3,
    )
    return Simple(row, figures.get(BASELINE))


def _interval(found: Prdc, measure: str) -> Interval:
    if measure == "density":
        return found.density_interval()
    if measure == "coverage":
        return found.coverage_of(np.arange(len(found.held)))[1]
    hits = found.recalled if measure == "recall" else found.balls > 0
    return wilson(int(hits.sum()), len(hits))


def _all_k(found: dict[str, list[Prdc]], ks: tuple[int, ...]) -> Detail:
    lines: list[tuple[Cell, ...]] = []
    for measure in (*NOTES, *CLIPPED):
        for number in range(len(ks)):
            at = {name: x[number] for name, x in found.items()}
            values = (float(getattr(at[name], measure)) for name in at)
            lines.append((measure.replace("_", " "), at["synthetic"].k, *values))
    last = [SIMPLE] if BASELINE in found else []
    headers = ("figure", "k", "synthetic", "another real sample", "shuffled", "copies", *last)
    return Detail("At several numbers of neighbours", headers, tuple(lines))


def _per_class(album: Album, space: Space, k: int) -> Detail | None:
    """Distance and coverage within each class that has enough images on all three sides."""
    sides = {"held": album.holdout, "synthetic": album.synthetic, "real": album.train}
    labels = {name: x.labels for name, x in sides.items()}
    if any(x is None for x in labels.values()) or album.classes < 2:
        return None
    points = {"held": space.held, **space.sides}
    lines: list[tuple[Cell, ...]] = []
    for label in range(album.classes):
        rows = {
            name: np.flatnonzero(x[: space.n] == label)
            for name, x in labels.items()
            if x is not None
        }
        n = min(map(len, rows.values()))
        if n >= FEW and len(lines) < MANY:
            inside = {name: points[name][rows[name][:n]] for name in sides}
            lines.append((album.name(label), n, *_within(inside, min(5, k))))
    if not lines:
        return None
    name = space.encoder.distance("FD")
    headers = ("class", "images a side", name, "real", "coverage, k=5", "real")
    return Detail("Within each class (another real sample beside it)", headers, tuple(lines))


def _within(inside: dict[str, np.ndarray], k: int) -> list[float]:
    held = inside["held"]
    n, width = held.shape
    kept = min(width, max(1, n // 4))
    basis = principal(held, kept)
    pair = [inside["synthetic"], inside["real"]]
    distances = [frechet_distance(held @ basis, x @ basis) for x in pair]
    balls = Manifold.of(held[:1000], k)
    covered = [prdc(balls, Manifold.of(x[:1000], k), (k,))[0].coverage for x in pair]
    return [*distances, *covered]


def classes_found(album: Album, cnn: FittedCNN, count: int) -> Part:
    """Which classes a network that learnt on real images recognises among the synthetic ones.

    Args:
        cnn: trained on the training images.
        count: images a side, at most.
    """
    sides = {name: x.pixels for name, x in album.heads(count).items()}
    n = len(sides["holdout"])
    seen = {name: np.bincount(cnn.predict(x), minlength=album.classes) for name, x in sides.items()}
    held = seen.pop("holdout")
    known = np.flatnonzero(held)
    figures = {name: float(_found(x, held)[known].mean()) for name, x in seen.items()}
    row = _classes_row(album, figures, held, n)
    missing = [album.name(int(k)) for k in known if not _found(seen["synthetic"], held)[k]]
    text = (
        f"A network that learnt on the real images names the class of {n:,} synthetic images. A "
        f"class counts as found with a tenth of the share that it has in real images. "
        f"{'Missing: ' + ', '.join(missing[:20]) + '.' if missing else 'None is missing.'}"
    )
    section = Section("Classes found", text, (row,), (_shares(album, seen, held, known),))
    return Part(section, (Simple(row, figures.get(BASELINE)),))


def _found(counts: np.ndarray, held: np.ndarray) -> np.ndarray:
    return (counts > 0) & (counts >= SHARE * held)


def _classes_row(album: Album, figures: dict[str, float], held: np.ndarray, n: int) -> Row:
    known, value = np.flatnonzero(held), figures["synthetic"]
    # What n real images would miss by chance; resampling the synthetic ones would only lose more.
    drawn = np.random.default_rng([album.seed, 705]).multinomial(n, held / held.sum(), 200)
    low, high = np.percentile([_found(x, held)[known].mean() for x in drawn], [2.5, 97.5])
    half = float(high - low)
    return album.row(
        "coverage",
        "classes found, share",
        points_of(figures),
        "higher",
        n=n,
        interval=(max(0.0, value - half), min(1.0, value + half)),
        note=f"Of {len(known)} classes that the same network finds in held-out images.",
        scale=max(0.1, 2.0 / len(known)),
    )


def _shares(
    album: Album, seen: dict[str, np.ndarray], held: np.ndarray, known: np.ndarray
) -> Detail:
    made, real = seen["synthetic"], seen["real"]
    n = int(held.sum())
    lines: list[tuple[Cell, ...]] = []
    order = known[np.argsort(made[known] / held[known], kind="stable")][:MANY]
    for k in order.tolist():
        low, high = wilson(int(made[k]), n)
        shares = (float(x[k] / n) for x in (held, real, made))
        lines.append((album.name(k), *shares, low, high))
    headers = ("class", "held-out", "another real sample", "synthetic", "95 % from", "to")
    return Detail("Shares of the classes, as the network sees them", headers, tuple(lines))
