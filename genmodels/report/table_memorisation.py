"""Section on memorisation: synthetic rows that repeat training rows."""

from __future__ import annotations

import numpy as np

from genmodels.metrics.intervals import wilson
from genmodels.metrics.memorisation import copies, nearer_share
from genmodels.report.parts import Parts, head
from genmodels.report.rows import Points, Row, Section

__all__ = ["memorisation"]


def memorisation(parts: Parts, *, nearest: int) -> Section:
    """Copies of training rows, and nearness to them."""
    n = len(parts.synthetic)
    held = len(parts.holdout)
    same, real, mixed = (
        copies(v, parts.train) for v in (parts.synthetic, parts.holdout, parts.independent)
    )
    found = [
        parts.row(
            "memorisation",
            "exact copies of training rows, share",
            Points(same / n, real / held, mixed / len(parts.independent), 1.0),
            "lower",
            n=n,
            interval=wilson(same, n),
            note=f"{same:,} of {n:,} rows equal a training row in every column; "
            f"of {held:,} held-out rows {real:,} do.",
            floor_is="copies",
        )
    ]
    m = min(len(parts.train), len(parts.holdout) // 2, nearest)
    if m >= 20:
        found.append(_nearness(parts, m))
    text = (
        "Compared over all columns but identifiers and constants. Coincidence makes some real rows "
        "equal: more copies than among held-out rows is the warning. Not a test of privacy."
    )
    return Section("Copies", text, tuple(found))


def _nearness(parts: Parts, m: int) -> Row:
    holdout = head(parts.holdout, m)
    training = head(parts.train, m)
    others = parts.holdout.take(np.arange(m, min(2 * m, m + 2000)))
    share, wins = nearer_share(head(parts.synthetic, 2000), training, holdout)
    ceiling, _ = nearer_share(others, training, holdout)
    mixed, _ = nearer_share(head(parts.independent, 2000), training, holdout)
    floor, _ = nearer_share(head(training, 500), training, holdout)
    half = 1.96 * float(wins.std()) / len(wins) ** 0.5
    return parts.row(
        "memorisation",
        "nearer to a training row than to a held-out row, share",
        Points(share, ceiling, mixed, floor),
        "near",
        n=len(wins),
        interval=(share - half, share + half),
        note=f"Among {m:,} training and {m:,} held-out rows; ties count half; 0.5 is chance.",
        floor_is="copies",
    )
