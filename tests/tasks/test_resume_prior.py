"""A prior goes on as if nothing had happened, also once variables choose their weights apart."""

import signal

import pytest
import torch

from genmodels.callbacks.checkpoint import read_checkpoint
from genmodels.callbacks.stop import Interrupted
from genmodels.run import Run
from genmodels.tasks.compose import compose
from genmodels.tasks.train import train
from tests.tasks.small import signal_at_step, write_csv

# An epoch is 4 steps of 2 updates. At this rate the sum over the variables is worse after the
# third epoch than after the second, so that they part at step 12 of 24.
PRIOR = [
    "model=tabvae",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=6",
    "logger=none",
    "data.validation=0.2",
    "batching.batch_size=50",
    "batching.updates_per_step=2",
    "batching.updates_per_epoch=8",
    "callbacks.preview=null",
    "callbacks.anneal.warm_up=0",
    "model.network.hidden=8",
    "model.likelihood.components=2",
    "model.optimizer.lr=0.05",
    "model.ema.half_life=100",
    "model.ema.ramp=1.0",
]
PARTED = 12


def train_prior(tmp_path, name):
    path = tmp_path / "people.csv"
    if not path.exists():
        write_csv(path, rows=400)
    return train(compose("train", [f"data.path={path}", f"run={tmp_path / name}", *PRIOR]))


def apart(run):
    return bool(read_checkpoint(run)["state_dict"]["chosen.apart"])


def same(a, b):
    """Whether nested states are equal bit for bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


@pytest.mark.parametrize("step", [6, PARTED, 15], ids=["before", "at", "after"])
def test_interrupted_and_resumed_equals_uninterrupted(tmp_path, monkeypatch, step):
    whole = train_prior(tmp_path, "whole")
    assert apart(whole)
    with monkeypatch.context() as patch:
        signal_at_step(patch, step, signal.SIGINT)
        with pytest.raises(Interrupted):
            train_prior(tmp_path, "run")
    assert apart(Run(tmp_path / "run")) is (step >= PARTED)
    run = train(compose("train", [f"run={tmp_path / 'run'}", "resume=auto"]))
    assert same(whole.read_weights(), run.read_weights())
    ended, resumed = read_checkpoint(whole), read_checkpoint(run)
    for part in ("state_dict", "optimizers", "callbacks", "random_states", "position"):
        assert same(ended[part], resumed[part]), part
    assert run.read_manifest()["results"] == whole.read_manifest()["results"]
