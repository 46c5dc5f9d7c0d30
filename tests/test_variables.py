"""Variables of a layout, what is known about them, and what a layout keeps when it is saved."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch

from genmodels.codecs.table import TableCodec
from genmodels.evidence import Evidence
from genmodels.layout import Block, TableLayout
from genmodels.schema import Column, TableSchema
from genmodels.variables import Variable, variables

PLACES = (-1.0, 0.0, 1.0)
LAYOUT = TableLayout(
    (
        Block("sex", "categorical", 2),
        Block("pay.value", "continuous", 1, gated=True, places=PLACES),
        Block("pay.state", "categorical", 3),
        Block("height", "continuous", 1, places=PLACES),
        Block("place", "continuous", 2),
        Block("rooms", "categorical", 4, places=PLACES),
        Block("age.value", "continuous", 1),
        Block("age.mode", "categorical", 5),
    )
)


def test_a_number_and_its_states_are_one_variable_and_the_rest_stands_alone():
    assert variables(LAYOUT) == (
        Variable("sex", 2, 0, None, False, ()),
        Variable("pay", 3, 1, 0, True, PLACES),
        Variable("height", 0, None, 1, False, PLACES),
        Variable("place.0", 0, None, 2, False, ()),
        Variable("place.1", 0, None, 3, False, ()),
        Variable("rooms", 4, 2, None, False, PLACES),
        Variable("age.value", 0, None, 4, False, ()),
        Variable("age.mode", 5, 3, None, False, ()),
    )


def test_variables_named_like_parts_of_others_keep_names_of_their_own():
    state = Block("a.b.state", "categorical", 2)
    blocks = (Block("a.b", "categorical", 2), Block("a.b.value", "continuous", 1, True), state)
    assert [v.name for v in variables(TableLayout(blocks))] == ["a.b", "a.b_"]


@pytest.mark.parametrize("after", [(), (Block("y", "continuous", 1),)])
def test_a_gated_block_without_its_states_is_refused(after):
    layout = TableLayout((Block("x.value", "continuous", 1, gated=True), *after))
    with pytest.raises(ValueError, match=r"'x\.value' is gated"):
        variables(layout)


@pytest.mark.parametrize(("kind", "width"), [("categorical", 1), ("continuous", 2)])
def test_only_one_scalar_can_be_gated(kind, width):
    with pytest.raises(ValueError, match="'x' is gated, so it must be continuous with width 1"):
        Block("x", kind, width, gated=True)


def test_a_layout_keeps_gates_and_places_when_it_is_saved():
    text = json.dumps(LAYOUT.state(), allow_nan=False)
    assert TableLayout.from_state(json.loads(text)) == LAYOUT
    plain = {"blocks": [["x", "continuous", 1], ["k", "categorical", 2]]}
    expected = TableLayout((Block("x", "continuous", 1), Block("k", "categorical", 2)))
    assert TableLayout.from_state(plain) == expected


def fitted(columns, data):
    options = {"max_modes": 10, "min_weight": 0.005, "concentration": 0.001}
    options |= {
        "mixture_points": 512,
        "max_levels": 64,
        "discrete_below": 20,
        "knots": 512,
        "tokens_below": 0,
    }
    options |= {"identities": False, "remainders": False}
    raw, schema = pa.table(data), TableSchema(tuple(columns))
    return TableCodec.fit(
        raw, schema, numeric="quantile", point_masses=True, weekday=True, seed=0, **options
    )


def test_each_column_of_a_quantile_codec_is_one_variable_and_a_date_one_per_part():
    rng = np.random.default_rng(0)
    rows = 2000
    data = {
        "pay": np.where(rng.random(rows) < 0.3, 0.0, np.exp(rng.normal(size=rows))),
        "height": rng.normal(170, 8, rows),
        "rooms": rng.integers(1, 6, rows),
        "day": pa.array(rng.integers(0, 9000, rows) * 86_400_000_000).cast(pa.timestamp("us")),
    }
    columns = [Column("pay", "continuous"), Column("height", "continuous")]
    codec = fitted([*columns, Column("rooms", "integer"), Column("day", "datetime")], data)
    found = {v.name: v for v in variables(codec.layout)}
    assert list(found) == ["pay", "height", "rooms", "day.week", "day.weekday"]
    assert [found[n].gated for n in found] == [True, False, False, False, False]
    assert [len(found[n].places) for n in found] == [257, 257, 5, 257, 7]
    assert (found["pay"].levels, found["height"].levels, found["rooms"].levels) == (2, 0, 5)


@pytest.mark.parametrize("rows", [1000, 20_000])
@pytest.mark.parametrize("shape", ["normal", "skewed", "whole"])
def test_places_are_the_raw_values_standardised_over_the_training_rows(shape, rows):
    rng = np.random.default_rng(0)
    x = {
        "normal": rng.normal(5, 3, rows),
        "skewed": rng.gamma(1.5, 2.0, rows),
        "whole": rng.poisson(50, rows).astype(np.float64),
    }[shape]
    codec = fitted([Column("x", "continuous")], {"x": x})
    places = np.array(codec.layout.blocks[0].places)
    scores = codec.encode(pa.table({"x": x}), seed=0)["values"][:, 0].numpy()
    featured = np.interp(scores, np.linspace(-1, 1, 257), places)
    assert featured.mean() == pytest.approx(0.0, abs=0.05)
    assert featured.std() == pytest.approx(1.0, abs=0.08)
    assert np.corrcoef(featured, x)[0, 1] > 0.999
    assert (np.diff(places) >= 0).all()


def test_places_of_levels_are_standardised_by_their_frequencies_and_missing_has_none():
    x = pa.array([1, 1, 1, 1, 2, 2, 4, 9, None, None])
    codec = fitted([Column("x", "integer", nullable=True)], {"x": x})
    (block,) = codec.layout.blocks
    known = np.array([1, 1, 1, 1, 2, 2, 4, 9.0])
    expected = (np.array([1, 2, 4, 9]) - known.mean()) / known.std()
    assert block.width == 5
    assert block.places == pytest.approx(expected)


def test_a_column_of_one_value_has_places_without_spread():
    codec = fitted([Column("x", "continuous")], {"x": np.full(50, 3.7)})
    assert codec.layout.blocks[0].places == (0.0,) * 257
    codec = fitted([Column("x", "integer")], {"x": np.full(50, 3)})
    assert codec.layout.blocks[0].places == (0.0,)


def test_of_nothing_nothing_is_known():
    evidence = Evidence.nothing(3, LAYOUT)
    assert len(evidence) == 3
    assert evidence.values.shape == (3, 5)
    assert evidence.codes.shape == (3, 4)
    assert evidence.codes.dtype == torch.int32
    assert evidence.known.shape == (3, len(variables(LAYOUT)))
    assert not evidence.known.any()
    assert evidence.restricted == ()


def test_rows_and_devices_keep_the_restrictions():
    allowed, spans = torch.tensor([True, False]), torch.tensor([[-1.0, -0.5], [0.0, 0.25]])
    start = Evidence.nothing(4, LAYOUT)
    known = torch.arange(4)[:, None] == torch.arange(8)
    evidence = Evidence(start.values, start.codes, known, {0: allowed}, {1: spans})
    part = evidence.to("cpu").rows(slice(1, 3))
    assert part.restricted == (0, 1)
    assert torch.equal(part.known, known[1:3])
    assert torch.equal(part.allowed[0], allowed)
    assert torch.equal(part.spans[1], spans)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"allowed": {0: torch.tensor([False, False])}}, "at least one level"),
        ({"spans": {1: torch.tensor([[0.5, 0.0]])}}, "ascending"),
        ({"spans": {1: torch.zeros(0, 2)}}, "S >= 1"),
        ({"values": torch.zeros(2, 5)}, "as many rows"),
    ],
)
def test_evidence_that_cannot_hold_is_refused(change, match):
    start = Evidence.nothing(3, LAYOUT)
    parts = {"values": start.values, "codes": start.codes, "known": start.known} | change
    with pytest.raises(ValueError, match=match):
        Evidence(**parts)
