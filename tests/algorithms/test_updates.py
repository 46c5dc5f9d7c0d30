"""Updates of the table models: without a device, deterministic, measured, learning."""

import copy
from functools import partial

import pytest
import torch
from torch import nn

from genmodels.algorithms.gan import GAN
from genmodels.algorithms.vae import VAE
from genmodels.ema import EMA
from genmodels.layout import Block, Condition, ConditionGroup, ImageLayout, TableLayout
from genmodels.losses import NonSaturating, RelativisticPairing
from genmodels.networks.heads import ImageHead
from genmodels.penalties import R1, R2
from genmodels.types import Batch
from tests.algorithms.tables import CONDITION, NONE, batch, gan, optimizers, train, vae

MODELS = [pytest.param(gan, CONDITION, id="gan"), pytest.param(vae, NONE, id="vae")]


@pytest.mark.parametrize(("make", "condition"), MODELS)
def test_an_update_and_a_sample_run_on_the_meta_device(make, condition):
    model = make().to("meta")
    data = batch(condition).to("meta")
    loss = model.update(data, optimizers(model), measure=True)
    assert loss.device.type == "meta"
    z, u = torch.randn(12, 8, device="meta"), torch.rand(12, model.noise_dim, device="meta")
    assert model.sample(z, data.c, u)["codes"].shape == (12, 5)


@pytest.mark.parametrize(("make", "condition"), MODELS)
def test_the_same_seed_gives_the_same_weights(make, condition):
    states = []
    for _ in range(2):
        model = make()
        train(model, [batch(condition, seed=s) for s in range(3)])
        states.append(model.state_dict())
    assert all(torch.equal(a, states[1][k]) for k, a in states[0].items())


@pytest.mark.parametrize(("make", "condition"), MODELS)
def test_samples_are_pure_and_leave_the_mode_alone(make, condition):
    model = make().train()
    data = batch(condition)
    z, u = torch.randn(12, 8), torch.rand(12, model.noise_dim)
    first, second = model.sample(z, data.c, u), model.sample(z, data.c, u)
    alone = model.sample(z[3:4], data.c[3:4], u[3:4])
    assert model.training
    assert all(module.training for module in model.modules() if module is not model)
    for name, value in first.items():
        assert torch.equal(value, second[name])
        torch.testing.assert_close(value[3:4], alone[name])
    assert first["values"].dtype == torch.float32
    assert first["codes"].dtype == torch.int32


@pytest.mark.parametrize(("make", "condition"), MODELS)
def test_sampler_state_round_trips_and_names_what_differs(make, condition):
    model, other = make(), make()
    train(model, [batch(condition)])
    other.load_sampler_state({k: v.clone() for k, v in model.sampler_state().items()})
    data, z, u = batch(condition), torch.randn(12, 8), torch.rand(12, model.noise_dim)
    for name, value in model.sample(z, data.c, u).items():
        assert torch.equal(value, other.sample(z, data.c, u)[name])
    state = model.sampler_state()
    name = next(iter(state))
    with pytest.raises(ValueError, match=f"missing {name}; unknown extra"):
        model.load_sampler_state({k: v for k, v in state.items() if k != name} | {"extra": z})


def test_updates_fill_the_meter_with_the_agreed_names():
    model = gan()
    train(model, [batch()])
    assert set(model.meter.flush()) == {
        "train/discriminator/loss",
        "train/discriminator/won",
        "train/discriminator/gradient_norm",
        "train/generator/loss",
        "train/generator/gradient_norm",
        "train/penalty/gradient",
        "train/term/condition",
    }
    model = vae()
    train(model, [batch(NONE)])
    model.validation_step(batch(NONE), 0)
    assert set(model.meter.flush()) == {
        "train/gradient_norm",
        "train/kl",
        "train/loss",
        "train/reconstruction",
        "val/loss",
    }


def test_the_generator_moves_once_per_discriminator_steps():
    model = gan(discriminator_steps=3)
    before = copy.deepcopy(model.generator.state_dict())
    train(model, [batch(), batch()])
    weights = [k for k in before if "weights" in k]
    assert all(torch.equal(before[k], model.generator.state_dict()[k]) for k in weights)
    chosen = optimizers(model)
    model.update(batch(), chosen, measure=False)
    assert not all(torch.equal(before[k], model.generator.state_dict()[k]) for k in weights)


def test_the_generator_phase_leaves_no_gradient_in_the_discriminator():
    model = gan()
    train(model, [batch()])
    assert all(p.grad is None for p in model.discriminator.parameters())


def test_lazy_penalties_are_taken_every_so_many_updates():
    model = gan(penalties={"r1": R1(weight=1.0, every=2)})
    train(model, [batch()])
    assert "train/penalty/r1" in model.meter.flush()
    chosen = optimizers(model)
    model.update(batch(), chosen, measure=False)
    assert "train/penalty/r1" not in model.meter.flush()


def test_one_joint_pass_gives_the_losses_of_two():
    losses = {}
    for joint in (True, False):
        model = gan(
            joint=joint,
            loss=RelativisticPairing(),
            penalties={"r1": R1(weight=1.0), "r2": R2(weight=1.0)},
        ).double()
        model.discriminator.eval()
        data = batch()
        double = Batch(data.x.double(), data.c.double())
        torch.manual_seed(1)
        model.update(double, optimizers(model), measure=False)
        losses[joint] = model.meter.flush()
    assert losses[True] == pytest.approx(losses[False], rel=1e-6)


class Flat(nn.Module):
    """A stand-in for a network on (B, 1, 4, 4)."""

    def __init__(self, width, out):
        super().__init__()
        self.linear, self.out = nn.Linear(width, 2 * out if out == 8 else out), out

    def forward(self, x, c):
        y = self.linear(torch.cat([x.flatten(1), c], 1))
        if self.out == 1:
            return y.squeeze(1)
        return y.chunk(2, 1) if self.out == 8 else y.view(-1, 1, 4, 4)


class UnitGaussian(nn.Module):
    noise_dim = 0

    def log_prob(self, outputs, x):
        return -0.5 * (outputs - x).square().flatten(1).sum(1)

    def sample(self, outputs, u):
        return {"grid": outputs}


@pytest.mark.parametrize("penalties", [{}, {"r1": R1(weight=1.0)}])
def test_an_update_of_grids_runs_on_the_meta_device(penalties):
    adam = partial(torch.optim.Adam, lr=1e-3)
    condition = Condition((ConditionGroup("label", (0.5, 0.5)),))
    parts = {"layout": ImageLayout(1, 4, 4), "condition": condition, "latent_dim": 8}
    adversarial = GAN(
        **parts,
        generator=Flat(10, 16),
        discriminator=Flat(18, 1),
        head=ImageHead(layout=parts["layout"]),
        loss=NonSaturating(),
        penalties=penalties,
        augment=lambda x: x.flip(3),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        ema=EMA(half_life=10.0, ramp=0.05),
    )
    variational = VAE(
        **parts,
        encoder=Flat(18, 8),
        decoder=Flat(10, 16),
        likelihood=UnitGaussian(),
        optimizer=adam,
        free_bits=0.1,
    )
    data = Batch(torch.randn(6, 1, 4, 4, device="meta"), torch.randn(6, 2, device="meta"))
    for model in (adversarial.to("meta"), variational.to("meta")):
        model.update(data, optimizers(model), measure=True)


def modes(count, generator):
    """Two modes: level 0 near -0.5 (70 %), level 1 near 0.5 (30 %)."""
    level = (torch.rand(count, generator=generator) < 0.3).long()
    value = (level - 0.5) + 0.05 * torch.randn(count, generator=generator)
    onehot = nn.functional.one_hot(level, 2).float()
    return Batch(torch.cat([value[:, None], onehot], 1), torch.zeros(count, 0))


def learned(model, updates, count=200):
    generator = torch.Generator().manual_seed(0)
    train(model, (modes(count, generator) for _ in range(updates)))
    z, u = torch.randn(4000, 8, generator=generator), torch.rand(4000, model.noise_dim)
    sample = model.sample(z, torch.zeros(4000, 0), u)
    value, level = sample["values"][:, 0], sample["codes"][:, 0]
    return level.float().mean(), ((value > 0) == (level > 0)).float().mean()


TOY = TableLayout((Block("x", "continuous", 1), Block("k", "categorical", 2)))


def test_a_vae_learns_two_modes():
    share, agreement = learned(vae(TOY, lr=3e-3), 600)
    assert abs(share - 0.3) < 0.06
    assert agreement > 0.95


def test_a_gan_learns_two_modes():
    adam = partial(torch.optim.Adam, lr=1e-3, betas=[0.5, 0.9])
    model = gan(
        TOY,
        NONE,
        hidden=(32, 32),
        terms={},
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        ema=EMA(half_life=10_000.0, ramp=0.05),
    )
    share, agreement = learned(model, 600)
    assert abs(share - 0.3) < 0.15
    assert agreement > 0.9
