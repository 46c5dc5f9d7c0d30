import numpy as np
import pytest

from genmodels.metrics.tables import neighbours as module
from genmodels.metrics.tables.neighbours import gower_scale, neighbours
from genmodels.metrics.tables.views import TableView


def view(numbers: np.ndarray, codes: np.ndarray, levels: int = 60) -> TableView:
    """A view of arrays (N, F) and (N, Q); codes up to `levels`."""
    names = tuple(f"n{f}" for f in range(numbers.shape[1]))
    others = tuple(f"q{q}" for q in range(codes.shape[1]))
    words = tuple(tuple(map(str, range(levels))) for _ in others)
    return TableView(names, numbers.astype(float), others, codes.astype(np.int32), words)


def messy(n: int, seed: int) -> TableView:
    """Gaps, an all-missing column, a constant one, a huge range, few and many levels."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(0, 1, (n, 5)).round(1)
    numbers[rng.random((n, 5)) < 0.1] = np.nan
    numbers[:, 2], numbers[:, 3] = np.nan, 7.0
    numbers[:, 4] = rng.choice([-1e300, 0.0, 1e300], n)
    codes = np.column_stack([rng.integers(0, 4, n), rng.integers(0, 60, n), rng.integers(0, 2, n)])
    return view(numbers, codes)


def naive(rows: TableView, bank: TableView, *tables: TableView) -> np.ndarray:
    """Gower distances (N, M) by a loop over cells in float64."""
    both = np.concatenate([t.numbers for t in tables])
    out = np.zeros((len(rows), len(bank)))
    for i in range(len(rows)):
        for j in range(len(bank)):
            for f in range(both.shape[1]):
                x, y, known = rows.numbers[i, f], bank.numbers[j, f], both[~np.isnan(both[:, f]), f]
                if np.isnan(x) or np.isnan(y):
                    out[i, j] += np.isnan(x) != np.isnan(y)
                elif x != y:
                    half = known.max() / 2 - known.min() / 2
                    out[i, j] += min(1.0, abs(x / 2 - y / 2) / half if half > 0 else abs(x - y))
            out[i, j] += (rows.codes[i] != bank.codes[j]).sum()
    return out


@pytest.mark.parametrize("k", [1, 3, 12])
def test_distances_are_those_of_a_loop_over_cells(k, monkeypatch):
    monkeypatch.setattr(module, "ROWS", 7)
    monkeypatch.setattr(module, "BANK", 11)
    rows, bank = messy(40, 1), messy(50, 2)
    distance, index = neighbours(rows, bank, gower_scale(rows, bank), k)
    truth = naive(rows, bank, rows, bank)
    np.testing.assert_allclose(distance, np.sort(truth, 1)[:, :k], atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(truth, index, 1), distance, atol=1e-5)
    assert (np.diff(distance, axis=1) >= 0).all()
    assert all(len(set(line)) == k for line in index)


def test_a_category_of_many_levels_counts_like_one_of_few(monkeypatch):
    rows, bank = messy(60, 3), messy(80, 4)
    scale = gower_scale(rows, bank)
    expected = neighbours(rows, bank, scale, 5)
    monkeypatch.setattr(module, "ONE_HOT", 1)
    for found, want in zip(neighbours(rows, bank, scale, 5), expected, strict=True):
        np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize("k", [3, 10])
def test_among_equal_rows_the_lower_number_comes_first(k, monkeypatch):
    monkeypatch.setattr(module, "BANK", 7)
    bank = view(np.zeros((30, 1)), np.ones((30, 2)))
    _, index = neighbours(bank, bank, gower_scale(bank), k)
    np.testing.assert_array_equal(index, np.tile(np.arange(k), (30, 1)))


def test_a_row_is_not_its_own_neighbour_but_its_double_is(monkeypatch):
    monkeypatch.setattr(module, "ROWS", 2)
    monkeypatch.setattr(module, "BANK", 3)
    bank = view(np.array([[0.0], [4.0], [4.0], [9.0], [10.0]]), np.zeros((5, 0)))
    distance, index = neighbours(bank, bank, gower_scale(bank), 1, exclude_self=True)
    assert index[:, 0].tolist() == [1, 2, 1, 4, 3]
    np.testing.assert_allclose(distance[:, 0], [0.4, 0, 0, 0.1, 0.1], atol=1e-6)


def test_too_small_a_bank_leaves_the_rest_infinite():
    bank = view(np.array([[1.0], [2.0]]), np.zeros((2, 0)))
    distance, index = neighbours(bank, bank, gower_scale(bank), 4, exclude_self=True)
    assert index.tolist() == [[1, -1, -1, -1], [0, -1, -1, -1]]
    assert np.isinf(distance[:, 1:]).all()
    assert neighbours(bank.take(np.arange(0)), bank, gower_scale(bank), 2)[0].shape == (0, 2)


def test_values_beyond_the_range_of_the_scale_differ_by_one():
    real, other = (view(np.array([[x]]), np.zeros((1, 0))) for x in (0.0, 1e9))
    scale = gower_scale(view(np.array([[0.0], [1.0]]), np.zeros((2, 0))))
    assert neighbours(real, other, scale, 1)[0] == 1.0
    assert neighbours(other, other, scale, 1)[0] == 0.0


def test_rows_without_any_column_are_all_alike():
    bank = view(np.zeros((3, 0)), np.zeros((3, 0)))
    assert neighbours(bank, bank, gower_scale(bank), 2)[0].max() == 0.0


def test_counts_within_a_radius_are_those_of_the_loop(monkeypatch):
    monkeypatch.setattr(module, "ROWS", 7)
    monkeypatch.setattr(module, "BANK", 11)
    rows, bank = messy(20, 5), messy(40, 6)
    truth = naive(rows, bank, rows, bank)
    radius = np.linspace(0.5, 4.0, 20)
    found = module.count_within(rows, bank, gower_scale(rows, bank), radius)
    assert found.tolist() == (truth <= radius[:, None]).sum(1).tolist()
    assert len(set(found.tolist())) > 5
