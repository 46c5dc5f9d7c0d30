"""Facets of a condition: their weights, what users may ask for, and their state."""

import json

import numpy as np
import pytest
import torch

from genmodels.combinations import Combinations, Facet
from genmodels.condition import Condition, ConditionGroup, Vectors
from genmodels.types import Images

AGE = Facet("age", "continuous", knots=(0.0, 10.0, 30.0))
GLASSES = Facet("glasses", "boolean", ("no", "yes"))
HAIR = Facet("hair", "categorical", ("blond", "red", "3"))
LABEL = Facet("label", "class", ("cat", "dog"))


def test_a_number_lies_between_its_knots():
    found = AGE.weights(np.array([0.0, 5.0, 10.0, 25.0, 30.0, -4.0, 99.0]))
    fine = [[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], [0, 0.25, 0.75], [0, 0, 1], [1, 0, 0], [0, 0, 1]]
    assert found[:, :3].tolist() == fine
    along = [0.0, 0.25, 0.5, 0.875, 1.0, 0.0, 1.0]
    assert found[:, 3:].tolist() == [[1.0 - share, share] for share in along]
    two = Facet("x", "continuous", knots=(0.0, 4.0))
    assert two.weights(np.array([1.0])).tolist() == [[0.75, 0.25]]
    assert Facet("x", "continuous", knots=(4.0,)).weights(np.array([4.0, 5.0])).tolist() == [
        [1],
        [1],
    ]


def test_the_weights_of_every_facet_are_shares():
    rng = np.random.default_rng(0)
    values = np.stack(
        [
            rng.integers(0, 2, 50),
            rng.uniform(-5, 40, 50),
            rng.integers(0, 2, 50),
            rng.integers(0, 3, 50),
        ],
        axis=1,
    )
    told = Combinations((LABEL, AGE, GLASSES, HAIR), values)
    assert told.features.shape == (50, told.width) == (50, 2 + 5 + 2 + 3)
    assert told.features.dtype == np.float32
    assert (told.features >= 0).all()
    np.testing.assert_allclose(told.features.sum(1), 5.0, rtol=1e-6)
    np.testing.assert_allclose(told.features @ told.shares, 4.0, rtol=1e-6)


def images():
    known = {"age": np.array([1.0, 7.0, 1.0]), "glasses": np.array([True, False, True])}
    return Images(np.zeros((3, 1, 2, 2), np.uint8), np.array([1, 0, 1]), ("cat", "dog"), known)


def test_combinations_are_those_of_images_and_give_them_back():
    told, codes = Combinations.of((LABEL, AGE, GLASSES), images())
    assert len(told) == 2
    assert codes.tolist() == [1, 0, 1]
    labels, attributes = told.told(codes)
    assert labels.tolist() == [1, 0, 1]
    assert attributes["age"].tolist() == [1.0, 7.0, 1.0]
    assert attributes["glasses"].tolist() == [True, False, True]
    rounded, _ = Combinations.of((AGE,), images(), {"age": np.array([0.0, 8.0])})
    assert rounded.values.tolist() == [[0.0], [8.0]]


def test_a_number_that_is_called_label_is_no_class():
    told = Combinations((Facet("label", "continuous", knots=(0.0, 1.0)), GLASSES), np.eye(2))
    assert told.find("label") == -1
    assert told.find("glasses") == 1


def test_a_condition_of_combinations_survives_json():
    told, _ = Combinations.of((LABEL, AGE, GLASSES), images())
    condition = Condition((ConditionGroup("attributes", (0.25, 0.75), combinations=told),))
    back = Condition.from_state(json.loads(json.dumps(condition.state())))
    assert back.combinations.facets == told.facets
    assert (back.combinations.values == told.values).all()
    assert back.groups[0].frequencies == (0.25, 0.75)
    assert (back.size, back.width) == (2, 9)


def test_numbers_of_combinations_are_a_line_of_the_file_each_and_exact():
    values = np.random.default_rng(0).normal(size=(50, 1)) * 1e3
    told = Combinations((Facet("x", "continuous", knots=(-1e4, 1e4)),), values)
    shares = tuple((np.arange(50) / 1225).tolist())
    condition = Condition((ConditionGroup("attributes", shares, combinations=told),))
    text = json.dumps(condition.state(), indent=1)
    assert text.count("\n") < 40
    back = Condition.from_state(json.loads(text))
    assert (back.combinations.values == values).all()
    assert back.groups[0].frequencies == shares


def test_a_condition_of_levels_has_the_state_that_it_always_had():
    group = ConditionGroup("label", (0.5, 0.5), ("cat", "dog"))
    plain = {"name": "label", "frequencies": [0.5, 0.5], "levels": ["cat", "dog"]}
    assert Condition((group,)).state() == [plain | {"start": None, "code": None}]
    assert Condition.from_state(Condition((group,)).state()) == Condition((group,))


def test_vectors_are_one_hot_or_those_of_combinations():
    plain = Condition((ConditionGroup("a", (0.5, 0.5)), ConditionGroup("b", (1.0,))))
    position = torch.tensor([2, 0])
    assert torch.equal(Vectors(plain)(position), torch.eye(3)[position])
    told, codes = Combinations.of((LABEL, AGE, GLASSES), images())
    condition = Condition((ConditionGroup("attributes", (0.25, 0.75), combinations=told),))
    found = Vectors(condition)(torch.from_numpy(codes))
    assert torch.equal(found, torch.from_numpy(told.features[codes]))
    assert Vectors(condition).to("meta")(position.to("meta") * 0).shape == (2, 9)


@pytest.mark.parametrize(
    ("facet", "told", "value"),
    [
        (AGE, "12.5", 12.5), (AGE, 30, 30.0), (GLASSES, "yes", 1.0), (GLASSES, False, 0.0),
        (GLASSES, "1", 1.0), (HAIR, "red", 1.0), (HAIR, 3, 2.0), (LABEL, "cat", 0.0),
    ],
)  # fmt: skip
def test_what_users_ask_for_is_understood(facet, told, value):
    assert facet.parse(told, "condition.x") == value


@pytest.mark.parametrize(
    ("facet", "told", "complaint"),
    [
        (AGE, "old", r"condition.x=old: age must be a number from 0 to 30"),
        (AGE, 31, "from 0 to 30"),
        (AGE, "nan", "from 0 to 30"),
        (AGE, True, "from 0 to 30"),
        (GLASSES, "perhaps", "no such level; known are no, yes"),
        (HAIR, "green", "known are blond, red, 3"),
    ],
)
def test_what_cannot_be_told_is_named(facet, told, complaint):
    with pytest.raises(ValueError, match=complaint):
        facet.parse(told, "condition.x")
