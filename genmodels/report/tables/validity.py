"""Section on validity: do synthetic rows obey the training data?"""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa

from genmodels.metrics.intervals import beside, clipped, wilson
from genmodels.metrics.tables.conformance import check_schema
from genmodels.metrics.tables.memorisation import duplicates
from genmodels.metrics.tables.rules import LEAST, TELLING, TRACE, breaking, broken_share, find_rules
from genmodels.metrics.tables.views import TableView, column_text
from genmodels.report.rows import Axis, Better, Cell, Detail, Points, Row, Section
from genmodels.report.tables.parts import Parts, head
from genmodels.schema import TableSchema

__all__ = ["rules", "validity"]


def validity(parts: Parts) -> Section:
    """Repeats, values outside what training had, identifiers and constants."""
    made, real, *bad = parts.sides()
    repeated = [duplicates(side) for side in (made, real, *bad)]
    outside = [int(_outside(v, parts.train).sum()) for v in (made, parts.reference, *bad)]
    found = (
        _counted(
            parts,
            "coverage",
            "rows that repeat another row, share",
            repeated,
            "near",
            f"{parts.n - repeated[0]:,} of {parts.n:,} rows are distinct; as many training rows "
            f"have {parts.n - repeated[1]:,} distinct ones.",
            0.2,
        ),
        _counted(
            parts,
            "fidelity",
            "rows with a value outside training ranges and categories, share",
            outside,
            "lower",
            "Held-out real rows have a few new values too.",
            0.1,
        ),
    )
    schema_row, detail = _schema(parts)
    details = [detail] if detail is not None else []
    kept = [_kept_apart(parts, c.name, c.kind) for c in parts.schema.columns]
    lines_apart = tuple(line for line in kept if line is not None)
    if lines_apart:
        headers = ("column", "kind", "unique synthetic", "unique held-out", "also in training")
        title = "Identifiers and constants, which are left out of all other figures (shares)"
        details.append(Detail(title, headers, lines_apart))
    text = "Do the rows obey the schema, and keep to the ranges and categories of training data?"
    return Section("Validity", text, (*found, schema_row), tuple(details))


def _counted(
    parts: Parts,
    axis: Axis,
    name: str,
    counts: list[int],
    better: Better,
    note: str,
    scale: float,
) -> Row:
    """A row of the share of rows counted, in the order of `Points`."""
    n = parts.n
    value, ceiling, *others = (count / n for count in counts)
    own, real = (wilson(count, n) for count in counts[:2])
    return parts.row(
        axis,
        name,
        Points(value, ceiling, *others),
        better,
        interval=clipped(beside(value, own, ceiling, real)),
        note=note,
        scale=scale,
    )


def rules(parts: Parts, *, rows: int, shown: int) -> Section | None:
    """Rules between columns that all training rows keep; None when none was found."""
    dates = [c.name for c in parts.schema.columns if c.kind == "datetime"]
    # One half of the held-out rows may refute a rule, the other half is the reference.
    half = len(parts.holdout) // 2
    refuting, reference = (
        parts.holdout.take(k) for k in np.split(np.arange(len(parts.holdout)), [half])
    )
    found = find_rules(head(parts.train, rows), head(parts.independent, rows), refuting, dates)
    found = [rule for rule in found if not rule.judge(parts.train)[1].any()]
    if not found:
        return None
    made = breaking(found, parts.synthetic)
    others = (reference, parts.independent, parts.copies)
    row = parts.row(
        "fidelity",
        "rows that break a rule, share",
        Points(float(made.mean()), *(float(breaking(found, v).mean()) for v in others)),
        "lower",
        n=len(made),
        interval=wilson(int(made.sum()), len(made)),
        note=f"{len(found)} rules; {int(made.sum()):,} of {len(made):,} rows break at least one.",
        scale=0.2,
    )
    sides = (parts.synthetic, reference, parts.independent)
    shares = {rule.text: tuple(broken_share(rule, v) for v in sides) for rule in found}
    lines: list[tuple[Cell, ...]] = [
        (text, *shares[text]) for text in sorted(shares, key=lambda text: -shares[text][0])
    ]
    headers = ("rule", "synthetic", "held-out real", "shuffled columns")
    detail = Detail("Rows that break each rule (shares)", headers, tuple(lines[:shown]))
    text = (
        f"Rules between columns that no training row breaks, found without being told: each "
        f"speaks of at least {LEAST} training rows, shuffled columns break it in at least "
        f"{TELLING:.0%} of rows, and at most {TRACE:.1%} of held-out rows do."
    )
    return Section("Rules", text, (row,), (detail,))


def _schema(parts: Parts) -> tuple[Row, Detail | None]:
    """Rows with a value that the schema forbids, and which values those are."""
    train, holdout, synthetic = parts.raw
    # The format of an identifier says how new ones are made up, not what real ones look like.
    kept = TableSchema(tuple(c for c in parts.schema.columns if c.kind != "identifier"))
    check = partial(check_schema, schema=kept)
    made, real = check(synthetic), check(holdout)
    rng, size = np.random.default_rng([parts.seed, 151]), min(parts.n, len(train))
    drawn = train.take(pa.array(rng.integers(0, len(train), size)))
    some = train.slice(0, size)
    mixed = [c.take(pa.array(rng.permutation(size))) for c in some.columns]
    independent = pa.table(mixed, names=some.column_names)
    row = parts.row(
        "fidelity",
        "rows with a value that the schema forbids, share",
        Points(made.share, real.share, check(independent).share, check(drawn).share),
        "lower",
        n=made.rows,
        interval=wilson(made.broken, made.rows),
        note="Identifiers are left out. Of a schema inferred from training rows a few held-out "
        "rows leave the ranges.",
        headline=False,
        scale=0.1,
    )
    keys = sorted({*made.counts, *real.counts}, key=lambda k: -made.counts.get(k, 0))
    lines: list[tuple[Cell, ...]] = [
        (c, "is absent", made.rows, 0)
        for c in parts.schema.names
        if c not in synthetic.column_names
    ]
    lines += [(*key, made.counts.get(key, 0), real.counts.get(key, 0)) for key in keys]
    if not lines:
        return row, None
    headers = ("column", "what is wrong", "synthetic values", "held-out values")
    return row, Detail("Values that the schema forbids", headers, tuple(lines))


def _outside(view: TableView, train: TableView) -> np.ndarray:
    """Rows with a value beyond the training range, or in a category it lacks; shape (N,), bool."""
    outside = np.zeros(len(view), dtype=bool)
    for f in range(len(view.numeric)):
        known = train.numbers[:, f]
        low, high = np.nanmin(known, initial=np.inf), np.nanmax(known, initial=-np.inf)
        outside |= (view.numbers[:, f] < low) | (view.numbers[:, f] > high)
    for q, levels in enumerate(view.levels):
        seen = np.bincount(train.codes[:, q], minlength=len(levels) + 1) > 0
        seen[0] = True
        outside |= ~seen[view.codes[:, q]]
    return outside


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
