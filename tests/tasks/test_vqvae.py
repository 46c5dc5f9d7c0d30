"""Both stages of discrete latents behind one command, stopped anywhere, in one run."""

import json
import os
import signal

import numpy as np
import pytest
import torch

from genmodels.algorithms.vqvae import VQVAE
from genmodels.callbacks.checkpoint import read_checkpoint
from genmodels.callbacks.stop import Interrupted
from genmodels.tasks.build import load_run
from genmodels.tasks.compose import compose
from genmodels.tasks.sample import sample
from genmodels.tasks.sampler import build_sampler
from genmodels.tasks.train import train

TINY = [
    "model=vqvae",
    "data=digits",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=3",
    "logger=none",
    "batching.batch_size=20",
    "batching.updates_per_step=2",
    "batching.updates_per_epoch=6",
    "model.prior_after=160",
    "model.encoder.width=4",
    "model.encoder.blocks=1",
    "model.encoder.features=8",
    "model.prior.hidden=16",
    "model.prior.layers=1",
    "model.prior.heads=2",
    "data.preview.rows=2",
    "data.preview.columns=2",
]
QUANTIZERS = {"fsq": [], "codebook": ["quantizer=codebook", "model.quantizer.codes=20"]}


def train_tiny(path, *more):
    return train(compose("train", [*TINY, f"run={path}", *more]))


# An epoch is 3 steps of 2 updates of 20 rows; the prior joins in the middle of the second epoch.
@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_interrupted_and_resumed_equals_uninterrupted(tmp_path, monkeypatch, quantizer):
    words = QUANTIZERS[quantizer]
    whole = train_tiny(tmp_path / "whole", *words)
    calls, training_step = [], VQVAE.training_step

    def interrupted(self, batches, batch_idx):
        calls.append(1)
        if len(calls) in (2, 5, 8):  # alone; the prior has just joined; both for long
            os.kill(os.getpid(), signal.SIGINT)
        return training_step(self, batches, batch_idx)

    monkeypatch.setattr(VQVAE, "training_step", interrupted)
    for number in range(4):
        resumed = [f"run={tmp_path / 'run'}", "resume=auto"]
        cfg = compose("train", resumed if number else [*TINY, f"run={tmp_path / 'run'}", *words])
        if number < 3:
            with pytest.raises(Interrupted):
                train(cfg)
        else:
            run = train(cfg)
    assert len(calls) == 9
    a, b = whole.read_weights(), run.read_weights()
    assert all(torch.equal(a[name], b[name]) for name in a)
    last_a, last_b = (read_checkpoint(r) for r in (whole, run))
    states = (last_a["state_dict"], last_b["state_dict"])
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    for first, second in zip(last_a["optimizers"], last_b["optimizers"], strict=True):
        for key, value in first["state"].items():
            assert torch.equal(value["exp_avg_sq"], second["state"][key]["exp_avg_sq"])
    assert run.read_manifest()["results"] == whole.read_manifest()["results"]


def test_a_run_has_pictures_and_numbers_of_both_parts(tmp_path):
    run = train_tiny(tmp_path / "run", "data.preview.every=1")
    names = [p.name.split("-")[0] for p in run.pictures.iterdir()]
    shown = ["fake"] * 3 + ["neighbours", "real.png"] + ["reconstruction"] * 3
    assert sorted(names) == shown  # and no walk: there is no latent to walk in
    rows = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    measured = [row for row in rows if "val/loss" in row]
    assert len(measured) == 3
    for row in measured:
        assert row["val/reconstruction"] + row["val/prior"] == pytest.approx(row["val/loss"])
    assert {row["epoch"] for row in rows if "train/prior/loss" in row} == {2, 3}
    assert run.read_manifest()["results"]["monitor"] == "val/loss"


def test_a_sample_is_labelled_and_a_row_does_not_depend_on_how_many(tmp_path):
    run = train_tiny(tmp_path / "run")
    words = [f"run={run}", f"out={tmp_path / 'out'}", "n=30", "condition=balanced"]
    folder = sample(compose("sample", [*words, "format=npz"]))
    with np.load(next(folder.rglob("*.npz"))) as made:
        assert len(made["images"]) == 30
        assert set(np.unique(made["labels"])) <= set(range(10))
    loaded = load_run(run)
    few, many = (build_sampler(loaded, seed=3, block_rows=16).sample(n) for n in (5, 40))
    assert np.array_equal(few.pixels, many.pixels[:5])
    assert np.array_equal(few.labels, many.labels[:5])


def test_a_sample_can_be_drawn_in_other_ways(tmp_path):
    run = train_tiny(tmp_path / "run")

    def pixels(*words):
        out = tmp_path / "-".join(["out", *words])
        folder = sample(
            compose("sample", [f"run={run}", f"out={out}", "n=20", "format=npz", *words])
        )
        with np.load(next(folder.rglob("*.npz"))) as made:
            return made["images"], json.loads((folder / "manifest.json").read_text())

    plain, facts = pixels()
    assert "drawing" not in facts
    ways = {"guidance": 3, "top_p": 0.2, "temper": 0.1}
    for key, value in ways.items():
        other, facts = pixels(f"{key}={value}")
        assert facts["drawing"] == {key: value}
        assert not np.array_equal(other, plain)
    assert np.array_equal(pixels("guidance=1", "top_p=1")[0], plain)
    with pytest.raises(ValueError, match="top_p must be a number above 0 and at most 1, got 2"):
        pixels("top_p=2")


def test_a_model_that_draws_in_one_way_says_so(tmp_path):
    words = ["model=conv_vae", "data=digits", f"run={tmp_path / 'run'}", "trainer.max_epochs=1",
             "trainer.accelerator=cpu", "batching.updates_per_epoch=2", "logger=none",
             "callbacks.preview=null", "validation.monitor=val/loss"]  # fmt: skip
    run = train(compose("train", words))
    with pytest.raises(ValueError, match=r"model=conv_vae cannot do guidance=.*model=vqvae"):
        sample(compose("sample", [f"run={run}", f"out={tmp_path / 'out'}", "guidance=2"]))
