"""What every network over variables in order does: it reads those of a lower rank, nothing else.

In training with whole rows, in sampling variable by variable, in any order.
"""

import pytest
import torch

from genmodels.layout import Block, ImageLayout, TableLayout
from tests.algorithms.mixed import LAYOUT, encoded
from tests.networks.ordered import MADE, hidden, of

BOTH = pytest.mark.parametrize("kind", MADE)


def same(made, j, read, whole):
    h, shift = read
    torch.testing.assert_close(h, whole[0][j], rtol=1e-5, atol=1e-5)
    if shift is not None:
        torch.testing.assert_close(shift, whole[1][j - made.arrangement.scores])


def shuffled(seed):
    return torch.randperm(5, generator=torch.Generator().manual_seed(seed))


def straightened(kind):
    """With a straight path that matters."""
    made = MADE[kind]()
    with torch.no_grad():
        made.straight.normal_(generator=torch.Generator().manual_seed(1))
    return made


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_a_variable_is_read_by_those_of_a_higher_rank_alone(kind, seed):
    made, rows = MADE[kind](), encoded(8)
    rank = shuffled(seed).float()
    before, _ = hidden(made, rows, rank)
    for i, variable in enumerate(made.arrangement.variables):
        changed = {name: value.clone() for name, value in rows.items()}
        if variable.code is not None:
            column = changed["codes"][:, variable.code]
            changed["codes"][:, variable.code] = (column + 1) % variable.levels
        if variable.value is not None:
            changed["values"][:, variable.value] += 0.2
        after, _ = hidden(made, changed, rank)
        assert (before != after).any(2).any(1).tolist() == (rank > rank[i]).tolist()


@BOTH
def test_drawing_one_by_one_reads_what_whole_rows_read(kind):
    made, rows = straightened(kind), encoded(9)
    whole, drawn = hidden(made, rows), made.start(9)
    for number, j in enumerate(made.order):
        with torch.no_grad():
            same(made, j, made.read(drawn, j, number), whole)
            same(made, j, made.read(drawn, j, None), whole)
            made.observe(drawn, j, *of(made, rows, j), None)


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_drawing_in_any_order_reads_what_whole_rows_read_in_it(kind, seed):
    made, rows, order = straightened(kind), encoded(9), shuffled(seed)
    whole, drawn = hidden(made, rows, order.argsort().float()), made.start(9)
    for j in order.tolist():
        with torch.no_grad():
            same(made, j, made.read(drawn, j, None), whole)
            made.observe(drawn, j, *of(made, rows, j), None)


@BOTH
def test_rows_that_know_different_variables_read_as_if_each_were_alone(kind):
    made, rows, others = straightened(kind), encoded(24), encoded(24, seed=7)
    known = torch.rand(24, 5, generator=torch.Generator().manual_seed(2)) < 0.5
    drawn = made.start(24)
    wholes = [
        hidden(made, rows, torch.where(known[row], made.rank - 5, made.rank)) for row in range(24)
    ]
    with torch.no_grad():
        for j in range(5):
            told = [
                None if a is None else torch.where(known[:, j], a, b)
                for a, b in zip(of(made, rows, j), of(made, others, j), strict=True)
            ]
            made.observe(drawn, j, *told, known[:, j])
        for j in made.order:
            h, shift = made.read(drawn, j, None)
            for row in (~known[:, j]).nonzero().flatten().tolist():
                part = None if shift is None else shift[row]
                whole = tuple(x[:, row] for x in wholes[row])
                same(made, j, (h[row], part), whole)
            made.observe(drawn, j, *of(made, rows, j), ~known[:, j])


@BOTH
def test_the_straight_path_moves_the_means_by_earlier_scores(kind):
    made, rows = MADE[kind](), encoded(6)
    with torch.no_grad():
        made.straight.fill_(1.0)
    _, shift = hidden(made, rows)
    x = rows["values"][:, 0] * 4.0
    assert torch.equal(shift[0], torch.zeros(6))  # x comes before y
    torch.testing.assert_close(shift[1], 2.0 * x)  # normal score and standardised value agree


@BOTH
def test_the_target_is_drawn_last(kind):
    usual = MADE[kind]()
    assert [usual.arrangement.variables[j].name for j in usual.order] == ["a", "x", "n", "y", "b"]
    for name in ("a", "x", "b"):
        made = MADE[kind](target=name)
        assert made.arrangement.variables[made.order[-1]].name == name
        assert made.rank[list(made.order)].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


@BOTH
def test_a_score_that_does_not_count_is_not_read(kind):
    made, rows = MADE[kind](), encoded(16)
    rows["codes"][:, 1] = 2
    before, _ = hidden(made, rows)
    rows["values"][:, 0] = 0.7
    after, _ = hidden(made, rows)
    assert torch.equal(before, after)


@BOTH
@pytest.mark.parametrize("block", [Block("x", "continuous", 1), Block("k", "categorical", 3)])
def test_a_single_variable_of_either_kind_is_enough(kind, block):
    layout = TableLayout((block,))
    made = MADE[kind](layout)
    h, shift = hidden(made, encoded(4, layout))
    assert h.shape == (1, 4, made.hidden)
    assert shift.shape == ((1, 4) if block.kind == "continuous" else (0, 4))


@BOTH
def test_images_are_refused_with_advice(kind):
    with pytest.raises(ValueError, match="model=conv_vae"):
        MADE[kind](ImageLayout(1, 2, 2))


def test_layout_of_the_tests_has_each_kind_of_variable():
    kept = MADE["full"]().arrangement.variables
    kinds = {(v.code is not None, v.value is not None) for v in kept}
    assert kinds == {(True, True), (True, False), (False, True)}
    assert len(LAYOUT.blocks) == 6
