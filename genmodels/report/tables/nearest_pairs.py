"""The synthetic rows that lie conspicuously near to a training row, side by side with it."""

from __future__ import annotations

import numpy as np

from genmodels.metrics.tables.views import TableView
from genmodels.report.rows import Cell, Detail
from genmodels.schema import Column, TableSchema

__all__ = ["nearest_pairs"]

PAIRS, COLUMNS, LETTERS = 5, 40, 30


def nearest_pairs(
    schema: TableSchema,
    train: TableView,
    made: TableView,
    distance: np.ndarray,
    index: np.ndarray,
    radius: np.ndarray,
) -> Detail | None:
    """Five pairs with the smallest distance in units of what is usual round the training row.

    Args:
        schema: says how to write a value.
        train: training rows.
        made: N synthetic rows.
        distance: of each to its nearest training row, shape (N,).
        index: number of that training row, shape (N,).
        radius: distance of that row to the nearest other training row, shape (N,).

    Returns:
        A column per pair; a cell is one value where both rows agree, "synthetic ≠ training"
        where they do not. None without rows.
    """
    chosen = _conspicuous(distance, index, radius)
    if not len(chosen):
        return None
    lines: list[tuple[Cell, ...]] = [
        ("distance", *(float(d) for d in distance[chosen])),
        ("usual distance there", *(float(r) if np.isfinite(r) else None for r in radius[chosen])),
    ]
    cells = [
        (name, *_compared(schema[name], c, made.take(chosen), train.take(index[chosen])))
        for c, name in enumerate(made.names)
    ]
    if len(cells) > COLUMNS:
        cells.sort(key=lambda line: not any("≠" in text for text in line[1:]))
        cells = [*cells[:COLUMNS], ("...", *[f"{len(cells) - COLUMNS} more"] * len(chosen))]
    title = (
        "Nearest pairs (these are real rows; fresh real data has such pairs too): one value where "
        "both agree, otherwise synthetic ≠ training"
    )
    headers = ("column", *(f"pair {k + 1}" for k in range(len(chosen))))
    return Detail(title, headers, (*lines, *cells))


def _conspicuous(distance: np.ndarray, index: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Row numbers of the pairs to show, each with another training row."""
    usable = np.isfinite(distance)
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(radius > 0, distance / radius, np.where(distance > 0, np.inf, 1.0))
    # Among copies those of lonely rows first: coincidence explains them least.
    order = np.lexsort((-radius, np.where(usable, relative, np.inf)))
    order = order[usable[order]]
    _, first = np.unique(index[order], return_index=True)
    return order[np.sort(first)[:PAIRS]]


def _compared(column: Column, c: int, made: TableView, train: TableView) -> list[str]:
    texts = [_texts(column, c, view) for view in (made, train)]
    return [a if a == b else f"{a} ≠ {b}" for a, b in zip(*texts, strict=True)]


def _texts(column: Column, c: int, view: TableView) -> list[str]:
    """The values of column c of `view.names` as a reader knows them, shortened."""
    f = len(view.numeric)
    if c < f:
        return [_shown(column, float(x)) for x in view.numbers[:, c]]
    levels = view.levels[c - f]
    return [_short(levels[k - 1]) if k else "missing" for k in view.codes[:, c - f].tolist()]


def _shown(column: Column, value: float) -> str:
    if np.isnan(value):
        return "missing"
    if column.kind == "datetime":
        if abs(value) > 9e11:
            return f"{value:.6g} s"
        stamp = np.datetime64(round(value * 1e6), "us")
        text = str(stamp).removesuffix(".000000")
        return text.removesuffix("T00:00:00").replace("T", " ")
    if column.kind == "integer" and abs(value) < 1e15:
        return str(round(value))
    return f"{value:.10g}"


def _short(text: str) -> str:
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"
