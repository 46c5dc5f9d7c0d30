import numpy as np
import pytest

from genmodels.metrics.manifold import squared_distances
from genmodels.metrics.tables.encoding import fit_encoding
from genmodels.metrics.tables.views import TableView


def view(numbers, codes, levels=()):
    numbers = np.array(numbers, dtype=float).reshape(len(numbers), -1)
    codes = np.array(codes, dtype=np.int32).reshape(len(numbers), -1)
    names = tuple("abc"[: numbers.shape[1]]), tuple("xyz"[: codes.shape[1]])
    return TableView(names[0], numbers, names[1], codes, levels)


def far(rows):
    points = fit_encoding(rows)(rows)
    return squared_distances(points, points)


def test_two_different_categories_are_one_apart_and_missing_is_a_category():
    rows = view([[]] * 3, [[1], [2], [0]], (("red", "blue"),))
    assert far(rows) == pytest.approx(1 - np.eye(3), abs=1e-6)


def test_a_continuous_column_weighs_as_much_as_a_category_that_differs():
    x = np.random.default_rng(0).lognormal(0, 3, 1500)
    rows = view(x[:, None], [[]] * len(x))
    assert far(rows).mean() == pytest.approx(1.0, abs=0.02)


def test_missing_numbers_are_as_far_from_values_as_two_values_are():
    x = np.append(np.random.default_rng(0).normal(size=1000), np.nan)
    distance = far(view(x[:, None], [[]] * len(x)))
    assert distance[-1, :-1].mean() == pytest.approx(1.0, abs=0.02)
    assert distance[-1, -1] == 0


def test_extreme_and_new_values_stay_finite():
    rows = view([[1e300], [-1e300], [0.0]], [[1], [2], [1]], (("a", "b", "new"),))
    encode = fit_encoding(rows)
    other = encode(view([[np.nan], [9e307]], [[3], [0]], (("a", "b", "new"),)))
    assert np.isfinite(other).all()
    assert squared_distances(other, encode(rows)).max() < 10


def test_infrequent_levels_share_an_indicator():
    rows = view([[]] * 6, [[1], [1], [2], [2], [3], [4]], (("a", "b", "c", "d"),))
    points = fit_encoding(rows, max_levels=2)(rows)
    assert (points[4] == points[5]).all()
    assert (points[0] != points[2]).any()
