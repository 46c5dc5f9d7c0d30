"""Ways to the norm of a discriminator's gradient: the cheap ones against the exact one."""

from functools import partial

import pytest
import torch
from torch import nn

from genmodels.algorithms.judge import score
from genmodels.augment import Colour, Compose, Cutout, Translation
from genmodels.penalties import R1, R2, Exact, FiniteDifference, ForwardDerivative

ROWS, WIDTH = 6, 4


class Net(nn.Module):
    """A curved discriminator of rows that are told one number; `pack` rows make one logit."""

    def __init__(self, pack=1):
        super().__init__()
        self.pack = pack
        self.layers = nn.Sequential(nn.Linear(pack * (WIDTH + 1), 7), nn.Tanh(), nn.Linear(7, 1))

    def forward(self, x, c):
        return self.layers(torch.cat([x, c], 1).reshape(len(x) // self.pack, -1)).squeeze(1)


def scored(net, augment=None, at=True, rows=ROWS, shape=(WIDTH,), times=1):
    """A verdict on random rows; all of them `times` times."""
    generator = torch.Generator().manual_seed(3)
    sizes = (shape, shape, (1,))
    draw = (torch.randn(rows, *size, generator=generator).double() for size in sizes)
    many = (x.repeat(times, *(1 for _ in x.shape[1:])) for x in draw)
    return score(net, augment, *many, at_real=at, at_fake=at, joint=True)


def net(pack=1):
    torch.manual_seed(0)
    return Net(pack).double()


def with_gradients(penalty, network, made):
    """The mean of a penalty, and its gradient to each weight."""
    value, weights = penalty(made).mean(), list(network.parameters())
    gradients = torch.autograd.grad(value, weights, allow_unused=True, materialize_grads=True)
    return value.detach(), gradients


@pytest.mark.parametrize("pack", [1, 2])
@pytest.mark.parametrize("kind", [R1, R2])
def test_differences_tend_to_the_derivative_as_the_views_approach(kind, pack):
    """Both look along the same directions, so only sigma^2 stands between them."""
    network = net(pack)
    made, gaps = scored(network, at=False), []
    torch.manual_seed(1)
    limit, slopes = with_gradients(
        kind(weight=2.0, norm=ForwardDerivative(share=1.0)), network, made
    )
    for sigma in (0.2, 0.02, 0.002):
        torch.manual_seed(1)
        norm = FiniteDifference(sigma=sigma, share=1.0)
        value, gradients = with_gradients(kind(weight=2.0, norm=norm), network, made)
        pairs = [(value, limit), *zip(gradients[:3], slopes[:3], strict=True)]
        gaps.append(max(float((a - b).detach().abs().max()) for a, b in pairs))
    assert gaps[1] < 0.02 * gaps[0]
    assert gaps[2] < 0.02 * gaps[1]


@pytest.mark.parametrize("pack", [1, 3])
@pytest.mark.parametrize("kind", [R1, R2])
@pytest.mark.parametrize(
    "norm",
    [ForwardDerivative(share=1.0), FiniteDifference(sigma=1e-3, share=1.0)],
    ids=["jvp", "difference"],
)
def test_the_mean_over_many_directions_is_exact(norm, kind, pack):
    network, times = net(pack), 4000
    torch.manual_seed(2)
    many = scored(network, at=False, times=times)
    found = with_gradients(kind(weight=2.0, norm=norm), network, many)
    exact = with_gradients(kind(weight=2.0, norm=Exact()), network, scored(network))
    tolerance = 6.0 * (2.0 * pack / (times * ROWS)) ** 0.5  # six standard errors of the value
    for a, b in zip((found[0], *found[1]), (exact[0], *exact[1]), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=tolerance * float(b.abs().max()) + 1e-9)


def images(augment, network):
    return scored(network, augment, at=False, rows=4, shape=(3, 8, 8))


def test_both_views_see_the_same_augmentation_and_the_same_dropout():
    """Otherwise the difference would not vanish with sigma, and its quotient explode."""
    steps = {
        "colour": Colour(brightness=0.5, saturation=1.0, contrast=0.5),
        "translation": Translation(share=0.125, fill=0.0),
        "cutout": Cutout(share=0.5),
    }
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Tanh(), nn.Dropout(0.5), nn.Flatten())
    head = nn.Linear(5 * 36, 1)
    network = nn.ModuleList([body.double(), head.double()])
    made = images(Compose(steps=steps), lambda x, c: head(body(x)).squeeze(1))
    for seed in range(3):
        values = []
        for sigma in (1e-3, 1e-5):
            torch.manual_seed(seed)
            norm = FiniteDifference(sigma=sigma, share=1.0)
            values.append(R1(weight=1.0, norm=norm)(made))
        torch.testing.assert_close(*values, rtol=1e-4, atol=1e-6)
        assert bool(values[0].max() > 0)
    assert any(p.requires_grad for p in network.parameters())


@pytest.mark.parametrize(("share", "pack", "logits"), [(0.25, 1, 2), (0.5, 2, 2), (0.01, 3, 1)])
def test_a_share_of_the_batch_is_looked_at(share, pack, logits):
    network = net(pack)
    made = scored(network, at=False)
    for norm in (ForwardDerivative(share=share), FiniteDifference(sigma=0.01, share=share)):
        assert R2(weight=1.0, norm=norm)(made).shape == (logits,)


def test_the_cheap_ways_stay_in_full_precision_where_products_are_rounded():
    network = net().float()
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(ROWS, WIDTH, generator=generator)
    made = score(network, None, x, x, x[:, :1], at_real=False, at_fake=False, joint=True)
    for norm in (ForwardDerivative(share=1.0), FiniteDifference(sigma=0.01, share=1.0)):
        values = []
        for rounded in (False, True):
            torch.manual_seed(4)
            with torch.autocast("cpu", torch.bfloat16, enabled=rounded):
                values.append(R1(weight=1.0, norm=norm)(made))
        assert torch.equal(*values)


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_a_share_that_is_none_is_refused(share):
    for make in (ForwardDerivative, partial(FiniteDifference, sigma=0.1)):
        with pytest.raises(ValueError, match="share"):
            make(share=share)


def test_a_distance_of_nothing_is_refused():
    with pytest.raises(ValueError, match="sigma"):
        FiniteDifference(sigma=0.0, share=1.0)
