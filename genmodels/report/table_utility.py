"""Section on utility: what models learn from synthetic rows, tested on real rows."""

from __future__ import annotations

from functools import partial

from genmodels.metrics.utility import find_task, train_and_test
from genmodels.report.parts import Parts, head
from genmodels.report.rows import Points, Section

__all__ = ["utility"]

SCALES = {"AUC": 0.5, "R2": 1.0, "accuracy": 1.0, "macro-F1": 1.0}


def utility(parts: Parts, *, target: str, rows: int) -> Section:
    """Train on synthetic rows, test on held-out real rows."""
    task = find_task(parts.train, target)
    n = min(len(parts.synthetic), len(parts.train), rows)
    test = head(parts.holdout, rows)
    fit = partial(train_and_test, task, test=test, seed=parts.seed)
    sides = (fit(train=v) for v in parts.sides(n))
    note = f"Gradient boosting learnt on {n:,} rows, tested on {len(test):,} held-out ones."
    found = tuple(
        parts.row(
            "utility",
            f"{s.metric} for {target!r}, trained on synthetic",
            Points(s.value, c.value, i.value, k.value),
            s.better,
            n=len(test),
            interval=s.interval,
            note=note,
            headline=s.metric != "RMSE",
            scale=SCALES.get(s.metric, max(c.value, 1e-9)),
        )
        for s, c, i, k in zip(*sides, strict=True)
    )
    text = (
        f"A model that predicts {target!r} ({task.kind}) learns on synthetic rows (value), on "
        "training rows (held-out real column: as good as it gets) or on shuffled columns, and is "
        "always tested on held-out real rows."
    )
    return Section("Train on synthetic, test on real", text, found)
