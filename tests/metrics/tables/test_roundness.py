from decimal import Decimal

import numpy as np
import pytest

from genmodels.metrics.tables.roundness import (
    DIGITS,
    decimal_digits,
    find_grid,
    grid_share,
    point_mass_error,
)


def test_digits_are_those_of_the_shortest_decimal_text():
    rng = np.random.default_rng(0)
    places = rng.integers(0, 7, 500)
    values = np.array(
        [round(x, int(d)) for x, d in zip(rng.normal(0, 1e4, 500), places, strict=True)]
    )
    expected = [
        max(0, -int(Decimal(repr(float(v))).normalize().as_tuple().exponent)) for v in values
    ]
    np.testing.assert_array_equal(decimal_digits(values), expected)


def test_rounding_errors_of_arithmetic_are_forgiven_and_noise_is_not():
    assert list(decimal_digits(np.array([0.1 + 0.2, 1e300, -1e300, 0.0, np.nan]))) == [1, 0, 0, 0]
    noisy = np.random.default_rng(1).normal(size=100)
    assert np.mean(decimal_digits(noisy) == DIGITS) > 0.9


def test_heaping_on_multiples_of_five_is_found_and_measured():
    rng = np.random.default_rng(2)
    plain = rng.integers(1, 100, 4000).astype(float)
    heaped = np.where(rng.random(4000) < 0.5, 5 * np.rint(plain / 5), plain)
    grid = find_grid(heaped)
    assert grid is not None
    assert grid.step == 5
    assert grid.excess == pytest.approx(0.4, abs=0.05)
    assert find_grid(plain) is None
    assert grid_share(plain, 5) == pytest.approx(0.2, abs=0.03)


def test_halves_are_a_grid_of_prices_and_zeros_are_none():
    rng = np.random.default_rng(3)
    prices = np.round(rng.uniform(2, 60, 3000), 2)
    halves = np.where(rng.random(3000) < 0.7, np.rint(2 * prices) / 2, prices)
    grid = find_grid(halves)
    assert grid is not None
    assert grid.step == 0.5
    zeros = np.where(rng.random(3000) < 0.9, 0.0, rng.integers(1, 5000, 3000))
    assert find_grid(zeros) is None
    assert grid_share(np.zeros(5), 10) == 0.0


def test_a_lost_point_mass_costs_its_share():
    rng = np.random.default_rng(4)
    real = np.where(np.arange(1000) < 900, 0.0, rng.random(1000))
    smooth = real + rng.random(1000)
    assert point_mass_error(real, smooth) == pytest.approx(0.9)
    assert point_mass_error(real, real) == 0.0


def test_a_mass_that_only_the_other_side_has_counts_and_without_masses_there_is_no_figure():
    rng = np.random.default_rng(5)
    real, stuck = rng.random(1000), np.where(np.arange(1000) < 300, 0.25, rng.random(1000))
    assert point_mass_error(real, stuck) == pytest.approx(0.3)
    assert point_mass_error(real, rng.random(1000)) is None
    nothing = np.full(3, np.nan)
    assert point_mass_error(nothing, nothing) is None
    assert point_mass_error(np.zeros(10), nothing) == 1.0
    assert find_grid(nothing) is None


def test_huge_values_are_no_trouble():
    values = np.array([1e300, -1e300, 5.0, 10.0] * 10)
    assert grid_share(values, 5) == pytest.approx(0.5)
    grid = find_grid(np.concatenate([values, np.arange(20.0)]))
    assert grid is not None
    assert grid.step == 5
