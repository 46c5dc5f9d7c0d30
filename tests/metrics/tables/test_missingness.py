import numpy as np
import pytest

from genmodels.metrics.tables.missingness import (
    association_errors,
    coarse_codes,
    missing_columns,
    profiles,
)
from genmodels.metrics.tables.views import TableView


def view(numbers, codes=None):
    numbers = np.asarray(numbers, dtype=np.float64)
    codes = np.zeros((len(numbers), 0), np.int32) if codes is None else np.asarray(codes, np.int32)
    names = tuple(f"x{k}" for k in range(numbers.shape[1]))
    kinds = tuple(f"k{k}" for k in range(codes.shape[1]))
    levels = tuple(tuple("abcdefghijklmnopqrstuvwxyz") for _ in kinds)
    return TableView(names, numbers, kinds, codes, levels)


def gappy(n, seed, sign=1.0):
    """The first number is missing where the second is large (sign 1) or small (sign -1)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    x[sign * x[:, 1] > 0.8, 0] = np.nan
    return view(x)


def test_the_length_of_a_profile_is_cramers_v():
    rng = np.random.default_rng(0)
    absent = rng.random((400, 1)) < 0.3
    codes = np.where(absent, rng.integers(0, 3, (400, 1)), rng.integers(1, 4, (400, 1)))
    counts = np.zeros((2, 4))
    np.add.at(counts, (absent[:, 0].astype(int), codes[:, 0]), 1)
    expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
    v = np.sqrt(((counts - expected) ** 2 / expected).sum() / counts.sum())
    assert np.linalg.norm(profiles(absent, codes, 4)[0, 0]) == pytest.approx(v, abs=1e-12)


def test_gaps_at_the_other_end_are_an_error_though_cramers_v_is_the_same():
    real, same, opposite = gappy(4000, 1), gappy(4000, 2), gappy(4000, 3, -1.0)
    columns = missing_columns(real)
    assert list(columns) == [0]
    assert association_errors(real, same, columns)[0, 1] < 0.03
    assert association_errors(real, opposite, columns)[0, 1] > 0.4


def test_gaps_at_random_lose_half_of_the_association():
    real = gappy(4000, 1)
    rng = np.random.default_rng(4)
    x = real.numbers.copy()
    x[:, 0] = x[rng.permutation(4000), 0]
    codes, size = coarse_codes(real, real)
    v = np.linalg.norm(profiles(codes[:, [0]] == 0, codes, size)[0, 1])
    error = association_errors(real, view(x), np.array([0]))[0, 1]
    assert error == pytest.approx(v / 2, abs=0.03)


def test_a_column_is_not_compared_with_itself_and_empty_data_give_half_the_association():
    real = gappy(500, 1)
    errors = association_errors(real, real, np.array([0]))
    assert np.isnan(errors[0, 0])
    assert errors[0, 1] == 0.0
    nothing = real.take(np.arange(0))
    assert 0 < association_errors(real, nothing, np.array([0]))[0, 1] <= 0.5


def test_coarse_codes_keep_frequent_levels_and_share_one_for_the_others():
    codes = np.repeat(np.arange(0, 21), np.arange(30, 9, -1))[:, None]
    real = view(np.full((len(codes), 1), np.nan), codes)
    coarse, size = coarse_codes(real, real)
    assert size == 14
    assert set(coarse[:, 0]) == {0}
    assert list(np.unique(coarse[:, 1])) == list(range(14))
    assert (coarse[codes[:, 0] == 0, 1] == 0).all()
    assert (coarse[codes[:, 0] > 12, 1] == 13).all()


def test_columns_with_hardly_a_gap_are_left_out():
    x = np.zeros((100, 3))
    x[:9, 0] = np.nan
    x[:10, 1] = np.nan
    x[:, 2] = np.nan
    assert list(missing_columns(view(x))) == [1]
