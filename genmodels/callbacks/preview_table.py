"""Pictures of what a model makes of a table, during training: marginals and associations."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from genmodels.algorithms.base import GenerativeModel
from genmodels.callbacks.ledger import Ledger
from genmodels.callbacks.typed import model_of
from genmodels.files import atomic_path
from genmodels.types import Raw

__all__ = ["TablePreview", "association_figure", "marginal_figure"]

REAL, FAKE = "#9aa4ad", "#d1495b"
CELL, HEADER, DPI = (2.6, 1.9), 0.3, 80


class TablePreview(L.Callback):
    """Every few epochs: each column's distribution beside the real one, and how pairs differ.

    Writes `<folder>/marginals-<samples seen>.png` and `<folder>/associations-<samples seen>.png`.

    Args:
        ledger: TensorBoard gets the same figures.
        sample: n -> synthetic raw rows of the model as it is now.
        reference: real rows that the model was not fitted on.
        folder: where the files go.
        every: epochs between two pictures; the end of training always gives one.
        rows: rows a side.
        columns: at most so many columns are drawn.
        levels: at most so many levels of a categorical column are drawn.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        sample: Callable[[int], Raw],
        reference: pa.Table,
        folder: Path,
        every: int,
        rows: int,
        columns: int,
        levels: int,
    ) -> None:
        if min(every, rows, columns, levels) < 1:
            raise ValueError("preview.every, .rows, .columns and .levels must be at least 1")
        self.ledger, self.sample, self.folder = ledger, sample, folder
        self.every, self.levels = every, levels
        names = [n for n in reference.column_names if _drawable(reference[n])][:columns]
        # Evenly spaced, as rows are often sorted by time.
        spaced = np.unique(np.linspace(0, max(len(reference) - 1, 0), rows).astype(np.int64))
        self.reference = reference.select(names).take(spaced[: len(reference)])
        self._shown_at = -1

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if (trainer.current_epoch + 1) % self.every == 0:
            self._show(trainer, model_of(pl_module))

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._show(trainer, model_of(pl_module))

    def _show(self, trainer: L.Trainer, model: GenerativeModel) -> None:
        drawn = self.reference.num_columns > 0 and self.reference.num_rows > 0
        if not trainer.is_global_zero or model.num_samples == self._shown_at or not drawn:
            return
        self._shown_at = model.num_samples
        synthetic = self.sample(self.reference.num_rows)
        assert isinstance(synthetic, pa.Table)
        figures = {
            "marginals": marginal_figure(self.reference, synthetic, levels=self.levels),
            "associations": association_figure(self.reference, synthetic),
        }
        for name, figure in figures.items():
            pixels = _drawn(figure)
            with atomic_path(self.folder / f"{name}-{model.num_samples:010d}.png") as temporary:
                Image.fromarray(pixels).save(temporary, "PNG", compress_level=1)
            if self.ledger.writer is not None:
                self.ledger.writer.add_image(
                    f"preview/{name}", pixels, model.num_samples, dataformats="HWC"
                )


def marginal_figure(real: pa.Table, synthetic: pa.Table, *, levels: int) -> Any:
    """Histograms of numbers and bars of categories, real beside synthetic, one panel a column."""
    from matplotlib.figure import Figure

    names = real.column_names
    across = min(5, len(names))
    down = math.ceil(len(names) / across)
    # Fixed places: a layout engine would draw everything several times to find them.
    width, height = CELL[0] * across, CELL[1] * down + HEADER
    figure = Figure(figsize=(width, height))
    for number, name in enumerate(names):
        row, column = divmod(number, across)
        left, bottom = CELL[0] * column + 0.1, height - HEADER - CELL[1] * (row + 1) + 0.5
        axes = figure.add_axes(
            (left / width, bottom / height, (CELL[0] - 0.2) / width, (CELL[1] - 0.75) / height)
        )
        _panel(axes, _numbers(real[name]), _numbers(synthetic[name]), real[name], synthetic[name],
               levels)  # fmt: skip
        axes.set_title(name, fontsize=8, parse_math=False)
        axes.tick_params(labelsize=6)
        axes.yaxis.set_visible(False)
    figure.legend(
        handles=[_patch(REAL, "real"), _patch(FAKE, "synthetic")], loc="upper right",
        fontsize=8, ncols=2, frameon=False,
    )  # fmt: skip
    return figure


def association_figure(real: pa.Table, synthetic: pa.Table) -> Any:
    """Pair associations: real, synthetic, and their difference (rank correlation of codes)."""
    from matplotlib.figure import Figure

    names = real.column_names
    a, b = (_associations(t.select(names), real) for t in (real, synthetic))
    figure = Figure(figsize=(10.5, 3.6))
    figure.subplots_adjust(left=0.12, right=0.93, bottom=0.04, top=0.92, wspace=0.05)
    for place, (title, matrix) in enumerate(
        [("real", a), ("synthetic", b), ("synthetic - real", b - a)]
    ):
        axes = figure.add_subplot(1, 3, place + 1)
        picture = axes.imshow(matrix, vmin=-1, vmax=1, cmap="RdBu")
        axes.set_title(title, fontsize=9)
        axes.xaxis.set_visible(False)
        axes.yaxis.set_visible(place == 0)
        if place == 0:
            shown = [n[:18] for n in names]
            axes.set_yticks(range(len(names)), shown, fontsize=6, parse_math=False)
    bar = figure.colorbar(picture, cax=figure.add_axes((0.94, 0.14, 0.012, 0.68)))
    bar.ax.tick_params(labelsize=6)
    return figure


def _drawn(figure: Any) -> np.ndarray:
    """A figure as pixels (H, W, 3), drawn once for the file and TensorBoard."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])


def _panel(
    axes: Any,
    x: np.ndarray | None,
    y: np.ndarray | None,
    real: pa.ChunkedArray,
    synthetic: pa.ChunkedArray,
    levels: int,
) -> None:
    if x is None or y is None:
        shares = _shares(real)
        names = list(shares)[:levels]
        other = _shares(synthetic)
        places = np.arange(len(names))
        axes.bar(places - 0.2, [shares[n] for n in names], 0.4, color=REAL)
        axes.bar(places + 0.2, [other.get(n, 0.0) for n in names], 0.4, color=FAKE)
        shown = [n[:8] for n in names]
        axes.set_xticks(places, shown, rotation=60, fontsize=5, parse_math=False)
        return
    x, y = x[np.isfinite(x)], y[np.isfinite(y)]
    # Extreme values would squeeze everything else into one bin.
    low, high = np.quantile(x, [0.002, 0.998]) if len(x) else (0.0, 1.0)
    edges = np.linspace(low, high if high > low else low + 1.0, 31)
    for values, color, alpha in ((x, REAL, 1.0), (y, FAKE, 0.55)):
        counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
        axes.stairs(counts / max(len(values), 1), edges, fill=True, color=color, alpha=alpha)
    axes.locator_params(axis="x", nbins=5)


def _associations(table: pa.Table, reference: pa.Table) -> np.ndarray:
    """Spearman correlation of numbers and of level codes (levels ordered by frequency)."""
    ranks = []
    for name in table.column_names:
        values = _numbers(table[name])
        if values is None:
            order = {level: i for i, level in enumerate(_shares(reference[name]))}
            values = np.array([order.get(t, -1) for t in _texts(table[name])], dtype=float)
        values = np.where(np.isfinite(values), values, np.nanmedian(np.append(values, 0.0)))
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(counts) - (counts - 1) / 2)[inverse])
    matrix = np.stack(ranks)
    matrix = matrix - matrix.mean(1, keepdims=True)
    norm = np.sqrt((matrix**2).sum(1, keepdims=True))
    matrix = np.divide(matrix, norm, out=np.zeros_like(matrix), where=norm > 0)
    return matrix @ matrix.T


def _drawable(column: pa.ChunkedArray) -> bool:
    """Numbers, times and columns of few texts; not keys and not constants."""
    if _is_number(column.type):
        return len(pc.unique(column)) > 1
    distinct = len(pc.unique(_decoded(column)))
    return 1 < distinct <= max(20, len(column) // 5)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_timestamp(kind)


def _numbers(column: pa.ChunkedArray) -> np.ndarray | None:
    """Float values with NaN for missing ones, or None for texts and truth values."""
    if not _is_number(column.type):
        return None
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def _texts(column: pa.ChunkedArray) -> list[str]:
    return _decoded(column).cast(pa.string()).fill_null("missing").to_pylist()


def _shares(column: pa.ChunkedArray) -> dict[str, float]:
    """Share of each level, the commonest first."""
    counts = pc.value_counts(_decoded(column).cast(pa.string()).fill_null("missing")).to_pylist()
    total = max(len(column), 1)
    ordered = sorted(counts, key=lambda entry: (-entry["counts"], entry["values"]))
    return {entry["values"]: entry["counts"] / total for entry in ordered}


def _patch(color: str, label: str) -> Any:
    from matplotlib.patches import Patch

    return Patch(color=color, label=label)
