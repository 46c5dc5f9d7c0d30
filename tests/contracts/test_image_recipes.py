"""Every recipe for images, by its own YAML with small numbers, at every shape: it learns and draws.

The way through the front door, with a report at its end, is walked for one GAN and one VAE.
"""

import functools

import numpy as np
import pytest
import torch

from genmodels.layout import Condition, ConditionGroup, ImageLayout
from genmodels.tasks.build import build_model
from genmodels.tasks.choices import CONFIGS, choices
from genmodels.tasks.compose import compose
from genmodels.tasks.evaluate import evaluate
from genmodels.tasks.memory_format import FORMATS
from genmodels.tasks.sample import sample
from genmodels.tasks.train import train
from genmodels.types import Batch

SMALL = {
    "conv_vae": (
        "model.latent_dim=4", "model.encoder.width=8", "model.decoder.width=8",
        "model.encoder.features=16", "model.decoder.features=16",
    ),
    "dcgan": (
        "model.latent_dim=4", "model.generator.width=4", "model.discriminator.width=4",
        "model.discriminator.features=8",
    ),
    "hvae": (
        "model.decoder.width=8", "model.decoder.narrow=4", "model.decoder.latents=2",
        "model.decoder.maps=8",
    ),
    "r3gan": (
        "model.latent_dim=4", "model.generator.widths=[8]", "model.discriminator.features=8",
    ),
    "stylegan2": (
        "model.latent_dim=4", "model.generator.widths=[8]", "model.generator.style=8",
        "model.discriminator.features=8",
    ),
    "vqvae": (
        "model.prior_after=0", "model.encoder.width=4", "model.encoder.blocks=1",
        "model.encoder.features=8", "model.encoder.cells=16", "model.prior.hidden=16",
        "model.prior.layers=1", "model.prior.heads=2",
    ),
}  # fmt: skip
SHAPES = [(1, 20, 28), (2, 17, 31), (4, 32, 32), (3, 64, 48)]
LABELLED = Condition((ConditionGroup("label", (0.5, 0.3, 0.2)),))
CONDITIONS = {"labelled": LABELLED, "unlabelled": Condition()}
# Where the way of a condition through a network could depend on the shape, both are tried.
CASES = [(shape, "labelled") for shape in SHAPES] + [((2, 17, 31), "unlabelled")]
ROWS = 4


@functools.cache
def config(recipe):
    return compose("train", [f"model={recipe}", "data=_images", *SMALL[recipe]])


def built(recipe, shape, condition):
    torch.manual_seed(0)
    return build_model(config(recipe), ImageLayout(*shape), condition, None)


def batch(shape, condition, device="cpu"):
    x = torch.randint(0, 256, (ROWS, *shape)) / 127.5 - 1.0
    c = torch.eye(3)[torch.arange(ROWS) % 3, : condition.width]
    return Batch(x, c).to(device)


def update(model, data):
    """The first update, in which every lazy part is due."""
    found = model.configure_optimizers()
    optimizers = found if isinstance(found, list) else [found]
    return model.update(data, optimizers, measure=True)


def drawn(model, c):
    z, u = (torch.rand(len(c), n, device=c.device) for n in (model.latent_dim, model.noise_dim))
    pixels = model.sample(z, c, u)["pixels"]
    assert pixels.dtype == torch.uint8
    assert pixels.shape == (len(c), *model.layout.shape)
    return pixels


@pytest.mark.parametrize(("shape", "told"), CASES, ids=str)
@pytest.mark.parametrize("recipe", SMALL)
def test_an_update_changes_finite_weights_and_samples_are_repeatable(recipe, shape, told):
    condition = CONDITIONS[told]
    model, data = built(recipe, shape, condition), batch(shape, condition)
    before = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
    assert torch.isfinite(update(model, data))
    after = dict(model.named_parameters())
    assert all(torch.isfinite(after[n]).all() for n in before)
    moved = {n.split(".")[0] for n, p in before.items() if not torch.equal(p, after[n])}
    assert moved == {n.split(".")[0] for n in before}  # every network takes part
    torch.manual_seed(1)
    one = drawn(model, data.c)
    torch.manual_seed(1)
    assert torch.equal(drawn(model, data.c), one)


@pytest.mark.parametrize("shape", [(2, 17, 31), (3, 64, 48)], ids=str)
@pytest.mark.parametrize("recipe", SMALL)
def test_an_update_and_a_sample_need_no_host(recipe, shape):
    """Any transfer to or from the host raises on this device."""
    model, data = built(recipe, shape, LABELLED).to("meta"), batch(shape, LABELLED, "meta")
    assert update(model, data).device.type == "meta"
    drawn(model, data.c)


@pytest.mark.parametrize("recipe", SMALL)
def test_the_order_in_memory_changes_no_more_than_the_last_bits(recipe):
    shape, states = (3, 64, 48), []
    for name, order in FORMATS.items():
        cfg = config(recipe).copy()
        cfg.memory_format = name
        if "path_length" in cfg.model.get("terms", {}):
            cfg.model.terms.path_length = None  # its random images are drawn in order of memory
        torch.manual_seed(0)
        model = build_model(cfg, ImageLayout(*shape), LABELLED, None)
        filters = [p for p in model.parameters() if p.ndim == 4]
        assert filters
        assert all(p.is_contiguous(memory_format=order) for p in filters)
        torch.manual_seed(1)
        loss = update(model, batch(shape, LABELLED))
        states.append((loss, {n: p.detach() for n, p in model.named_parameters()}))
    (one, before), (other, after) = states
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    # A first step of Adam is the sign of a gradient, so where that is near 0 it may be another.
    far = [(after[n] - p).abs() > 1e-4 for n, p in before.items()]
    assert sum(int(x.sum()) for x in far) < 0.02 * sum(x.numel() for x in far)


def test_every_recipe_for_images_is_here():
    found = {
        name
        for name in choices("model", [CONFIGS])
        if "override /codec: image" in (CONFIGS / "model" / f"{name}.yaml").read_text()
    }
    assert found == set(SMALL)


QUICK = (
    "trainer.accelerator=cpu", "trainer.max_epochs=1", "logger=none", "callbacks.preview=null",
    "batching.batch_size=8", "batching.updates_per_step=2", "batching.updates_per_epoch=4",
    "validation.rows=20",
)  # fmt: skip
FAST = (
    "kinds.images.suite.steps=10", "kinds.images.suite.copies=20", "kinds.images.suite.subsets=5",
    "tensorboard=false",
)  # fmt: skip


@pytest.mark.parametrize("recipe", ["stylegan2", "conv_vae"])
def test_an_odd_shape_is_trained_sampled_and_judged(recipe, tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    light = rng.integers(0, 120, (60, 17, 31, 2)) + 120 * labels[:, None, None, None]
    np.savez(tmp_path / "odd.npz", images=light.astype(np.uint8), labels=labels)
    words = ["data=npz", f"data.path={tmp_path / 'odd.npz'}", f"run={tmp_path / 'run'}"]
    run = train(compose("train", [f"model={recipe}", *SMALL[recipe], *QUICK, *words]))
    out = tmp_path / "out"
    folder = sample(compose("sample", [f"run={run}", f"out={out}", "n=30", "format=npz"]))
    with np.load(next(folder.rglob("*.npz"))) as made:
        assert made["images"].shape == (30, 17, 31, 2)
        assert set(made["labels"].tolist()) <= {0, 1}
    report, _ = evaluate(compose("evaluate", [f"run={run}", f"synthetic={out}", *FAST]))
    found = [row for row in report.rows if "FD-DomainCNN" in row.metric]
    assert found
    assert all(np.isfinite(row.value) for row in found)
    assert (tmp_path / "out-report" / "report.html").is_file()
