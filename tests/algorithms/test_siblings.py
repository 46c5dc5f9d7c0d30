"""A VAE with a learned prior and a GAN of hard one-hots: updates, purity, what is averaged."""

import copy
from types import SimpleNamespace

import pytest
import torch
from torch.distributions import Normal

from genmodels.algorithms.posterior import draw_posterior
from genmodels.ema import EMA
from genmodels.types import Batch
from tests.algorithms.mixed import LAYOUT, encoded
from tests.algorithms.siblings import flow, mixture, row_gan, row_vae, rows
from tests.algorithms.tables import NONE, batch, optimizers, train, vae

MODELS = [
    pytest.param(row_vae, id="mixture"),
    pytest.param(lambda **changes: row_vae(prior=flow(), **changes), id="flow"),
    pytest.param(row_gan, id="gan"),
]


def draws(model, count=12, seed=0):
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(count, model.latent_dim, generator=generator)
    return z, torch.zeros(count, 0), torch.rand(count, model.noise_dim, generator=generator)


@pytest.mark.parametrize("rounding", ["float32", "bfloat16"])
@pytest.mark.parametrize("make", MODELS)
def test_a_whole_update_and_a_sample_run_on_the_meta_device(make, rounding):
    model = make(rounding=rounding)
    data = rows(model).to("meta")
    model = model.to("meta")
    loss = model.update(data, optimizers(model), measure=True)
    assert loss.device.type == "meta"
    assert model.sample(*(part.to("meta") for part in draws(model)))["codes"].shape == (12, 4)


@pytest.mark.parametrize("make", MODELS)
def test_the_same_seed_gives_the_same_weights(make):
    states = []
    for _ in range(2):
        model = make()
        train(model, [rows(model, seed=s) for s in range(3)])
        states.append(model.state_dict())
    assert all(torch.equal(a, states[1][k]) for k, a in states[0].items())


@pytest.mark.parametrize("make", MODELS)
def test_every_weight_learns(make):
    model = make()
    before = copy.deepcopy(dict(model.named_parameters()))
    train(model, [rows(model, count=60, seed=s) for s in range(4)])
    still = [name for name, p in model.named_parameters() if torch.equal(p, before[name])]
    assert still == []


@pytest.mark.parametrize("make", MODELS)
def test_samples_are_pure_and_rows_do_not_see_each_other(make):
    model = make().train()
    train(model, [rows(model)])
    parts = draws(model)
    first, second = model.sample(*parts), model.sample(*parts)
    alone = model.sample(*(part[3:4] for part in parts))
    assert model.training
    for name, value in first.items():
        assert torch.equal(value, second[name])
        torch.testing.assert_close(value[3:4], alone[name])
    assert first["values"].dtype == torch.float32
    assert first["codes"].dtype == torch.int32
    assert first["values"].shape == (12, 2)
    assert (first["codes"] < torch.tensor([b.width for b in LAYOUT.categorical])).all()


@pytest.mark.parametrize("make", MODELS)
def test_a_sampler_comes_back_from_its_state(make):
    model, other = make(), make()
    train(model, [rows(model)])
    other.load_sampler_state({k: v.clone() for k, v in model.sampler_state().items()})
    for name, value in model.sample(*draws(model)).items():
        assert torch.equal(value, other.sample(*draws(model))[name])


def test_without_a_prior_losses_are_those_of_the_closed_form_to_the_last_bit():
    model = vae()
    twin = copy.deepcopy(model)
    chosen, own = optimizers(model), optimizers(twin)[0]
    for seed in range(3):
        data = batch(NONE, seed=seed)
        torch.manual_seed(seed)
        found = model.update(data, chosen, measure=True)
        torch.manual_seed(seed)
        mean, log_variance = twin.encoder(data.x, data.c)
        z, kl = draw_posterior(mean, log_variance, torch.randn_like(mean))
        log_prob = twin.likelihood.log_prob(twin.decoder(z, data.c), data.x)
        loss = 2.0 * -log_prob.mean() + 1.0 * (kl.sum() / len(kl))
        loss.backward()
        own.step()
        own.zero_grad(set_to_none=True)
        assert torch.equal(found, loss.detach())


def test_the_divergence_is_that_of_the_draw():
    model = row_vae(ema=None)
    model.eval()
    data, noise = rows(model), torch.randn(12, 8)
    with torch.no_grad():
        _, found = model.evidence(data, noise=noise)
        mean, log_variance = model.encoder(data.x, data.c)
        std = (0.5 * log_variance).exp()
        z = mean + std * noise
        expected = Normal(mean, std).log_prob(z).sum(1) - model.prior.log_prob(z)
    torch.testing.assert_close(found, expected[:, None])


def test_an_untrained_flow_has_the_divergence_from_a_standard_normal_on_average():
    model = row_vae(prior=flow(), ema=None)
    model.eval()
    data = rows(model, count=1)
    data = Batch(data.x.expand(20_000, -1), torch.zeros(20_000, 0))
    with torch.no_grad():
        _, found = model.evidence(data)
        mean, log_variance = model.encoder(data.x[:1], data.c[:1])
        _, exact = draw_posterior(mean, log_variance, torch.zeros_like(mean))
    assert found.mean().item() == pytest.approx(exact.sum().item(), abs=0.1)


@pytest.mark.parametrize("prior", [mixture, flow])
def test_the_bound_rises_when_the_prior_learns_what_the_encoder_gives(prior):
    model = row_vae(prior=prior())
    data = rows(model, count=60)
    noise = torch.randn(4, 60, 8)
    before = model.log_likelihood_bound(data, noise).mean()
    train(model, [data] * 150)
    assert model.log_likelihood_bound(data, noise).mean() > before + 1.0


def test_validation_measures_the_average_and_sampling_uses_it():
    model = row_vae(ema=EMA(half_life=1e9))
    train(model, [rows(model)])
    start = row_vae()
    same = zip(model.sampler_state().values(), start.sampler_state().values(), strict=True)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in same)
    assert not torch.allclose(model.decoder.first.weight, start.decoder.first.weight, atol=1e-6)
    losses = []
    for each in (model, start):
        torch.manual_seed(0)
        each.validation_step(rows(each), 0)
        losses.append(each.meter.flush()["val/loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize("make", [row_vae, row_gan])
def test_training_starts_from_the_frequencies_of_the_levels(make):
    model = make()
    codes = encoded(300)["codes"]
    codes[:, 0] = torch.arange(300).fmod(10).eq(0).int()
    train_rows = SimpleNamespace(encoded={"codes": codes})
    model._trainer = SimpleNamespace(datamodule=SimpleNamespace(train=train_rows))
    model.on_fit_start()
    drawn = model.sample(*draws(model, 4000))["codes"][:, 0].long()
    shares = drawn.bincount(minlength=3) / 4000
    torch.testing.assert_close(shares, torch.tensor([0.9, 0.1, 0.0]), rtol=0, atol=0.03)


def test_free_bits_and_a_learned_prior_exclude_each_other():
    with pytest.raises(ValueError, match=r"model\.free_bits"):
        row_vae(free_bits=0.5)


def test_packs_are_judged_together():
    model = row_gan(pack=3)
    train(model, [rows(model)])
    assert model.discriminator(rows(model).x, rows(model).c).shape == (4,)
    with pytest.raises(ValueError, match=r"12 rows.*packs of 5"):
        row_gan(pack=5).discriminator(rows(model).x, rows(model).c)
