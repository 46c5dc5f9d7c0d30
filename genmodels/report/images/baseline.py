"""Section on the simple reference: do the images beat a Gaussian in principal components?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from genmodels.report.images.album import Album, Part, Simple
from genmodels.report.images.pictures import mosaic
from genmodels.report.rows import SIMPLE, Cell, Detail, Row, Section, rounded

__all__ = ["baseline", "noted", "told"]


def baseline(album: Album, simple: Sequence[Simple], *, components: int, shown: int) -> Section:
    """What ten seconds of work get in each figure.

    Args:
        simple: from the other sections.
        components: of the Gaussian.
        shown: images of the simple generator in the picture.
    """
    per_class = "" if album.train.labels is None else " for each class"
    text = (
        f"What a simple baseline gets: a Gaussian{per_class} in at most {components} principal "
        f"components of the training images, made in seconds. {_says(simple)}"
    )
    lines: list[tuple[Cell, ...]] = [
        (
            s.row.metric,
            s.row.value,
            s.found,
            s.row.ceiling,
            s.judged,
        )
        for s in simple
    ]
    headers = ("figure", "synthetic", SIMPLE, "another real sample", "synthetic is better")
    detail = Detail("What a simple baseline gets", headers, tuple(lines))
    assert album.simple is not None
    picture = mosaic([album.simple.pixels[:shown]], "Images of the simple baseline.")
    return Section("Against a simple baseline", text, (), (detail,), (picture,))


def told(simple: Sequence[Simple]) -> str:
    """For the top of a report: where the synthetic images beat the simple baseline."""
    return f"{SIMPLE}, the simplest generator, seconds of work: {_says(simple)}"


def noted(part: Part) -> Section:
    """The section, with what the simple baseline gets, and a word where it wins."""
    beside = {s.row.metric: s for s in part.simple if s.value is not None}

    def with_word(row: Row) -> Row:
        known = beside.get(row.metric)
        if known is None:
            return row
        row = replace(row, simple=known.value)
        if known.judged != "no":
            return row
        word = f"No better than a simple Gaussian, which gets {rounded(known.found):g}."
        return replace(row, note=f"{row.note} {word}")

    return replace(part.section, rows=tuple(with_word(row) for row in part.section.rows))


def _says(simple: Sequence[Simple]) -> str:
    lost = [s.row.metric for s in simple if s.judged == "no"]
    if not lost:
        return "the synthetic images beat it wherever it is not as good as real images."
    return (
        f"the synthetic images do not beat it, beyond chance, in {len(lost)} of {len(simple)} "
        f"figures: {'; '.join(lost)}."
    )
