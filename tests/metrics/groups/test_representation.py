import math

import numpy as np
import pytest
from scipy.stats import norm

from genmodels.metrics.groups.representation import amplification, group_means, share_ratio, surest


def test_the_ratio_of_shares_and_its_interval_in_closed_form():
    ratio, (low, high) = share_ratio(30, 1000, 60, 800)
    assert ratio == pytest.approx(0.03 / 0.075)
    se = math.sqrt(1 / 30.5 - 1 / 1000.5 + 1 / 60.5 - 1 / 800.5)
    middle = math.log(30.5 / 1000.5) - math.log(60.5 / 800.5)
    assert low == pytest.approx(math.exp(middle - norm.ppf(0.975) * se))
    assert high == pytest.approx(math.exp(middle + norm.ppf(0.975) * se))


def test_the_interval_covers_the_truth_in_95_of_100_cases():
    rng = np.random.default_rng(0)
    x, y = rng.binomial(2000, 0.02, 1000), rng.binomial(1000, 0.04, 1000)
    ends = np.array([share_ratio(int(a), 2000, int(b), 1000)[1] for a, b in zip(x, y, strict=True)])
    covered = ((ends[:, 0] <= 0.5) & (ends[:, 1] >= 0.5)).mean()
    assert 0.93 < covered < 0.975


def test_a_group_that_vanished_has_ratio_0_and_many_at_once_widen_the_interval():
    ratio, (low, high) = share_ratio(0, 1000, 50, 1000)
    assert ratio == low == 0.0
    assert 0 < high < 0.5
    one, many = share_ratio(30, 900, 40, 900)[1], share_ratio(30, 900, 40, 900, of=20)[1]
    assert many[0] < one[0] < one[1] < many[1]


def test_means_per_group_are_those_of_numpy():
    rng = np.random.default_rng(1)
    groups, y = rng.integers(-1, 3, 200), rng.normal(size=200)
    y[:20] = np.nan
    found = group_means(groups, y, 3, share=False)
    for g in range(3):
        inside = y[(groups == g) & ~np.isnan(y)]
        assert found.n[g] == len(inside)
        assert found.mean[g] == pytest.approx(inside.mean())
        assert found.se[g] == pytest.approx(inside.std(ddof=1) / math.sqrt(len(inside)))


def labels(n, p0, p1, seed):
    rng = np.random.default_rng(seed)
    groups = np.arange(n) % 2
    y = (rng.random(n) < np.where(groups == 1, p1, p0)).astype(float)
    return group_means(groups, y, 2, share=True)


def amplified(real, other, of=1):
    return amplification(real, other, high=1, low=0, of=of, repeats=4000, seed=0)


def test_amplification_is_the_ratio_of_gaps_with_a_covering_interval():
    real, made = labels(20_000, 0.2, 0.4, 0), labels(20_000, 0.2, 0.6, 1)
    found = amplified(real, made)
    assert found.value == pytest.approx(made.gap(1, 0)[0] / real.gap(1, 0)[0])
    low, high = found.interval
    assert low < 2.0 < high
    # Fieller: the ends solve (a - r b)^2 = z^2 (var a + r^2 var b).
    (a, sa), (b, sb) = made.gap(1, 0), real.gap(1, 0)
    z = norm.ppf(0.975)
    ends = np.roots([b * b - z * z * sb**2, -2 * a * b, a * a - z * z * sa**2])
    np.testing.assert_allclose(sorted(ends), [low, high], rtol=0.03)


def test_a_real_gap_that_may_be_chance_has_no_amplification():
    assert amplified(labels(200, 0.3, 0.33, 0), labels(200, 0.2, 0.6, 1)).value is None


def test_groups_without_labels_have_none():
    made = group_means(np.array([0, 0]), np.array([1.0, 0.0]), 2, share=True)
    assert np.isnan(made.mean[1])
    assert amplified(labels(2000, 0.2, 0.6, 0), made).value is None


def test_huge_numbers_do_not_fail():
    groups, y = np.array([0, 0, 1, 1]), np.array([1e300, -1e300, 1e300, 1.0])
    found = group_means(groups, y, 2, share=False)
    assert not np.isfinite(found.se).any()


def test_a_sure_large_fault_goes_before_a_surer_small_one():
    assert surest(np.array([0.1, 1.0, 3.0]), np.array([0.01, 0.3, 4.0])) == 1
    assert surest(np.array([0.1, 0.2, np.nan]), np.array([0.2, 0.3, 0.1])) == 1
