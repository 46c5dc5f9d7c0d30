"""Networks and head for tables: shapes, gradients, equality with plain layers."""

import pytest
import torch
from torch.nn.functional import leaky_relu, linear

from genmodels.layout import ImageLayout
from genmodels.networks import mlp
from genmodels.networks.heads import ImageHead, TableHead
from genmodels.networks.layers import JoinedLinear, leaky_slopes
from tests.algorithms.tables import CONDITION, LAYOUT, NONE, batch

NETWORKS = [
    (mlp.Generator, {"latent_dim": 8}, "z", (12, LAYOUT.width)),
    (mlp.Discriminator, {"pack": 3, "dropout": 0.5}, "x", (4,)),
    (mlp.Encoder, {"latent_dim": 8}, "x", (12, 8)),
    (mlp.Decoder, {"latent_dim": 8}, "z", (12, LAYOUT.width)),
]


def parts(out):
    return out if isinstance(out, tuple) else (out,)


@pytest.mark.parametrize("condition", [CONDITION, NONE], ids=["told", "untold"])
@pytest.mark.parametrize(("network", "options", "reads", "shape"), NETWORKS)
def test_networks_keep_their_contract(network, options, reads, shape, condition):
    torch.manual_seed(0)
    model = network(layout=LAYOUT, condition=condition, hidden=[16, 16], **options)
    data = batch(condition)
    inputs = torch.randn(12, 8) if reads == "z" else data.x
    out = parts(model(inputs, data.c))
    assert all(part.shape == shape for part in out)
    sum(part.square().sum() for part in out).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    model.eval()
    twin = network(layout=LAYOUT, condition=condition, hidden=[16, 16], **options).eval()
    twin.load_state_dict(model.state_dict())
    pairs = zip(parts(twin(inputs, data.c)), parts(model(inputs, data.c)), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_joined_layer_is_a_linear_layer_on_everything_side_by_side():
    torch.manual_seed(0)
    layer = JoinedLinear(widths=[3, 2], condition=4, out=5, pack=2).double()
    x, y = torch.randn(3, 3).double(), torch.randn(3, 2).double()
    c = torch.zeros(6, 4, dtype=torch.float64)
    c[torch.arange(6), torch.tensor([0, 3, 2, 1, 1, 0])] = 1.0
    c[5] = 0.0
    weight = torch.cat([*layer.weights, layer.table[1:].t()], 1)
    expected = linear(torch.cat([x, y, c.reshape(3, 8)], 1), weight, layer.bias)
    torch.testing.assert_close(layer(x, y, c=c), expected)
    assert weight.abs().max() <= 1 / 13**0.5
    layer(x, y, c=c).sum().backward()
    assert layer.table.grad[0].abs().sum() == 0


def test_slopes_are_those_of_leaky_relu_and_dropout():
    a = torch.randn(400, 50, dtype=torch.float64)
    torch.testing.assert_close(a * leaky_slopes(a, 0.2, 0.0), leaky_relu(a, 0.2))
    torch.manual_seed(0)
    slopes = leaky_slopes(a, 0.2, 0.25)
    kept = slopes != 0
    assert kept.double().mean().item() == pytest.approx(0.75, abs=0.02)
    torch.testing.assert_close((a * slopes)[kept], leaky_relu(a, 0.2)[kept] / 0.75)


def test_the_discriminator_refuses_a_batch_that_does_not_pack():
    judge = mlp.Discriminator(layout=LAYOUT, condition=NONE, hidden=[4], pack=5, dropout=0.0)
    with pytest.raises(ValueError, match=r"12 rows.*packs of 5"):
        judge(batch(NONE).x, batch(NONE).c)


def test_networks_for_tables_refuse_other_data():
    with pytest.raises(ValueError, match="model=dcgan"):
        mlp.Encoder(layout=ImageLayout(1, 4, 4), condition=NONE, latent_dim=2, hidden=[4])
    with pytest.raises(ValueError, match="model=ctgan"):
        ImageHead(layout=LAYOUT)


def test_the_head_gives_scalars_in_range_and_soft_one_hots():
    torch.manual_seed(0)
    outputs = torch.randn(500, LAYOUT.width, requires_grad=True)
    x = TableHead(layout=LAYOUT, temperature=0.2)(outputs)
    scalars = list(LAYOUT.continuous)
    torch.testing.assert_close(x[:, scalars], outputs[:, scalars].tanh())
    for block in LAYOUT.categorical:
        torch.testing.assert_close(x[:, LAYOUT.slices[block.name]].sum(1), torch.ones(500))
    x.square().sum().backward()
    assert outputs.grad.isfinite().all()
    assert (outputs.grad[:, scalars] != 0).all()


def test_a_draw_of_exactly_zero_leaves_the_head_finite(monkeypatch):
    monkeypatch.setattr(torch, "rand_like", torch.zeros_like)
    outputs = torch.randn(3, LAYOUT.width, requires_grad=True)
    x = TableHead(layout=LAYOUT)(outputs)
    x.square().sum().backward()
    assert x.isfinite().all()
    assert outputs.grad.isfinite().all()


def test_the_head_prefers_levels_as_its_logits_say():
    """The likeliest position of a Gumbel-softmax is distributed as softmax of the logits."""
    torch.manual_seed(0)
    outputs = torch.randn(1, LAYOUT.width)
    head = TableHead(layout=LAYOUT, temperature=0.2)
    soft = head(outputs.expand(20_000, -1))
    drawn = head.sample(outputs.expand(20_000, -1), torch.rand(20_000, head.noise_dim))["codes"]
    for q, block in enumerate(LAYOUT.categorical):
        where = LAYOUT.slices[block.name]
        expected = outputs[0, where].softmax(0)
        for codes in (soft[:, where].argmax(1), drawn[:, q].long()):
            share = codes.bincount(minlength=block.width) / 20_000
            torch.testing.assert_close(share, expected, atol=0.015, rtol=0)


def test_the_head_draws_exactly_at_the_thresholds():
    head = TableHead(layout=LAYOUT)
    outputs = torch.zeros(4, LAYOUT.width)
    u = torch.tensor([0.0, 0.19, 0.21, 0.99])[:, None].expand(-1, head.noise_dim)
    assert head.sample(outputs, u)["codes"][:, 1].tolist() == [0, 0, 1, 4]


@pytest.mark.parametrize("condition", [CONDITION, NONE], ids=["told", "untold"])
def test_norms_folded_for_sampling_change_nothing(condition):
    torch.manual_seed(0)
    options = {"layout": LAYOUT, "condition": condition, "latent_dim": 8, "hidden": [16, 12]}
    model, z, c = mlp.Generator(**options), torch.randn(12, 8), batch(condition).c
    for norm in model.norms:
        torch.nn.init.uniform_(norm.weight, 0.5, 2.0)
        torch.nn.init.normal_(norm.bias)
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2.0)
    model = model.double().eval()
    inputs = [z.double()]
    for layer, norm in zip(model.layers, model.norms, strict=False):
        inputs = [norm(layer(*inputs, c=c.double())).relu(), *inputs]
    expected = model.layers[-1](*inputs, c=c.double())
    torch.testing.assert_close(model(z.double(), c.double()), expected)


def test_scalars_are_not_rounded_by_autocast():
    torch.manual_seed(0)
    options = {"layout": LAYOUT, "condition": NONE, "latent_dim": 8, "hidden": [16]}
    model = mlp.Generator(**options).eval()
    z, c = torch.randn(2000, 8), torch.zeros(2000, 0)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        rounded = model(z, c)
    assert rounded.dtype == torch.float32
    scalars = rounded[:, list(LAYOUT.continuous)]
    assert not torch.equal(scalars, scalars.bfloat16().float())
    assert (rounded - model(z, c)).abs().max() < 0.05


@pytest.mark.parametrize("condition", [CONDITION, NONE], ids=["told", "untold"])
def test_evaluation_folds_norms_without_changing_the_outputs(condition):
    torch.manual_seed(0)
    model = mlp.Generator(layout=LAYOUT, condition=condition, latent_dim=8, hidden=[16, 16])
    z, c = torch.randn(12, 8), batch(condition).c
    for _ in range(5):
        model(z, c)
    for norm in model.norms:
        torch.nn.init.normal_(norm.weight)
        torch.nn.init.normal_(norm.bias)
    folded = model.eval()(z, c)
    model.train()
    for norm in model.norms:
        norm.eval()
    torch.testing.assert_close(folded, model(z, c), rtol=1e-4, atol=1e-5)
