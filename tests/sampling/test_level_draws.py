import torch

from genmodels.layout import Block, Groups, TableLayout

WIDTHS = (2, 5, 1, 17, 3)
LAYOUT = TableLayout(
    tuple(
        block
        for i, width in enumerate(WIDTHS)
        for block in (Block(f"x{i}", "continuous", 1), Block(f"k{i}", "categorical", width))
    )
)


def test_levels_drawn_invert_each_blocks_distribution_function():
    torch.manual_seed(0)
    outputs = torch.randn(500, LAYOUT.width, dtype=torch.float64) * 5
    u = torch.rand(500, len(WIDTHS), dtype=torch.float64)
    kept = outputs.clone()
    codes = Groups(LAYOUT).draw(outputs, u)
    assert torch.equal(outputs, kept)
    assert codes.dtype == torch.int32
    for q, block in enumerate(LAYOUT.categorical):
        probability = outputs[:, LAYOUT.slices[block.name]].softmax(1)
        expected = (probability.cumsum(1)[:, :-1] <= u[:, q : q + 1]).sum(1)
        assert torch.equal(codes[:, q].long(), expected)


def test_one_row_is_left_as_it_was_and_huge_logits_do_not_overflow():
    outputs = torch.full((1, LAYOUT.width), 1e4)
    codes = Groups(LAYOUT).draw(outputs, torch.full((1, len(WIDTHS)), 1 - 2.0**-24))
    assert (outputs == 1e4).all()
    assert codes.tolist() == [[width - 1 for width in WIDTHS]]
