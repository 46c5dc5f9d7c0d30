"""Small PNG pictures for a report, drawn without any global state of matplotlib.

Names of columns and levels stand in the captions, which HTML escapes, or as plain ASCII in the
axes: fonts may lack a letter, and a `$` must not become mathematics.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["heat_map", "histogram", "image_rows", "level_bars"]

REAL, SYNTHETIC = "#6b7280", "#d9480f"


def histogram(real: np.ndarray, synthetic: np.ndarray) -> bytes:
    """Two density outlines of numbers on bins of the real 0.5 to 99.5 % range; NaNs left out."""
    figure, axes = _figure()
    real, synthetic = real[~np.isnan(real)], synthetic[~np.isnan(synthetic)]
    pooled = real if len(real) else synthetic
    if len(pooled):
        low, high = np.quantile(pooled, [0.005, 0.995])
        if high <= low:
            low, high = float(low) - 0.5, float(high) + 0.5
        edges = np.linspace(low, high, 41)
        for values, colour in ((real, REAL), (synthetic, SYNTHETIC)):
            share = np.histogram(np.clip(values, low, high), edges)[0] / max(1, len(values))
            fill = colour if colour == REAL else None
            axes.stairs(share, edges, color=colour, linewidth=1.2)
            if fill:
                axes.stairs(share, edges, color=fill, fill=True, alpha=0.25)
    return _png(figure)


def level_bars(
    real: np.ndarray, synthetic: np.ndarray, levels: tuple[str, ...], *, count: int = 12
) -> bytes:
    """Shares of the commonest levels side by side; codes as in a table view (0 = missing)."""
    figure, axes = _figure()
    size = len(levels) + 1
    p, q = (np.bincount(x, minlength=size) / max(1, len(x)) for x in (real, synthetic))
    shown = [k for k in np.argsort(-(p + q), kind="stable")[:count] if p[k] + q[k] > 0]
    position = np.arange(len(shown))
    axes.bar(position - 0.2, p[shown], 0.4, color=REAL)
    axes.bar(position + 0.2, q[shown], 0.4, color=SYNTHETIC)
    texts = ["missing" if k == 0 else _ascii(levels[k - 1]) for k in shown]
    axes.set_xticks(position)
    for k, text in enumerate(texts):
        axes.text(
            k, -0.03, text, rotation=40, ha="right", va="top", fontsize=5.5, parse_math=False,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    axes.set_xticklabels([])
    return _png(figure)


def heat_map(matrices: list[np.ndarray], titles: list[str]) -> bytes:
    """Square matrices with values in [-1, 1] side by side, such as correlations."""
    figure = Figure(figsize=(2.6 * len(matrices) + 0.4, 2.7), layout="constrained")
    FigureCanvasAgg(figure)
    shown = None
    for k, (matrix, title) in enumerate(zip(matrices, titles, strict=True)):
        axes = figure.add_subplot(1, len(matrices), k + 1)
        shown = axes.imshow(np.ma.masked_invalid(matrix), cmap="RdBu_r", vmin=-1, vmax=1)
        axes.set_title(title, fontsize=7)
        axes.set_xticks([])
        axes.set_yticks([])
    if shown is not None:
        bar = figure.colorbar(shown, ax=figure.axes, shrink=0.8)
        bar.ax.tick_params(labelsize=6)
    return _png(figure)


def image_rows(rows: list[np.ndarray], *, scale: int) -> bytes:
    """A mosaic of images, one list of equally shaped images per row.

    Args:
        rows: each uint8, shape (K, C, H, W); C of 1 is grey, of 3 or more RGB, of 2 the first.
        scale: enlargement by repetition.
    """
    from PIL import Image

    strips = []
    for images in rows:
        colour = images if images.shape[1] >= 3 else np.repeat(images[:, :1], 3, 1)
        padded = np.pad(colour[:, :3], ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=255)
        strips.append(np.concatenate(list(padded.transpose(0, 2, 3, 1)), axis=1))
    width = max(strip.shape[1] for strip in strips)
    strips = [
        np.pad(s, ((0, 0), (0, width - s.shape[1]), (0, 0)), constant_values=255) for s in strips
    ]
    mosaic = np.concatenate(strips).repeat(scale, 0).repeat(scale, 1)
    out = BytesIO()
    Image.fromarray(mosaic).save(out, "PNG", optimize=True)
    return out.getvalue()


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(2.5, 1.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.tick_params(labelsize=6)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Figure) -> bytes:
    out = BytesIO()
    figure.savefig(out, format="png", dpi=80)
    return out.getvalue()


def _ascii(text: str) -> str:
    plain = text.encode("ascii", "replace").decode()
    return plain if len(plain) <= 14 else plain[:13] + "~"
