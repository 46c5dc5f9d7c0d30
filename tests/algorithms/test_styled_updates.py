"""Updates of a generator with styles, noise of its own and a term on samples of its own."""

import pytest
import torch

from genmodels.algorithms.gan import normal
from genmodels.augment import Cutout
from genmodels.layout import Condition, ConditionGroup, ImageLayout
from genmodels.losses import NonSaturating
from genmodels.networks import stylegan2
from genmodels.penalties import R1
from genmodels.terms import PathLength
from genmodels.types import Batch
from tests.algorithms.test_compiled_loss import assert_equal_to_eager, double
from tests.algorithms.test_image_updates import (
    LABELLED,
    PENALTIES,
    batch,
    gan,
    optimizers,
    run_on_meta,
)


def lengths(**changes):
    return PathLength(**({"weight": 0.5, "every": 2, "share": 0.5, "inertia": 0.9} | changes))


def styled(shape=(1, 8, 8), condition=LABELLED, group=4, mixing=0.9, terms=True, **more):
    parts = {"layout": ImageLayout(*shape), "condition": condition}
    mapping = {"style": 8, "depth": 2, "rate": 0.01, "mixing": mixing, "inertia": 0.9}
    networks = {
        "generator": stylegan2.Generator(**parts, latent_dim=6, widths=[8, 8], **mapping),
        "discriminator": stylegan2.Discriminator(**parts, widths=[8, 8], features=16, group=group),
    }
    more = {"joint": False, "loss": NonSaturating} | more
    terms = {"path_length": lengths()} if terms else {}
    return gan(shape=shape, condition=condition, networks=networks, terms=terms, **more)


def train(model, updates, rows=12):
    steps = optimizers(model)
    for _ in range(updates):
        model.update(batch(model, rows), steps, measure=False)
        model.num_samples += rows
    return model


@pytest.mark.parametrize("penalties", PENALTIES)
def test_updates_run_without_the_host(penalties):
    run_on_meta(styled(penalties=penalties, augment=Cutout(share=0.5)))


@pytest.mark.parametrize("penalties", PENALTIES)
def test_every_penalty_leaves_finite_weights_that_move(penalties):
    """Here every channel has a kernel of its own; without a host all channels share one."""
    torch.manual_seed(0)
    model = styled(penalties=penalties, terms=False)
    before = model.discriminator.halvings[0].second.weight.detach().clone()
    train(model, 2)
    found = model.discriminator.halvings[0].second.weight
    assert torch.isfinite(found).all()
    assert not torch.equal(found, before)


@pytest.mark.parametrize("condition", [LABELLED, Condition()], ids=["labelled", "unlabelled"])
def test_an_update_moves_every_parameter(condition):
    torch.manual_seed(0)
    model = styled((2, 5, 7), condition)
    before = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    train(model, 2)
    after = dict(model.named_parameters())
    assert [name for name, value in before.items() if torch.equal(value, after[name])] == []


def test_products_may_round_to_bfloat16():
    torch.manual_seed(0)
    model = train(styled(rounding="bfloat16"), 3)
    assert all(torch.isfinite(p).all() for p in model.parameters())
    z, c = torch.randn(2, 6), batch(model, 2).c
    with torch.autocast("cpu", torch.bfloat16):
        assert model.generator(z, c).dtype == torch.float32


def test_a_sample_is_a_function_of_its_inputs_and_the_noise_is_one_of_them():
    torch.manual_seed(0)
    model = train(styled(), 3)
    for name, weight in model.average.named_parameters():
        if name.endswith("strength"):
            weight.fill_(1.0)
    z, c, u = torch.randn(5, 6), batch(model, 5).c, torch.rand(5, model.noise_dim)
    assert model.noise_dim == model.generator.noise_dim == 16 + 64 + 64
    whole = model.sample(z, c, u)["pixels"]
    assert torch.equal(model.train().sample(z, c, u)["pixels"], whole)
    assert torch.equal(model.sample(z[1:3], c[1:3], u[1:3])["pixels"], whole[1:3])
    assert not torch.equal(model.sample(z, c, u.flip(0))["pixels"], whole)


def test_uniforms_become_normal_numbers_that_are_all_finite():
    ends = normal(torch.tensor([0.0, 0.5, 1.0 - 2.0**-24]))
    assert torch.isfinite(ends).all()
    assert ends[1] == 0.0
    torch.manual_seed(0)
    found = normal(torch.rand(100_000))
    assert float(found.std()) == pytest.approx(1.0, abs=0.01)


def test_truncation_is_of_the_averaged_generator_and_keeps_the_means_of_styles():
    torch.manual_seed(0)
    model = train(styled(), 5)
    average, live = model.average.centres, model.generator.centres
    assert average.weights.all()
    assert not torch.equal(average.sums, live.sums)
    z, c = torch.randn(6, 6), torch.eye(3)[[0, 0, 1, 1, 2, 2]]
    u = torch.full((6, model.noise_dim), 0.5)
    whole = model.sample(z, c, u)["pixels"]
    model.average.truncation = 0.0
    middle = model.sample(z, c, u)["pixels"]
    assert torch.equal(middle[::2], middle[1::2])
    assert not torch.equal(whole[::2], whole[1::2])
    model.average.truncation = 1.0
    assert torch.equal(model.sample(z, c, u)["pixels"], whole)
    other = styled()
    other.load_sampler_state({k: v.clone() for k, v in model.sampler_state().items()})
    other.average.truncation = 0.0
    assert torch.equal(other.sample(z, c, u)["pixels"], middle)


def test_a_discriminator_that_compares_samples_refuses_a_joint_pass():
    with pytest.raises(ValueError, match=r"model\.joint must be false"):
        styled(joint=True)
    train(styled(joint=True, group=1), 1)


def test_the_term_on_paths_is_due_by_the_generators_own_updates():
    torch.manual_seed(0)
    model, due = styled(discriminator_steps=2, penalties="none"), []
    steps = optimizers(model)
    for _ in range(8):
        model.update(batch(model), steps, measure=False)
        model.num_samples += 12
        due.append("train/term/path_length" in model.meter.flush())
    assert due == [False, True, False, False, False, True, False, False]


def test_the_term_on_paths_reaches_the_generator_and_can_be_left_out():
    found = []
    for weight in (0.0, 5.0):
        torch.manual_seed(0)
        model = styled(terms=False)
        model.terms["path_length"] = lengths(weight=weight, inertia=0.0)
        found.append(train(model, 1).generator.convs[0].conv.weight.detach().clone())
    assert not torch.equal(*found)
    model = gan(terms={"path_length": None})
    assert len(model.terms) == 0


def test_no_random_number_is_drawn_for_a_term_that_is_not_due():
    states = []
    for every in (1, 2):
        torch.manual_seed(0)
        model = styled(terms=False)
        model.terms["path_length"] = lengths(every=every)
        model.num_samples = 12
        train(model, 1)
        states.append(torch.get_rng_state())
    assert not torch.equal(*states)
    torch.manual_seed(0)
    reference = styled(terms=False)
    reference.num_samples = 12
    train(reference, 1)
    assert torch.equal(torch.get_rng_state(), states[1])


@pytest.mark.slow
def test_the_whole_loss_can_be_traced_to_equal_losses_and_gradients():
    torch.manual_seed(0)
    assert_equal_to_eager(*double(styled(penalties="r1"), "aot_eager"))


def test_two_kinds_of_image_are_learned_by_their_label():
    torch.manual_seed(0)
    model = styled(condition=Condition((ConditionGroup("label", (0.5, 0.5)),)))
    model.penalties = {"r1": R1(weight=0.1, every=4)}
    model.terms["path_length"] = lengths(every=8)
    steps = optimizers(model)
    c = torch.eye(2).repeat(16, 1)
    x = (c[:, 1] * 1.6 - 0.8).view(-1, 1, 1, 1).expand(-1, 1, 8, 8).contiguous()
    for _ in range(60):
        model.update(Batch(x, c), steps, measure=False)
        model.num_samples += 32
    u = torch.rand(2, model.noise_dim)
    pixels = model.sample(torch.randn(2, 6), torch.eye(2), u)["pixels"].float()
    assert pixels[0].mean() + 50 < pixels[1].mean()
