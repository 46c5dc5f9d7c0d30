import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC, RandomOverSampler

from genmodels.oversampling import oversample, smote


def rows(n=200, kinds="nnc", seed=0):
    rng = np.random.default_rng(seed)
    parts = [
        rng.normal(50, 1000, n) if kind == "n" else rng.integers(0, 4, n).astype(float)
        for kind in kinds
    ]
    y = (rng.random(n) < 0.15).astype(int)
    return np.column_stack(parts), y, np.array([kind == "c" for kind in kinds])


def standardised(x, categorical):
    centre = np.where(categorical, 0.0, x.mean(0))
    scale = np.where(categorical, 1.0, x.std(0))
    return (x - centre) / scale, centre, scale


@pytest.mark.parametrize("kinds", ["nnn", "nncc", "cc"])
def test_smote_gives_the_rows_of_imbalanced_learn(kinds):
    x, y, categorical = rows(kinds=kinds)
    sampler = {
        "nnn": SMOTE(random_state=3),
        "nncc": SMOTENC(categorical_features=[2, 3], random_state=3),
        "cc": SMOTEN(random_state=3),
    }[kinds]
    z, centre, scale = standardised(x, categorical)
    wanted_x, wanted_y = sampler.fit_resample(z, y)
    found_x, found_y = smote(x, y, categorical=categorical, seed=3)
    np.testing.assert_allclose(found_x, wanted_x * scale + centre, rtol=1e-12, atol=1e-9)
    assert (found_y == wanted_y).all()


def test_on_standardised_rows_it_is_plain_smote():
    x, y, categorical = rows(kinds="nnn")
    z, _, _ = standardised(x, categorical)
    z = (z - z.mean(0)) / z.std(0)
    wanted, _ = SMOTE(random_state=5).fit_resample(z, y)
    found, _ = smote(z, y, categorical=categorical, seed=5)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_told_how_many_rows_and_neighbours_it_is_plain_smote():
    x, y, categorical = rows(kinds="nnn")
    goal = {0: 300, 1: 250}
    wanted, classes = SMOTE(sampling_strategy=goal, k_neighbors=3, random_state=5).fit_resample(
        x, y
    )
    found, labels = smote(
        x, y, categorical=categorical, seed=5, goal=goal, neighbours=3, standardise=False
    )
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(labels, classes)


def test_real_rows_come_first_and_unchanged_with_their_gaps():
    x, y, categorical = rows()
    x[::7, 0] = np.nan
    for found, labels in (
        smote(x, y, categorical=categorical, seed=0),
        oversample(x, y, seed=0),
    ):
        np.testing.assert_array_equal(found[: len(x)], x)
        np.testing.assert_array_equal(labels[: len(y)], y)
        assert np.bincount(labels).tolist() == [int((y == 0).sum())] * 2
    assert not np.isnan(smote(x, y, categorical=categorical, seed=0)[0][len(x) :]).any()


def test_oversampling_repeats_the_rows_that_imbalanced_learn_repeats():
    x, y, _ = rows()
    wanted_x, wanted_y = RandomOverSampler(random_state=4).fit_resample(x, y)
    found_x, found_y = oversample(x, y, seed=4)
    assert (found_x == wanted_x).all()
    assert (found_y == wanted_y).all()


def test_categories_stay_categories():
    x, y, categorical = rows()
    found, _ = smote(x, y, categorical=categorical, seed=0)
    assert set(found[:, 2]) <= {0.0, 1.0, 2.0, 3.0}


def test_classes_of_one_two_and_many_rows_become_level():
    x, _, categorical = rows(60)
    y = np.repeat([0, 1, 2], [57, 2, 1])
    found, labels = smote(x, y, categorical=categorical, seed=0)
    assert np.bincount(labels).tolist() == [57, 57, 57]
    assert (found[labels == 2] == x[59]).all()


@pytest.mark.parametrize("value", [np.nan, 7.0, 1e300])
def test_a_feature_without_information_does_no_harm(value):
    x, y, categorical = rows()
    x[:, 0] = value
    if value == 1e300:
        x[::2, 0] = -1e300
    found, labels = smote(x, y, categorical=categorical, seed=0)
    assert len(found) == len(labels)
    assert np.isfinite(found[len(x) :]).all()


def test_one_class_stays_as_it_is():
    x, y, categorical = rows()
    found, labels = smote(x, y * 0, categorical=categorical, seed=0)
    assert (found == x).all()
    assert (labels == 0).all()
