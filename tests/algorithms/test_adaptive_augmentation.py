"""A GAN whose augmentation follows its discriminator, under any penalty, compiled or not."""

import pytest
import torch

from genmodels.adaptive.colour import Colour
from genmodels.adaptive.geometry import Geometry
from genmodels.adaptive.pipeline import Pipeline
from genmodels.adaptive.strength import Fixed, Overfitting
from genmodels.algorithms.judge import verdict
from genmodels.losses import Hinge, NonSaturating, RelativisticPairing, Wasserstein
from tests.algorithms.test_compiled_loss import assert_equal_to_eager, double
from tests.algorithms.test_image_updates import PENALTIES, batch, gan, optimizers, run_on_meta


def ada(strength=None):
    made = strength or Overfitting(target=0.6, every=2, most=1.0, samples=96.0, start=0.5)
    geometry = Geometry(
        flip=False,
        quarter_turns=True,
        translation=0.125,
        scale=0.2,
        rotation=1.0,
        stretch=0.2,
        shift=0.125,
    )
    colour = Colour(brightness=0.2, contrast=0.5, luma_flip=True, hue=1.0, saturation=1.0)
    return Pipeline(geometry=geometry, colour=colour, strength=made)


@pytest.mark.parametrize("penalties", PENALTIES)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 12, 8)], ids=str)
def test_updates_without_the_host(penalties, shape):
    run_on_meta(gan(shape=shape, augment=ada(), penalties=penalties), updates=3)


@pytest.mark.parametrize("penalties", ["r1_r2", "differences", "forward", "gradient"])
def test_every_penalty_looks_through_the_augmentation(penalties):
    """Its gradient reaches the discriminator and agrees with differences of the loss."""
    torch.manual_seed(0)
    model = gan(penalties=penalties, augment=ada(Fixed(p=0.7)), joint=True).double()
    data = batch(model)
    real, c = data.x.double(), data.c.double()
    data = type(data)(real, c)
    weight = model.discriminator.hidden.weight

    def penalised():
        torch.manual_seed(3)
        _, _, _, *values = model.discriminator_losses(model.penalties, data, -real.flip(0))
        return torch.stack(values).sum()

    (gradient,) = torch.autograd.grad(penalised(), weight)
    direction = torch.randn_like(weight)
    with torch.no_grad():
        step = 1e-5
        weight.add_(direction, alpha=step)
    above = penalised().detach()
    with torch.no_grad():
        weight.add_(direction, alpha=-2 * step)
    below = penalised().detach()
    expected = (above - below) / (2 * step)
    assert float(expected) != 0.0
    torch.testing.assert_close((gradient * direction).sum(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "penalties", ["r1_r2", pytest.param("differences", marks=pytest.mark.slow)]
)
def test_the_whole_loss_can_be_traced_with_it(penalties):
    torch.manual_seed(0)
    assert_equal_to_eager(*double(gan(penalties=penalties, augment=ada()), "aot_eager"))


@pytest.mark.slow
@pytest.mark.parametrize("penalties", PENALTIES)
def test_the_compiled_loss_equals_the_eager_one(penalties):
    import torch._inductor.config as inductor_config

    torch.manual_seed(0)
    model, data = double(gan(penalties=penalties, augment=ada()), "inductor")
    with inductor_config.patch(fallback_random=True):
        assert_equal_to_eager(model, data)


def test_a_compiled_loss_sees_a_strength_that_moves():
    torch.manual_seed(0)
    model, data = double(gan(penalties="none", augment=ada(Fixed(p=0.0))), "aot_eager")
    found = []
    for p in (0.0, 1.0, 0.0):
        model.augment.strength.p.fill_(p)
        torch.manual_seed(1)
        found.append(float(model.discriminator_losses({}, data, -data.x)[0].detach()))
    assert not model.compiled.failed
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize("loss", [NonSaturating, RelativisticPairing])
def test_the_strength_moves_with_the_updates_and_is_recorded(loss):
    torch.manual_seed(0)
    model = gan(loss, penalties="none", augment=ada())
    steps = optimizers(model)
    data = batch(model)
    for _ in range(4):
        model.update(data, steps, measure=False)
        model.num_samples += 12
    assert float(model.augment.strength.p) in (0.0, 0.5, 1.0)  # two moves of 2 * 12 / 96
    seen = model.meter.flush()
    assert {"train/augment/strength", "train/augment/sign", "train/discriminator/won"} <= set(seen)
    assert seen["train/augment/strength"] in (0.375, 0.625)
    assert -1.0 <= seen["train/augment/sign"] <= 1.0


def test_a_sign_is_that_of_a_logit_or_of_a_pair():
    real, fake = torch.tensor([1.0, -1.0, -1.0, 2.0]), torch.tensor([0.0, -2.0, 3.0, 3.0])
    for loss in (NonSaturating, Hinge):
        assert [float(v) for v in verdict(loss(), real, fake)] == [0.0, 0.5]
    for loss in (RelativisticPairing, Wasserstein):
        assert [float(v) for v in verdict(loss(), real + 7, fake + 7)] == [0.0, 0.5]
    assert [float(v) for v in verdict(Hinge(), real.abs(), fake)] == [1.0, 0.75 - 0.25]


def test_the_strength_is_saved_with_the_model_and_is_no_part_of_the_sampler():
    one, other = (gan(augment=ada()) for _ in range(2))
    one.augment.strength.p.fill_(0.3)
    other.load_state_dict(one.state_dict())
    assert float(other.augment.strength.p) == pytest.approx(0.3)
    assert not [name for name in one.sampler_state() if "augment" in name]
