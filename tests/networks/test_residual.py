"""Residual networks of a GAN for rows, and the straight-through head before the discriminator."""

import pytest
import torch
from torch.nn.functional import softmax

from genmodels.layout import Condition, ImageLayout
from genmodels.networks.heads import TableHead
from genmodels.networks.residual import Discriminator, Generator
from tests.algorithms import tables
from tests.algorithms.mixed import LAYOUT
from tests.algorithms.siblings import PARTS, row_gan, rows

SCORES = list(LAYOUT.continuous)
GATED, OPEN = LAYOUT.slices["x.value"].start, LAYOUT.slices["x.state"].start


def judge(**changes):
    torch.manual_seed(0)
    sizes = {"hidden": 16, "blocks": 2, "pack": 1, "cells": 4}
    return Discriminator(**(PARTS | sizes | changes))


@pytest.mark.parametrize("condition", [tables.CONDITION, tables.NONE], ids=["told", "untold"])
def test_networks_keep_their_contract(condition):
    parts = {"layout": tables.LAYOUT, "condition": condition, "hidden": 16, "blocks": 2}
    data, z = tables.batch(condition), torch.randn(12, 8)
    made = [
        (Generator(**parts, latent_dim=8), z, (12, tables.LAYOUT.width)),
        (Discriminator(**parts, pack=3, cells=4), data.x, (4,)),
    ]
    for model, inputs, shape in made:
        out = model(inputs, data.c)
        assert out.shape == shape
        out.square().sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
        twin = type(model)(
            **parts, **({"latent_dim": 8} if inputs is z else {"pack": 3, "cells": 4})
        )
        twin.load_state_dict(model.state_dict())
        assert torch.equal(twin(inputs, data.c), model(inputs, data.c))


def test_a_generator_starts_from_given_frequencies():
    model = Generator(**PARTS, latent_dim=8, hidden=16, blocks=1)
    codes = torch.zeros(1000, 4, dtype=torch.int32)
    codes[:250, 0] = 2
    model.start_from(codes)
    with torch.no_grad():
        for p in model.levels.weight:
            p.zero_()
        out = model(torch.randn(3, 8), torch.zeros(3, 0))
    shares = softmax(out[:, LAYOUT.slices["a"]], 1)
    torch.testing.assert_close(
        shares, torch.tensor([[0.75, 0.0, 0.25]]).expand(3, -1), atol=1e-3, rtol=0
    )


def test_scores_of_the_generator_are_not_rounded_by_autocast():
    model = Generator(**PARTS, latent_dim=8, hidden=16, blocks=1)
    z, c = torch.randn(2000, 8), torch.zeros(2000, 0)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        out = model(z, c)
    assert out.dtype == torch.float32
    own = out[:, SCORES[0]]
    assert (own != own.bfloat16().float()).float().mean() > 0.9


def test_the_discriminator_sees_normal_scores_codes_and_the_order_of_levels():
    x = rows(row_gan(), count=3).x
    x[:, SCORES[1]] = torch.tensor([-0.25, 0.0, 0.25])
    found = judge().features(x)
    width, ordered = LAYOUT.width, 2
    torch.testing.assert_close(found[:, :width], x)
    n = LAYOUT.slices["n"]
    places = torch.tensor([-1.5, 0.0, 1.5, 0.0])
    torch.testing.assert_close(found[:, width + 1], x[:, n] @ places)
    torch.testing.assert_close(found[:, width + ordered + 1], torch.tensor([-1.0, 0.0, 1.0]))
    u = torch.special.ndtr(torch.tensor([-1.0, 0.0, 1.0]))
    code = (u[:, None] * 4 - torch.arange(4)).clamp(0, 1) * 2 - 1
    torch.testing.assert_close(found[:, -4:], code)
    assert found.shape[1] == width + ordered + 2 * 5


def test_gradient_penalties_reach_every_weight_of_the_discriminator():
    """The gradient at the input is differentiable once more, and as finite differences say.

    It is piecewise constant, so biases have no part in it.
    """
    model, data = judge().double(), rows(row_gan(), count=6)
    x, c = data.x.double().requires_grad_(), data.c.double()

    def penalty():
        (gradient,) = torch.autograd.grad(model(x, c).sum(), x, create_graph=True)
        return gradient.square().sum()

    penalty().backward()
    silent = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    assert silent == {name for name, _ in model.named_parameters() if name.endswith("bias")}
    weight, step = model.inner[0].weight, 1e-6
    expected = weight.grad[0, 0].item()
    with torch.no_grad():
        weight[0, 0] += step
    high = penalty().item()
    with torch.no_grad():
        weight[0, 0] -= 2 * step
    assert (high - penalty().item()) / (2 * step) == pytest.approx(expected, rel=1e-3, abs=1e-7)


def test_the_discriminator_refuses_images():
    with pytest.raises(ValueError, match="model=dcgan"):
        Discriminator(
            layout=ImageLayout(1, 4, 4), condition=Condition(), hidden=4, blocks=1, pack=1, cells=4
        )


def test_hard_samples_are_one_hots_and_gated_scores_are_zero_where_they_do_not_count():
    torch.manual_seed(0)
    x = TableHead(layout=LAYOUT, hard=True)(torch.randn(500, LAYOUT.width))
    for block in LAYOUT.categorical:
        own = x[:, LAYOUT.slices[block.name]]
        torch.testing.assert_close(own.sum(1), torch.ones(500))
        torch.testing.assert_close(own.amax(1), torch.ones(500))
    closed = x[:, OPEN] < 0.5
    assert closed.any()
    assert (x[closed, GATED].abs() < 1e-6).all()
    assert (x[~closed, GATED] != 0).all()


def test_hard_samples_have_the_shares_of_their_logits():
    torch.manual_seed(0)
    outputs = torch.randn(1, LAYOUT.width)
    x = TableHead(layout=LAYOUT, hard=True)(outputs.expand(20_000, -1))
    for block in LAYOUT.categorical:
        where = LAYOUT.slices[block.name]
        expected = outputs[0, where].softmax(0)
        torch.testing.assert_close(x[:, where].mean(0), expected, atol=0.015, rtol=0)


def test_hard_samples_have_the_gradient_of_soft_ones(monkeypatch):
    """Straight through: of levels that of softmax((o + g) / tau), of a score that of tanh."""
    monkeypatch.setattr(torch, "rand_like", lambda x: torch.full_like(x, 0.4))
    torch.manual_seed(0)
    weight = torch.randn(50, LAYOUT.width)
    weight[:, GATED] = 0.0
    gradients = []
    for hard in (True, False):
        outputs = torch.linspace(-2, 2, 50 * LAYOUT.width).sin().reshape(50, -1).requires_grad_()
        (TableHead(layout=LAYOUT, temperature=0.7, hard=hard)(outputs) * weight).sum().backward()
        gradients.append(outputs.grad)
    torch.testing.assert_close(gradients[0], gradients[1])
    assert gradients[0][:, OPEN].any()


def test_a_gated_score_passes_its_gradient_to_the_state_that_opens_it():
    torch.manual_seed(0)
    outputs = torch.randn(200, LAYOUT.width, requires_grad=True)
    x = TableHead(layout=LAYOUT, hard=True)(outputs)
    opened = x[:, OPEN].detach() > 0.5
    x[:, GATED].sum().backward()
    own = outputs.grad[:, GATED]
    torch.testing.assert_close(own[opened], 1 - outputs.detach()[opened, GATED].tanh() ** 2)
    assert (own[~opened].abs() < 1e-6).all()
    assert outputs.grad[:, OPEN].any()
