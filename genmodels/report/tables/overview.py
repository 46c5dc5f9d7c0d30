"""A first look at a table: its rows as points of a plane, real beside synthetic ones."""

from __future__ import annotations

import numpy as np

from genmodels.metrics.tables.encoding import fit_encoding
from genmodels.report.page.pictures import scatter
from genmodels.report.rows import Picture, Section
from genmodels.report.tables.parts import Parts, head

__all__ = ["overview", "principal_plane"]

LEVELS = 12
FITTED, DRAWN = 4_000, 1_500


def overview(parts: Parts) -> Section | None:
    """Rows on the two main directions of held-out rows; None with a single column."""
    if len(parts.train.names) < 2 or parts.n < 3:
        return None
    encoding = fit_encoding(head(parts.holdout, FITTED), max_levels=LEVELS)
    centre, axes, share = principal_plane(encoding(head(parts.holdout, FITTED)))
    drawn = (parts.holdout, parts.synthetic, parts.independent)
    real, made, other = ((encoding(head(v, DRAWN)) - centre) @ axes for v in drawn)
    text = (
        "Every point is a row. Rows that resemble each other in all columns lie close together. "
        "The synthetic cloud should have the shape of the real one, which is drawn behind it in "
        "grey; independent columns show what it looks like when columns do not go together."
    )
    caption = (
        "The first two principal components of held-out rows (numbers as ranks, categories as "
        f"indicators); they hold {100 * share:.0f} % of the variance. Up to {DRAWN:,} rows of each "
        "are drawn."
    )
    picture = Picture(caption, scatter(real, made, other=other), wide=True)
    return Section("Overview", text, pictures=(picture,))


def principal_plane(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """The plane through the points that holds most of their variance.

    Args:
        points: shape (N, D), N at least 2.

    Returns:
        The centre (D,), two orthonormal directions (D, 2), each turned so that its largest entry
        is positive, and the share of the variance that the plane holds.
    """
    centre = points.mean(0)
    spread = (points - centre).astype(np.float64)
    values, vectors = np.linalg.eigh(spread.T @ spread)
    axes = vectors[:, ::-1][:, :2]
    if axes.shape[1] < 2:
        axes = np.concatenate([axes, np.zeros_like(axes)], axis=1)
    axes = axes * np.where(axes[np.abs(axes).argmax(0), [0, 1]] < 0, -1.0, 1.0)
    total = float(np.maximum(values, 0.0).sum())
    share = float(np.maximum(values[-2:], 0.0).sum()) / total if total > 0 else 0.0
    return centre, axes, share
