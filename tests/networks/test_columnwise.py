"""Each variable reads those of a lower rank and nothing else, in training and in sampling."""

import pytest
import torch

from genmodels.layout import Block, ImageLayout, TableLayout
from genmodels.networks.columnwise import Columnwise
from tests.algorithms.mixed import LAYOUT, SIZES, encoded, network

CONTEXTS = ("full", "summed")


def hidden(made, rows, rank=None):
    values, codes = rows["values"], rows["codes"].long()
    with torch.no_grad():
        return made(values, codes, made.rank if rank is None else rank)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("seed", range(3))
def test_a_variable_is_read_by_those_of_a_higher_rank_alone(context, seed):
    made = network(context=context)
    rank = torch.randperm(5, generator=torch.Generator().manual_seed(seed)).float()
    rows = encoded(8)
    before, _ = hidden(made, rows, rank)
    for i, variable in enumerate(made.arrangement.variables):
        changed = {name: value.clone() for name, value in rows.items()}
        if variable.code is not None:
            column = changed["codes"][:, variable.code]
            changed["codes"][:, variable.code] = (column + 1) % variable.levels
        if variable.value is not None:
            changed["values"][:, variable.value] += 0.2
        after, _ = hidden(made, changed, rank)
        moved = (before != after).any(2).any(1)
        assert moved.tolist() == (rank > rank[i]).tolist()


@pytest.mark.parametrize("context", CONTEXTS)
def test_drawing_one_by_one_reads_what_whole_rows_read(context):
    made = network(context=context)
    rows = encoded(9)
    whole, shift = hidden(made, rows)
    drawn = made.start(9)
    for number, j in enumerate(made.order):
        with torch.no_grad():
            h, moved = made.read(drawn, j, number)
            same, _ = made.read(drawn, j, None)
            torch.testing.assert_close(h, whole[j], rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(same, h, rtol=1e-5, atol=1e-5)
            if moved is not None:
                torch.testing.assert_close(moved, shift[j - made.arrangement.scores])
            variable = made.arrangement.variables[j]
            value = None if variable.value is None else rows["values"][:, variable.value]
            code = None if variable.code is None else rows["codes"][:, variable.code].long()
            made.observe(drawn, j, value, code, None)


def test_the_straight_path_moves_the_means_by_earlier_scores():
    made = network()
    with torch.no_grad():
        made.straight.fill_(1.0)
    rows = encoded(6)
    _, shift = hidden(made, rows)
    x = rows["values"][:, 0] * 4.0
    assert torch.equal(shift[0], torch.zeros(6))  # x comes before y
    torch.testing.assert_close(shift[1], 2.0 * x)  # normal score and standardised value agree


def test_the_target_is_drawn_last():
    for name in ("a", "x", "b"):
        made = network(target=name)
        assert made.arrangement.variables[made.order[-1]].name == name
    names = [network().arrangement.variables[j].name for j in network().order]
    assert names == ["a", "x", "n", "y", "b"]


def test_a_score_that_does_not_count_is_not_read():
    made = network()
    rows = encoded(16)
    rows["codes"][:, 1] = 2
    before, _ = hidden(made, rows)
    rows["values"][:, 0] = 0.7
    after, _ = hidden(made, rows)
    assert torch.equal(before, after)


def test_very_wide_tables_get_a_summed_context():
    wide = TableLayout(tuple(Block(f"k{i}", "categorical", 2) for i in range(400)))
    made = Columnwise(layout=wide, target=None, context="auto", **SIZES | {"hidden": 64})
    assert sum(p.numel() for p in made.parameters()) < 3_000_000


def test_images_are_refused_with_advice():
    with pytest.raises(ValueError, match="model=conv_vae"):
        network(ImageLayout(1, 2, 2))


def test_all_parameters_learn_on_a_single_variable_of_either_kind():
    for block in (Block("x", "continuous", 1), Block("k", "categorical", 3)):
        layout = TableLayout((block,))
        h, shift = hidden(network(layout), encoded(4, layout))
        assert h.shape == (1, 4, 16)
        assert shift.shape == ((1, 4) if block.kind == "continuous" else (0, 4))


def test_layout_of_the_tests_has_each_kind_of_variable():
    kinds = {(v.code is not None, v.value is not None) for v in network().arrangement.variables}
    assert kinds == {(True, True), (True, False), (False, True)}
    assert len(LAYOUT.blocks) == 6
