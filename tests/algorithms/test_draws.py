"""Bounds by several draws, against a model whose log-likelihood is known in closed form."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from genmodels.algorithms.vae import VAE
from genmodels.layout import Condition, ImageLayout
from genmodels.likelihoods.images import DiscretizedLogistic
from genmodels.networks.priors import MixtureOfGaussians
from genmodels.types import Batch
from tests.algorithms.test_image_updates import batch, optimizers, vae

SPREAD = 0.5


class Shifted(nn.Module):
    """q(z | x) = N(x / 2, 1): not the posterior of the model below, which is N(0.8 x, 0.2)."""

    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.5).double())

    def forward(self, x, c):
        return self.slope * x, torch.zeros_like(x)


class Identity(nn.Module):
    def forward(self, z, c):
        return z


class Normal(nn.Module):
    noise_dim = 0

    def log_prob(self, outputs, x):
        return torch.distributions.Normal(outputs, SPREAD).log_prob(x).sum(1)

    def sample(self, outputs, u):
        return {"values": outputs}


def linear(draws):
    """x = z + e with z ~ N(0, 1), e ~ N(0, 0.25): x ~ N(0, 1.25)."""
    return VAE(
        layout=ImageLayout(1, 1, 2), condition=Condition(), latent_dim=2, draws=draws,
        encoder=Shifted(), decoder=Identity(), likelihood=Normal(),
        optimizer=partial(torch.optim.SGD, lr=0.0),
    )  # fmt: skip


def known(x):
    return torch.distributions.Normal(0.0, math.sqrt(1 + SPREAD**2)).log_prob(x).sum(1)


def points():
    x = torch.tensor([[0.3, -1.2], [1.9, 0.4]], dtype=torch.float64)
    return Batch(x, x.new_zeros(2, 0))


def bound(draws, repeats=20_000, seed=0):
    """The bound's expectation at two points, and its standard error."""
    data, generator = points(), torch.Generator().manual_seed(seed)
    x, c = (t.repeat_interleave(repeats, 0) for t in (data.x, data.c))
    noise = torch.randn(draws, len(x), 2, generator=generator, dtype=torch.float64)
    found = linear(max(draws, 1)).log_likelihood_bound(Batch(x, c), noise).view(2, repeats)
    return found.mean(1), found.std(1) / math.sqrt(repeats)


def test_more_draws_raise_the_bound_and_never_above_the_likelihood():
    before, error = bound(1)
    for draws in (2, 5, 20):
        after, other = bound(draws)
        assert (after > before - 3 * (error + other)).all()
        assert (after < known(points().x) + 3 * other).all()
        before, error = after, other
    assert (known(points().x) - bound(1)[0] > 0.4).all()


def test_many_draws_give_the_likelihood():
    found, _ = bound(500, repeats=400)
    torch.testing.assert_close(found, known(points().x), atol=0.02, rtol=0)


def test_one_draw_is_the_exact_evidence_lower_bound():
    """KL(N(x/2, 1) || N(0, 1)) = x^2 / 8 and E log p(x | z) over z have closed forms."""
    x = points().x
    expected = -0.5 * (((x / 2) ** 2 + 1) / SPREAD**2 + math.log(2 * math.pi * SPREAD**2))
    found, error = bound(1)
    assert ((found - (expected - x**2 / 8).sum(1)).abs() < 4 * error).all()


def test_an_update_by_draws_descends_the_bound_of_its_noise():
    model, data = linear(7), points()
    torch.manual_seed(5)
    loss = model.update(data, optimizers(model), measure=True)
    torch.manual_seed(5)
    noise = model.noise(data, 7)
    torch.testing.assert_close(-loss, model.log_likelihood_bound(data, noise).mean())
    assert set(model.meter.flush()) >= {"train/loss", "train/kl", "train/gradient_norm"}


def test_draws_work_with_a_learned_prior_and_train_every_parameter():
    torch.manual_seed(0)
    model = vae(draws=3, prior=MixtureOfGaussians(latent_dim=6, components=2))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    model.update(batch(model), optimizers(model), measure=False)
    after = dict(model.named_parameters())
    assert [name for name, value in before.items() if torch.equal(value, after[name])] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 0}, r"model\.draws"),
        ({"draws": 2, "free_bits": 0.5}, r"model\.free_bits=0 or model\.draws=1"),
        ({"latent_dim": None}, r"model\.latent_dim is null"),
    ],
)
def test_what_does_not_go_together_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        vae(**options)


class Even(nn.Module):
    """Every level alike: a scale so large that all 256 masses are the same."""

    noise_dim, improper = 0, ""

    def log_prob(self, outputs, x):
        return -math.log(256.0) * torch.ones_like(x).flatten(1).sum(1)

    def sample(self, outputs, u):
        return {"pixels": outputs}


def test_a_model_that_knows_nothing_needs_eight_bits():
    model = vae()
    bits = model.bits_per_dimension(Even().log_prob(None, batch(model).x))
    torch.testing.assert_close(bits, torch.full((12,), 8.0))
    model.likelihood = Even()
    for network in (model.encoder.posterior,):
        nn.init.zeros_(network.weight)
        nn.init.zeros_(network.bias)
    model.validation_step(batch(model), 0)
    found = model.meter.flush()
    assert found["val/bits_per_dimension"] == pytest.approx(8.0, abs=1e-5)
    assert found["val/loss"] == pytest.approx(64 * math.log(256), rel=1e-5)


def test_the_bits_of_a_fair_coin_are_one_per_position():
    """Black or white, each as likely: log 2 nats or 1 bit a position, by hand and by the model."""
    likelihood = DiscretizedLogistic(layout=ImageLayout(1, 8, 8), sampling="mean", scale=1e3)
    x = torch.randint(0, 2, (4, 1, 8, 8)).mul(2.0).sub(1.0)
    bits = vae().bits_per_dimension(likelihood.log_prob(torch.zeros_like(x), x).detach())
    torch.testing.assert_close(bits, torch.ones(4), atol=2e-3, rtol=0)


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_what_is_no_probability_of_levels_has_no_bits(likelihood):
    model = vae(likelihood)
    model.validation_step(batch(model), 0)
    assert "val/bits_per_dimension" not in model.meter.flush()
    assert model.no_bits
