"""One picture of stylised facts: memory of the volatility, tails, and leverage."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from genmodels.report.page.canvas import colours_of, grid, legend, png
from genmodels.report.prices.figures import Side, Sizes
from genmodels.report.rows import Picture

__all__ = ["facts_picture"]

POINTS = 300
DRAWN = ("training", "held-out real", "synthetic", "shuffled in time")


def facts_picture(sides: dict[str, Side], sizes: Sizes, suffix: str) -> Picture:
    """Autocorrelation of |r|, P(|r| > x) and correlation of r with later r^2, of each data set."""
    figure, (memory, tails, later) = grid(9.0, 2.7, 3)
    names = [name for name in DRAWN if name in sides]
    colours = colours_of(names)
    for name, colour in zip(names, colours, strict=True):
        side = sides[name]
        lags = np.arange(1, sizes.most + 1)
        memory.plot(lags, side.whole.acf_absolute, color=colour, linewidth=1.2)
        later.plot(
            lags[: sizes.lags],
            side.whole.leverage_effect[: sizes.lags],
            color=colour,
            linewidth=1.2,
        )
        _survival(tails, side, colour)
    for axes, x, y in (
        (memory, "lag, steps", "autocorrelation of |r|"),
        (tails, "x, standard deviations", "share of |r| above x"),
        (later, "lag, steps", "correlation of r with later r^2"),
    ):
        axes.set_xlabel(x, fontsize=7)
        axes.set_ylabel(y, fontsize=7)
        axes.grid(color="#dddddd", linewidth=0.4)
    for axes in (memory, later):
        axes.axhline(0.0, color="#333333", linewidth=0.5)
    legend(figure, names, colours)
    caption = f"Memory of the volatility, tails and leverage of returns{suffix}"
    return Picture(caption, png(figure), wide=True)


def _survival(axes: Axes, side: Side, colour: str) -> None:
    """The share of |r - mean| above each of its sizes, both axes logarithmic."""
    r = side.r[np.isfinite(side.r)]
    x = np.sort(np.abs(r - r.mean()))[::-1]
    spread = float(r.std())
    if not spread > 0:
        return
    place = np.unique(np.geomspace(1, len(x), POINTS).astype(int)) - 1
    shown = place[x[place] > 0.1 * spread]
    axes.loglog(x[shown] / spread, (shown + 1) / len(x), color=colour, linewidth=1.2)
