"""R3GAN through the front door: its schedules end where the training ends, at any size."""

import numpy as np
import pytest
import torch

from genmodels.callbacks.checkpoint import read_checkpoint
from genmodels.tasks.build import load_run
from genmodels.tasks.compose import compose
from genmodels.tasks.train import train

TINY = [
    "model=r3gan", "data=npz", "trainer.accelerator=cpu", "logger=none", "callbacks.preview=null",
    "batching.batch_size=8", "batching.updates_per_step=2", "batching.updates_per_epoch=4",
    "validation.rows=20", "model.generator.widths=[8]", "model.discriminator.features=8",
]  # fmt: skip


def images(path, shape):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (60, *shape), np.uint8)
    np.savez(path, images=pixels, labels=rng.integers(0, 3, 60))
    return path


@pytest.mark.parametrize("shape", [(8, 8), (9, 14, 3)], ids=str)
def test_a_training_of_any_length_ends_with_the_last_values_of_its_schedules(tmp_path, shape):
    file = images(tmp_path / "some.npz", shape)
    words = [*TINY, f"data.path={file}", f"run={tmp_path / 'run'}", "trainer.max_epochs=5"]
    run = train(compose("train", words))
    state = read_checkpoint(run)
    groups = [group for made in state["optimizers"] for group in made["param_groups"]]
    assert [group["lr"] for group in groups] == pytest.approx([2e-4, 2e-4])
    assert [group["betas"] for group in groups] == [(0.0, pytest.approx(0.99))] * 2
    model = load_run(run).model
    z, c = torch.zeros(2, model.latent_dim), torch.eye(3)[:2]
    pixels = model.sample(z, c, torch.empty(2, 0))["pixels"]
    assert pixels.shape == (2, *((1, *shape) if len(shape) == 2 else (3, *shape[:2])))
