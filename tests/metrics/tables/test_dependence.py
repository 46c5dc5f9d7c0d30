import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from genmodels.metrics.tables.dependence import code_pairs, correlation, pair_errors
from genmodels.metrics.tables.views import table_views
from genmodels.schema import Column, TableSchema


def test_correlation_is_pearsons_over_complete_pairs():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 4)) + 1e6
    x[rng.random(x.shape) < 0.2] = np.nan
    np.testing.assert_allclose(correlation(x), pd.DataFrame(x).corr().to_numpy(), atol=1e-9)


def test_correlation_of_a_constant_is_undefined():
    x = np.column_stack([np.arange(5.0), np.full(5, 3.0), np.full(5, np.nan)])
    assert np.isnan(correlation(x)[0, 1:]).all()


def test_code_pairs_are_distances_of_contingency_tables():
    rng = np.random.default_rng(1)
    sizes = np.array([3, 2, 5])
    a, b = rng.integers(0, sizes, (40, 3)), rng.integers(0, sizes, (70, 3))
    got = code_pairs(a, b, sizes)
    for i in range(3):
        for j in range(3):
            tables = []
            for codes in (a, b):
                counts = np.zeros((sizes[i], sizes[j]))
                np.add.at(counts, (codes[:, i], codes[:, j]), 1 / len(codes))
                tables.append(counts if i != j else counts * np.eye(sizes[i]))
            assert got[i, j] == pytest.approx(0.5 * np.abs(tables[0] - tables[1]).sum(), abs=1e-12)


def tables(a, b):
    schema = TableSchema(
        (
            Column("x", "continuous"),
            Column("y", "continuous"),
            Column("k", "categorical", levels=("a", "b")),
        )
    )
    return table_views([pa.table(a), pa.table(b)], schema)


def test_pair_error_of_opposite_lines_is_one():
    up = {"x": [1.0, 2, 3, 4], "y": [1.0, 2, 3, 4], "k": list("abab")}
    a, b = tables(up, up | {"y": [4.0, 3, 2, 1]})
    errors = pair_errors(a, b, "shared")
    assert errors.matrix[0, 1] == pytest.approx(1.0)
    assert errors.names == ("x", "y", "k")
    assert errors.worst(1)[0][:2] == ("x", "y")
    assert errors.count() == 3


def test_own_bins_hide_a_shift_that_shared_bins_show():
    rng = np.random.default_rng(2)
    x = rng.random(500)
    base = {"x": x, "y": rng.random(500), "k": np.where(x > 0.5, "a", "b")}
    a, b = tables(base, base | {"x": x + 10})
    assert pair_errors(a, b, "own").matrix[0, 2] == pytest.approx(0.0, abs=1e-12)
    assert pair_errors(a, b, "shared").matrix[0, 2] > 0.99


def test_a_column_that_collapsed_loses_its_correlations():
    line = {"x": [1.0, 2, 3, 4], "y": [1.0, 2, 3, 4], "k": list("abab")}
    a, b = tables(line, line | {"y": [2.0] * 4})
    assert pair_errors(a, b, "shared").matrix[0, 1] == pytest.approx(0.5)


def test_thousands_of_levels_stay_small():
    rng = np.random.default_rng(3)
    sizes = np.full(4, 20_000)
    codes = rng.integers(0, 20_000, (5_000, 4))
    assert code_pairs(codes, codes, sizes) == pytest.approx(np.zeros((4, 4)))
