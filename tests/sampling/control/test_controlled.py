"""Rows as they are asked for, against the exact conditional distributions of a known model."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from genmodels.layout import Condition, ConditionGroup
from genmodels.sampling.control.shares import balanced, target_shares
from genmodels.sampling.control.strata import parse_scenario
from tests.sampling.control.chain import (
    JOINT,
    SCHEMA,
    Chain,
    cells,
    codec,
    controlled,
    draw,
    sampler,
)

P = JOINT / JOINT.sum()
N = 20_000
NEAR = 0.012  # four standard errors of a share at 20,000 rows


def test_without_anything_restrictive_rows_have_the_models_distribution():
    np.testing.assert_allclose(cells(draw(N)), P, atol=NEAR)


def test_a_given_level_leaves_the_others_their_conditional_distribution():
    got = cells(draw(N, given={"b": "r"}))
    np.testing.assert_allclose(got[:, 2], P[:, 2] / P[:, 2].sum(), atol=NEAR)
    assert got[:, 2].sum() == pytest.approx(1.0)


def test_a_given_missing_value_is_missing_in_every_row():
    got = cells(draw(N, given={"b": None}))
    np.testing.assert_allclose(got[:, 4], P[:, 4] / P[:, 4].sum(), atol=NEAR)


def test_one_restricted_column_is_drawn_exactly():
    wanted = P * np.isin(np.arange(5), [0, 2])
    got = cells(draw(N, given={"b": ["p", "r"]}, candidates=1))
    np.testing.assert_allclose(got, wanted / wanted.sum(), atol=NEAR)


def test_a_range_and_a_given_level_are_exact_together():
    table = draw(N, given={"n": "20..29", "a": "x"}, candidates=1, redraws=0)
    numbers = table["n"].to_numpy()
    assert set(numbers) == set(range(20, 30))
    np.testing.assert_allclose(cells(table)[0], P[0] / P[0].sum(), atol=NEAR)


def test_two_restricted_columns_need_candidates_to_be_right():
    wanted = P * np.isin(np.arange(5), [0, 1]) * np.isin(np.arange(3), [0, 2])[:, None]
    wanted /= wanted.sum()
    given = {"a": ["x", "z"], "b": ["p", "q"]}
    errors = [np.abs(cells(draw(N, given=given, candidates=k)) - wanted).max() for k in (1, 8, 64)]
    assert errors[0] > 0.05
    assert errors[1] < errors[0] / 3
    assert errors[2] < NEAR


def test_rows_do_not_depend_on_how_many_are_asked_for_nor_on_workers():
    asked = {"given": {"n": ">= 50", "a": "not x"}, "constraints": ["n < 90"], "block_rows": 128}
    asked["redraws"] = 80
    many = draw(1000, **asked)
    for n in (1, 127, 128, 300):
        assert draw(n, **asked).equals(many.slice(0, n).combine_chunks())
    assert draw(1000, workers=3, **asked).equals(many)
    assert not draw(1000, seed=1, **asked).equals(many)


def test_rows_that_hold_at_once_are_those_of_a_sample_without_constraints():
    plain = draw(500)
    held = np.flatnonzero(plain["n"].to_numpy() < 60)
    kept = draw(500, constraints=["n < 60"])
    assert 100 < len(held) < 400
    assert kept.take(held).equals(plain.take(held))


def test_redrawn_rows_keep_their_number_as_identifier():
    table = draw(1500, constraints=["n < 40", "a = x => b = p"], redraws=60)
    assert table["id"].to_pylist() == list(range(1, 1501))
    assert (table["n"].to_numpy() < 40).all()
    assert set(table.filter(pa.compute.equal(table["a"], "x"))["b"].to_pylist()) <= {"p", None}


def test_redraws_give_the_distribution_within_the_constraint():
    wanted = P.copy()
    wanted[0, [1, 2, 3]] = 0.0
    got = cells(draw(N, constraints=["a = x => b = p"]))
    np.testing.assert_allclose(got, wanted / wanted.sum(), atol=NEAR)


def test_a_shortfall_is_an_error_that_counts_and_names():
    message = r"of the first 300 rows are as asked after 1 redraws; 'n < 5' failed most \(\d+ rows"
    with pytest.raises(ValueError, match=message):
        draw(300, constraints=["n < 5", "n != 50"], redraws=1)


def test_rows_that_are_not_written_cause_no_shortfall():
    asked = {"constraints": ["n < 50"], "redraws": 0, "block_rows": 64}
    lucky = int(draw(64, **asked | {"constraints": ["n >= 0"]})["n"][0].as_py()) < 50
    if lucky:
        assert draw(1, **asked).num_rows == 1
    else:
        with pytest.raises(ValueError, match="first 1 rows"):
            draw(1, **asked)


def test_a_shortfall_may_be_dropped_and_is_counted():
    made = sampler(constraints=["n < 50"], redraws=0, shortfall="drop")
    table = made.sample(1000)
    facts = made.controlled.facts()
    assert 400 < table.num_rows < 600
    assert facts == {
        "asked": 1000,
        "dropped": 1000 - table.num_rows,
        "broken": {"n < 50": 1000 - table.num_rows},
    }
    assert (table["n"].to_numpy() < 50).all()


def test_balance_makes_levels_equally_frequent_and_keeps_the_rest_conditional():
    got = cells(draw(N, shares=lambda r: balanced("a", r)))
    np.testing.assert_allclose(got, P / P.sum(1, keepdims=True) / 3, atol=NEAR)


def test_target_shares_leave_the_other_levels_their_proportions():
    shares = {"b": {"s": 0.5, "missing": 0.1}}
    got = cells(draw(N, shares=lambda r: target_shares(shares, r))).sum(0)
    rest = P.sum(0)[:3]
    np.testing.assert_allclose(got, [*(0.4 * rest / rest.sum()), 0.5, 0.1], atol=0.02)


def test_a_scenario_mixes_its_strata_by_their_shares():
    asked = {
        "high": {"share": 0.25, "given": {"n": ">= 90", "a": "z"}},
        "gaps": {"share": 0.25, "given": {"b": "missing"}},
    }
    table = draw(N, strata=parse_scenario(asked, SCHEMA, temper=1.0))
    a, b = np.array(table["a"].to_pylist()), np.array(table["b"].to_pylist(), dtype=object)
    free = 0.5
    high = (table["n"].to_numpy() >= 90) & (a == "z")
    # the score of n is uniform, so its upper tenth is rarer or commoner than a tenth
    plain = draw(N)
    other = (plain["n"].to_numpy() >= 90) & (np.array(plain["a"].to_pylist()) == "z")
    gaps = np.array([v is None for v in b])
    expected = 0.25 + free * other.mean() + 0.25 * (other[_gaps(plain)].mean())
    assert high.mean() == pytest.approx(expected, abs=NEAR)
    expected = 0.25 + free * P[:, 4].sum() + 0.25 * P[2, 4] / P[2].sum()
    assert gaps.mean() == pytest.approx(expected, abs=NEAR)


def _gaps(table):
    return np.array([v is None for v in table["b"].to_pylist()])


def test_temper_flattens_and_sharpens():
    def tempered(value):
        scenario = {"all": {"share": 1.0, "temper": value}}
        return cells(draw(N, strata=parse_scenario(scenario, SCHEMA, temper=1.0)))

    for value in (0.5, 3.0):
        wanted = P ** (1.0 / value)
        np.testing.assert_allclose(tempered(value), wanted / wanted.sum(), atol=NEAR)


def test_partial_rows_are_completed_row_by_row_and_come_back_unchanged():
    rng = np.random.default_rng(3)
    n = 3000
    a = rng.choice(["x", "y", "z", ""], n)
    number = [None if k % 3 == 0 else int(k) for k in rng.integers(0, 100, n)]
    table = draw(n, partial=pa.table({"n": number, "a": a}), workers=2)
    filled = np.array(table["a"].to_pylist())
    assert (filled[a != ""] == a[a != ""]).all()
    assert set(filled[a == ""]) == {"x", "y", "z"}
    pairs = zip(table["n"].to_pylist(), number, strict=True)
    assert all(new == old for new, old in pairs if old is not None)
    assert table["n"].null_count == 0
    for i, level in enumerate("xyz"):
        told = table.filter(pa.array(a == level))
        np.testing.assert_allclose(cells(told)[i], P[i] / P[i].sum(), atol=0.06)


def test_empty_cells_get_a_value_or_are_known_to_be_missing():
    partial = pa.table({"b": pa.array(["p", None, None, "q"] * 200)})
    filled = draw(800, partial=partial)
    assert filled["b"].null_count == 0
    wanted = P[:, :4].sum(0) / P[:, :4].sum()
    drawn = np.array(filled["b"].to_pylist())[np.arange(800) % 4 % 3 != 0]
    shares = [np.mean(drawn == level) for level in "pqrs"]
    np.testing.assert_allclose(shares, wanted, atol=0.09)
    kept = draw(800, partial=partial, fill="absent")
    assert kept["b"].to_pylist() == partial["b"].to_pylist()


def test_a_completed_table_does_not_depend_on_rows_that_follow():
    many = pa.table({"a": pa.array(["x", None, "z", None] * 100)})
    few = draw(37, partial=many.slice(0, 37), block_rows=64)
    assert draw(400, partial=many, block_rows=64).slice(0, 37).combine_chunks().equals(few)


@pytest.mark.parametrize(
    ("partial", "message"),
    [
        ({"n": [5, 1000]}, r"column 'n', row 2: 1000 is not between 0 and 99"),
        ({"a": ["x", "w"]}, r"column 'a', row 2: 'w' does not fit"),
        ({"aa": ["x"]}, r"no column 'aa'; did you mean 'a'\?"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_row(partial, message):
    with pytest.raises(ValueError, match=message):
        controlled(partial=pa.table(partial))


def test_a_value_a_little_beyond_training_comes_back_with_a_warning(caplog):
    table = draw(3, partial=pa.table({"n": [5, 120, None]}))
    assert table["n"].to_pylist()[:2] == [5, 120]
    assert "column 'n', row 2: 120 is not between 0 and 99, as in training (1 such" in caplog.text


def test_known_missing_values_need_a_column_that_had_some():
    with pytest.raises(ValueError, match="row 2"):
        controlled(partial=pa.table({"n": [5, None]}), fill="absent")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"given": {"a": "x"}, "shares": lambda r: balanced("a", r)}, "'a' is asked for twice"),
        ({"given": {"n": "> 200"}}, "its values lie from 0 to 99"),
        ({"given": {"n": "missing"}}, "no such value"),
        ({"shares": lambda r: balanced("n", r)}, r"scenario=<file>"),
        ({"shares": lambda r: target_shares({"a": {"x": 0.9, "y": 0.2}}, r)}, "sum to 1.1"),
        ({"shares": lambda r: target_shares({"a": {"x": 0, "y": 0, "z": 0.2}}, r)}, "sum to 0.2"),
        ({"shares": lambda r: target_shares({"a": {}, "b": {}}, r)}, "independently"),
        ({"shares": lambda r: target_shares({"a": {"w": 0.5}}, r)}, "no level 'w'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(asked, message):
    with pytest.raises(ValueError, match=message):
        controlled(**asked)


class Blind:
    """The same distribution of a model that takes no evidence but may be told a."""

    condition = Condition((ConditionGroup("a", tuple(P.sum(1)), ("x", "y", "z"), 0, 0),))
    latent_dim = 0
    noise_dim = 3
    told = None

    def __init__(self, layout):
        self.chain = Chain(layout)

    def sample(self, z, c, u):
        rows = self.chain.sample(z, c, u)
        given = torch.where(u[:, 0] < 0.9, c.argmax(1).int(), rows["codes"][:, 0])
        return {**rows, "codes": torch.stack([given, rows["codes"][:, 1]], 1)}


def test_a_model_without_evidence_is_told_one_level_and_the_rest_is_redrawn():
    table = draw(2000, model=Blind, given={"a": "z", "n": "> 30"}, redraws=30)
    assert set(table["a"].to_pylist()) == {"z"}
    assert (table["n"].to_numpy() > 30).all()
    assert draw(500, model=Blind, given={"b": "q"}, redraws=60)["b"].unique().to_pylist() == ["q"]
    counts = [draw(3000, model=Blind, shares=lambda r: balanced("a", r))["a"].to_pylist().count(k)
              for k in "xyz"]  # fmt: skip
    np.testing.assert_allclose(np.array(counts) / 3000, 1 / 3, atol=0.04)


def test_codec_of_the_chain_has_three_variables():
    assert len(Chain(codec().layout).variables) == 3


COUNTED = {
    "a": {"rows": 3, "given": {"n": ">= 90", "a": "z"}},
    "b": {"rows": 700, "given": {"b": "missing"}},
    "c": {"rows": 2, "given": {"a": "x", "b": "q"}},
    "d": {"rows": 1, "given": {"b": "r"}},
}


def counted(n=706, **options):
    return draw(n, strata=parse_scenario(COUNTED, SCHEMA, temper=1.0), **options)


def test_strata_with_rows_have_exactly_so_many_one_after_the_other():
    table = counted().to_pydict()
    assert table["a"][:3] == ["z"] * 3
    assert min(table["n"][:3]) >= 90
    assert table["b"][3:703] == [None] * 700
    assert len(set(table["a"][3:703])) == 3
    assert list(zip(table["a"][703:705], table["b"][703:705], strict=True)) == [("x", "q")] * 2
    assert table["b"][705] == "r"


def test_after_the_last_stratum_the_first_one_begins_again():
    table = counted(1000).to_pydict()
    assert table["a"][706:709] == ["z"] * 3
    assert table["b"][709:] == [None] * (1000 - 709)


def test_rows_of_strata_depend_on_their_number_alone():
    whole = counted(block_rows=64)
    for n in (2, 64, 65, 703):
        assert counted(n, block_rows=64, workers=2).equals(whole.slice(0, n).combine_chunks())


def test_rows_that_are_told_their_cells_alone_keep_the_models_distribution():
    strata = {level: {"rows": N // 2, "given": {"b": level}} for level in "rp"}
    got = cells(draw(N, strata=parse_scenario(strata, SCHEMA, temper=1.0)))
    for level in (0, 2):
        np.testing.assert_allclose(got[:, level], P[:, level] / P[:, level].sum() / 2, atol=NEAR)


def test_what_falls_short_is_told_by_stratum():
    asked = {level: {"rows": 5, "given": {"a": level}} for level in "xz"}
    options = {"constraints": ["a != x"], "redraws": 2}
    strata = parse_scenario(asked, SCHEMA, temper=1.0)
    made = sampler(strata=strata, shortfall="drop", **options)
    assert made.sample(10)["a"].to_pylist() == ["z"] * 5
    facts = made.controlled.facts()
    assert facts["short"] == {"x": 5}
    assert facts["dropped"] == 5
    with pytest.raises(ValueError, match=r"'a != x' of 'x' failed most \(5 rows\)"):
        sampler(strata=strata, **options).sample(10)
