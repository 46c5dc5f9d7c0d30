"""Several assets: do their returns go together as real ones do, in calm days and in crashes?"""

from __future__ import annotations

import numpy as np

from genmodels.data.returns import Returns
from genmodels.report.rows import Cell, Detail, Points, Row, RowMaker

__all__ = ["together"]

TAIL = 0.05


def together(
    train: Returns, holdout: Returns, synthetic: Returns, *, paths: int, seed: int
) -> tuple[list[Row], list[Detail]]:
    """Rows on correlations and on joint crashes, and a line per pair; nothing of one asset."""
    count = len(holdout.names)
    if count < 2:
        return [], []
    flat = [_flat(side, paths) for side in (synthetic, holdout, train)]
    i, j = np.triu_indices(count, 1)
    linear = [np.corrcoef(x.T)[i, j] for x in flat]
    crashes = [_crashes(x)[i, j] for x in flat]
    row, rows = RowMaker(seed, len(flat[0])), []
    for name, (of_made, of_held, of_seen), independent, note in (
        ("correlation of returns of two assets", linear, 0.0, "Independent assets have none."),
        ("joint falls of two assets", crashes, TAIL, JOINT),
    ):
        points = (float(np.abs(x - of_held).mean()) for x in (of_made, of_seen, independent))
        rows.append(
            row(
                "fidelity",
                f"{name}, mean difference to held-out data",
                Points(*points),
                "lower",
                note=note,
                scale=0.25,
            )
        )
    lines: tuple[tuple[Cell, ...], ...] = tuple(
        (f"{holdout.names[a]} and {holdout.names[b]}", *(float(x[k]) for x in (*linear, *crashes)))
        for k, (a, b) in enumerate(zip(i, j, strict=True))
    )
    sides = ("synthetic", "held-out real", "training")
    headers = (
        "assets",
        *(f"correlation, {s}" for s in sides),
        *(f"joint falls, {s}" for s in sides),
    )
    return rows, [Detail("Pairs of assets", headers, lines)]


JOINT = (
    "Share of the worst 5 % of the returns of one asset in which the other has one of its worst "
    "5 %, too: 0.05 of independent assets."
)


def _flat(side: Returns, paths: int) -> np.ndarray:
    """Returns of all paths and steps, shape (M, A)."""
    every = side.values[:paths].reshape(-1, side.values.shape[2])
    return every[np.isfinite(every).all(1)]


def _crashes(x: np.ndarray) -> np.ndarray:
    """Lower tail dependence of pairs at 5 %, shape (A, A)."""
    fallen = (x <= np.quantile(x, TAIL, axis=0)).astype(float)
    return fallen.T @ fallen / np.maximum(fallen.sum(0), 1.0)
