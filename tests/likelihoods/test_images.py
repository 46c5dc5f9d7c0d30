import math

import numpy as np
import pytest
import torch
from scipy import stats

from genmodels.layout import Block, ImageLayout, TableLayout
from genmodels.likelihoods.images import Bernoulli, DiscretizedLogistic, Gaussian

LAYOUT = ImageLayout(2, 3, 4)
LEVELS = (torch.arange(256, dtype=torch.float64) / 127.5 - 1.0).numpy()
KINDS = {
    "bernoulli": lambda **k: Bernoulli(**k),
    "gaussian": lambda **k: Gaussian(scale=0.2, **k),
    "logistic": lambda **k: DiscretizedLogistic(scale=0.1, **k),
}


def make(kind, sampling="mean", layout=LAYOUT):
    return KINDS[kind](layout=layout, sampling=sampling).double()


def all_levels(kind, location, scale=None):
    """log p of each of the 256 levels at one position with the given output."""
    likelihood = make(kind, layout=ImageLayout(1, 1, 256))
    if scale is not None:
        with torch.no_grad():
            likelihood.log_scale.fill_(math.log(scale))
    x = torch.from_numpy(LEVELS).view(1, 1, 1, 256)
    with torch.no_grad():
        return likelihood.elementwise(torch.full_like(x, location), x).flatten().numpy()


@pytest.mark.parametrize("location", [-30.0, -1.2, -1.0, -0.3, 0.0, 0.7, 1.0, 4.0])
@pytest.mark.parametrize("scale", [1e-3, 0.02, 0.5, 20.0])
def test_discretized_logistic_sums_to_one_over_the_256_levels(location, scale):
    assert np.exp(all_levels("logistic", location, scale)).sum() == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize("location", [-1.1, 0.013, 0.9])
def test_discretized_logistic_equals_differences_of_scipys_distribution(location):
    law = stats.logistic(location, 0.1)
    expected = law.cdf(LEVELS + 1 / 255) - law.cdf(LEVELS - 1 / 255)
    expected[0], expected[-1] = law.cdf(LEVELS[0] + 1 / 255), law.sf(LEVELS[-1] - 1 / 255)
    got = np.exp(all_levels("logistic", location, 0.1))
    np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-15)


def test_discretized_logistic_is_finite_and_differentiable_far_away_in_single_precision():
    likelihood = DiscretizedLogistic(layout=LAYOUT, sampling="mean", scale=1e-3)
    outputs = torch.full((1, 2, 3, 4), 40.0, requires_grad=True)
    value = likelihood.log_prob(outputs, torch.full((1, 2, 3, 4), -1.0))
    value.sum().backward()
    assert torch.isfinite(value).all()
    assert torch.isfinite(outputs.grad).all()
    assert torch.isfinite(likelihood.log_scale.grad).all()


def test_gaussian_is_the_normal_density_times_the_width_of_a_level():
    sigma = math.sqrt(0.2**2 + (2 / 255) ** 2)
    expected = stats.norm(0.3, sigma).logpdf(LEVELS) + math.log(2 / 255)
    np.testing.assert_allclose(all_levels("gaussian", 0.3, 0.2), expected, rtol=1e-12)


@pytest.mark.parametrize("location", [-1.0, -0.301, 0.0, 0.5, 1.7])
@pytest.mark.parametrize("scale", [1e-9, 1e-2, 0.3, 3.0])
def test_gaussian_masses_never_sum_to_more_than_one(location, scale):
    assert np.exp(all_levels("gaussian", location, scale)).sum() <= 1.0 + 1e-8


@pytest.mark.parametrize("scale", [1e-9, 0.05])
def test_gaussian_masses_sum_to_one_inside_the_range(scale):
    assert np.exp(all_levels("gaussian", 0.1, scale)).sum() == pytest.approx(1.0, abs=1e-7)


def test_bernoulli_equals_torchs_distribution_on_binary_images():
    outputs = torch.randn(3, 2, 3, 4, dtype=torch.float64)
    binary = (torch.rand_like(outputs) < 0.5).double()
    expected = torch.distributions.Bernoulli(logits=outputs).log_prob(binary).sum((1, 2, 3))
    torch.testing.assert_close(make("bernoulli").log_prob(outputs, 2 * binary - 1), expected)


def test_bernoulli_on_grey_is_the_expectation_over_binarised_images():
    outputs, x = torch.tensor([[[[0.7]]]]).double(), torch.tensor([[[[-0.2]]]]).double()
    law, white = torch.distributions.Bernoulli(logits=outputs), 0.4
    one, zero = law.log_prob(torch.ones_like(x)), law.log_prob(torch.zeros_like(x))
    likelihood = make("bernoulli", layout=ImageLayout(1, 1, 1))
    torch.testing.assert_close(
        likelihood.log_prob(outputs, x), (white * one + (1 - white) * zero).flatten()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_log_prob_has_one_value_per_image_and_reaches_outputs_and_parameters(kind):
    likelihood = make(kind)
    outputs = torch.randn(5, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    value = likelihood.log_prob(outputs, torch.rand_like(outputs) * 2 - 1)
    assert value.shape == (5,)
    value.sum().backward()
    assert outputs.grad.ne(0).all()
    assert all(p.grad.ne(0).all() for p in likelihood.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_mean_needs_no_noise_and_gives_uint8_images(kind):
    likelihood = make(kind)
    assert likelihood.noise_dim == 0
    outputs = torch.tensor([-50.0, 0.0, 50.0]).double().view(3, 1, 1, 1).expand(3, 2, 3, 4)
    pixels = likelihood.sample(outputs, torch.empty(3, 0))["pixels"]
    assert pixels.dtype == torch.uint8
    assert pixels.shape == (3, 2, 3, 4)
    assert [int(pixels[i, 0, 0, 0]) for i in range(3)] == [0, 128, 255]


@pytest.mark.parametrize("kind", ["gaussian", "logistic"])
def test_draws_follow_the_masses(kind):
    """Draws at the midpoints of an even grid of u reproduce the cumulative masses."""
    layout = ImageLayout(1, 100, 100)
    likelihood = make(kind, "draw", layout)
    assert likelihood.noise_dim == 10_000
    u = ((torch.arange(10_000, dtype=torch.float64) + 0.5) / 10_000)[None]
    outputs = torch.full((1, 1, 100, 100), 0.21, dtype=torch.float64)
    pixels = likelihood.sample(outputs, u)["pixels"].flatten().numpy()
    masses = np.exp(all_levels(kind, 0.21))
    drawn = np.bincount(pixels, minlength=256) / 10_000
    if kind == "gaussian":  # what lies beyond the range is drawn as the outermost levels
        drawn, masses = drawn[1:-1], masses[1:-1]
    np.testing.assert_allclose(drawn, masses, atol=2.5e-4)


def test_bernoulli_draws_black_and_white_in_the_right_share():
    layout = ImageLayout(1, 1, 1000)
    u = ((torch.arange(1000, dtype=torch.float64) + 0.5) / 1000)[None]
    outputs = torch.full((1, 1, 1, 1000), math.log(0.3 / 0.7), dtype=torch.float64)
    pixels = make("bernoulli", "draw", layout).sample(outputs, u)["pixels"]
    assert set(pixels.unique().tolist()) == {0, 255}
    assert (pixels == 255).double().mean().item() == pytest.approx(0.3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_ends_of_the_uniform_range_give_images_too(kind):
    likelihood = KINDS[kind](layout=LAYOUT, sampling="draw")
    u = torch.zeros(2, likelihood.noise_dim)
    u[1] = 1.0 - 2.0**-24
    pixels = likelihood.sample(torch.zeros(2, *LAYOUT.shape), u)["pixels"]
    assert pixels.shape == (2, *LAYOUT.shape)


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_and_an_unknown_way_of_sampling_are_refused(kind):
    with pytest.raises(ValueError, match="model=tabvae"):
        KINDS[kind](layout=TableLayout((Block("a", "continuous", 1),)), sampling="mean")
    with pytest.raises(ValueError, match=r"model\.likelihood\.sampling"):
        KINDS[kind](layout=LAYOUT, sampling="median")


def test_a_settled_sigma_is_the_root_of_the_mean_squared_error():
    """The learned scale of a Gaussian has the closed form of the optimal variance."""
    torch.manual_seed(0)
    likelihood = make("gaussian")
    outputs = torch.randn(50, 2, 3, 4, dtype=torch.float64)
    spread = torch.tensor([0.1, 0.6]).double().view(2, 1, 1)
    x = outputs + spread * torch.randn_like(outputs)
    optimizer = torch.optim.LBFGS(likelihood.parameters(), max_iter=60)

    def loss():
        optimizer.zero_grad()
        value = -likelihood.log_prob(outputs, x).mean()
        value.backward()
        return value

    optimizer.step(loss)
    closed = (x - outputs).square().mean((0, 2, 3)).sqrt()
    torch.testing.assert_close(likelihood.log_sigma().exp().flatten(), closed, rtol=1e-4, atol=0)


def test_only_probabilities_of_levels_count_as_bits():
    improper = {kind: make(kind).improper for kind in KINDS}
    assert improper["logistic"] == ""
    assert "density" in improper["gaussian"]
    assert "black-and-white" in improper["bernoulli"]
