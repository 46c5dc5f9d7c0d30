"""Operations over all blocks at once against one block at a time, in float64."""

import pytest
import torch
from torch.nn.functional import one_hot

from genmodels.layout import Block, Expand, Groups, ImageLayout, TableLayout

WIDTHS = (2, 5, 1, 17, 3, 8, 9)
LAYOUT = TableLayout(
    (
        Block("first", "continuous", 2),
        *(
            block
            for i, width in enumerate(WIDTHS)
            for block in (Block(f"k{i}", "categorical", width), Block(f"x{i}", "continuous", 1))
        ),
    )
)
SLICES = [LAYOUT.slices[block.name] for block in LAYOUT.categorical]
ONLY_SCALARS = TableLayout((Block("x", "continuous", 3),))
ONLY_LEVELS = TableLayout((Block("a", "categorical", 3), Block("b", "categorical", 4)))


def logits(count=40, layout=LAYOUT):
    torch.manual_seed(0)
    return (8 * torch.randn(count, layout.width, dtype=torch.float64)).requires_grad_()


@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_softmax_and_its_gradient_are_those_of_each_block(shift):
    x = logits()
    shifted = x + shift * torch.arange(LAYOUT.width)
    found = Groups(LAYOUT).softmax(shifted)
    expected = torch.zeros_like(x)
    for where in SLICES:
        expected[:, where] = shifted[:, where].softmax(1)
    torch.testing.assert_close(found, expected)
    probe = torch.randn_like(found)
    grads = [torch.autograd.grad((p * probe).sum(), x)[0] for p in (found, expected)]
    torch.testing.assert_close(*grads)


def test_argmax_is_that_of_each_block():
    x = logits().detach()
    expected = torch.stack([x[:, where].argmax(1) for where in SLICES], 1)
    assert torch.equal(Groups(LAYOUT).argmax(x), expected.int())


def test_the_draw_of_other_devices_agrees_with_that_of_the_cpu():
    x, groups = logits(500).detach(), Groups(LAYOUT)
    u = torch.rand(500, len(WIDTHS), dtype=torch.float64)
    expected = groups.draw(x, u)
    assert torch.equal(groups.draw_by_search(x, u), expected)


def test_a_level_without_probability_is_never_drawn():
    x = torch.full((3, ONLY_LEVELS.width), -torch.inf)
    x[:, 1], x[:, 5] = 0.0, 3.0
    u = torch.tensor([0.0, 0.5, 1 - 2.0**-24])[:, None].expand(-1, 2)
    for draw in (Groups(ONLY_LEVELS).draw, Groups(ONLY_LEVELS).draw_by_search):
        assert draw(x, u).tolist() == [[1, 2]] * 3


def test_layouts_without_levels_or_without_scalars_work():
    groups = Groups(ONLY_SCALARS)
    x = torch.randn(4, 3, requires_grad=True)
    assert groups.softmax(x).abs().sum() == 0
    assert groups.draw(x.detach(), torch.rand(4, 0)).shape == (4, 0)
    assert groups.argmax(x).shape == (4, 0)
    y = torch.randn(4, 7)
    sums = Groups(ONLY_LEVELS).softmax(y).split([3, 4], 1)
    for part in sums:
        torch.testing.assert_close(part.sum(1), torch.ones(4))


def test_sums_are_exact_under_autocast():
    x = logits().detach().float()
    expected = Groups(LAYOUT).softmax(x)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(Groups(LAYOUT).softmax(x), expected)


def test_expand_writes_scalars_and_one_hots_at_their_places():
    values = torch.randn(6, len(LAYOUT.continuous))
    codes = torch.stack([torch.randint(w, (6,)) for w in WIDTHS], 1).int()
    dense = Expand(LAYOUT)({"values": values, "codes": codes})
    assert torch.equal(dense[:, list(LAYOUT.continuous)], values)
    for q, where in enumerate(SLICES):
        assert torch.equal(dense[:, where], one_hot(codes[:, q].long(), WIDTHS[q]).float())
    grid = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2)
    assert Expand(ImageLayout(1, 1, 2))({"pixels": grid}).flatten().tolist() == [-1.0, 1.0]
