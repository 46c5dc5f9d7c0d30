"""Variables are kept with like beside like, and rows lie side by side without loss."""

import itertools

import pytest
import torch

from genmodels.arrangement import Arrangement, Compact
from genmodels.layout import Block, ImageLayout, TableLayout
from genmodels.variables import variables
from tests.algorithms.mixed import LAYOUT, encoded

WIDTHS = (2, 100, 3, 2, 90, 1, 17)
LEVELS = TableLayout(tuple(Block(f"k{i}", "categorical", w) for i, w in enumerate(WIDTHS)))


@pytest.mark.parametrize("layout", [LAYOUT, LEVELS])
def test_places_lead_from_the_layout_to_what_is_kept(layout):
    made = Arrangement(layout)
    for variable, place in zip(variables(layout), made.places, strict=True):
        assert made.variables[place] == variable
    assert sorted(made.places) == list(range(len(made)))


def test_levels_come_first_and_scores_last():
    made = Arrangement(LAYOUT)
    assert [v.code is not None for v in made.variables] == [True] * 4 + [False]
    assert [v.value is not None for v in made.variables] == [False] * 3 + [True] * 2
    assert (made.levels, made.scores) == (4, 3)


@pytest.mark.parametrize("layout", [LAYOUT, LEVELS])
def test_buckets_cover_the_levels_with_less_than_half_padding(layout):
    made = Arrangement(layout)
    ends = [(bucket.start, bucket.stop) for bucket in made.buckets]
    assert ends[0][0] == 0
    assert ends[-1][1] == made.levels
    assert all(a[1] == b[0] for a, b in itertools.pairwise(ends))
    for bucket in made.buckets:
        for variable in made.variables[bucket.start : bucket.stop]:
            assert bucket.width / 2 <= variable.levels <= bucket.width


def test_the_target_is_last_in_the_order():
    made = Arrangement(LAYOUT)
    names = [made.variables[j].name for j in made.order("x")]
    assert names == ["a", "n", "y", "b", "x"]
    assert [made.variables[j].name for j in made.order(None)] == ["a", "x", "n", "y", "b"]


def test_a_layout_without_levels_has_no_buckets():
    made = Arrangement(TableLayout((Block("x", "continuous", 2),)))
    assert (len(made), made.levels, made.scores, made.buckets) == (2, 0, 0, ())


def test_rows_come_back_from_being_side_by_side():
    compact, rows = Compact(LAYOUT), encoded(9)
    values, codes = compact.parts(compact(rows))
    assert torch.equal(values, rows["values"])
    assert torch.equal(codes, rows["codes"].long())


def test_images_are_refused():
    for made in (Arrangement, Compact):
        with pytest.raises(ValueError, match=r"images|side by side"):
            made(ImageLayout(1, 2, 2))
