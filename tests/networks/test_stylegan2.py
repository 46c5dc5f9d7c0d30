"""StyleGAN2's networks: every shape, what modulation, mixing, truncation and groups do."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from genmodels.combinations import Combinations, Facet
from genmodels.layout import Condition, ConditionGroup, ImageLayout
from genmodels.networks.equalized import EqualLinear
from genmodels.networks.stylegan2 import Discriminator, Generator, MinibatchDeviation
from genmodels.networks.styles import Centres, ModulatedConv

SHAPES = [(1, 20, 28), (2, 17, 31), (4, 32, 32), (3, 64, 48), (1, 8, 8)]
TWO = Condition((ConditionGroup("label", (0.5, 0.5)),))


def generator(shape=(1, 12, 10), condition=TWO, **changes):
    options = {"latent_dim": 6, "widths": [8, 4], "style": 10, "depth": 2, "rate": 0.01}
    options |= {"mixing": 0.9, "inertia": 0.5} | changes
    return Generator(layout=ImageLayout(*shape), condition=condition, **options)


def discriminator(shape=(1, 12, 10), condition=TWO, group=4):
    parts = {"layout": ImageLayout(*shape), "condition": condition}
    return Discriminator(**parts, widths=[8, 4], features=6, group=group)


def given(rows, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, 6, generator=rng), torch.eye(2)[torch.arange(rows) % 2]


def awake(made, strength=0.5):
    """With noise that counts, as after some training."""
    for name, weight in made.named_parameters():
        if name.endswith("strength"):
            torch.nn.init.constant_(weight, strength)
    return made


@pytest.mark.parametrize("condition", [TWO, Condition()], ids=["told", "untold"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_shape(shape, condition):
    made = generator(shape, condition)
    z, c = given(3)
    c = c[:, : condition.width]
    x = made(z, c)
    assert x.shape == (3, *shape)
    assert made.eval()(z, c, torch.randn(3, made.noise_dim)).shape == (3, *shape)
    assert discriminator(shape, condition)(x, c).shape == (3,)


@pytest.mark.parametrize("kernel", [1, 3])
def test_demodulated_outputs_have_unit_variance_whatever_the_style(kernel):
    torch.manual_seed(0)
    conv = ModulatedConv(48, 64, kernel=kernel, style=8)
    for size in (1.0, 30.0):
        y = conv(torch.randn(16, 48, 12, 12), size * torch.randn(16, 8))[..., 1:-1, 1:-1]
        assert float(y.detach().var((0, 2, 3)).mean()) == pytest.approx(1.0, rel=0.05)


def test_scaling_inputs_and_outputs_is_scaling_the_weights_of_each_sample():
    torch.manual_seed(0)
    conv = ModulatedConv(3, 5, kernel=3, style=4, gain=2.0).double()
    torch.nn.init.normal_(conv.bias)
    x, w = torch.randn(6, 3, 7, 9).double(), torch.randn(6, 4).double()
    scale = conv.scale(w)
    for i, y in enumerate(conv(x, w)):
        weight = conv.weight * scale[i][None, :, None, None]
        weight = weight / weight.square().sum((1, 2, 3), keepdim=True).sqrt()
        expected = F.conv2d(x[i : i + 1], 2.0 * weight, 2.0 * conv.bias, padding=1)[0]
        torch.testing.assert_close(y, expected, rtol=1e-6, atol=1e-6)


def test_an_upsampling_convolution_keeps_a_flat_map_flat_inside():
    torch.manual_seed(0)
    conv = ModulatedConv(3, 5, kernel=3, style=4, up=True, demodulate=False)
    flat, w = torch.ones(2, 3, 6, 8), torch.randn(2, 4)
    y = conv(flat, w)
    assert y.shape == (2, 5, 12, 16)
    inside = y[..., 3:-3, 3:-3]
    torch.testing.assert_close(inside, inside[..., :1, :1].expand_as(inside))
    weight = (conv.weight * conv.share).sum((2, 3))
    torch.testing.assert_close(inside[..., 0, 0], conv.scale(w) @ weight.t())


def test_layers_of_every_width_and_rate_start_with_unit_outputs():
    for inputs in (16, 1024):
        torch.manual_seed(0)
        layer, x = EqualLinear(inputs, 256), torch.randn(64, inputs)
        assert float(layer(x).detach().std()) == pytest.approx(1.0, rel=0.1)
        assert float(layer.weight.detach().std()) == pytest.approx(1.0, rel=0.05)
    slow = EqualLinear(64, 64, rate=0.01)
    assert float(slow(torch.randn(64, 64)).detach().std()) == pytest.approx(1.0, rel=0.1)
    assert float(slow.weight.detach().std()) == pytest.approx(100.0, rel=0.1)


def test_mixing_gives_the_later_layers_another_style():
    torch.manual_seed(0)
    made = generator(mixing=1.0).train()
    z, c = given(64)
    w, each = made.style(z, c), made.styles(z, c)
    own = (each == w[:, None]).all(2)
    assert own[:, 0].all()
    assert not own[:, -1].any()
    first = own.sum(1)
    assert (own == (torch.arange(own.shape[1]) < first[:, None])).all()
    assert set(first.tolist()) == set(range(1, len(made.layers)))
    other = each[:, -1]
    later = ~own
    torch.testing.assert_close(each[later], other[:, None].expand_as(each)[later])


def test_the_probability_of_mixing_is_kept_and_there_is_none_outside_of_training():
    torch.manual_seed(0)
    made = generator(mixing=0.9).train()
    z, c = given(2000)
    w, each = made.style(z, c), made.styles(z, c)
    mixed = ~(each == w[:, None]).flatten(1).all(1)
    assert float(mixed.float().mean()) == pytest.approx(0.9, abs=0.03)
    assert made.eval().styles(z, c).shape == w.shape
    with pytest.raises(ValueError, match=r"generator\.mixing must be in \[0, 1\]"):
        generator(mixing=1.5)


def test_later_styles_leave_earlier_layers_alone():
    torch.manual_seed(0)
    made, seen = generator((1, 28, 28)).eval(), []
    made.ups[0].register_forward_hook(lambda module, inputs, out: seen.append(out))
    w = torch.randn(2, len(made.layers), 10)
    for layer in range(len(made.layers)):
        changed = w.clone()
        changed[:, layer] += 1.0
        seen.clear()
        assert not torch.equal(made.synthesise(w), made.synthesise(changed))
        assert torch.equal(seen[0], seen[1]) == (layer >= 2)


def test_truncation_draws_towards_one_image_per_class():
    torch.manual_seed(0)
    made = generator(depth=3)
    for seed in range(20):
        made(*given(16, seed))
    made.eval()
    z, c = given(8, 99)
    whole, spread = made(z, c), []
    for psi in (1.0, 0.5, 0.0):
        made.truncation = psi
        x = made(z, c)
        assert torch.equal(x, whole) == (psi == 1.0)
        spread.append(float((x[::2] - x[::2].mean(0)).square().mean().detach()))
    assert spread[0] > spread[1] > 10 * spread[2]
    torch.testing.assert_close(x[::2], x[:1].expand(4, -1, -1, -1))
    torch.testing.assert_close(x[1::2], x[1:2].expand(4, -1, -1, -1))
    assert not torch.allclose(x[0], x[1])


def test_centres_are_running_means_of_their_level_from_the_first_batch_on():
    centres = Centres(condition=3, width=2, inertia=0.5).double()
    c = torch.eye(3, dtype=torch.float64)
    w = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], dtype=torch.float64)
    centres.follow(w, c[[0, 0, 1]])
    expected = torch.tensor([[2.0, 3.0], [5.0, 6.0], [3.5, 4.5]], dtype=torch.float64)
    torch.testing.assert_close(centres(c), expected)  # the last level was never met
    centres.follow(w[:1], c[:1])
    expected[0] = torch.tensor([(0.25 * 2 + 0.5 * 1) / 0.75, (0.25 * 3 + 0.5 * 2) / 0.75])
    expected[2] = expected[:2].mean(0)
    torch.testing.assert_close(centres(c), expected)
    torch.testing.assert_close(centres(torch.zeros_like(c)), expected[2].expand(3, 2))
    centres.follow(w, c)
    assert not torch.allclose(centres(c)[2], centres(torch.zeros_like(c))[2])


def test_noise_is_part_of_what_a_row_is_given():
    torch.manual_seed(0)
    made = awake(generator()).eval()
    z, c = given(4)
    noise = torch.randn(4, made.noise_dim)
    whole = made(z, c, noise)
    torch.testing.assert_close(made(z[1:3], c[1:3], noise[1:3]), whole[1:3])
    assert not torch.allclose(made(z, c, noise.flip(0)), whole)
    assert torch.equal(made(z, c), made(z, c))
    assert not torch.equal(made.train()(z, c), made(z, c))


def test_a_group_sees_its_own_deviation_and_no_other():
    x = torch.randn(8, 3, 4, 5).double()
    x[:4] = x[:1]  # four equal samples
    y = MinibatchDeviation(4)(x)
    assert y.shape == (8, 4, 4, 5)
    assert torch.equal(y[:, :3], x)
    expected = (x[4:].var(0, unbiased=False) + 1e-8).sqrt().mean()
    torch.testing.assert_close(y[4:, 3], expected.expand(4, 4, 5))
    assert float(y[:4, 3].max()) == pytest.approx(1e-4)


CASES = [
    (12, 4, [4, 4, 4]), (6, 4, [3, 3]), (7, 4, [4, 3]), (61, 4, [4] * 13 + [3] * 3), (2, 4, [2]),
    (5, 2, [3, 2]), (3, 2, [3]), (1, 4, [1]), (3, 1, [1, 1, 1]),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "group", "sizes"), CASES)
def test_a_batch_of_any_size_has_groups_of_several(rows, group, sizes):
    x = torch.randn(rows, 1, 2, 2).double()
    y = MinibatchDeviation(group)(x)[:, 1, 0, 0]
    expected = [
        (part.var(0, unbiased=False) + 1e-8).sqrt().mean().expand(len(part))
        for part in x.split(sizes)
    ]
    torch.testing.assert_close(y, torch.cat(expected))


def test_groups_of_unequal_sizes_need_no_host():
    x = torch.empty(61, 1, 2, 2, device="meta")
    assert MinibatchDeviation(4)(x).shape == (61, 2, 2, 2)


def test_the_verdict_depends_on_the_group_alone():
    torch.manual_seed(0)
    made = discriminator().double()
    assert made.couples
    x, c = torch.randn(8, 1, 12, 10).double(), given(8)[1].double()
    whole = made(x, c)
    torch.testing.assert_close(made(x[:4], c[:4]), whole[:4])
    assert not torch.allclose(made(x[:2], c[:2]), whole[:2])
    assert not discriminator(group=1).couples
    with pytest.raises(ValueError, match=r"discriminator\.group must be at least 1"):
        discriminator(group=0)


def test_no_widths_are_refused():
    with pytest.raises(ValueError, match="widths must not be empty"):
        generator(widths=[])


def test_centres_of_levels_of_two_facets_add_up():
    """Deviations of levels from the mean of all are added, as in an analysis of variance."""
    a, b = torch.tensor([[1.0, 0.0], [3.0, -2.0]]), torch.tensor([[0.5, 4.0], [0.0, 1.0]])
    pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]
    c = torch.stack([torch.cat([torch.eye(2)[i], torch.eye(2)[j]]) for i, j in pairs]).double()
    w = torch.stack([a[i] + b[j] for i, j in pairs]).double()
    centres = Centres(condition=4, width=2, inertia=0.0).double()
    centres.follow(w, c)
    torch.testing.assert_close(centres(c), w)
    twice = torch.cat([c, c[:, 2:]], 1)  # the second facet is told in two ways
    shares = (1.0, 1.0, 0.5, 0.5, 0.5, 0.5)
    centres = Centres(condition=6, width=2, inertia=0.0, shares=shares).double()
    centres.follow(w, twice)
    torch.testing.assert_close(centres(twice), w)


def test_centres_of_independent_facets_add_up_however_unequal_their_levels_are():
    a, b = torch.tensor([[1.0, 0.0], [3.0, -2.0]]), torch.tensor([[0.5, 4.0], [0.0, 1.0]])
    rows = [(0, 0)] * 63 + [(0, 1)] * 7 + [(1, 0)] * 27 + [(1, 1)] * 3
    c = torch.stack([torch.cat([torch.eye(2)[i], torch.eye(2)[j]]) for i, j in rows]).double()
    w = torch.stack([a[i] + b[j] for i, j in rows]).double()
    usual = (0.7, 0.3, 0.9, 0.1)
    centres = Centres(condition=4, width=2, inertia=0.0, usual=usual).double()
    centres.follow(w, c)
    torch.testing.assert_close(centres(c), w)
    torch.testing.assert_close(centres(torch.zeros_like(c[:1]))[0], w.mean(0))
    assert "usual" not in centres.state_dict()


def test_a_generator_knows_how_usual_levels_are():
    facets = tuple(Facet(name, "boolean", ("no", "yes")) for name in "ab")
    told = Combinations(facets, np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]))
    group = ConditionGroup("attributes", (0.5, 0.25, 0.25), combinations=told)
    assert generator(condition=Condition((group,))).centres.usual.tolist() == [0.5, 0.5, 0.75, 0.25]
