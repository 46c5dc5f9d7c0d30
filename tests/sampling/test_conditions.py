import numpy as np
import pytest
import torch

from genmodels.layout import Condition, ConditionGroup
from genmodels.sampling.conditions import Conditions

INCOME = ConditionGroup("income", (0.75, 0.25), ("<=50K", ">50K"), start=10, code=1)
COLOUR = ConditionGroup("colour.level", (0.5, 0.3, 0.2, 0.0), ("a", "b", "c", "d"), 3, 0)
BOTH = Condition((COLOUR, INCOME))
LABEL = Condition((ConditionGroup("label", (0.9, 0.1), ("cat", "dog")),))
ROWS = 40_000


def shares(conditions):
    index = conditions.draw(np.random.default_rng(0), ROWS)
    return np.bincount(index, minlength=conditions.condition.width) / ROWS


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("empirical", [0.25, 0.15, 0.1, 0, 0.375, 0.125]),
        ("balanced", [1 / 6, 1 / 6, 1 / 6, 0, 0.25, 0.25]),
        ({"income": ">50K"}, [0, 0, 0, 0, 0, 1]),
        ({"colour": "b"}, [0, 1, 0, 0, 0, 0]),
        ({}, [0.25, 0.15, 0.1, 0, 0.375, 0.125]),
        ({"income": {">50K": 0.9}}, [0, 0, 0, 0, 0.1, 0.9]),
        ({"colour": {"c": 0.2}}, [0.5, 0.3, 0.2, 0, 0, 0]),
    ],
)
def test_shares_of_the_drawn_conditions_are_those_asked_for(rule, expected):
    conditions = Conditions(condition=BOTH, rule=rule)
    assert conditions.probabilities == pytest.approx(expected)
    assert shares(conditions) == pytest.approx(expected, abs=4 * 0.5 / ROWS**0.5)


@pytest.mark.parametrize(
    ("condition", "rule", "expected"),
    [
        (BOTH, {"income": ">50K"}, [[9, 1]] * 4),
        (BOTH, "balanced", [[0, 9], [2, 9], [9, 0], [9, 1]]),
        (BOTH, "empirical", [[9, 9]] * 4),
        (LABEL, {"label": "dog"}, [[9, 9]] * 4),
    ],
)
def test_what_was_told_is_imposed_on_the_encoded_rows(condition, rule, expected):
    codes = torch.full((4, 2), 9, dtype=torch.int32)
    index = np.array([5] * 4 if isinstance(rule, dict) else [0, 2, 4, 5])
    if condition is LABEL:
        index[:] = 1
    Conditions(condition=condition, rule=rule).impose(codes, index)
    assert codes.tolist() == expected


def test_levels_are_found_by_their_text():
    group = ConditionGroup("label", (0.5, 0.5), ("0", "1"))
    conditions = Conditions(condition=Condition((group,)), rule={"label": 1})
    assert conditions.probabilities.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("condition", "rule", "words"),
    [
        (BOTH, {"income": "1M"}, "no such level; known are <=50K, >50K"),
        (BOTH, {"age": 3}, "can be told colour.level, income"),
        (BOTH, {"income": ">50K", "colour": "a"}, "one thing at a time"),
        (BOTH, "uniform", "empirical, balanced or"),
        (Condition(), "balanced", "without a condition"),
        (BOTH, "each", "condition=each: this run can be told colour.level, income"),
        (BOTH, {"income": {"1M": 0.5}}, "shares.income.1M: no such level"),
        (BOTH, {"income": {"<=50K": 0.8, ">50K": 0.7}}, "the shares sum to 1.5"),
        (BOTH, {"colour": {"a": 2}}, r"shares.colour.level.a must be a share in \[0, 1\]"),
        (Condition(), {"label": 1}, "without a condition"),
    ],
)
def test_what_a_model_cannot_be_told_is_refused_with_advice(condition, rule, words):
    with pytest.raises(ValueError, match=words):
        Conditions(condition=condition, rule=rule)


def test_an_unconditional_model_has_an_empty_condition():
    assert Conditions(condition=Condition(), rule="empirical").probabilities.shape == (0,)


def test_levels_in_turn_go_on_from_block_to_block():
    seen = ConditionGroup("label", (0.5, 0.0, 0.3, 0.2), ("a", "b", "c", "d"))
    conditions = Conditions(condition=Condition((seen,)), rule="each")
    rng = np.random.default_rng(0)
    whole = conditions.draw(rng, 8)
    assert whole.tolist() == [0, 2, 3, 0, 2, 3, 0, 2]
    parts = [conditions.draw(rng, 4, start=start) for start in (0, 4)]
    assert np.concatenate(parts).tolist() == whole.tolist()
