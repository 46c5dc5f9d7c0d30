"""Which columns give a synthetic data set away in a two-sample test (`detection.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from genmodels.metrics.intervals import auc
from genmodels.metrics.tables.trees import TreeFeatures

__all__ = ["Giveaway", "Model", "giveaways", "shuffled_drops", "single_column_auc"]


class Model(Protocol):
    """A classifier of two classes."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> Model: ...

    def predict_proba(self, x: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Giveaway:
    """What one column contributes.

    Args:
        column: its name.
        alone: AUC of a classifier that sees this column only, in [0.5, 1] up to noise.
        drop: AUC lost when the column is shuffled in the test fold.
    """

    column: str
    alone: float
    drop: float


def giveaways(
    names: list[str],
    features: TreeFeatures,
    x: np.ndarray,
    positive: np.ndarray,
    fold: np.ndarray,
    drops: np.ndarray,
) -> tuple[Giveaway, ...]:
    """All columns, the most telling first.

    Args:
        names: of the features.
        features: says which of them are categories.
        x: shape (N, F).
        positive: which rows are synthetic; bool, shape (N,).
        fold: half of the folds is scored for `alone`, the other half learnt from; shape (N,).
        drops: AUC lost without each feature, shape (F,).
    """
    held = fold % 2 == 0
    alone = [
        single_column_auc(x[:, f], positive, held, bool(features.categorical[f]))
        for f in range(len(names))
    ]
    found = [Giveaway(n, a, float(d)) for n, a, d in zip(names, alone, drops, strict=True)]
    return tuple(sorted(found, key=lambda g: (-max(g.alone - 0.5, g.drop), g.column)))


def shuffled_drops(model: Model, x: np.ndarray, positive: np.ndarray, seed: int) -> np.ndarray:
    """AUC lost when one feature is shuffled, per feature."""
    rng = np.random.default_rng([seed, 4])
    full, out = auc(positive, model.predict_proba(x)[:, 1]), []
    for f in range(x.shape[1]):
        broken = x.copy()
        broken[:, f] = rng.permutation(x[:, f])
        out.append(full - auc(positive, model.predict_proba(broken)[:, 1]))
    return np.array(out)


def single_column_auc(
    values: np.ndarray, positive: np.ndarray, held: np.ndarray, categorical: bool
) -> float:
    """AUC of the share of positives per bin (64 quantile bins or levels), learnt on the others.

    Args:
        values: one feature, shape (N,); NaN is a bin of its own.
        positive: bool, shape (N,).
        held: rows to score; the others are learnt from; bool, shape (N,).
        categorical: whether values are codes.
    """
    if categorical:
        bins = values.astype(np.int64)
    else:
        known = values[~np.isnan(values)]
        inner = np.linspace(0, 1, 65)[1:-1]
        edges = np.unique(np.quantile(known, inner)) if len(known) else np.zeros(0)
        # Single values that carry much mass are bins of their own: point masses give data away.
        bins = np.searchsorted(edges, values, "left") + np.searchsorted(edges, values, "right")
        bins = np.where(np.isnan(values), 2 * len(edges) + 1, bins)
    size = int(bins.max()) + 1
    total = np.bincount(bins[~held], minlength=size)
    hits = np.bincount(bins[~held], weights=positive[~held], minlength=size)
    share = (hits + 0.5) / (total + 1.0)
    return auc(positive[held], share[bins[held]])
