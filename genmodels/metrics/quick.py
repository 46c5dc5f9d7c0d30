"""Scores of seconds at most, for choosing a checkpoint while training; lower is better.

They rank states of one training. They are not evaluations: see `report` for those.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from genmodels.metrics.images.kernels import kernel_distance
from genmodels.metrics.images.random_features import random_features
from genmodels.metrics.tables.dependence import code_pairs
from genmodels.metrics.tables.marginals import shape_errors
from genmodels.metrics.tables.views import TableView, table_views
from genmodels.schema import Column, Kind, TableSchema
from genmodels.types import Images

__all__ = ["image_diversity", "image_score", "table_score"]

ROWS = 5_000
IMAGES = 1_500
PER_CLASS = 10
COLUMNS = 60
LEVELS = 10


def table_score(reference: pa.Table, synthetic: pa.Table, seed: int) -> float:
    """Mean shape error plus mean pair error of at most 5,000 rows a side.

    Pairs are compared as contingency tables of ten quantile bins (or the nine commonest levels
    and the rest) of the reference, so one wild value cannot spoil the score. With more than 60
    columns a seeded choice of 60 is compared.

    Args:
        reference: validation rows, typed.
        synthetic: as many synthetic rows, of the same types.
        seed: of the choice of rows and columns.

    Returns:
        In [0, 2]; 2 when one side is empty or the tables share no column.
    """
    rng = np.random.default_rng([seed, 5])
    schema = _schema(reference, synthetic, rng)
    if not schema.columns or not reference.num_rows or not synthetic.num_rows:
        return 2.0
    names = list(schema.names)
    a, b = table_views([_some(t.select(names), rng) for t in (reference, synthetic)], schema)
    coarse_a, coarse_b = _coarse(a, a), _coarse(a, b)
    sizes = np.full(len(names), LEVELS + 2)
    pairs = code_pairs(coarse_a, coarse_b, sizes)[np.triu_indices(len(names), 1)]
    return float(shape_errors(a, b).mean()) + (float(pairs.mean()) if len(pairs) else 0.0)


def image_score(reference: Images, synthetic: Images, seed: int) -> float:
    """Kernel distance on fixed random-convolution features, within each class if labelled.

    Args:
        reference: validation images.
        synthetic: synthetic images of the same shape.
        seed: of the choice of images (the features are always the same).

    Returns:
        At least about 0; the mean over classes that have two images on both sides, plus the
        total variation distance of the class shares.
    """
    rng = np.random.default_rng([seed, 6])
    a, b = (_some_images(x, rng) for x in (reference, synthetic))
    if len(a) < 2 or len(b) < 2:
        return 2.0
    x, y = _standard(random_features(a.pixels), random_features(b.pixels))
    whole = kernel_distance(x, y, repeats=10)
    if a.labels is None or b.labels is None:
        return whole
    size = int(max(a.labels.max(), b.labels.max())) + 1
    p, q = (np.bincount(labels, minlength=size) for labels in (a.labels, b.labels))
    common = np.flatnonzero((p >= 2) & (q >= 2))
    within = [kernel_distance(x[a.labels == k], y[b.labels == k], repeats=10) for k in common]
    inside = float(np.mean(within)) if within else whole
    return inside + 0.5 * float(np.abs(p / p.sum() - q / q.sum()).sum())


def image_diversity(reference: Images, synthetic: Images, seed: int) -> float:
    """How far synthetic images of one class lie apart, as a share of how far real ones do.

    Mean distances of pairs, on the features of `image_score`.

    Args:
        reference: validation images.
        synthetic: synthetic images of the same shape.
        seed: of the choice of images.

    Returns:
        The least over the classes with ten images on both sides; over all images together where
        there is no such class; NaN where there are less than two images or all real ones are equal.
    """
    rng = np.random.default_rng([seed, 7])
    a, b = (_some_images(x, rng) for x in (reference, synthetic))
    if len(a) < 2 or len(b) < 2:
        return float("nan")
    x, y = _standard(random_features(a.pixels), random_features(b.pixels))
    pairs = [(x, y)]
    if a.labels is not None and b.labels is not None:
        classes = [k for k in np.unique(a.labels) if _enough(a.labels, k) and _enough(b.labels, k)]
        pairs = [(x[a.labels == k], y[b.labels == k]) for k in classes] or pairs
    spreads = np.array([[_spread(real), _spread(made)] for real, made in pairs])
    shares = spreads[spreads[:, 0] > 0]
    return float((shares[:, 1] / shares[:, 0]).min()) if len(shares) else float("nan")


def _enough(labels: np.ndarray, label: int) -> bool:
    return int((labels == label).sum()) >= PER_CLASS


def _spread(x: np.ndarray) -> float:
    """Mean distance of two different rows."""
    squares = (x**2).sum(1)
    distances = np.sqrt(np.clip(squares[:, None] + squares - 2 * x @ x.T, 0, None))
    np.fill_diagonal(distances, 0.0)
    return float(distances.sum() / (len(x) * (len(x) - 1)))


def _standard(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both in deviations of `x`, cut at 5 so that one wild image cannot spoil the score."""
    centre, scale = x.mean(0), x.std(0)
    scale = np.where(scale > 1e-6, scale, 1.0)
    return np.clip((x - centre) / scale, -5, 5), np.clip((y - centre) / scale, -5, 5)


def _schema(a: pa.Table, b: pa.Table, rng: np.random.Generator) -> TableSchema:
    """Kinds read off the types; columns of other types are not compared."""
    columns = [_column(f) for f in a.schema if f.name in b.column_names]
    kept = [c for c in columns if c is not None and not _is_key(a.column(c.name), c)]
    if len(kept) > COLUMNS:
        kept = [kept[i] for i in np.sort(rng.choice(len(kept), COLUMNS, replace=False))]
    return TableSchema(tuple(kept))


def _column(field: pa.Field) -> Column | None:
    kind: Kind
    if pa.types.is_dictionary(field.type):
        return Column(field.name, "categorical", levels=("",))
    if pa.types.is_boolean(field.type):
        return Column(field.name, "boolean", levels=(False, True))
    if pa.types.is_integer(field.type):
        kind = "integer"
    elif pa.types.is_floating(field.type):
        kind = "continuous"
    elif pa.types.is_temporal(field.type):
        kind = "datetime"
    else:
        return None
    return Column(field.name, kind)


def _is_key(values: pa.ChunkedArray, column: Column) -> bool:
    """Whole numbers of which none occurs twice: a key, which has no distribution to compare."""
    return column.kind == "integer" and len(values) > 50 and len(values.unique()) == len(values)


def _some(table: pa.Table, rng: np.random.Generator) -> pa.Table:
    if table.num_rows <= ROWS:
        return table
    return table.take(pa.array(np.sort(rng.choice(table.num_rows, ROWS, replace=False))))


def _some_images(images: Images, rng: np.random.Generator) -> Images:
    if len(images) <= IMAGES:
        return images
    return images.take(np.sort(rng.choice(len(images), IMAGES, replace=False)))


def _coarse(reference: TableView, view: TableView) -> np.ndarray:
    """Codes below LEVELS + 2 of each column, (N, C); LEVELS + 1 = missing."""
    out = []
    for f in range(len(view.numeric)):
        known = reference.numbers[:, f]
        known = known[~np.isnan(known)]
        inner = np.linspace(0, 1, LEVELS + 1)[1:-1]
        edges = np.unique(np.quantile(known, inner)) if len(known) else np.zeros(0)
        values = view.numbers[:, f]
        out.append(np.where(np.isnan(values), LEVELS + 1, np.searchsorted(edges, values, "left")))
    for q, levels in enumerate(view.levels):
        counts = np.bincount(reference.codes[:, q], minlength=len(levels) + 1)
        counts[0] = 0
        rank = np.full(len(counts), LEVELS, dtype=np.int64)
        frequent = np.argsort(-counts, kind="stable")[: LEVELS - 1]
        rank[frequent] = np.arange(len(frequent))
        rank[0] = LEVELS + 1
        out.append(rank[view.codes[:, q]])
    return np.array(out).T
