"""From a file to a run: what is written, what is refused, and what is left of a failed start."""

import errno
import json

import pytest
import torch

from genmodels.data.splits import Split
from genmodels.run import Run
from genmodels.tasks.build import load_run
from genmodels.tasks.compose import compose
from genmodels.tasks.prepare import prepare
from genmodels.tasks.train import train
from tests.tasks.small import left, train_tiny, words, write_csv


def test_a_run_holds_all_that_later_verbs_need(tmp_path):
    run = train_tiny(tmp_path)
    cfg, schema, codec, model = load_run(run.path)
    assert schema.names == ("age", "city", "income")
    assert not model.training
    z, c, u = torch.zeros(3, 4), torch.zeros(3, 0), torch.rand(3, model.noise_dim)
    assert len(model.sample(z, c, u)["values"]) == 3
    assert codec.layout == model.layout
    manifest = run.read_manifest()
    split = Split.from_state(manifest["split"])
    assert (len(split.train), len(split.val), len(split.test)) == (432, 48, 120)
    assert manifest["finished"]
    assert manifest["epochs"] == cfg.trainer.max_epochs == 4
    assert manifest["samples_seen"] == 4 * 8 * 50
    assert not list(run.path.rglob("*.part"))


def test_each_line_of_metrics_has_its_clocks_and_the_losses(tmp_path):
    run = train_tiny(tmp_path)
    rows = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    assert all({"samples_seen", "epoch", "time"} <= set(row) for row in rows)
    training = [row for row in rows if "train/loss" in row]
    assert [row["epoch"] for row in training] == [1, 2, 3, 4]
    assert all(row["train/samples_per_second"] > 0 for row in training)
    assert [row["epoch"] for row in rows if "val/score" in row] == [2, 4]
    assert all("val/loss" in row for row in rows if "val/score" in row)


def test_the_same_seed_gives_the_same_weights(tmp_path):
    first, second = (train_tiny(tmp_path, f"run={tmp_path / name}") for name in "ab")
    a, b = first.read_weights(), second.read_weights()
    assert all(torch.equal(a[name], b[name]) for name in a)
    other = train_tiny(tmp_path, f"run={tmp_path / 'c'}", "seed=1").read_weights()
    assert any(not torch.equal(a[name], other[name]) for name in a)


def test_a_separate_holdout_leaves_all_rows_to_training(tmp_path):
    other = write_csv(tmp_path / "other.csv", seed=1)
    split = train_tiny(tmp_path, f"data.holdout_path={other}").read_manifest()["split"]
    assert split["counts"] == {"train": 540, "validation": 60, "holdout": 0}


def test_without_validation_rows_the_last_weights_are_kept(tmp_path):
    run = train_tiny(tmp_path, "data.validation=0")
    assert run.read_weights()
    assert run.read_manifest()["results"] == {}


def test_patience_ends_training(tmp_path):
    run = train_tiny(
        tmp_path, "validation.every=1", "validation.patience=1",
        "validation.minimum_improvement=100", "trainer.max_epochs=50",
    )  # fmt: skip
    assert run.read_manifest()["epochs"] == 2


def test_the_best_weights_are_kept_not_the_last(tmp_path):
    run = train_tiny(
        tmp_path, "validation.every=1", "validation.minimum_improvement=100", "trainer.max_epochs=5"
    )
    assert run.read_manifest()["results"]["best_epoch"] == 1
    one = train_tiny(tmp_path, f"run={tmp_path / 'one'}", "trainer.max_epochs=1")
    a, b = run.read_weights(), one.read_weights()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_tensorboard_gets_losses_config_and_hparams(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    overrides = [w for w in words(tmp_path) if w not in ("logger=none", "callbacks.preview=null")]
    run = train(compose("train", [*overrides, "data.preview.every=4"]))
    events = EventAccumulator(str(run.tensorboard)).Reload()
    tags = events.Tags()
    assert {"train/loss", "train/kl", "train/gradient_norm", "val/score"} <= set(tags["scalars"])
    assert {"preview/marginals", "preview/associations"} <= set(tags["images"])
    assert "config/text_summary" in tags["tensors"]
    steps = [event.step for event in events.Scalars("train/loss")]
    assert steps == [400, 800, 1200, 1600]
    assert {p.name[:9] for p in run.pictures.iterdir()} == {"marginals", "associati"}
    hparams = list(run.tensorboard.rglob("events*"))
    assert any(b"hparam/val/score" in p.read_bytes() for p in hparams)
    assert any(b"model.encoder.hidden" in p.read_bytes() for p in hparams)
    assert not any(b"callbacks.checkpoint.every_seconds" in p.read_bytes() for p in hparams)


def test_an_existing_run_is_kept_unless_it_may_be_replaced(tmp_path):
    train_tiny(tmp_path)
    with pytest.raises(ValueError, match=r"resume=auto.*overwrite=true"):
        train_tiny(tmp_path)
    assert (
        train_tiny(tmp_path, "overwrite=true", "trainer.max_epochs=1").read_manifest()["epochs"]
        == 1
    )


def test_a_folder_of_something_else_is_never_replaced(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="something else"):
        train_tiny(tmp_path, "overwrite=true")
    assert (tmp_path / "run" / "thesis.tex").exists()


def test_runs_are_numbered_when_not_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    overrides = [w for w in words(tmp_path, "trainer.max_epochs=1") if not w.startswith("run=")]
    assert [str(train(compose("train", overrides)).path) for _ in range(2)] == [
        "runs/people-tvae-1", "runs/people-tvae-2",
    ]  # fmt: skip


def made_meanwhile(monkeypatch, path):
    """Another process makes the run at `path` while this one prepares its data."""

    def first_the_other(*args, **kwargs):
        other = Run(path)
        if not other.path.exists():
            other.create()
            other.write(config="mine: 1\n", schema={}, codec={})
        return prepare(*args, **kwargs)

    monkeypatch.setattr("genmodels.tasks.train.prepare", first_the_other)


def test_a_name_taken_meanwhile_is_left_to_its_owner(tmp_path, monkeypatch):
    made_meanwhile(monkeypatch, tmp_path / "run")
    with pytest.raises(ValueError, match="exists already"):
        train_tiny(tmp_path)
    assert Run(tmp_path / "run").config.read_text() == "mine: 1\n"


def test_an_automatic_name_taken_meanwhile_gives_the_next_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made_meanwhile(monkeypatch, "runs/people-tvae-1")
    overrides = [w for w in words(tmp_path, "trainer.max_epochs=1") if not w.startswith("run=")]
    run = train(compose("train", overrides))
    assert str(run.path) == "runs/people-tvae-2"
    assert run.metrics.is_file()
    assert Run("runs/people-tvae-1").config.read_text() == "mine: 1\n"


def test_a_replacement_that_fails_at_the_start_brings_the_old_run_back(tmp_path, monkeypatch):
    from genmodels.algorithms.vae import VAE

    def crash(*args, **kwargs):
        raise RuntimeError("power cut")

    run = train_tiny(tmp_path)
    weights = run.read_weights()
    with monkeypatch.context() as patch:
        patch.setattr(VAE, "update", crash)
        with pytest.raises(RuntimeError, match="power cut"):
            train_tiny(tmp_path, "overwrite=true")
    assert run.read_manifest()["finished"]
    assert all(torch.equal(weights[n], v) for n, v in run.read_weights().items())
    train_tiny(tmp_path, "overwrite=true")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["people.csv", "run"]


def test_tensorboard_has_the_settings_of_a_training_that_crashed(tmp_path, monkeypatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setattr("genmodels.tasks.train.record_end", lambda *args: None)
    overrides = [w for w in words(tmp_path, "trainer.max_epochs=1") if w != "logger=none"]
    run = train(compose("train", overrides))
    tags = EventAccumulator(str(run.tensorboard)).Reload().Tags()
    assert "config/text_summary" in tags["tensors"]


@pytest.mark.parametrize(
    ("given", "recorded"),
    [
        ("people.csv", "{}/people.csv"),
        ("peop[l]e.c?v", "{}/peop[l]e.c?v"),
        ("[people.csv]", ["{}/people.csv"]),
    ],
)
def test_relative_paths_are_recorded_so_that_they_hold_anywhere(
    tmp_path, monkeypatch, given, recorded
):
    monkeypatch.chdir(tmp_path)
    overrides = [w for w in words(tmp_path, "trainer.max_epochs=1") if "data.path" not in w]
    run = train(compose("train", [*overrides, f"data.path={given}"]))
    wanted = [p.format(tmp_path) for p in recorded] if isinstance(recorded, list) else (
        recorded.format(tmp_path)
    )  # fmt: skip
    data = load_run(run.path).cfg.data
    assert data.path == data.source.path == wanted


def test_a_disk_that_fills_at_the_start_leaves_nothing(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("genmodels.run.write_text", full)
    with pytest.raises(OSError, match="No space"):
        train_tiny(tmp_path)
    assert left(tmp_path) == []


def test_a_disk_that_fills_later_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    calls = []
    write = Run.write_weights

    def sometimes(self, state):
        calls.append(1)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, state)

    monkeypatch.setattr(Run, "write_weights", sometimes)
    with pytest.raises(OSError, match="No space"):
        train_tiny(tmp_path, "validation.every=1", "callbacks.checkpoint.every_seconds=0")
    run = Run.open(tmp_path / "run")
    assert run.read_weights()
    assert not list(run.path.rglob("*.part"))


def test_divergence_stops_with_the_cause_and_keeps_the_good_weights(tmp_path, monkeypatch):
    from genmodels.algorithms.vae import VAE

    update = VAE.update

    def bad(self, batch, optimizers, *, measure):
        loss = update(self, batch, optimizers, measure=measure)
        return loss * (torch.nan if self.num_samples > 900 else 1.0)

    monkeypatch.setattr(VAE, "update", bad)
    with pytest.raises(ValueError, match=r"diverged by 1,200 samples.*learning rate"):
        train_tiny(tmp_path, "trainer.max_epochs=20")
    assert all(torch.isfinite(v).all() for v in Run(tmp_path / "run").read_weights().values())


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("data.path=nothere.csv", "does not exist"),
        ("model.encoder.hidden=abc", "no model can be built with .*hidden=abc"),
        ("condition=target", "data.target"),
        ("condition=some", "all, none or target"),
        ("trainer.precision=16-mixed", "trainer.precision must be"),
        ("trainer.accelerator=abacus", "trainer: .*abacus"),
        ("batching.batch_size=0", "batching.batch_size"),
        ("data.holdout=1.5", "data.holdout"),
        ("data.validation=0.999", "too few"),
        ("validation.monitor=loss", "validation.monitor"),
        ("resume=yes", "resume must be"),
        ("schema=nothere.yaml", "no schema file"),
        ("data.holdout_path=nothere.csv", "does not exist"),
    ],
)
def test_what_cannot_work_fails_before_anything_is_written(tmp_path, word, message):
    with pytest.raises((ValueError, OSError), match=message):
        train_tiny(tmp_path, word)
    assert left(tmp_path) == []


def test_data_of_another_kind_name_the_models_that_fit(tmp_path):
    cfg = compose("train", ["model=dcgan", f"data.path={write_csv(tmp_path / 'a.csv')}"])
    with pytest.raises(ValueError, match=r"data=csv gives tables.*ctgan.*tabvae.*tvae"):
        train(cfg)
    with pytest.raises(ValueError, match=r"data=digits gives images.*conv_vae"):
        train(compose("train", ["model=tvae", "data=digits"]))


def test_a_loss_that_a_model_does_not_measure_cannot_choose_its_weights(tmp_path):
    words = [f"data.path={write_csv(tmp_path / 'a.csv')}", f"run={tmp_path / 'run'}"]
    cfg = compose("train", [*words, "model=ctgan", "validation.monitor=val/loss"])
    with pytest.raises(ValueError, match="val/score"):
        train(cfg)
    assert not (tmp_path / "run").exists()


def test_the_training_data_are_no_holdout(tmp_path):
    path = write_csv(tmp_path / "people.csv")
    with pytest.raises(ValueError, match="the held-out data are the training data"):
        train_tiny(tmp_path, f"data.holdout_path={path}")
