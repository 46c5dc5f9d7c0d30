"""Section on validity: do synthetic rows obey the training data?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from genmodels.metrics.intervals import wilson
from genmodels.metrics.memorisation import duplicates
from genmodels.metrics.views import TableView, column_text
from genmodels.report.parts import Parts
from genmodels.report.rows import Cell, Detail, Points, Section

__all__ = ["validity"]


def validity(parts: Parts) -> Section:
    """Repeats, values outside what training had, identifiers and constants."""
    sides = parts.sides()
    outside = [_outside(side, parts.train) for side in sides]
    found = (
        parts.row(
            "fidelity",
            "rows that repeat another row, share",
            Points(*(duplicates(side) / parts.n for side in sides)),
            "near",
            interval=wilson(duplicates(sides[0]), parts.n),
            headline=False,
        ),
        parts.row(
            "fidelity",
            "values outside training ranges and categories, share",
            Points(outside[0], _outside(parts.reference, parts.train), *outside[2:]),
            "lower",
            interval=wilson(round(outside[0] * parts.n), parts.n),
            note="Held-out real rows have a few new values too.",
            scale=0.1,
        ),
    )
    bad = parts.synthetic.unreadable
    details = []
    if bad:
        lines = tuple((name, count) for name, count in bad.items())
        title = "Values that could not be read as the column's kind; counted as missing"
        details.append(Detail(title, ("column", "values"), lines))
    kept = [_kept_apart(parts, c.name, c.kind) for c in parts.schema.columns]
    lines_apart = tuple(line for line in kept if line is not None)
    if lines_apart:
        headers = ("column", "kind", "unique synthetic", "unique held-out", "also in training")
        title = "Identifiers and constants, which are left out of all other figures (shares)"
        details.append(Detail(title, headers, lines_apart))
    return Section("Validity", "Do the rows obey the training data?", found, tuple(details))


def _outside(view: TableView, train: TableView) -> float:
    """Share of present values beyond the training range, or in a category it lacks."""
    present, outside = int((~np.isnan(view.numbers)).sum() + (view.codes > 0).sum()), 0
    for f in range(len(view.numeric)):
        known = train.numbers[:, f]
        low, high = np.nanmin(known, initial=np.inf), np.nanmax(known, initial=-np.inf)
        outside += int(((view.numbers[:, f] < low) | (view.numbers[:, f] > high)).sum())
    for q, levels in enumerate(view.levels):
        seen = np.bincount(train.codes[:, q], minlength=len(levels) + 1) > 0
        seen[0] = True
        outside += int((~seen[view.codes[:, q]]).sum())
    return outside / present if present else 0.0


def _kept_apart(parts: Parts, name: str, kind: str) -> tuple[Cell, ...] | None:
    """One line about an identifier or constant: unique shares, share of training values reused."""
    if kind not in ("identifier", "constant"):
        return None
    train, holdout, synthetic = (_texts(table, name) for table in parts.raw)
    if synthetic is None:
        return name, kind, "absent", None, None
    unique = [len(set(x)) / max(1, len(x)) for x in (synthetic, holdout or [])]
    reused = len(set(synthetic) & set(train or [])) / max(1, len(set(synthetic)))
    return name, kind, unique[0], unique[1], reused


def _texts(table: pa.Table, name: str) -> list[str] | None:
    return None if name not in table.column_names else column_text(table.column(name)).tolist()
