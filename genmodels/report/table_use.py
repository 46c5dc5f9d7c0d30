"""Sections on what synthetic rows are good for, what they leave out and what they repeat."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa

from genmodels.metrics.intervals import wilson
from genmodels.metrics.marginals import level_coverage
from genmodels.metrics.memorisation import copies, duplicates, nearer_share
from genmodels.metrics.utility import find_task, train_and_test
from genmodels.metrics.views import TableView, column_text
from genmodels.report.parts import Parts, head
from genmodels.report.rows import Cell, Detail, Points, Row, Section

__all__ = ["coverage", "memorisation", "utility", "validity"]

COPIES = "copies of the training rows"
SCALES = {"AUC": 0.5, "R2": 1.0, "accuracy": 1.0, "macro-F1": 1.0}


def utility(parts: Parts, *, target: str, rows: int) -> Section:
    """Train on synthetic rows, test on held-out real rows."""
    task = find_task(parts.train, target)
    n = min(len(parts.synthetic), len(parts.train), rows)
    test = head(parts.holdout, rows)
    fit = partial(train_and_test, task, test=test, seed=parts.seed)
    value, ceiling, floor = (
        fit(train=head(v, n)) for v in (parts.synthetic, parts.train, parts.shuffled)
    )
    note = f"Gradient boosting learnt on {n:,} rows, tested on {len(test):,} held-out ones."
    found = tuple(
        parts.row(
            "utility",
            f"{s.metric} for {target!r}, trained on synthetic",
            Points(s.value, c.value, f.value),
            s.better,
            n=len(test),
            interval=s.interval,
            note=note,
            headline=s.metric != "RMSE",
            scale=SCALES.get(s.metric, max(c.value, 1e-9)),
        )
        for s, c, f in zip(value, ceiling, floor, strict=True)
    )
    text = (
        f"A model that predicts {target!r} ({task.kind}) learns on synthetic rows (value), on "
        "training rows (held-out real column: as good as it gets) or on shuffled columns, and is "
        "always tested on held-out real rows."
    )
    return Section("Train on synthetic, test on real", text, found)


def coverage(parts: Parts) -> Section | None:
    """Categories that real rows have; None without discrete columns."""
    total = level_coverage(parts.reference, parts.reference)[1]
    if not total:
        return None
    hits = round(level_coverage(parts.reference, parts.chunks()[0])[0] * total)
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


def memorisation(parts: Parts, *, nearest: int) -> Section:
    """Copies of training rows, and nearness to them."""
    n = len(parts.synthetic)
    held = len(parts.holdout)
    same, real = (copies(v, parts.train) for v in (parts.synthetic, parts.holdout))
    found = [
        parts.row(
            "memorisation",
            "exact copies of training rows, share",
            Points(same / n, real / held, 1.0),
            "lower",
            n=n,
            interval=wilson(same, n),
            note=f"{same:,} of {n:,} rows equal a training row in every column; "
            f"of {held:,} held-out rows {real:,} do.",
            floor_is=COPIES,
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


def validity(parts: Parts) -> Section:
    """Repeats, values outside what training had, identifiers and constants."""
    found = (
        parts.row(
            "fidelity",
            "rows that repeat another row, share",
            parts.points(lambda _, b: duplicates(b) / len(b)),
            "near",
            headline=False,
        ),
        parts.row(
            "fidelity",
            "values outside training ranges and categories, share",
            Points(
                float(np.mean([_outside(chunk, parts.train) for chunk in parts.chunks()])),
                _outside(parts.reference, parts.train),
                _outside(parts.shuffled, parts.train),
            ),
            "lower",
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


def _nearness(parts: Parts, m: int) -> Row:
    holdout = head(parts.holdout, m)
    training = head(parts.train, m)
    others = parts.holdout.take(np.arange(m, min(2 * m, m + 2000)))
    share, wins = nearer_share(head(parts.synthetic, 2000), training, holdout)
    ceiling, _ = nearer_share(others, training, holdout)
    floor, _ = nearer_share(head(training, 500), training, holdout)
    half = 1.96 * float(wins.std()) / len(wins) ** 0.5
    return parts.row(
        "memorisation",
        "nearer to a training row than to a held-out row, share",
        Points(share, ceiling, floor),
        "near",
        n=len(wins),
        interval=(share - half, share + half),
        note=f"Among {m:,} training and {m:,} held-out rows; ties count half; 0.5 is chance.",
        floor_is=COPIES,
    )


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


def _never(parts: Parts, q: int) -> list[str]:
    """Levels of one column that training rows have and no synthetic row has, frequent first."""
    size = len(parts.train.levels[q]) + 1
    real = np.bincount(parts.train.codes[:, q], minlength=size)
    made = np.bincount(parts.synthetic.codes[:, q], minlength=size)
    lost = np.flatnonzero((real > 0) & (made == 0))
    lost = lost[lost > 0]
    return [parts.train.levels[q][k - 1] for k in lost[np.argsort(-real[lost], kind="stable")]]


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
