"""How many new rows each level gets, and of which real rows they are made."""

import numpy as np
import pytest

from genmodels.augmentation.amounts import Amount, Groups, plan_of, plan_of_rows

LEVEL = np.repeat([0, 1, 2], [60, 30, 10])
GROUPS = Groups("job", LEVEL, ("clerk", "cook", "judge"), LEVEL)


def total(amount):
    return (GROUPS.counts() + plan_of(GROUPS, amount, seed=0).new).tolist()


def test_balance_makes_all_levels_as_frequent_as_the_most_frequent():
    assert total(Amount(balance=True)) == [60, 60, 60]


def test_a_ratio_keeps_the_shares_of_the_levels():
    assert plan_of(GROUPS, Amount(ratio=0.5), seed=0).new.tolist() == [30, 15, 5]
    assert plan_of(GROUPS, Amount(ratio=2.0), seed=0).new.tolist() == [120, 60, 20]


def test_per_class_adds_as_many_of_each():
    assert plan_of(GROUPS, Amount(per_class=7), seed=0).new.tolist() == [7, 7, 7]


def test_shares_are_reached_by_adding_alone():
    found = np.array(total(Amount(shares={"judge": 0.5})))
    assert found.tolist() == [60, 30, 90]  # the others keep 2 : 1
    found = np.array(total(Amount(shares={"clerk": 0.2, "Cook": 0.3, "judge": 0.5})))
    np.testing.assert_allclose(found / found.sum(), [0.2, 0.3, 0.5], atol=0.01)
    assert found[0] == 60


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"clark": 0.5}, "did you mean 'clerk'"),
        ({"clerk": 1.5}, "must be a share in"),
        ({"clerk": 1.0}, "need a share above 0"),
        ({"clerk": 0.0}, "'clerk' has real rows, which stay"),
        ({"clerk": 0.5, "cook": 0.2, "judge": 0.2}, "must sum to 1, not 0.9"),
    ],
)
def test_shares_that_cannot_be_are_refused_in_one_line(shares, message):
    with pytest.raises(ValueError, match=message) as caught:
        plan_of(GROUPS, Amount(shares=shares), seed=0)
    assert "\n" not in str(caught.value)


def test_parents_are_of_the_group_and_used_equally_often():
    plan = plan_of(GROUPS, Amount(per_class=70), seed=3)
    parents = plan.parents()
    assert LEVEL[parents].tolist() == np.repeat([0, 1, 2], 70).tolist()
    for level, size in enumerate((60, 30, 10)):
        times = np.bincount(parents[LEVEL[parents] == level], minlength=100)[level == LEVEL]
        assert times.sum() == 70
        assert times.max() - times.min() <= (1 if 70 % size else 0)


def test_more_rows_leave_the_first_parents_as_they_are():
    nothing = np.zeros(50, np.int64)
    groups = Groups(None, nothing - 1, (), nothing)
    few = plan_of(groups, Amount(ratio=0.4), seed=1).parents()
    many = plan_of(groups, Amount(ratio=3.0), seed=1).parents()
    assert (many[: len(few)] == few).all()
    assert len(many) == 150


def test_rows_of_one_level_alone_can_be_planned():
    assert plan_of_rows(GROUPS, 9, seed=0, level=1).new.tolist() == [0, 9, 0]
    assert plan_of_rows(GROUPS, 10, seed=0).new.tolist() == [6, 3, 1]
