import numpy as np
import pyarrow as pa
import pytest

from genmodels.metrics.tables.marginals import (
    ks_statistic,
    level_coverage,
    missing_errors,
    shape_errors,
    total_variation,
)
from genmodels.metrics.tables.views import table_views
from genmodels.schema import Column, TableSchema

NAN = float("nan")


def slow_ks(a, b):
    points = [*a, *b]
    return max(
        abs(sum(x <= p for x in a) / len(a) - sum(y <= p for y in b) / len(b)) for p in points
    )


def test_ks_is_the_largest_gap_of_the_distribution_functions():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.integers(0, 8, 15).astype(float), rng.normal(3, 2, 22)
        assert ks_statistic(a, b) == pytest.approx(slow_ks(a, b), abs=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [
        ([1, 2, 3], [1, 2, 3], 0),
        ([1, 2], [3, 4], 1),
        ([1, 2, 3, 4], [3, 4, 5, 6], 0.5),
        ([NAN], [NAN], 0),
        ([NAN], [1.0], 1),
        ([1, NAN], [1], 0),
    ],
)
def test_ks_of_known_samples(a, b, value):
    assert ks_statistic(np.array(a, float), np.array(b, float)) == value


def test_total_variation_is_half_the_summed_difference_of_shares():
    assert total_variation(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1]), 4) == 0.5
    assert total_variation(np.array([0]), np.array([], int), 1) == 1.0
    assert total_variation(np.array([], int), np.array([], int), 1) == 0.0


def views(a, b):
    schema = TableSchema(
        (Column("x", "continuous", nullable=True), Column("k", "categorical", levels=("a", "b")))
    )
    return table_views([pa.table(a), pa.table(b)], schema)


def test_missing_is_a_category_and_has_its_own_error():
    a, b = views(
        {"x": [1.0, None, None, 2.0], "k": ["a", "b", None, None]},
        {"x": [1.0, 2.0, None, 1.0], "k": ["a", "b", "b", "b"]},
    )
    assert missing_errors(a, b) == pytest.approx([0.25, 0.5])
    assert shape_errors(a, b)[1] == pytest.approx(0.5)


def test_level_coverage_counts_categories_that_never_occur():
    a, b = views({"x": [0.0] * 3, "k": ["a", "b", "c"]}, {"x": [0.0] * 2, "k": ["a", None]})
    assert level_coverage(a, b) == (pytest.approx(1 / 3), 3)
