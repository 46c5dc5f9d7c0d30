"""A GAN with adaptive augmentation goes on after an interruption as if there had been none."""

import signal

import numpy as np
import pytest
import torch

from genmodels.callbacks.checkpoint import read_checkpoint
from genmodels.callbacks.stop import Interrupted
from genmodels.tasks.compose import compose
from genmodels.tasks.train import train
from tests.tasks.small import signal_at_step

TINY = [
    "model=dcgan", "data=npz", "trainer.accelerator=cpu", "logger=none", "callbacks.preview=null",
    "batching.batch_size=8", "batching.updates_per_step=3", "batching.updates_per_epoch=10",
    "validation.rows=20", "validation.every=2", "trainer.max_epochs=3", "warm_up=ramp",
    "model.generator.width=4", "model.discriminator.width=4", "model.latent_dim=4",
    "augment=ada", "model.augment.strength.start=0.3",
    "model.augment.strength.share=2", "batching.balance=0.5",
]  # fmt: skip


def run_words(tmp_path, name):
    return [*TINY, f"data.path={tmp_path / 'some.npz'}", f"run={tmp_path / name}"]


def same(a, b):
    """Whether two states are equal, bit by bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


@pytest.mark.parametrize("step", [2, 6])  # the first is in the middle of four updates
def test_interrupted_and_resumed_equals_uninterrupted(tmp_path, monkeypatch, step):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (60, 8, 8), np.uint8)
    np.savez(tmp_path / "some.npz", images=pixels, labels=rng.integers(0, 3, 60))
    whole = train(compose("train", run_words(tmp_path, "whole")))
    with monkeypatch.context() as patch:
        signal_at_step(patch, step, signal.SIGINT)
        with pytest.raises(Interrupted):
            train(compose("train", run_words(tmp_path, "parts")))
    parts = train(compose("train", [f"run={tmp_path / 'parts'}", "resume=auto"]))
    a, b = read_checkpoint(whole), read_checkpoint(parts)
    for part in ("state_dict", "optimizers", "random_states", "host", "position", "callbacks"):
        assert same(a[part], b[part]), part
    strength = a["state_dict"]["augment.strength.p"]
    assert 0.0 < float(strength) != pytest.approx(0.3)
    assert float(a["state_dict"]["warm_up.factor"]) == 1.0
    assert "average.stem.weight" in a["state_dict"]
    assert same(whole.read_weights(), parts.read_weights())
