"""Squares in shades: how well pairs of factors are covered, and how often their levels meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap

from genmodels.report.page.canvas import ascii_text, canvas, png

__all__ = ["count_map", "share_map"]

WRITTEN = 14
HOLE, BARRED = "#D55E00", "#b8bec5"


def share_map(shares: np.ndarray, names: Sequence[str]) -> bytes:
    """A square per pair of factors, darker where more of their combinations are there.

    Args:
        shares: in [0, 1], NaN where there is no pair, shape (F, F).
        names: of the factors.
    """
    side = 1.3 + 0.32 * min(len(names), 40)
    figure, axes = canvas(side + 0.7, side)
    shown = axes.imshow(np.ma.masked_invalid(shares), cmap="viridis_r", vmin=0.0, vmax=1.0)
    _label(axes.set_xticks, names, rotation=90)
    _label(axes.set_yticks, names)
    if len(names) <= WRITTEN:
        for (i, j), share in np.ndenumerate(shares):
            if np.isfinite(share):
                # 100 only where nothing is missing
                text = "100" if share == 1.0 else f"{min(99, round(100 * share))}"
                colour = "white" if share > 0.5 else "black"
                axes.text(j, i, text, ha="center", va="center", fontsize=6, color=colour)
    bar = figure.colorbar(shown, ax=axes, shrink=0.7)
    bar.ax.tick_params(labelsize=6)
    return png(figure, shades=128)


def count_map(
    counts: np.ndarray, names: tuple[str, str], levels: tuple[Sequence[str], ...]
) -> bytes:
    """A square per pair of levels, darker with more rows; orange: none, grey: it cannot be.

    Args:
        counts: rows, or -1 where levels cannot be together, shape (K, L).
        names: of the two factors.
        levels: of each, K and L.
    """
    height, width = (1.2 + 0.26 * min(n, 30) for n in counts.shape)
    figure, axes = canvas(max(width, 2.2), max(height, 1.8))
    axes.set_facecolor(BARRED)
    logs = np.ma.masked_where(counts < 1, np.log10(np.maximum(counts, 1)))
    most = max(1.0, float(logs.max()) if logs.count() else 0.0)
    axes.imshow(logs, cmap="Blues", vmin=-0.5, vmax=most)
    holes = np.ma.masked_where(counts != 0, np.ones(counts.shape))
    axes.imshow(holes, cmap=ListedColormap([HOLE]))
    _label(axes.set_yticks, levels[0])
    _label(axes.set_xticks, levels[1], rotation=90)
    axes.set_ylabel(ascii_text(names[0], width=30), fontsize=7, parse_math=False)
    axes.set_xlabel(ascii_text(names[1], width=30), fontsize=7, parse_math=False)
    if counts.size <= WRITTEN**2:
        for (i, j), rows in np.ndenumerate(counts):
            if rows >= 0:
                dark = rows == 0 or np.log10(rows) > 0.55 * most
                axes.text(j, i, _short(int(rows)), ha="center", va="center", fontsize=5.5,
                          color="white" if dark else "black")  # fmt: skip
    return png(figure, shades=128)


def _label(set_ticks: Callable[..., Any], names: Sequence[str], rotation: float = 0.0) -> None:
    texts = [ascii_text(name, width=22) for name in names]
    set_ticks(range(len(names)), texts, rotation=rotation, fontsize=6, parse_math=False)


def _short(rows: int) -> str:
    for unit, word in ((1_000_000, "M"), (1_000, "k")):
        if rows >= 10 * unit:
            return f"{rows // unit}{word}"
    return str(rows)
