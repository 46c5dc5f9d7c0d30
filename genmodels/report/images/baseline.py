"""Section on the simple reference: do the images beat a Gaussian in principal components?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from genmodels.report.images.album import BASELINE, Album, Part, Simple
from genmodels.report.images.pictures import mosaic
from genmodels.report.rows import Cell, Detail, Row, Section, rounded

__all__ = ["baseline", "noted"]


def baseline(album: Album, simple: Sequence[Simple], *, components: int, shown: int) -> Section:
    """What ten seconds of work get in each figure.

    Args:
        simple: from the other sections.
        components: of the Gaussian.
        shown: images of the simple generator in the picture.
    """
    lost = [s.row.metric for s in simple if s.judged == "no"]
    per_class = "" if album.train.labels is None else " for each class"
    text = (
        f"What a simple baseline gets: a Gaussian{per_class} in at most {components} principal "
        f"components of the training images, made in seconds. {_says(lost, len(simple))}"
    )
    lines: list[tuple[Cell, ...]] = [
        (
            s.row.metric,
            s.row.value,
            s.value,
            s.row.ceiling,
            s.judged,
        )
        for s in simple
    ]
    headers = ("figure", "synthetic", BASELINE, "another real sample", "synthetic is better")
    detail = Detail("What a simple baseline gets", headers, tuple(lines))
    picture = mosaic([album.simple.pixels[:shown]], "Images of the simple baseline.")
    return Section("Against a simple baseline", text, (), (detail,), (picture,))


def noted(part: Part) -> Section:
    """The section, with a word in the note of each figure in which the simple baseline wins."""
    lost = {s.row.metric: s.value for s in part.simple if s.judged == "no"}

    def with_word(row: Row) -> Row:
        if row.metric not in lost:
            return row
        word = f"No better than a simple Gaussian, which gets {rounded(lost[row.metric]):g}."
        return replace(row, note=f"{row.note} {word}")

    return replace(part.section, rows=tuple(with_word(row) for row in part.section.rows))


def _says(lost: list[str], total: int) -> str:
    if not lost:
        return "The synthetic images beat it wherever it is not as good as real images."
    return (
        f"The synthetic images do not beat it, beyond chance, in {len(lost)} of {total} figures: "
        f"{'; '.join(lost)}."
    )
