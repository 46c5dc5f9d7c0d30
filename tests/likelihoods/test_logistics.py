"""Mixtures of logistics: probabilities of 8-bit images, whatever the number of channels."""

import math

import numpy as np
import pytest
import torch

from genmodels.layout import Block, ImageLayout, TableLayout
from genmodels.likelihoods.images import DiscretizedLogistic, log_mass
from genmodels.likelihoods.logistics import MixtureOfLogistics

LEVELS = torch.arange(256, dtype=torch.float64) / 127.5 - 1.0


def make(shape=(1, 2, 3), sampling="mean", **changes):
    torch.manual_seed(0)
    options = {"maps": 4, "components": 3, "scale": 0.2} | changes
    return MixtureOfLogistics(layout=ImageLayout(*shape), sampling=sampling, **options).double()


def roughen(likelihood, seed=1):
    """Weights of any size, as after much training."""
    torch.manual_seed(seed)
    with torch.no_grad():
        likelihood.project.weight.normal_(std=1.0)
        likelihood.project.bias.normal_(std=1.0)
    return likelihood


@pytest.mark.parametrize("scale", [1e-3, 0.05, 5.0])
def test_the_256_masses_of_a_grey_position_sum_to_one(scale):
    likelihood = make((1, 1, 1), scale=scale)
    maps = torch.randn(1, 4, 1, 1, dtype=torch.float64).expand(256, -1, -1, -1)
    with torch.no_grad():
        total = likelihood.log_prob(maps, LEVELS.view(256, 1, 1, 1)).exp().sum()
    assert float(total) == pytest.approx(1.0, abs=1e-10)


def test_the_masses_of_two_dependent_channels_sum_to_one():
    likelihood = roughen(make((2, 1, 1)))
    x = torch.cartesian_prod(LEVELS, LEVELS)[:, :, None, None]
    maps = torch.randn(1, 4, 1, 1, dtype=torch.float64).expand(len(x), -1, -1, -1)
    with torch.no_grad():
        total = likelihood.log_prob(maps, x).exp().sum()
    assert float(total) == pytest.approx(1.0, abs=1e-9)


def test_black_and_white_take_what_lies_beyond_the_range():
    location, log_scale = torch.tensor(-3.0).double(), torch.tensor(math.log(0.1)).double()
    assert float(log_mass(LEVELS[0], location, log_scale).exp()) == pytest.approx(1.0, abs=1e-7)
    assert float(log_mass(LEVELS[255], -location, log_scale).exp()) == pytest.approx(1, abs=1e-7)


def test_one_component_is_the_discretised_logistic():
    likelihood = make((1, 2, 3), components=1)
    plain = DiscretizedLogistic(layout=ImageLayout(1, 2, 3), sampling="mean", scale=0.2).double()
    maps, x = torch.randn(5, 4, 2, 3).double(), torch.rand(5, 1, 2, 3).double() * 2 - 1
    with torch.no_grad():
        likelihood.project.weight[2:] = 0.0  # the scale does not depend on the maps
        _, location, _, _ = likelihood.mixture(maps)
        torch.testing.assert_close(likelihood.log_prob(maps, x), plain.log_prob(location[:, 0], x))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_gradients_reach_maps_and_parameters_and_stay_finite_far_away(channels):
    likelihood = roughen(make((channels, 2, 3)).float())
    maps = (torch.randn(5, 4, 2, 3) * 30).requires_grad_()
    value = likelihood.log_prob(maps, torch.randint(0, 256, (5, channels, 2, 3)) / 127.5 - 1)
    assert value.shape == (5,)
    value.sum().backward()
    for gradient in (maps.grad, *(p.grad for p in likelihood.parameters())):
        assert torch.isfinite(gradient).all()
        assert gradient.any()


def test_draws_follow_the_masses():
    likelihood = roughen(make((1, 200, 200), "draw"))
    maps = torch.randn(1, 4, 1, 1).double()
    with torch.no_grad():
        masses = make((1, 1, 1), "mean")
        masses.load_state_dict(likelihood.state_dict())
        expected = masses.log_prob(maps.expand(256, -1, -1, -1), LEVELS.view(256, 1, 1, 1)).exp()
        u = torch.rand(1, likelihood.noise_dim, generator=torch.Generator().manual_seed(0))
        drawn = likelihood.sample(maps.expand(-1, -1, 200, 200), u.double())["pixels"]
    found = np.bincount(drawn.flatten().numpy(), minlength=256) / drawn.numel()
    assert np.abs(found - expected.numpy()).sum() / 2 < 0.04  # total variation
    np.testing.assert_allclose(np.cumsum(found), np.cumsum(expected.numpy()), atol=0.012)


def test_channels_of_a_draw_depend_on_each_other_as_the_couplings_say():
    likelihood = make((2, 60, 60), "draw", components=1, scale=0.05)
    with torch.no_grad():
        likelihood.project.weight.zero_()
        likelihood.project.bias.copy_(torch.tensor([0.0, 0.0, 0.0, -1.0, -4.0, 3.0]))
    u = torch.rand(1, likelihood.noise_dim, generator=torch.Generator().manual_seed(0)).double()
    maps = torch.zeros(1, 4, 60, 60).double()
    first, second = likelihood.sample(maps, u)["pixels"].double().flatten(2)[0]
    assert np.corrcoef(first, second)[0, 1] > 0.98


@pytest.mark.parametrize("channels", [1, 3])
def test_the_mean_needs_no_noise_and_draws_are_a_function_of_it(channels):
    likelihood = make((channels, 2, 3))
    maps = torch.randn(3, 4, 2, 3).double()
    assert likelihood.noise_dim == 0
    mean = likelihood.sample(maps, torch.empty(3, 0))["pixels"]
    assert mean.shape == (3, channels, 2, 3)
    assert mean.dtype == torch.uint8
    draws = make((channels, 2, 3), "draw")
    u = torch.rand(3, draws.noise_dim).double()
    assert draws.noise_dim == (1 + channels) * 6
    whole = draws.sample(maps, u)["pixels"]
    assert torch.equal(draws.sample(maps[1:2], u[1:2])["pixels"], whole[1:2])
    assert torch.isfinite(draws.sample(maps, torch.zeros_like(u))["pixels"].float()).all()


def test_what_is_not_an_image_and_empty_mixtures_are_refused():
    with pytest.raises(ValueError, match="model=tabvae"):
        MixtureOfLogistics(
            layout=TableLayout((Block("a", "continuous", 1),)),
            sampling="mean", maps=4, components=2, scale=0.1,
        )  # fmt: skip
    with pytest.raises(ValueError, match=r"model\.likelihood\.components"):
        make(components=0)
