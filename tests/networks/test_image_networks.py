"""What holds for the image networks of every family, size and number of channels."""

import numpy as np
import pytest
import torch

from genmodels.combinations import Combinations, Facet
from genmodels.layout import Condition, ConditionGroup, ImageLayout
from genmodels.networks import conv_vae, dcgan, r3gan, stylegan2
from genmodels.networks.token_transformer import TokenTransformer

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (2, 20, 28), (3, 5, 7), (4, 24, 17)]
LABELLED = Condition((ConditionGroup("label", (0.5, 0.3, 0.2)),))
UNLABELLED = Condition()
LATENT = 6


def generator(shape, condition):
    return dcgan.Generator(
        layout=ImageLayout(*shape), condition=condition, latent_dim=LATENT, width=4
    )


def discriminator(shape, condition):
    return dcgan.Discriminator(layout=ImageLayout(*shape), condition=condition, width=4, features=8)


def encoder(shape, condition):
    return conv_vae.Encoder(
        layout=ImageLayout(*shape), condition=condition, latent_dim=LATENT, width=4, features=8
    )


def decoder(shape, condition):
    return conv_vae.Decoder(
        layout=ImageLayout(*shape), condition=condition, latent_dim=LATENT, width=4, features=8
    )


def tokens(shape, condition):
    return TokenTransformer(
        length=4, codes=3, condition=condition, hidden=4, layers=1, heads=1, expansion=2.0,
        dropout=0.0, label_dropout=0.0,
    )  # fmt: skip


BODY = {"widths": [8, 4], "blocks": 1, "expansion": 2, "group": 4, "patch": 2}


def awake(network):
    """Past the start, where every block is the identity and its first weights have no gradient."""
    for name, weight in network.named_parameters():
        if name.endswith("third.weight"):
            torch.nn.init.normal_(weight, std=0.1)
    return network


def residual_generator(shape, condition):
    parts = {"layout": ImageLayout(*shape), "condition": condition, "latent_dim": LATENT}
    return awake(r3gan.Generator(**parts, **BODY, embedding=5))


def residual_discriminator(shape, condition):
    parts = {"layout": ImageLayout(*shape), "condition": condition}
    return awake(r3gan.Discriminator(**parts, **BODY, features=6))


def styled_generator(shape, condition):
    parts = {"layout": ImageLayout(*shape), "condition": condition, "latent_dim": LATENT}
    mapping = {"style": 8, "depth": 2, "rate": 0.01, "mixing": 0.0, "inertia": 0.9}
    return stylegan2.Generator(**parts, widths=[8, 4], **mapping)


def styled_discriminator(shape, condition):
    parts = {"layout": ImageLayout(*shape), "condition": condition}
    return stylegan2.Discriminator(**parts, widths=[8, 4], features=6, group=1)


FROM_LATENTS = [generator, decoder, residual_generator, styled_generator]
FROM_IMAGES = [discriminator, residual_discriminator, styled_discriminator, encoder]
JUDGES = [discriminator, residual_discriminator, styled_discriminator]


def inputs(make, shape, condition, batch=5):
    torch.manual_seed(1)
    first = torch.randn(batch, LATENT) if make in FROM_LATENTS else torch.randn(batch, *shape)
    labels = torch.arange(batch) % max(condition.width, 1)
    c = torch.zeros(batch, condition.width)
    return first, c.scatter_(1, labels[:, None], 1.0) if condition.width else c


def first_output(value):
    return value[0] if isinstance(value, tuple) else value


@pytest.mark.parametrize("condition", [LABELLED, UNLABELLED], ids=["labelled", "unlabelled"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes_of_any_size_and_number_of_channels(shape, condition):
    z, c = inputs(generator, shape, condition)
    for make in FROM_LATENTS:
        assert make(shape, condition)(z, c).shape == (5, *shape)
    x, c = inputs(discriminator, shape, condition)
    for make in JUDGES:
        assert make(shape, condition)(x, c).shape == (5,)
    mean, log_variance = encoder(shape, condition)(x, c)
    assert mean.shape == log_variance.shape == (5, LATENT)


@pytest.mark.parametrize("condition", [LABELLED, UNLABELLED], ids=["labelled", "unlabelled"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 20, 28), (2, 5, 7)], ids=str)
@pytest.mark.parametrize("make", FROM_LATENTS + FROM_IMAGES)
def test_every_parameter_has_a_gradient_that_is_not_all_zero(make, shape, condition):
    torch.manual_seed(0)
    network = make(shape, condition)
    out = network(*inputs(make, shape, condition))
    parts = out if isinstance(out, tuple) else (out,)
    sum((part * torch.randn_like(part)).sum() for part in parts).backward()
    silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


@pytest.mark.parametrize("make", FROM_LATENTS + FROM_IMAGES)
def test_the_label_changes_the_output(make):
    torch.manual_seed(0)
    network = make((1, 8, 8), LABELLED).eval()
    first, c = inputs(make, (1, 8, 8), LABELLED)
    one, other = first_output(network(first, c)), first_output(network(first, c.roll(1, 1)))
    assert (one - other).abs().mean() > 1e-3 * one.abs().mean()


@pytest.mark.parametrize("make", FROM_LATENTS + FROM_IMAGES)
def test_evaluation_is_deterministic_and_treats_each_row_alone(make):
    network = make((3, 20, 28), LABELLED).double().eval()
    first, c = inputs(make, (3, 20, 28), LABELLED)
    first, c = first.double(), c.double()
    whole = first_output(network(first, c))
    torch.testing.assert_close(first_output(network(first, c)), whole, rtol=0, atol=0)
    torch.testing.assert_close(first_output(network(first[2:3], c[2:3])), whole[2:3])


@pytest.mark.parametrize("make", [*JUDGES, encoder, decoder, residual_generator])
def test_training_mode_couples_no_rows_outside_the_generator(make):
    network = make((1, 8, 8), LABELLED).double().train()
    first, c = inputs(make, (1, 8, 8), LABELLED)
    first, c = first.double(), c.double()
    whole = first_output(network(first, c))
    torch.testing.assert_close(first_output(network(first[:2], c[:2])), whole[:2])


@pytest.mark.parametrize("make", FROM_LATENTS + FROM_IMAGES)
def test_outputs_at_the_start_are_of_moderate_size(make):
    torch.manual_seed(0)
    network = make((1, 28, 28), LABELLED)
    out = first_output(network(*inputs(make, (1, 28, 28), LABELLED, batch=64)))
    assert 0.01 < out.std() < 10.0


def test_state_survives_saving_and_loading():
    for make in FROM_LATENTS + FROM_IMAGES:
        one, other = make((1, 8, 8), LABELLED), make((1, 8, 8), LABELLED)
        other.load_state_dict(one.state_dict())
        first, c = inputs(make, (1, 8, 8), LABELLED)
        a, b = first_output(one.eval()(first, c)), first_output(other.eval()(first, c))
        assert torch.equal(a, b)


@pytest.mark.parametrize("make", JUDGES)
def test_discriminator_scores_by_projection_on_the_label(make):
    """logit(x, c) - logit(x, c') = <E(c - c'), h(x)> / sqrt(features): linear in c."""
    network = make((1, 8, 8), LABELLED).double()
    x, c = (t.double() for t in inputs(discriminator, (1, 8, 8), LABELLED))
    base = network(x, torch.zeros_like(c))
    torch.testing.assert_close(network(x, 2.0 * c) - base, 2.0 * (network(x, c) - base))


def test_log_variance_is_bounded():
    network = encoder((1, 8, 8), UNLABELLED)
    with torch.no_grad():
        network.posterior.weight.mul_(1e6)
    _, log_variance = network(*inputs(encoder, (1, 8, 8), UNLABELLED))
    assert torch.isfinite(log_variance.exp()).all()
    assert log_variance.min() >= -14.0


@pytest.mark.parametrize(
    ("make", "layer"),
    [
        (generator, "norms.0.style"),
        (discriminator, "embed"),
        (residual_generator, "embed"),
        (residual_discriminator, "embed"),
        (styled_discriminator, "embed"),
        (tokens, "label"),
    ],
)
def test_what_is_told_has_the_size_of_one_label_however_many_facets_it_has(make, layer):
    facets = tuple(Facet(name, "boolean", ("no", "yes")) for name in "abcd")
    told = Combinations(facets, np.array([[0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0]]))
    combined = Condition((ConditionGroup("attributes", (0.5, 0.5), combinations=told),))
    label = Condition((ConditionGroup("label", (0.125,) * 8),))
    weights = []
    for condition in (label, combined):
        torch.manual_seed(0)
        weights.append(make((1, 8, 8), condition).get_parameter(f"{layer}.weight"))
    torch.testing.assert_close(weights[1], weights[0] / 2)
