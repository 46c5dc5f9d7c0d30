"""Densities of the learned priors against other ways to compute them, and draws from them."""

import math

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from genmodels.networks.priors import CouplingFlow, MixtureOfGaussians


def mixture(components=5, width=3):
    torch.manual_seed(0)
    made = MixtureOfGaussians(latent_dim=width, components=components, spread=2.0).double()
    with torch.no_grad():
        made.logits.normal_()
        made.log_scales.normal_(0.0, 0.5)
    return made


def flow(width=5, couplings=4):
    torch.manual_seed(0)
    made = CouplingFlow(latent_dim=width, couplings=couplings, hidden=8).double()
    with torch.no_grad():  # it is the identity before training
        for layer in made.layers:
            layer.last.weight.normal_(0.0, 0.5)
            layer.last.bias.normal_(0.0, 0.5)
    return made


PRIORS = [pytest.param(mixture, id="mixture"), pytest.param(flow, id="flow")]


def drawn(prior, rows, width):
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(rows, width, generator=generator, dtype=torch.float64)
    u = torch.rand(rows, prior.uniforms, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        return prior.sample(noise, u)


def test_the_mixture_is_that_of_torch():
    made, z = mixture(), torch.randn(50, 3).double() * 3
    parts = Independent(Normal(made.means, made.log_scales.exp()), 1)
    expected = MixtureSameFamily(Categorical(logits=made.logits), parts).log_prob(z)
    torch.testing.assert_close(made.log_prob(z), expected)


def test_the_mixture_is_accurate_in_float32():
    made, z = mixture(), torch.randn(50, 3).double() * 3
    expected = made.log_prob(z)
    torch.testing.assert_close(
        made.float().log_prob(z.float()).double(), expected, rtol=0, atol=1e-3
    )


def test_draws_of_the_mixture_have_its_shares_and_moments():
    made = mixture(components=3, width=2)
    with torch.no_grad():
        made.means[:, 0] = torch.tensor([-50.0, 0.0, 50.0])
    z, weights = drawn(made, 40_000, 2), made.logits.softmax(0)
    for k, center in enumerate((-50.0, 0.0, 50.0)):
        own = z[(z[:, 0] - center).abs() < 20.0]
        assert len(own) / len(z) == pytest.approx(weights[k].item(), abs=0.01)
        torch.testing.assert_close(own.mean(0), made.means[k], rtol=0, atol=0.08)
        torch.testing.assert_close(own.std(0), made.log_scales[k].exp(), rtol=0.05, atol=0)


def test_the_flow_is_the_standard_normal_before_training():
    made, z = (
        CouplingFlow(latent_dim=4, couplings=3, hidden=8).double(),
        torch.randn(20, 4).double(),
    )
    torch.testing.assert_close(made.log_prob(z), Normal(0.0, 1.0).log_prob(z).sum(1))


def test_the_flow_changes_variables_as_its_jacobian_says():
    made, z = flow(), torch.randn(6, 5).double()
    for row, found in zip(z, made.log_prob(z), strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda x: made(x[None])[0][0], row)
        e = made(row[None])[0][0]
        expected = -0.5 * e @ e - 2.5 * math.log(2 * math.pi) + torch.linalg.slogdet(jacobian)[1]
        torch.testing.assert_close(found, expected)


def test_drawing_is_the_inverse_of_the_flow():
    made, z = flow(), torch.randn(30, 5).double()
    e, _ = made(z)
    assert (e - z).abs().max() > 0.1
    torch.testing.assert_close(made.sample(e, z.new_zeros(30, 0)), z)


def test_the_flow_moves_every_dimension():
    made = flow(couplings=2)
    e, _ = made(torch.zeros(1, 5).double())
    assert (e != 0).all()


@pytest.mark.parametrize("make", PRIORS)
def test_a_prior_keeps_its_contract(make):
    made = make()
    width = 3 if make is mixture else 5
    z = torch.randn(12, width).double().requires_grad_()
    found = made.log_prob(z)
    assert found.shape == (12,)
    found.sum().backward()
    assert z.grad.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in made.parameters())
    twin = make()
    with torch.no_grad():
        for p in twin.parameters():
            p.add_(1.0)
    twin.load_state_dict(made.state_dict())
    assert torch.equal(drawn(made, 9, width), drawn(twin, 9, width))
    meta = make().float().to("meta")
    z, u = torch.randn(4, width, device="meta"), torch.rand(4, made.uniforms, device="meta")
    assert meta.log_prob(meta.sample(z, u)).shape == (4,)


def test_a_prior_refuses_sizes_that_make_none():
    with pytest.raises(ValueError, match=r"model\.latent_dim"):
        CouplingFlow(latent_dim=1, couplings=1, hidden=4)
    with pytest.raises(ValueError, match=r"model\.prior\.components"):
        MixtureOfGaussians(latent_dim=2, components=0)


def test_a_flow_may_start_from_a_mixture():
    torch.manual_seed(0)
    made = CouplingFlow(latent_dim=3, couplings=2, hidden=8, components=4).double()
    z = torch.randn(20, 3).double()
    assert made.uniforms == 1
    torch.testing.assert_close(made.log_prob(z), made.base.log_prob(z))
    with torch.no_grad():
        for layer in made.layers:
            layer.last.weight.normal_(0.0, 0.5)
    e, log_det = made(z)
    torch.testing.assert_close(made.log_prob(z), made.base.log_prob(e) + log_det)
    noise, u = torch.randn(20, 3).double(), torch.rand(20, 1).double()
    torch.testing.assert_close(made(made.sample(noise, u))[0], made.base.sample(noise, u))
