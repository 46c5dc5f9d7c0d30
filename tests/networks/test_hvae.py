"""The hierarchy of latents: any shape, one flat latent vector, exact divergences."""

from functools import partial

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from genmodels.algorithms.inference import Hierarchy
from genmodels.algorithms.vae import VAE
from genmodels.ema import EMA
from genmodels.layout import Condition, ConditionGroup, ImageLayout
from genmodels.likelihoods.images import DiscretizedLogistic
from genmodels.likelihoods.logistics import MixtureOfLogistics
from genmodels.networks.grids import Grid
from genmodels.networks.hvae import Decoder, Encoder, TopDown, sizes_of, spread
from genmodels.networks.priors import MixtureOfGaussians
from genmodels.types import Batch

SHAPES = [(1, 20, 28), (2, 17, 31), (4, 32, 32), (3, 64, 48), (1, 8, 8), (3, 5, 7)]
LABELLED = Condition((ConditionGroup("label", (0.5, 0.3, 0.2)),))
STRIDED, WHOLE = (0, 1), (1, 2, 1)


def networks(shape=(1, 8, 8), condition=LABELLED, blocks=WHOLE, **changes):
    layout, sizes = ImageLayout(*shape), {"width": 8, "narrow": 4, "blocks": blocks}
    decoder = Decoder(layout=layout, condition=condition, latents=2, **sizes, **changes)
    return Encoder(layout=layout, **sizes), decoder


def hvae(shape=(1, 8, 8), condition=LABELLED, blocks=WHOLE, mixture=True, **changes):
    layout = ImageLayout(*shape)
    encoder, decoder = networks(shape, condition, blocks, maps=6 if mixture else None)
    likelihood = (
        MixtureOfLogistics(layout=layout, sampling="mean", maps=6, components=3, scale=0.3)
        if mixture
        else DiscretizedLogistic(layout=layout, sampling="mean", scale=0.3)
    )
    options = {"ema": EMA(half_life=100.0), "clip": 200.0, "skip": 1e5} | changes
    return VAE(
        layout=layout, condition=condition, latent_dim=None, encoder=encoder, decoder=decoder,
        likelihood=likelihood, optimizer=partial(torch.optim.AdamW, lr=2e-3), **options,
    )  # fmt: skip


def batch(model, rows=6, device="cpu", seed=0):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 256, (rows, *model.layout.shape), generator=rng) / 127.5 - 1.0
    c = torch.zeros(rows, model.condition.width)
    if model.condition.width:
        c[torch.arange(rows), torch.arange(rows) % 3] = 1.0
    return Batch(x, c).to(device)


def roughen(model):
    """Weights as after much training: no layer is zero."""
    torch.manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn_like(p))
    return model


def train(model, updates=3, rows=6):
    steps = [model.configure_optimizers()]
    losses = []
    for _ in range(updates):
        losses.append(model.update(batch(model, rows), steps, measure=True))
        model.num_samples += rows
    return torch.stack(losses)


def test_sizes_go_from_the_padded_image_to_one_position():
    assert sizes_of(Grid.of(ImageLayout(1, 28, 28))) == [(28, 28), (14, 14), (7, 7), (1, 1)]
    assert sizes_of(Grid.of(ImageLayout(3, 64, 48)))[-2:] == [(8, 6), (1, 1)]
    assert sizes_of(Grid.of(ImageLayout(1, 2, 2))) == [(2, 2), (1, 1)]


@pytest.mark.parametrize("blocks", [STRIDED, WHOLE], ids=["strided", "whole"])
@pytest.mark.parametrize("condition", [LABELLED, Condition()], ids=["labelled", "unlabelled"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_updates_and_samples_of_any_shape_need_no_host(shape, condition, blocks):
    model = hvae(shape, condition, blocks).to("meta")
    steps = [model.configure_optimizers()]
    loss = model.update(batch(model, device="meta"), steps, measure=True)
    assert loss.device.type == "meta"
    z = torch.empty(4, model.latent_dim, device="meta")
    c, u = (torch.empty(4, n, device="meta") for n in (condition.width, model.noise_dim))
    assert model.sample(z, c, u)["pixels"].shape == (4, *shape)


@pytest.mark.parametrize("shape", [(2, 9, 11), (3, 8, 8)], ids=str)
def test_all_latents_are_one_vector_and_each_of_them_counts(shape):
    _, decoder = networks(shape, blocks=(0, 2, 1))
    roughen(decoder.double())
    assert isinstance(decoder, Hierarchy)
    z = torch.randn(2, decoder.latent_dim, dtype=torch.float64, requires_grad=True)
    out = decoder(z, torch.eye(3).double()[:2])
    (gradient,) = torch.autograd.grad((out * torch.randn_like(out)).sum(), z)
    assert gradient.ne(0).all()


def test_the_width_of_the_latent_is_that_of_its_blocks():
    _, decoder = networks((1, 28, 28), blocks=(0, 1, 2))
    assert decoder.latent_dim == 2 * (14 * 14 + 2 * 7 * 7 + 2 * 1)
    assert hvae().latent_dim == 2 * (64 + 2 * 16 + 1)


def test_the_divergence_of_a_block_is_that_between_its_normals():
    """KL(N(m + s d, (s t)^2) || N(m, s^2)), by torch's own formula."""
    torch.manual_seed(0)
    block = roughen(TopDown(8, 4, 2, 3, (4, 4), 1.0).double())
    x, seen, noise = (torch.randn(5, n, 4, 4).double() for n in (8, 8, 2))
    c = torch.eye(3).double()[[0, 1, 2, 0, 1]]
    mean, raw, _ = block.prior(block.told(x, c)[0]).split(block.parts, 1)
    shift, other = block.posterior(torch.cat([block.told(x, c)[1], seen], 1)).chunk(2, 1)
    prior = Normal(mean, spread(raw))
    posterior = Normal(mean + spread(raw) * shift, spread(raw) * spread(other))
    expected = kl_divergence(posterior, prior).flatten(1).sum(1)
    torch.testing.assert_close(block.infer(x, seen, c, noise, sampled=False)[1], expected)
    z = posterior.mean + posterior.stddev * noise
    at_draw = (posterior.log_prob(z) - prior.log_prob(z)).flatten(1).sum(1)
    torch.testing.assert_close(block.infer(x, seen, c, noise, sampled=True)[1], at_draw)


def test_before_training_the_posterior_is_the_prior():
    encoder, decoder = networks()
    data = batch(hvae())
    noise = torch.randn(6, decoder.latent_dim)
    outputs, nats = decoder.infer(encoder(data.x, data.c), data.c, noise, sampled=False)
    torch.testing.assert_close(nats, torch.zeros_like(nats), atol=1e-4, rtol=0)
    torch.testing.assert_close(outputs, decoder(noise, data.c), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("condition", [LABELLED, Condition()], ids=["labelled", "unlabelled"])
def test_two_updates_move_every_parameter(condition):
    torch.manual_seed(0)
    model = hvae((2, 9, 11), condition)
    before = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    train(model, 3)
    after = dict(model.named_parameters())
    assert [name for name, value in before.items() if torch.equal(value, after[name])] == []


def test_the_label_reaches_every_block():
    _, decoder = networks()
    roughen(decoder)
    for block in decoder.blocks():
        x = torch.randn(1, 8, *block.shape[1:])
        c = torch.eye(3)
        first, other = (block.told(x, c[i : i + 1]) for i in (0, 1))
        assert all(not torch.allclose(a, b) for a, b in zip(first, other, strict=True))


def test_learning_lowers_the_bits_and_several_draws_bound_more_tightly():
    torch.manual_seed(0)
    model = hvae(ema=None)
    data = batch(model, 12)
    data = Batch(data.x.sign(), data.c)
    noise = torch.randn(8, 12, model.latent_dim)
    before = model.log_likelihood_bound(data, noise)
    steps = [model.configure_optimizers()]
    for _ in range(40):
        model.update(data, steps, measure=False)
    after = model.log_likelihood_bound(data, noise)
    assert (after > before).all()
    assert model.bits_per_dimension(after).mean() < 0.6 * model.bits_per_dimension(before).mean()
    model.draws = 8
    assert model.log_likelihood_bound(data, noise).mean() > after.mean()


def test_an_update_by_several_draws_learns():
    torch.manual_seed(0)
    assert torch.isfinite(train(hvae(draws=3), 2)).all()


@pytest.mark.parametrize("blocks", [STRIDED, WHOLE], ids=["strided", "whole"])
def test_a_sample_is_a_function_of_its_inputs_alone(blocks):
    torch.manual_seed(0)
    model = roughen(hvae((2, 9, 11), blocks=blocks))
    z, c, u = torch.randn(5, model.latent_dim), batch(model, 5).c, torch.rand(5, model.noise_dim)
    whole = model.sample(z, c, u)["pixels"]
    assert torch.equal(model.train().sample(z, c, u)["pixels"], whole)
    part = model.sample(z[1:3], c[1:3], u[1:3])["pixels"].int()
    assert (part - whole[1:3].int()).abs().max() <= 1


def test_weights_for_sampling_survive_saving_and_loading():
    torch.manual_seed(0)
    one, other = hvae(), hvae()
    train(one)
    other.load_sampler_state({k: v.clone() for k, v in one.sampler_state().items()})
    z, c, u = torch.randn(3, one.latent_dim), batch(one, 3).c, torch.empty(3, 0)
    assert torch.equal(one.sample(z, c, u)["pixels"], other.sample(z, c, u)["pixels"])


def test_a_temperature_of_zero_gives_one_image_and_goes_by_size():
    cold, warm = (networks(temperature=t)[1] for t in ([0.0], [1.0, 0.0]))
    roughen(cold)
    warm.load_state_dict(cold.state_dict())
    z, c = torch.randn(4, cold.latent_dim), torch.eye(3)[[0, 0, 0, 0]]
    assert torch.allclose(cold(z, c), cold(0 * z, c))
    finest = torch.cat([0 * z[:, : -cold.shares[-1]], z[:, -cold.shares[-1] :]], 1)
    torch.testing.assert_close(warm(z, c), warm(finest, c))
    assert not torch.allclose(warm(z, c), warm(0 * z, c))


def test_reconstruction_follows_the_image():
    torch.manual_seed(0)
    model = hvae(mixture=False, ema=None)
    data = batch(model, 4)
    light = torch.tensor([1.0, -1.0, 1.0, -1.0]).view(4, 1, 1, 1)
    data = Batch(light.expand_as(data.x).contiguous(), data.c[:1].expand(4, -1))
    steps = [model.configure_optimizers()]
    for _ in range(150):
        model.update(data, steps, measure=False)
    pixels = model.reconstruct(data, torch.empty(4, 0))["pixels"].float()
    assert ((pixels > 127) == (data.x > 0)).float().mean() > 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"blocks": ()}, r"blocks needs numbers"),
        ({"blocks": (0,)}, r"needs a block at some size"),
        ({"blocks": (-1, 1)}, r"blocks needs numbers"),
    ],
)
def test_settings_without_a_hierarchy_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        networks(**change)


def test_a_prior_beside_the_hierarchy_and_another_width_are_refused():
    with pytest.raises(ValueError, match="hierarchy of latents has its own prior"):
        hvae(prior=MixtureOfGaussians(latent_dim=4, components=2))
    encoder, decoder = networks()
    with pytest.raises(ValueError, match=r"model\.latent_dim=null"):
        VAE(
            layout=ImageLayout(1, 8, 8), condition=LABELLED, latent_dim=5, encoder=encoder,
            decoder=decoder, likelihood=torch.nn.Identity(), optimizer=torch.optim.SGD,
        )  # fmt: skip
