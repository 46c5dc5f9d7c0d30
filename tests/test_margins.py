"""Margins count levels, hold quantiles of scores with rows behind them, and come back from JSON."""

import copy
import json

import numpy as np
import pytest
import torch

from genmodels.margins import margins_from_state, margins_of, margins_state
from tests.algorithms.mixed import LAYOUT, encoded

ROWS = 5000


def test_levels_are_counted_and_scores_are_those_that_count():
    rows = encoded(ROWS)
    a, x, _, y, _ = margins_of(rows, LAYOUT)
    assert a.counts.tolist() == torch.bincount(rows["codes"][:, 0]).tolist()
    assert not len(a.scores)
    counted = rows["values"][rows["codes"][:, 1] == 0, 0].double().numpy()
    assert x.counts[0] == len(counted)
    assert (x.scores[0], x.scores[-1]) == (counted.min(), counted.max())
    assert x.shares[0] == pytest.approx(1 / len(counted))
    reached = (counted[:, None] <= x.scores[1:-1]).mean(0)
    np.testing.assert_allclose(reached, x.shares[1:-1], atol=1e-9)
    assert not len(y.counts)


def test_no_two_quantiles_are_told_by_fewer_than_eight_rows_and_none_is_a_row():
    rows = encoded(300)
    y = margins_of(rows, LAYOUT)[3]
    counts = np.rint(y.shares * 300)
    assert (np.diff(counts)[1:-1] >= 8).all()
    assert not np.isin(y.scores[1:-1], rows["values"][:, 1].double().numpy()).any()


def test_rows_that_share_the_smallest_score_are_its_share():
    rows = encoded(ROWS)
    rows["values"][:50, 1] = -1.0
    y = margins_of(rows, LAYOUT)[3]
    assert (y.shares[0], y.scores[0]) == (50 / ROWS, -1.0)
    rows["values"][:, 1] = 0.25
    assert not len(margins_of(rows, LAYOUT)[3].shares)


def test_margins_come_back_from_json_and_damage_is_named():
    margins = margins_of(encoded(ROWS), LAYOUT)
    state = json.loads(json.dumps(margins_state(margins, LAYOUT)))
    for one, again in zip(margins, margins_from_state(state, LAYOUT), strict=True):
        assert (one.counts == again.counts).all()
        np.testing.assert_allclose(one.scores, again.scores, atol=1e-8)
    state["variables"][0]["counts"] = [1, 2]
    with pytest.raises(ValueError, match="do not go with the codec"):
        margins_from_state(state, LAYOUT)
    with pytest.raises(ValueError, match="damaged"):
        margins_from_state({"variables": [{}]}, LAYOUT)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("counts", 10**30),
        ("counts", 2**62),
        ("counts", 1.7),
        ("counts", True),
        ("counts", [1]),
        ("shares", 10**400),
        ("shares", [0.5]),
        ("scores", "0.5"),
    ],
    ids=["huge", "huge sum", "fraction", "bool", "nested", "huge share", "nested share", "text"],
)
def test_a_number_of_another_kind_is_damage(key, value):
    state = margins_state(margins_of(encoded(ROWS), LAYOUT), LAYOUT)
    damaged = copy.deepcopy(state)
    row = damaged["variables"][1]  # with levels and a score
    row[key] = [value] * len(row[key])
    margins_from_state(state, LAYOUT)
    with pytest.raises(ValueError, match="damaged"):
        margins_from_state(damaged, LAYOUT)
