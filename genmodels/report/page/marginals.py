"""Pictures of one column: real and synthetic values over each other.

Real rows are a filled outline, synthetic ones a line; the bars of categories stand side by side.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import AsinhLocator, EngFormatter, FuncFormatter, MaxNLocator

from genmodels.report.page.canvas import REAL, SYNTHETIC, ascii_text, canvas, png

__all__ = ["draw_histogram", "histogram", "level_bars"]

BINS = 40
DAY = 86_400.0
# matplotlib draws the years 1 to 9999.
FIRST_DAY, LAST_DAY = -719_000.0, 2_932_000.0
SIZE = (2.4, 1.5)


def histogram(real: np.ndarray, synthetic: np.ndarray, *, dates: bool = False) -> bytes:
    """Shares of numbers on bins of the real 0.5 to 99.5 % range; what is missing is left out.

    The outermost bins hold what lies beyond. A heavy tail gets an axis that is linear near zero
    and logarithmic far from it, a lone spike a square-root axis of the shares.

    Args:
        real: values, shape (N,), NaN = missing.
        synthetic: values, shape (M,).
        dates: the values are seconds since 1970.
    """
    figure, axes = canvas(*SIZE)
    draw_histogram(axes, real, synthetic, dates=dates)
    return png(figure)


def draw_histogram(
    axes: Axes, real: np.ndarray, synthetic: np.ndarray, *, dates: bool = False
) -> None:
    """Draw what `histogram` shows into axes of your own; same arguments."""
    real, synthetic = (np.clip(x[~np.isnan(x)], -1e300, 1e300) for x in (real, synthetic))
    pooled = real if len(real) else synthetic
    if not len(pooled):
        axes.text(0.5, 0.5, "no values", ha="center", fontsize=7, transform=axes.transAxes)
        axes.set_axis_off()
        return
    low, high = (float(x) for x in np.quantile(pooled, [0.005, 0.995]))
    unit = _unit(axes, low, high, dates=dates)
    with np.errstate(over="ignore"):  # a value far beyond the axis ends in its outermost bin
        real, synthetic, pooled = (np.nan_to_num(x / unit) for x in (real, synthetic, pooled))
    low, high = low / unit, high / unit
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        half = max(0.5, 1e-3 * abs(low)) if not dates else 0.9
        low, high = low - half, high + half
    edges = _edges(axes, pooled, low, high, dates=dates)
    for values, colour, fill in ((real, REAL, True), (synthetic, SYNTHETIC, False)):
        share = np.histogram(np.clip(values, low, high), edges)[0] / max(1, len(values))
        if fill:
            axes.stairs(share, edges, color=colour, fill=True, alpha=0.25)
        axes.stairs(share, edges, color=colour, linewidth=0.8 if fill else 1.2)
        if share.max() > 0.5:
            axes.set_yscale("function", functions=(_root, np.square))
    axes.set_ylim(bottom=0)


def level_bars(
    real: np.ndarray, synthetic: np.ndarray, levels: tuple[str, ...], *, count: int = 10
) -> bytes:
    """Shares of the commonest levels side by side; codes as in a table view (0 = missing)."""
    size = len(levels) + 1
    p, q = (np.bincount(x, minlength=size) / max(1, len(x)) for x in (real, synthetic))
    shown = [k for k in np.argsort(-(p + q), kind="stable")[:count] if p[k] + q[k] > 0]
    figure, axes = canvas(SIZE[0], max(SIZE[1], 0.35 + 0.16 * len(shown)))
    place = np.arange(len(shown))
    axes.barh(place - 0.2, p[shown], 0.4, color=REAL)
    axes.barh(place + 0.2, q[shown], 0.4, color=SYNTHETIC)
    texts = ["(missing)" if k == 0 else ascii_text(levels[k - 1], width=18) for k in shown]
    axes.set_yticks(place, texts, parse_math=False)
    axes.invert_yaxis()
    return png(figure)


def _unit(axes: Axes, low: float, high: float, *, dates: bool) -> float:
    """What values are divided by: days for dates, a named power of ten for huge numbers."""
    if dates and low > FIRST_DAY * DAY and high < LAST_DAY * DAY:
        locator = AutoDateLocator(minticks=2, maxticks=6)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        return DAY
    size = max(abs(low), abs(high))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    if size == 0 or 1e-12 < size < 1e15:
        if size >= 1e4:
            axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        return 1.0
    power = int(np.floor(np.log10(size)))
    axes.set_xlabel(f"times 1e{power}", fontsize=6)
    return float(10.0**power)


def _edges(axes: Axes, values: np.ndarray, low: float, high: float, *, dates: bool) -> np.ndarray:
    """Bins that are equally wide on the axis, which is set here."""
    away = np.abs(values - np.median(values))
    width = float(np.median(away[away > 0])) if (away > 0).any() else 0.0
    heavy = high - low > 20.0 * width > 0.0 and abs(float(np.median(values))) < 10.0 * width
    if dates or not heavy:
        if not dates and _whole(values):
            wide = max(1.0, np.ceil((high - low + 1.0) / BINS))
            count = int((np.ceil(high) - np.floor(low)) // wide) + 2
            return np.floor(low) - 0.5 + wide * np.arange(count)
        return np.linspace(low, high, BINS + 1)
    axes.set_xscale("asinh", linear_width=width)
    axes.xaxis.set_major_locator(AsinhLocator(width, numticks=4))
    axes.xaxis.set_major_formatter(
        EngFormatter(sep="") if high >= 1e4 else FuncFormatter(_three_digits)
    )
    first, last = (float(np.arcsinh(x / width)) for x in (low, high))
    edges = width * np.sinh(np.linspace(first, last, BINS + 1))
    edges[[0, -1]] = low, high
    return edges


def _whole(values: np.ndarray) -> bool:
    """Whether bins must hold equally many whole numbers each, lest they alternate."""
    some = values[:5000]
    return bool((np.abs(some) < 2**53).all() and (some == np.rint(some)).all())


def _three_digits(x: float, _: int | None = None) -> str:
    return f"{x:.3g}"


def _root(x: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(x, 0.0))
