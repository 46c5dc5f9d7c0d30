"""A small table on disk, and trainings of a second on it."""

import os

import numpy as np

from genmodels.algorithms.base import GenerativeModel
from genmodels.tasks.compose import compose
from genmodels.tasks.train import train

TINY = [
    "trainer.accelerator=cpu",
    "logger=none",
    "batching.batch_size=50",
    "batching.updates_per_step=2",
    "model=tvae",
    "model.encoder.hidden=[16]",
    "model.decoder.hidden=[16]",
    "model.latent_dim=4",
    "callbacks.preview=null",
    "validation.every=2",
    "validation.monitor=val/score",
    "validation.rows=60",
]


def write_csv(path, rows=600, seed=0):
    rng = np.random.default_rng(seed)
    lines = ["age,city,income"]
    for _ in range(rows):
        city = ("oslo", "rome", "bonn")[rng.choice(3, p=[0.6, 0.3, 0.1])]
        lines.append(f"{rng.integers(18, 90)},{city},{rng.normal(1000, 200):.2f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def words(tmp_path, *more):
    path = tmp_path / "people.csv"
    if not path.exists():
        write_csv(path)
    return [f"data.path={path}", f"run={tmp_path / 'run'}", *TINY, "trainer.max_epochs=4", *more]


def train_tiny(tmp_path, *more):
    return train(compose("train", words(tmp_path, *more)))


def left(folder):
    """Names in a folder besides the data, with anything hidden."""
    return sorted(p.name for p in folder.rglob("*") if not p.name.endswith(".csv"))


def signal_at_step(monkeypatch, step, number):
    """Send this process a signal inside its `step`-th training step."""
    calls, training_step = [], GenerativeModel.training_step

    def interrupted(self, batches, batch_idx):
        calls.append(1)
        if len(calls) == step:
            os.kill(os.getpid(), number)
        return training_step(self, batches, batch_idx)

    monkeypatch.setattr(GenerativeModel, "training_step", interrupted)
    return calls
