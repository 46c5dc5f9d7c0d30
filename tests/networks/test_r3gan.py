"""R3GAN's networks: sizes of the paper, the start, the resampling, every shape and patch."""

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from genmodels.layout import Condition, ConditionGroup, ImageLayout
from genmodels.networks.r3gan import Block, Discriminator, Generator
from genmodels.networks.resample import Halve, Twice

SHAPES = [(1, 20, 28), (2, 17, 31), (4, 32, 32), (3, 64, 48), (1, 8, 8)]
TEN = Condition((ConditionGroup("label", (0.1,) * 10),))


def pair(shape, condition=TEN, **changes):
    options = {"widths": [16, 8], "blocks": 1, "expansion": 2, "group": None, "patch": 1}
    options |= changes
    parts = {"layout": ImageLayout(*shape), "condition": condition}
    generator = Generator(**parts, latent_dim=64, embedding=64, **options)
    return generator, Discriminator(**parts, features=max([1, *options["widths"]]), **options)


@pytest.mark.parametrize("patch", [1, 2, 4])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_shape_with_every_patch(shape, patch):
    generator, discriminator = pair(shape, patch=patch)
    z, c = torch.randn(2, 64), torch.eye(10)[:2]
    x = generator(z, c)
    assert x.shape == (2, *shape)
    assert discriminator(x, c).shape == (2,)


# Millions, as counted in the published networks: 32x32 with ten classes, the others without.
PAPER = {
    32: ([768] * 4, TEN, 20.78, 21.28),
    64: ([768] * 4 + [384], Condition(), 22.43, 22.38),
    256: ([768] * 4 + [384, 192, 96], Condition(), 23.06, 23.01),
}


@pytest.mark.parametrize("size", PAPER)
def test_the_sizes_of_the_paper_have_its_number_of_parameters(size):
    widths, condition, *expected = PAPER[size]
    with torch.device("meta"):
        made = pair((3, size, size), condition, widths=widths, blocks=2, group=16)
    found = [sum(p.numel() for p in network.parameters()) / 1e6 for network in made]
    assert found == pytest.approx(expected, rel=0.005)


def test_a_block_is_the_identity_at_the_start_and_awakes():
    torch.manual_seed(0)
    block, x = Block(8, expansion=2, group=4, blocks=3), torch.randn(2, 8, 5, 5)
    assert torch.equal(block(x), x)
    block(x).square().sum().backward()
    assert block.third.weight.grad.any()
    assert block.second.weight.shape == (16, 4, 3, 3)


def test_deeper_networks_start_with_smaller_blocks():
    torch.manual_seed(0)
    one, sixteen = (Block(64, expansion=2, group=None, blocks=n).first.weight for n in (1, 16))
    assert float((one.std() / sixteen.std()).detach()) == pytest.approx(2.0, rel=0.05)


def test_doubling_is_bilinear_inside_and_both_ways_keep_the_mean():
    x = torch.randn(2, 3, 6, 8, dtype=torch.float64)
    twice, half = Twice().double(), Halve().double()
    expected = interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(twice(x)[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1])
    flat = torch.ones(1, 1, 8, 8, dtype=torch.float64)
    assert torch.equal(half(flat)[..., 1:-1, 1:-1], flat[..., :2, :2])
    # One is the other's transpose, times four.
    y = torch.randn(2, 3, 12, 16, dtype=torch.float64)
    torch.testing.assert_close((twice(x) * y).sum(), 4.0 * (x * half(y)).sum())


@pytest.mark.parametrize(
    ("widths", "expected"),
    [([24], [24, 24, 24]), ([24, 8], [24, 24, 8]), ([40, 32, 16, 8], [32, 16, 8])],
)
def test_widths_fit_any_number_of_resolutions(widths, expected):
    generator, _ = pair((1, 28, 28), widths=widths)
    assert [level[0].first.in_channels for level in generator.levels] == expected


@pytest.mark.parametrize("changes", [{"patch": 3}, {"widths": []}, {"widths": [12], "group": 16}])
def test_what_does_not_fit_is_refused_with_its_key(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        pair((1, 8, 8), **changes)


def test_the_kernels_of_the_resampling_are_not_learned():
    for network in pair((1, 8, 8)):
        names = [name for name, _ in network.named_parameters()]
        assert not any("kernel" in name for name in names)
        assert any(isinstance(m, nn.Conv2d) for m in network.modules())
