"""Updates of the image models: they run without a device, learn, and their samples are pure."""

from functools import partial

import pytest
import torch

from genmodels.algorithms.gan import GAN
from genmodels.algorithms.vae import VAE
from genmodels.augment import Colour, Compose, Cutout, Translation
from genmodels.ema import EMA
from genmodels.layout import Condition, ConditionGroup, ImageLayout
from genmodels.likelihoods.images import Bernoulli, DiscretizedLogistic, Gaussian
from genmodels.losses import Hinge, NonSaturating, RelativisticPairing, Wasserstein
from genmodels.networks import conv_vae, dcgan, r3gan
from genmodels.networks.heads import ImageHead
from genmodels.penalties import R1, R2, FiniteDifference, ForwardDerivative, GradientPenalty
from genmodels.types import Batch

LABELLED = Condition((ConditionGroup("label", (0.5, 0.3, 0.2)),))
LOSSES = [NonSaturating, Hinge, Wasserstein, RelativisticPairing]


def both(norm):
    return {"r1": R1(weight=0.1, norm=norm), "r2": R2(weight=0.1, norm=norm, every=2)}


PENALTIES = {
    "none": dict,
    "r1": lambda: {"r1": R1(weight=0.1)},
    "r2": lambda: {"r2": R2(weight=0.1)},
    "r1_r2": lambda: {"r1": R1(weight=0.1), "r2": R2(weight=0.1, every=2)},
    "differences": lambda: both(FiniteDifference(sigma=0.01, share=0.25)),
    "forward": lambda: both(ForwardDerivative(share=0.5)),
    "gradient": lambda: {"gradient": GradientPenalty(weight=10.0)},
}
LIKELIHOODS = {
    "bernoulli": partial(Bernoulli),
    "gaussian": partial(Gaussian, scale=0.3),
    "logistic": partial(DiscretizedLogistic, scale=0.3),
}
ADAM = partial(torch.optim.Adam, lr=2e-3, betas=(0.0, 0.99))


def augmentation():
    colour = Colour(brightness=0.5, saturation=1.0, contrast=0.5)
    return Compose(
        steps={"a": colour, "b": Translation(share=0.125, fill=-1.0), "c": Cutout(share=0.5)}
    )


def strided(parts):
    return {
        "generator": dcgan.Generator(**parts, latent_dim=6, width=8),
        "discriminator": dcgan.Discriminator(**parts, width=8, features=16),
    }


def gan(
    loss=RelativisticPairing,
    penalties="r1_r2",
    shape=(1, 8, 8),
    condition=LABELLED,
    networks=None,
    **more,
):
    parts = {"layout": ImageLayout(*shape), "condition": condition}
    return GAN(
        **parts,
        latent_dim=6,
        **(networks or strided(parts)),
        head=ImageHead(layout=parts["layout"]),
        loss=loss(),
        penalties=PENALTIES[penalties](),
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
        ema=EMA(half_life=1000, ramp=0.05),
        **more,
    )


def vae(likelihood="logistic", shape=(1, 8, 8), condition=LABELLED, sampling="mean", **changes):
    parts = {"layout": ImageLayout(*shape), "condition": condition}
    sizes = {"latent_dim": 6, "width": 8, "features": 32}
    options = {
        "latent_dim": 6,
        "encoder": conv_vae.Encoder(**parts, **sizes),
        "decoder": conv_vae.Decoder(**parts, **sizes),
        "likelihood": LIKELIHOODS[likelihood](layout=parts["layout"], sampling=sampling),
        "optimizer": partial(torch.optim.Adam, lr=2e-3),
    }
    return VAE(**parts, **(options | changes))


def batch(model, rows=12, device="cpu"):
    x = torch.rand(rows, *model.layout.shape) * 2 - 1
    c = torch.zeros(rows, model.condition.width)
    if model.condition.width:
        c[torch.arange(rows), torch.arange(rows) % 3] = 1.0
    return Batch(x, c).to(device)


def optimizers(model):
    found = model.configure_optimizers()
    return found if isinstance(found, list) else [found]


def run_on_meta(model, updates=2):
    """Any transfer to or from the host raises on this device."""
    model = model.to("meta")
    steps = optimizers(model)
    for number in range(updates):
        model.num_samples = 12 * number
        loss = model.update(batch(model, device="meta"), steps, measure=True)
        assert loss.device.type == "meta"
    z, u = (torch.empty(4, n, device="meta") for n in (6, model.noise_dim))
    pixels = model.sample(z, torch.empty(4, model.condition.width, device="meta"), u)["pixels"]
    assert pixels.shape == (4, *model.layout.shape)
    assert pixels.dtype == torch.uint8


@pytest.mark.parametrize("penalties", PENALTIES)
@pytest.mark.parametrize("loss", LOSSES)
def test_gan_updates_and_samples_without_the_host(loss, penalties):
    run_on_meta(gan(loss, penalties))


@pytest.mark.parametrize("shape", [(3, 32, 32), (2, 20, 28), (4, 5, 7)], ids=str)
@pytest.mark.parametrize("penalties", ["r1_r2", "differences", "forward"])
def test_augmented_gan_updates_without_the_host(shape, penalties):
    run_on_meta(gan(shape=shape, augment=augmentation(), penalties=penalties))


BODY = {"widths": [16, 8], "blocks": 1, "expansion": 2, "group": 8, "patch": 2}


def residual(shape=(1, 8, 8), condition=LABELLED, **more):
    parts = {"layout": ImageLayout(*shape), "condition": condition}
    networks = {
        "generator": r3gan.Generator(**parts, latent_dim=6, **BODY, embedding=6),
        "discriminator": r3gan.Discriminator(**parts, **BODY, features=16),
    }
    return gan(shape=shape, condition=condition, networks=networks, **more)


@pytest.mark.parametrize("penalties", PENALTIES)
@pytest.mark.parametrize("shape", [(1, 20, 28), (2, 17, 31), (4, 32, 32)], ids=str)
def test_residual_gan_updates_without_the_host(shape, penalties):
    run_on_meta(residual(shape, penalties=penalties, augment=augmentation()))


@pytest.mark.parametrize("sampling", ["mean", "draw"])
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_vae_updates_and_samples_without_the_host(likelihood, sampling):
    run_on_meta(vae(likelihood, sampling=sampling))


@pytest.mark.parametrize("condition", [LABELLED, Condition()], ids=["labelled", "unlabelled"])
@pytest.mark.parametrize("make", [gan, vae])
def test_an_update_moves_every_parameter(make, condition):
    torch.manual_seed(0)
    model = make(shape=(2, 5, 7), condition=condition)
    before = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    steps = optimizers(model)
    for _ in range(2):
        model.update(batch(model), steps, measure=False)
        model.num_samples += 12
    after = dict(model.named_parameters())
    assert before
    assert [name for name, value in before.items() if torch.equal(value, after[name])] == []


def test_penalties_reach_the_weights_of_the_discriminator():
    """With the adversarial loss at zero slope, only R1 and R2 can move the convolutions."""
    torch.manual_seed(0)
    model = gan()
    gradients = []
    for penalties in ("none", "r1_r2"):
        torch.manual_seed(1)
        model.penalties = PENALTIES[penalties]()
        data = batch(model)
        step = torch.optim.SGD(model.discriminator.parameters(), lr=0.0)
        step.zero_grad = lambda set_to_none=True: None
        model.discriminator.zero_grad()
        model.discriminator_phase(data, step, 0, False)
        gradients.append([p.grad.clone() for p in model.discriminator.downs.parameters()])
    assert all(not torch.allclose(a, b) for a, b in zip(*gradients, strict=True) if a.ndim == 4)


@pytest.mark.parametrize("make", [gan, residual, vae])
def test_a_sample_is_a_function_of_its_inputs_alone(make):
    torch.manual_seed(0)
    model = make()
    model.update(batch(model), optimizers(model), measure=False)
    z, c = torch.randn(5, 6), batch(model, 5).c
    u = torch.rand(5, model.noise_dim)
    whole = model.sample(z, c, u)["pixels"]
    assert torch.equal(model.train().sample(z, c, u)["pixels"], whole)
    assert torch.equal(model.sample(z[1:3], c[1:3], u[1:3])["pixels"], whole[1:3])


@pytest.mark.parametrize("make", [gan, vae])
def test_weights_for_sampling_survive_saving_and_loading(make):
    torch.manual_seed(0)
    one, other = make(), make()
    one.update(batch(one), optimizers(one), measure=False)
    other.load_sampler_state({k: v.clone() for k, v in one.sampler_state().items()})
    z, c = torch.randn(3, 6), batch(one, 3).c
    u = torch.rand(3, one.noise_dim)
    assert torch.equal(one.sample(z, c, u)["pixels"], other.sample(z, c, u)["pixels"])


def test_vae_loss_falls():
    """Black and white images: nearly nothing to tell once the model has seen them."""
    torch.manual_seed(0)
    model = vae(condition=Condition((ConditionGroup("label", (0.5, 0.5)),)))
    steps = optimizers(model)
    c = torch.eye(2).repeat(16, 1)
    x = (c[:, 1] * 2 - 1).view(-1, 1, 1, 1).expand(-1, 1, 8, 8).contiguous()
    losses = [float(model.update(Batch(x, c), steps, measure=False)) for _ in range(40)]
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("make", [gan, residual])
def test_gan_learns_two_kinds_of_image_by_their_label(make):
    torch.manual_seed(0)
    model = make(condition=Condition((ConditionGroup("label", (0.5, 0.5)),)))
    steps = optimizers(model)
    c = torch.eye(2).repeat(16, 1)
    x = (c[:, 1] * 1.6 - 0.8).view(-1, 1, 1, 1).expand(-1, 1, 8, 8).contiguous()
    for _ in range(120):
        model.update(Batch(x, c), steps, measure=False)
        model.num_samples += 32
    pixels = model.sample(torch.randn(2, 6), torch.eye(2), torch.empty(2, 0))["pixels"].float()
    assert pixels[0].mean() + 50 < pixels[1].mean()
