"""Which combinations are drawn where attributes are asked for."""

import logging

import numpy as np
import pytest

from genmodels.combinations import Combinations, Facet
from genmodels.layout import Condition, ConditionGroup
from genmodels.sampling.combining import asked_values, shared_out
from genmodels.sampling.conditions import Conditions

FACETS = (
    Facet("label", "class", ("cat", "dog", "elk")),
    Facet("glasses", "boolean", ("no", "yes")),
    Facet("age", "continuous", knots=(0.0, 50.0, 100.0)),
)
VALUES = [[0, 0, 10], [0, 1, 90], [1, 0, 20], [1, 0, 30], [1, 1, 80], [0, 0, 60], [0, 0, 61]]
SHARES = (0.1, 0.2, 0.3, 0.1, 0.1, 0.199, 0.001)
TOLD = Condition(
    (
        ConditionGroup(
            "attributes", SHARES, combinations=Combinations(FACETS, np.array(VALUES, float))
        ),
    )
)


def listed(condition):
    """Share of each combination."""
    rows = map(tuple, condition.combinations.values.tolist())
    return dict(zip(rows, np.round(condition.groups[0].frequencies, 6).tolist(), strict=True))


def test_other_attributes_keep_their_frequencies_beside_a_level():
    found = listed(asked_values(TOLD, {"label": "dog"}))
    assert found == {(1, 0, 20): 0.6, (1, 0, 30): 0.2, (1, 1, 80): 0.2}
    found = listed(asked_values(TOLD, {"label": "dog", "glasses": "no"}))
    assert found == {(1, 0, 20): 0.75, (1, 0, 30): 0.25}


def test_a_number_is_told_exactly_with_what_comes_near_it(caplog):
    with caplog.at_level(logging.WARNING):
        assert listed(asked_values(TOLD, {"age": 88.5})) == {(0, 1, 88.5): 1.0}
        assert listed(asked_values(TOLD, {"age": "21"})) == {(1, 0, 21): 1.0}
        assert listed(asked_values(TOLD, {"age": 97})) == {(0, 1, 97): 1.0}  # seen, but rounded
    assert not caplog.text
    found = asked_values(TOLD, {"age": 21}).combinations.features
    assert found[0].tolist() == pytest.approx([0, 1, 0, 1, 0, 0.58, 0.42, 0, 0.79, 0.21])


def test_what_was_never_seen_together_is_told_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        found = listed(asked_values(TOLD, {"label": "elk", "glasses": "yes"}))
    assert set(found) == {(2, 1, 90), (2, 1, 80)}
    assert "no training row has label=elk, glasses=yes together" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert listed(asked_values(TOLD, {"glasses": "yes", "age": 5}))
    assert "no training row has glasses=yes, age=5 together" in caplog.text


def test_levels_are_shared_out_and_the_rest_follows():
    even = shared_out(TOLD, "glasses", None, "balance=glasses")
    shares = np.array(even.groups[0].frequencies)
    assert shares[even.combinations.values[:, 1] == 1].sum() == pytest.approx(0.5)
    assert listed(even)[0, 1, 90] == pytest.approx(1 / 3, abs=1e-6)
    some = listed(shared_out(TOLD, "label", {"dog": 0.8}, "shares.label"))
    assert sum(v for k, v in some.items() if k[0] == 1) == pytest.approx(0.8)
    assert some[1, 0, 20] / some[1, 0, 30] == pytest.approx(3.0, abs=1e-4)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: asked_values(TOLD, {"glases": "yes"}), "did you mean 'glasses'"),
        (lambda: asked_values(TOLD, {"label": "cow"}), "condition.label=cow: no such level"),
        (lambda: asked_values(TOLD, {"age": 101}), "age must be a number from 0 to 100"),
        (lambda: shared_out(TOLD, "age", None, "balance=age"), "age is a number and has no levels"),
        (lambda: shared_out(TOLD, "label", {"elk": 0.5}, "k"), "no training row has label=elk"),
        (lambda: shared_out(TOLD, "label", {"dog": 1.5}, "k"), r"must be a share in \[0, 1\]"),
        (lambda: shared_out(TOLD, "label", {"dog": 0.7, "cat": 0.6}, "k"), "sum to 1.3"),
    ],
)
def test_what_cannot_be_asked_is_named(call, complaint):
    with pytest.raises(ValueError, match=complaint):
        call()


def test_each_class_comes_in_turn_with_its_own_frequencies():
    each = Conditions(condition=TOLD, rule="each")
    drawn = each.draw(np.random.default_rng(0), 20_001, start=1)
    assert TOLD.combinations.values[drawn, 0].tolist() == [1, 0] * 10_000 + [1]
    dogs = drawn[TOLD.combinations.values[drawn, 0] == 1]
    np.testing.assert_allclose(np.bincount(dogs)[2:5] / len(dogs), [0.6, 0.2, 0.2], atol=0.02)


def test_without_a_class_there_is_nothing_to_come_in_turn():
    known = TOLD.combinations
    told = Combinations(known.facets[1:], known.values[:, 1:])
    condition = Condition((ConditionGroup("attributes", SHARES, combinations=told),))
    with pytest.raises(ValueError, match=r"condition=each.* can be told glasses, age"):
        Conditions(condition=condition, rule="each")


def test_positions_are_drawn_by_the_shares():
    drawn = Conditions(condition=TOLD, rule="empirical").draw(np.random.default_rng(0), 20_000)
    np.testing.assert_allclose(np.bincount(drawn) / 20_000, SHARES, atol=0.015)
    even = Conditions(condition=TOLD, rule="balanced").draw(np.random.default_rng(0), 20_000)
    np.testing.assert_allclose(np.bincount(even) / 20_000, np.full(7, 1 / 7), atol=0.015)
