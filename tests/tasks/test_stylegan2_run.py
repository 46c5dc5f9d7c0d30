"""StyleGAN2 through the front door: resumed to the bit, sampled row by row, truncated."""

import numpy as np
import pytest
import torch

from genmodels.callbacks.checkpoint import read_checkpoint
from genmodels.tasks.build import load_run
from genmodels.tasks.compose import compose
from genmodels.tasks.dry_run import dry_run
from genmodels.tasks.sampler import build_sampler
from genmodels.tasks.steering import steered
from genmodels.tasks.train import train
from tests.tasks.test_r3gan_run import images

TINY = [
    "model=stylegan2", "data=npz", "trainer.accelerator=cpu", "logger=none",
    "callbacks.preview=null", "batching.batch_size=8", "batching.updates_per_step=2",
    "batching.updates_per_epoch=4", "validation.rows=20", "model.generator.widths=[8]",
    "model.generator.style=8", "model.discriminator.features=8",
    "model.terms.path_length.every=3",
]  # fmt: skip


def trained(tmp_path, name, *more):
    file = tmp_path / "some.npz"
    if not file.exists():
        images(file, (9, 14, 3))
    words = [*TINY, f"data.path={file}", f"run={tmp_path / name}", *more]
    return train(compose("train", words))


def test_a_prolonged_run_equals_one_that_was_never_stopped(tmp_path):
    whole = trained(tmp_path, "whole", "trainer.max_epochs=3")
    trained(tmp_path, "parts", "trainer.max_epochs=1")
    parts = trained(tmp_path, "parts", "trainer.max_epochs=3", "resume=auto")
    one, other = (read_checkpoint(run)["state_dict"] for run in (whole, parts))
    for name in ("terms.path_length.total", "generator.centres.sums", "average.centres.sums"):
        assert one[name].any()
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
    a, b = whole.read_weights(), parts.read_weights()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_row_depends_on_the_seed_alone_and_truncation_makes_rows_alike(tmp_path):
    loaded = load_run(trained(tmp_path, "run", "trainer.max_epochs=1"))
    for name, weight in loaded.model.average.named_parameters():
        if name.endswith("strength"):
            torch.nn.init.constant_(weight, 0.5)
    few, many = (build_sampler(loaded, seed=3, block_rows=16).sample(n) for n in (5, 40))
    assert np.array_equal(few.pixels, many.pixels[:5])
    other = build_sampler(loaded, seed=4, block_rows=16).sample(5)
    assert not np.array_equal(few.pixels, other.pixels)
    others = dict.fromkeys(("guidance", "top_p", "temper", "latent_scale"))
    assert steered(loaded, {**others, "truncation": 0.01})[0]["spread"] == 1.0
    near = build_sampler(loaded, seed=3, block_rows=16).sample(40)
    assert np.array_equal(near.labels, many.labels)
    spread = [made.pixels[made.labels == 0].std(0).mean() for made in (many, near)]
    assert spread[0] > spread[1] > 0  # what is left is the noise of each row


def test_a_dry_run_says_what_it_costs(tmp_path):
    file = images(tmp_path / "some.npz", (9, 14, 3))
    cost = dry_run(compose("train", [*TINY, f"data.path={file}"]))
    assert set(cost.parameters) == {"generator", "discriminator"}
    assert min(cost.update, cost.activations, *cost.forward.values()) > 0


@pytest.mark.parametrize("name", ["stylegan2_small32", "stylegan2_base256"])
def test_sizes_differ_from_the_recipe_where_they_say_so(name):
    cfg = compose("train", [f"experiment={name}", "data.path=nowhere"])
    assert cfg.choices.model == "stylegan2"
    assert cfg.model.generator.style == cfg.model.latent_dim > 64
    assert cfg.model.discriminator.features == cfg.model.generator.widths[0]
    assert (cfg.model.terms.path_length is None) == (cfg.model.generator.mixing == 0.0)
