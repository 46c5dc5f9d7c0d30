"""Each VAE of images, by its own YAML with small numbers: trained, resumed, sampled, measured."""

import numpy as np
import pytest
import torch

from genmodels.callbacks.checkpoint import read_checkpoint
from genmodels.data.sources.memory import Memory
from genmodels.layout import Condition, ConditionGroup, ImageLayout
from genmodels.tasks.build import build_model, load_run
from genmodels.tasks.choices import CONFIGS, choices
from genmodels.tasks.compose import compose
from genmodels.tasks.likelihood import Bounds
from genmodels.tasks.train import train
from genmodels.types import Batch, Images

SMALL = {
    "conv_vae": (
        "model.latent_dim=4", "model.encoder.width=8", "model.decoder.width=8",
        "model.encoder.features=16", "model.decoder.features=16",
    ),
    "hvae": (
        "model.decoder.width=8", "model.decoder.narrow=4", "model.decoder.latents=2",
        "model.decoder.maps=8",
    ),
}  # fmt: skip
EX_POST = ("ex_post=mixture", "model.ex_post.components=2", "model.ex_post.least=6")
VARIANTS = {
    "conv_vae": ("conv_vae", ()),
    "conv_vae ex post": ("conv_vae", EX_POST),
    "conv_vae of draws": ("conv_vae", ("model.draws=3", "model.free_bits=0")),
    "conv_vae of mixtures": ("conv_vae", ("likelihood=logistic_mixture", "model.decoder.maps=4")),
    "hvae": ("hvae", ()),
    "hvae at full size": ("hvae", ("model.encoder.blocks=[1]", "model.decoder.blocks=[1]")),
}
QUICK = (
    "trainer.accelerator=cpu", "logger=none", "callbacks.preview=null", "batching.batch_size=8",
    "batching.updates_per_step=2", "batching.updates_per_epoch=4", "validation.monitor=val/loss",
    "data.holdout=0.2", "data.validation=0.2",
)  # fmt: skip


def images(shape=(1, 8, 8), rows=60):
    rng = np.random.default_rng(0)
    labels = np.arange(rows) % 2
    light = rng.integers(0, 120, (rows, *shape)) + 120 * labels[:, None, None, None]
    return Images(light.astype(np.uint8), labels, ("dark", "light"))


def trained(variant, folder, *more, shape=(1, 8, 8)):
    name, words = VARIANTS[variant]
    asked = [f"model={name}", "data=_images", f"run={folder}", *SMALL[name], *QUICK, *words, *more]
    return train(compose("train", asked), source=Memory(raw=images(shape)))


def draw(run, rows=6):
    model = load_run(run).model
    rng = torch.Generator().manual_seed(0)
    z = torch.randn(rows, model.latent_dim, generator=rng)
    c = torch.eye(2)[torch.arange(rows) % 2]
    return model.sample(z, c, torch.rand(rows, model.noise_dim, generator=rng))["pixels"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_prolonged_run_equals_one_that_was_never_stopped(variant, tmp_path):
    whole = trained(variant, tmp_path / "whole", "trainer.max_epochs=3")
    trained(variant, tmp_path / "parts", "trainer.max_epochs=1")
    parts = trained(variant, tmp_path / "parts", "trainer.max_epochs=3", "resume=auto")
    one, other = (read_checkpoint(run)["state_dict"] for run in (whole, parts))
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
    a, b = whole.read_weights(), parts.read_weights()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert torch.equal(draw(whole), draw(parts))


@pytest.mark.parametrize("shape", [(2, 17, 31), (4, 12, 10)], ids=str)
@pytest.mark.parametrize("variant", ["conv_vae ex post", "hvae"])
def test_odd_shapes_are_trained_and_bounded(variant, shape, tmp_path):
    run = trained(variant, tmp_path / "run", "trainer.max_epochs=1", shape=shape)
    assert draw(run).shape == (6, *shape)
    loaded = load_run(run)
    bounds = Bounds(loaded, draws=2, batch_size=5, seed=0)(images(shape, 12))
    assert bounds.shape == (12,)
    assert np.isfinite(bounds).all()
    bits = loaded.model.bits_per_dimension(torch.from_numpy(bounds))
    assert ((bits > 0) & (bits < 20)).all()
    text = run.metrics.read_text()
    assert '"val/bits_per_dimension"' in text


@pytest.mark.parametrize("variant", ["conv_vae ex post", "hvae"])
def test_it_reconstructs_and_a_latent_of_one_vector_can_be_looked_at(variant, tmp_path):
    model = load_run(trained(variant, tmp_path / "run", "trainer.max_epochs=1")).model
    pixels = torch.from_numpy(images().pixels[:4])
    batch = Batch(pixels / 127.5 - 1.0, torch.eye(2)[[0, 1, 0, 1]])
    again = model.reconstruct(batch, torch.full((4, model.noise_dim), 0.5))["pixels"]
    assert again.shape == pixels.shape
    assert torch.equal(
        again, model.reconstruct(batch, torch.full((4, model.noise_dim), 0.5))["pixels"]
    )
    if variant == "hvae":
        with pytest.raises(ValueError, match="one level after the other"):
            model.posterior_mean(batch)
    else:
        assert model.posterior_mean(batch).shape == (4, model.latent_dim)


def test_densities_ex_post_are_in_the_weights_and_change_what_is_drawn(tmp_path):
    run = trained("conv_vae ex post", tmp_path / "run", "trainer.max_epochs=1")
    weights = run.read_weights()
    assert weights["ex_post.means"].shape == (2, 2, 4)
    assert weights["ex_post.means"].any()
    torch.testing.assert_close(weights["ex_post.weights"].sum(1), torch.ones(2))


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32)], ids=str)
def test_the_limit_of_the_gradient_leaves_ordinary_updates_alone(shape):
    torch.manual_seed(0)
    condition = Condition((ConditionGroup("label", (0.5, 0.5)),))
    cfg = compose("train", ["model=hvae", "data=_images"])
    model = build_model(cfg, ImageLayout(*shape), condition, None)
    batch = Batch(torch.randint(0, 256, (4, *shape)) / 127.5 - 1.0, torch.eye(2)[[0, 1, 0, 1]])
    steps = [model.configure_optimizers()]
    for _ in range(3):
        model.update(batch, steps, measure=True)
    found = model.meter.flush()
    assert found["train/skipped"] == 0.0
    assert 10 * found["train/gradient_norm"] < model.skip.limit


def test_every_vae_of_images_is_here():
    found = {
        name
        for name in choices("model", [CONFIGS])
        for text in [(CONFIGS / "model" / f"{name}.yaml").read_text()]
        if "genmodels.algorithms.vae.VAE" in text and "override /codec: image" in text
    }
    assert found == set(SMALL)
