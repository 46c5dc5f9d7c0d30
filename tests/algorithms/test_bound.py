import torch

from genmodels.algorithms.base import BoundsLikelihood
from genmodels.types import Batch
from tests.algorithms.tables import NONE, batch, gan, vae


def test_the_likelihood_bound_is_the_evidence_of_the_same_draws():
    model, data = vae().double().eval(), batch(NONE)
    data = Batch(data.x.double(), data.c.double())
    torch.manual_seed(5)
    log_prob, divergence = model.evidence(data)
    torch.manual_seed(5)
    first, second = torch.randn(2, len(data.x), model.latent_dim, dtype=torch.float64)
    torch.testing.assert_close(
        model.log_likelihood_bound(data, first[None]), log_prob - divergence.sum(1)
    )
    bounds = [model.log_likelihood_bound(data, noise[None]) for noise in (first, second)]
    both = model.log_likelihood_bound(data, torch.stack([first, second]))
    torch.testing.assert_close(both, sum(bounds) / 2)
    assert both.shape == (len(data.x),)


def test_the_bound_leaves_the_mode_alone():
    model = vae().train()
    model.log_likelihood_bound(batch(NONE), torch.zeros(1, 12, 8))
    assert model.training
    assert model.decoder.training


def test_only_models_with_a_likelihood_have_a_bound():
    assert isinstance(vae(), BoundsLikelihood)
    assert not isinstance(gan(), BoundsLikelihood)
