"""Section on memorisation: synthetic rows that repeat training rows, or lie too near to them.

What is counted stands here, how near rows lie in `nearness.py`.
"""

from __future__ import annotations

from genmodels.metrics.intervals import beside, clipped, wilson
from genmodels.metrics.tables.memorisation import (
    coincidence,
    copies,
)
from genmodels.report.rows import Detail, Points, Row, Section
from genmodels.report.tables.nearest_pairs import nearest_pairs
from genmodels.report.tables.nearness import (
    AXIS,
    COPIED,
    LEAST,
    Search,
    nearness,
    search_rows,
    subsets,
)
from genmodels.report.tables.parts import Parts

__all__ = ["memorisation"]


def memorisation(parts: Parts, *, bank: int, probes: int, remarks: list[str]) -> Section:
    """Copies of training rows, and nearness to them.

    A copy is near to one training row alone, so that as many training rows as possible are
    searched, for fewer synthetic rows where they are many.

    Args:
        parts: the data.
        bank: training rows that are searched for all of `probes`; where there are more, fewer
            probes look through them, down to a tenth, and so up to ten times as many.
        probes: synthetic rows whose neighbours are looked for; half as many for reference points.
        remarks: told of held-out rows that are training rows, and of what was left out.
    """
    rows, details = [_exact(parts)], [_leaked(parts, remarks)]
    bank, probes = _sizes(len(parts.train), bank, probes)
    size = min(probes, len(parts.holdout) // 2)
    if min(size, len(parts.train), len(parts.synthetic)) >= LEAST:
        search = search_rows(parts, bank, probes, size)
        rows += nearness(parts, search)
        details += [d for d in (subsets(parts, search), _pairs(parts, search)) if d is not None]
    else:
        remarks.append(
            f"Nearness to training rows was skipped: it needs {LEAST} training, {LEAST} synthetic "
            f"and {2 * LEAST} held-out rows. Only exact copies were counted."
        )
    text = (
        "Does the synthetic data repeat rows of the training data, or lie nearer to them than "
        "fresh real rows do? Compared over all columns but identifiers and constants; intervals "
        "allow for the chance in the held-out rows too. Distance is no evidence of privacy."
    )
    return Section("Memorisation", text, tuple(rows), tuple(details))


def _pairs(parts: Parts, search: Search) -> Detail | None:
    made = search.made
    nearest = made.distance[:, 0], made.index[:, 0], made.radius
    return nearest_pairs(parts.schema, search.bank, made.view, *nearest)


def _exact(parts: Parts) -> Row:
    n, held = len(parts.synthetic), len(parts.holdout)
    same, real, mixed = (
        copies(v, parts.train) for v in (parts.synthetic, parts.holdout, parts.independent)
    )
    return parts.row(
        AXIS,
        "exact copies of training rows, share",
        Points(same / n, real / held, mixed / len(parts.independent), 1.0),
        "lower",
        n=n,
        interval=clipped(beside(same / n, wilson(same, n), real / held, wilson(real, held))),
        note=f"{same:,} of {n:,} rows equal a training row in every column; "
        f"of {held:,} held-out rows {real:,} do.",
        floor_is="copies",
        scale=COPIED,
    )


def _leaked(parts: Parts, remarks: list[str]) -> Detail:
    """Held-out rows that training saw, beside what coincidence gives; a remark when it is more."""
    found = coincidence(parts.train, parts.holdout)
    if found.suspicious:
        remarks.append(
            f"{found.shared:,} of {found.held:,} held-out rows are in the training data, more than "
            f"coincidence gives ({found.twins:,} of {found.trained:,} training rows equal another "
            "one): figures on held-out rows flatter. Take them out of either side and train again."
        )
    lines = (
        ("held-out rows that are training rows", found.shared, found.shared / found.held),
        ("training rows that equal another one", found.twins, found.twins / found.trained),
    )
    return Detail("Real rows that are equal", ("", "rows", "share"), lines)


def _sizes(trained: int, bank: int, probes: int) -> tuple[int, int]:
    """Training rows to search and synthetic rows to look at."""
    searched = min(trained, 10 * bank)
    return searched, max(probes // 10, min(probes, probes * bank // max(1, searched)), LEAST)
