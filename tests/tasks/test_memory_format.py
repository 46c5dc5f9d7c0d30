"""The order of weights in memory: asked for, or tried at the start and kept with the run."""

from typing import ClassVar

import pytest
import torch

from genmodels.run import Run
from genmodels.tasks import memory_format
from genmodels.tasks.compose import compose
from genmodels.tasks.memory_format import fastest
from genmodels.tasks.stored import load_config
from genmodels.tasks.train import train
from genmodels.types import Batch

QUICK = (
    "model=dcgan", "data=digits", "model.generator.width=4", "model.discriminator.width=4",
    "model.discriminator.features=8", "trainer.accelerator=cpu", "logger=none",
    "callbacks.preview=null", "batching.batch_size=8", "batching.updates_per_step=2",
    "batching.updates_per_epoch=4", "validation.rows=20",
)  # fmt: skip


class Timed:
    """A model whose updates take as long as its format says, by a clock of its own."""

    clock = 0.0
    costs: ClassVar = {}

    def __init__(self):
        self.num_samples, self.cost = 0, 0.0
        self.noise = torch.rand(3)

    def to(self, *device, memory_format=None):
        self.cost = self.costs.get(memory_format, self.cost)
        return self

    def configure_optimizers(self):
        return []

    def update(self, batch, optimizers, *, measure):
        torch.rand(len(batch.x))
        Timed.clock += self.cost


@pytest.mark.parametrize("faster", ["contiguous", "channels_last"])
def test_the_faster_is_taken_and_random_numbers_are_as_before(monkeypatch, faster):
    costs = {f: 2.0 if name == faster else 3.0 for name, f in memory_format.FORMATS.items()}
    monkeypatch.setattr(Timed, "costs", costs)
    monkeypatch.setattr(memory_format.time, "perf_counter", lambda: Timed.clock)
    torch.manual_seed(0)
    expected = torch.rand(4)
    torch.manual_seed(0)
    batch = Batch(torch.zeros(4, 1, 2, 2), torch.zeros(4, 0))
    assert fastest(Timed, batch, torch.device("cpu")) == faster
    assert torch.equal(torch.rand(4), expected)


def test_a_run_keeps_what_was_found_and_goes_on_with_it(tmp_path, monkeypatch):
    tried = []
    monkeypatch.setattr(
        "genmodels.tasks.train.fastest", lambda *a: tried.append(a[1]) or "channels_last"
    )
    words = [*QUICK, "memory_format=fastest", f"run={tmp_path / 'run'}"]
    train(compose("train", [*words, "trainer.max_epochs=1"]))
    assert tried[0].x.shape == (8, 1, 8, 8)
    assert load_config(Run(tmp_path / "run")).memory_format == "channels_last"
    train(compose("train", [*words, "trainer.max_epochs=2", "resume=auto"]))
    assert len(tried) == 1
    assert load_config(Run(tmp_path / "run")).memory_format == "channels_last"


def test_another_word_is_one_clear_error(tmp_path):
    words = [*QUICK, "memory_format=nhwc", f"run={tmp_path / 'run'}"]
    with pytest.raises(ValueError, match=r"contiguous, channels_last or fastest .* got 'nhwc'"):
        train(compose("train", words))
    assert not (tmp_path / "run").exists()
