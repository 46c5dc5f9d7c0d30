import torch
from torch.distributions import Normal, kl_divergence

from genmodels.algorithms.posterior import draw_posterior


def parameters(rows=7, width=5):
    torch.manual_seed(0)
    return [torch.randn(rows, width, dtype=torch.float64, requires_grad=True) for _ in range(2)]


def test_the_divergence_is_that_of_two_gaussians():
    mean, log_variance = parameters()
    z, kl = draw_posterior(mean, log_variance, torch.zeros_like(mean))
    std = (0.5 * log_variance).exp()
    expected = kl_divergence(Normal(mean, std), Normal(torch.zeros_like(mean), 1.0))
    assert torch.allclose(kl, expected, atol=1e-12)
    assert torch.equal(z, mean)


def test_a_draw_is_the_mean_plus_noise_times_the_deviation():
    mean, log_variance = parameters()
    noise = torch.randn_like(mean)
    z, _ = draw_posterior(mean, log_variance, noise)
    assert torch.allclose(z, mean + noise * (0.5 * log_variance).exp(), atol=1e-12)


def test_the_gradients_are_those_of_the_formulas():
    mean, log_variance = parameters()
    noise = torch.randn_like(mean).detach()
    torch.autograd.gradcheck(lambda m, v: draw_posterior(m, v, noise), (mean, log_variance))


def test_the_divergence_alone_has_a_gradient():
    mean, log_variance = parameters()
    _, kl = draw_posterior(mean, log_variance, torch.randn_like(mean))
    kl.sum().backward()
    assert torch.allclose(mean.grad, mean.detach())
