import math

import numpy as np
import pytest
from scipy import stats

from genmodels.metrics.benchmark.comparison import (
    Contrast,
    corrected_error,
    holm,
    holm_levels,
    judge,
)


def test_the_corrected_error_is_nadeau_and_bengios_by_hand():
    # differences 1, 2, 3, 6: mean 3, s^2 = (4 + 1 + 0 + 9) / 3; (1/4 + 1/5) s^2 = 2.1
    assert corrected_error(np.array([1.0, 2.0, 3.0, 6.0]), 0.2) == pytest.approx(math.sqrt(2.1))


def test_without_test_rows_it_is_the_plain_error_of_a_mean():
    d = np.random.default_rng(0).normal(size=12)
    assert corrected_error(d, 0.0) == pytest.approx(stats.sem(d), rel=1e-12)


def test_one_split_is_refused():
    with pytest.raises(ValueError, match="at least 2 splits"):
        corrected_error(np.array([1.0]), 0.2)


def test_against_one_arm_interval_and_p_are_those_of_the_corrected_t_test():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.3, 1, 10), rng.normal(0, 1, 10)
    contrast = Contrast.of(a, {"b": b}, 0.25)
    mean, error = (a - b).mean(), corrected_error(a - b, 0.25)
    half = stats.t.ppf(0.975, 9) * error
    assert contrast.interval(0.05) == pytest.approx((mean - half, mean + half))
    assert contrast.p_value() == pytest.approx(2 * stats.t.sf(abs(mean / error), 9))


@pytest.mark.parametrize("shift", [-3.0, -0.5, 0.0, 0.5, 3.0])
def test_an_interval_excludes_0_exactly_where_p_is_below_its_level(shift):
    rng = np.random.default_rng(2)
    for _ in range(20):
        others = {str(j): rng.normal(0, 1, 8) for j in range(4)}
        contrast = Contrast.of(rng.normal(shift, 1, 8), others, 0.2)
        low, high = contrast.interval(0.05)
        assert (low > 0 or high < 0) == (contrast.p_value() < 0.05)


def test_to_help_every_other_arm_must_be_beaten():
    base = np.random.default_rng(3).normal(0, 0.01, 10)
    better, best = base + 0.2, base + 0.5 + np.random.default_rng(4).normal(0, 0.01, 10)
    (against_one,) = judge([Contrast.of(better, {"base": base}, 0.2)], alpha=0.05)
    (against_both,) = judge([Contrast.of(better, {"base": base, "best": best}, 0.2)], alpha=0.05)
    assert (against_one.verdict, against_both.verdict) == ("helps", "harms")
    assert against_both.difference == pytest.approx(-0.3, abs=0.02)


def test_equal_scores_are_no_evidence():
    scores = np.random.default_rng(5).normal(size=6)
    (judged,) = judge([Contrast.of(scores, {"same": scores.copy()}, 0.2)], alpha=0.05)
    assert (judged.verdict, judged.interval, judged.p) == ("no evidence", (0.0, 0.0), 1.0)


def test_the_interval_covers_the_difference_to_the_best_arm():
    # Independent splits (ratio 0): three arms, of which two share the best mean.
    rng, covered, runs = np.random.default_rng(6), 0, 1000
    for _ in range(runs):
        others = {str(j): rng.normal(mean, 1, 10) for j, mean in enumerate((0.5, 0.5, 0.0))}
        low, high = Contrast.of(rng.normal(0.8, 1, 10), others, 0.0).interval(0.05)
        covered += low <= 0.3 <= high
    assert covered / runs > 0.94


def test_holm_by_hand():
    # 0.01 x 4, 0.02 x 3, 0.03 x 2 (below the one before), 0.04 x 1 (the same)
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_holm_never_exceeds_1_or_reverses_an_order():
    p = np.random.default_rng(7).random(9).tolist()
    adjusted = holm(p)
    assert max(adjusted) <= 1
    assert np.argsort(p).tolist() == sorted(range(9), key=lambda i: (adjusted[i], p[i]))


def test_levels_agree_with_holms_rejections_and_stop_with_them():
    rng = np.random.default_rng(8)
    for _ in range(200):
        p = (rng.random(5) ** 4).tolist()
        rejected = [q < 0.05 for q in holm(p)]
        assert [x < level for x, level in zip(p, holm_levels(p, 0.05), strict=True)] == rejected
    assert holm_levels([0.001, 0.03, 0.04], 0.05) == pytest.approx([0.05 / 3, 0.025, 0.025])
