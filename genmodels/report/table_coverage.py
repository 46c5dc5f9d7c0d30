"""Section on coverage: what real rows have and synthetic rows leave out."""

from __future__ import annotations

import numpy as np

from genmodels.metrics.intervals import wilson
from genmodels.metrics.marginals import level_coverage
from genmodels.report.parts import Parts, head
from genmodels.report.rows import Detail, Section

__all__ = ["coverage"]


def coverage(parts: Parts) -> Section | None:
    """Categories that real rows have; None without discrete columns."""
    total = level_coverage(parts.reference, parts.reference)[1]
    if not total:
        return None
    hits = round(level_coverage(parts.reference, head(parts.synthetic, parts.n))[0] * total)
    row = parts.row(
        "coverage",
        "categories of held-out rows that occur",
        parts.points(lambda a, b: level_coverage(a, b)[0]),
        "higher",
        interval=wilson(hits, total),
        note=f"{total:,} categories over {len(parts.train.discrete)} columns.",
    )
    lines = []
    for q, name in enumerate(parts.train.discrete):
        never = _never(parts, q)
        if never:
            shown = ", ".join(never[:5]) + (", ..." if len(never) > 5 else "")
            lines.append((name, len(parts.train.levels[q]), len(never), shown))
    headers = ("column", "categories", "never produced", "the most frequent of them")
    details = (Detail("Categories that no synthetic row has", headers, tuple(lines)),)
    text = "Share of the categories in n held-out rows that also occur in n synthetic rows."
    return Section("Rare categories", text, (row,), details if lines else ())


def _never(parts: Parts, q: int) -> list[str]:
    """Levels of one column that training rows have and no synthetic row has, frequent first."""
    size = len(parts.train.levels[q]) + 1
    real = np.bincount(parts.train.codes[:, q], minlength=size)
    made = np.bincount(parts.synthetic.codes[:, q], minlength=size)
    lost = np.flatnonzero((real > 0) & (made == 0))
    lost = lost[lost > 0]
    return [parts.train.levels[q][k - 1] for k in lost[np.argsort(-real[lost], kind="stable")]]
