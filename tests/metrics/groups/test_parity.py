import fairlearn.metrics as fair
import numpy as np
import pytest

from genmodels.metrics.groups.parity import (
    around,
    bootstrap_sd,
    joint_counts,
    of_model,
    parity,
    rates,
)


def decided(n, seed, groups=4):
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    truth = rng.random(n) < 0.3 + 0.1 * group
    made = np.stack([rng.random(n) < 0.2 + 0.4 * truth + 0.05 * group, rng.random(n) < 0.5])
    return group, truth, made


@pytest.mark.parametrize("model", [0, 1])
@pytest.mark.parametrize("seed", range(3))
def test_rates_and_differences_are_those_of_fairlearn(seed, model):
    group, truth, made = decided(700, seed)
    counts = of_model(joint_counts(group, truth, made, 4), model)
    metrics = {
        "selection": fair.selection_rate,
        "tpr": fair.true_positive_rate,
        "fpr": fair.false_positive_rate,
    }
    y, said = truth.astype(int), made[model].astype(int)
    frame = fair.MetricFrame(metrics=metrics, y_true=y, y_pred=said, sensitive_features=group)
    found = rates(counts)
    for name in metrics:
        np.testing.assert_allclose(getattr(found, name), frame.by_group[name], rtol=0, atol=1e-12)
    whole = parity(counts)
    spread = frame.difference(method="between_groups")
    expected = {
        "demographic_parity_difference": fair.demographic_parity_difference,
        "demographic_parity_ratio": fair.demographic_parity_ratio,
        "equal_opportunity_difference": fair.equal_opportunity_difference,
        "equalised_odds_difference": fair.equalized_odds_difference,
    }
    for name, reference in expected.items():
        value = float(getattr(whole, name))
        assert value == pytest.approx(reference(y, said, sensitive_features=group), abs=1e-12)
    assert float(whole.equal_opportunity_difference) == pytest.approx(spread["tpr"], abs=1e-12)


def test_a_rate_without_cases_is_unknown_and_left_out():
    counts = np.array([[[5, 5], [0, 0]], [[2, 8], [1, 9]], [[6, 4], [5, 5]]])
    found = rates(counts)
    assert np.isnan(found.tpr[0])
    assert float(parity(counts).equal_opportunity_difference) == pytest.approx(0.4)


def test_rates_of_a_handful_of_rows_do_not_count():
    counts = np.array([[[50, 50], [0, 3]], [[50, 50], [50, 50]], [[50, 50], [40, 60]]])
    enough = counts.sum(-1) >= 10
    assert float(parity(counts, enough).equal_opportunity_difference) == pytest.approx(0.1)
    assert float(parity(counts).equal_opportunity_difference) == pytest.approx(0.5)


def test_one_group_has_no_difference_and_nobody_chosen_is_parity():
    assert np.isnan(parity(np.ones((1, 2, 2))).demographic_parity_difference)
    nobody = np.array([[[5, 0], [5, 0]], [[9, 0], [1, 0]]])
    assert float(parity(nobody).demographic_parity_ratio) == 1.0
    assert float(parity(nobody).equalised_odds_difference) == 0.0


def test_rows_outside_the_groups_are_left_out():
    counts = joint_counts(np.array([0, -1, 1]), np.array([1, 1, 0]) > 0, np.ones((1, 3)) > 0, 2)
    assert counts.sum() == 2


def test_resampled_counts_spread_as_resampled_rows():
    group, truth, made = decided(400, 5, groups=2)
    joint = joint_counts(group, truth, made, 2)
    enough = np.ones((2, 2), dtype=bool)
    own, paired = bootstrap_sd(
        joint, "demographic_parity_difference", enough=enough, repeats=2000, seed=0
    )
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(2000):
        rows = rng.integers(0, 400, 400)
        g, d = group[rows], made[:, rows]
        drawn.append([abs(x[g == 1].mean() - x[g == 0].mean()) for x in d])
    drawn = np.array(drawn)
    np.testing.assert_allclose(own, drawn.std(0), rtol=0.1)
    assert paired[0] == 0.0
    assert paired[1] == pytest.approx((drawn[:, 1] - drawn[:, 0]).std(), rel=0.1)


def test_intervals_hold_their_value_and_stay_possible():
    assert around(0.1, 0.2, 0.0, 1.0) == pytest.approx((0.0, 0.1 + 1.959964 * 0.2))
    assert around(0.5, float("nan"), 0.0, 1.0) == (0.0, 1.0)
