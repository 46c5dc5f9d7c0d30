"""Small PNG pictures for a report, drawn without any global state of matplotlib.

Pictures of single columns are in `marginals.py`, colours and texts in `canvas.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np

from genmodels.report.page.canvas import ascii_text, canvas, colours_of, grid, legend, png
from genmodels.report.page.marginals import histogram, level_bars

__all__ = [
    "curves",
    "grouped_bars",
    "heat_map",
    "histogram",
    "image_rows",
    "level_bars",
    "scatter",
]

BEHIND = "#c3cad1"


def scatter(
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    other: np.ndarray | None = None,
    other_name: str = "independent columns",
    points: int = 1500,
) -> bytes:
    """Points of two or three data sets in panels of their own on common axes.

    Behind the synthetic (and the other) points lie the real ones in grey: grey that shows is what
    was missed, colour off the grey is what real rows do not do.

    Args:
        real: shape (N, 2).
        synthetic: shape (M, 2).
        other: shape (K, 2), drawn third.
        other_name: what the third are.
        points: at most this many of each are drawn, the first ones.
    """
    given = {"held-out real": real, "synthetic": synthetic}
    if other is not None:
        given[other_name] = other
    drawn = {name: _finite(x)[:points] for name, x in given.items()}
    figure, panels = grid(2.2 * len(drawn) + 0.2, 2.3, len(drawn))
    everything = np.concatenate(list(drawn.values()))
    low, high = _frame(everything)
    for axes, (name, x), colour in zip(panels, drawn.items(), colours_of(list(drawn)), strict=True):
        if name != "held-out real":
            back = drawn["held-out real"]
            axes.scatter(back[:, 0], back[:, 1], s=3, color=BEHIND, linewidths=0)
        axes.scatter(x[:, 0], x[:, 1], s=3, color=colour, alpha=0.7, linewidths=0)
        axes.set_title(ascii_text(name, width=30), fontsize=7, color=colour, parse_math=False)
        axes.set_xlim(low[0], high[0])
        axes.set_ylim(low[1], high[1])
        axes.set_xticks([])
        axes.set_yticks([])
    return png(figure, shades=64)


def curves(
    lines: Sequence[tuple[str, np.ndarray, np.ndarray]],
    *,
    x_label: str,
    y_label: str,
    diagonal: bool = False,
) -> bytes:
    """Lines on common axes, such as calibration or learning curves.

    Args:
        lines: name, x and y of each; the name decides the colour, see `canvas.colours_of`.
        x_label: name and unit of x.
        y_label: name and unit of y.
        diagonal: whether y = x is drawn, the line of what is ideal.
    """
    figure, axes = canvas(3.4, 2.5)
    names = [name for name, _, _ in lines]
    colours = colours_of(names)
    if diagonal:
        axes.axline((0.0, 0.0), slope=1.0, color="#999999", linewidth=0.8, linestyle=(0, (4, 3)))
    for (_, x, y), colour in zip(lines, colours, strict=True):
        shown = np.isfinite(x) & np.isfinite(y)
        x, y = np.asarray(x)[shown], np.asarray(y)[shown]
        mark = "o" if len(x) <= 25 else None
        axes.plot(x, y, color=colour, linewidth=1.2, marker=mark, markersize=2.5)
    axes.set_xlabel(ascii_text(x_label, width=60), fontsize=7, parse_math=False)
    axes.set_ylabel(ascii_text(y_label, width=45), fontsize=7, parse_math=False)
    axes.grid(color="#dddddd", linewidth=0.4)
    if names:
        legend(figure, names, colours, columns=2 if max(map(len, names)) > 18 else 3)
    return png(figure)


def grouped_bars(
    labels: Sequence[str],
    series: Mapping[str, np.ndarray],
    *,
    errors: Mapping[str, np.ndarray] | None = None,
) -> bytes:
    """Horizontal bars of several series for each group, the first group on top.

    Args:
        labels: names of the G groups.
        series: name -> values, shape (G,), NaN = no bar; the name decides the colour.
        errors: name -> half widths (G,), or lengths below and above (2, G), of the whiskers.
    """
    names, count = list(series), max(1, len(series))
    figure, axes = canvas(4.2, 0.5 + max(1, len(labels)) * (0.08 + 0.11 * count))
    colours = colours_of(names)
    place, thick = np.arange(len(labels)), 0.8 / count
    for k, (name, colour) in enumerate(zip(names, colours, strict=True)):
        values = np.asarray(series[name], dtype=float)
        known = np.isfinite(values)
        where = place[known] + (k - (count - 1) / 2) * thick
        axes.barh(where, values[known], thick, color=colour)
        if errors is not None and name in errors:
            spread = np.nan_to_num(np.asarray(errors[name], dtype=float)[..., known])
            axes.errorbar(
                values[known], where, xerr=np.maximum(spread, 0.0), fmt="none", ecolor="#333333",
                elinewidth=0.7,
            )  # fmt: skip
    axes.set_yticks(place, [ascii_text(t, width=34) for t in labels], parse_math=False)
    axes.set_ylim(max(1, len(labels)) - 0.45, -0.55)
    axes.axvline(0.0, color="#333333", linewidth=0.5)
    axes.grid(axis="x", color="#dddddd", linewidth=0.4)
    axes.set_axisbelow(True)
    if names:
        legend(figure, names, colours)
    return png(figure)


def heat_map(matrices: list[np.ndarray], titles: list[str]) -> bytes:
    """Square matrices with values in [-1, 1] side by side, such as correlations."""
    figure, panels = grid(2.4 * len(matrices) + 0.4, 2.5, len(matrices))
    shown = None
    for axes, matrix, title in zip(panels, matrices, titles, strict=True):
        shown = axes.imshow(np.ma.masked_invalid(matrix), cmap="RdBu_r", vmin=-1, vmax=1)
        axes.set_title(ascii_text(title, width=40), fontsize=7, parse_math=False)
        axes.set_xticks([])
        axes.set_yticks([])
    if shown is not None:
        bar = figure.colorbar(shown, ax=panels, shrink=0.8)
        bar.ax.tick_params(labelsize=6)
    return png(figure, shades=160)


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


def _finite(x: np.ndarray) -> np.ndarray:
    points = np.asarray(x, dtype=float).reshape(-1, 2)
    return points[np.isfinite(points).all(1)]


def _frame(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Limits of both axes that hold all but half a percent at either end."""
    if not len(points):
        return np.zeros(2), np.ones(2)
    low, high = np.quantile(np.clip(points, -1e100, 1e100), [0.005, 0.995], axis=0)
    room = 0.08 * (high - low) + np.maximum(1e-6, 1e-6 * np.abs(low))
    return low - room, high + room
