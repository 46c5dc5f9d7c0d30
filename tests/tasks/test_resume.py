"""Signals, checkpoints, and training that goes on as if nothing had happened."""

import json
import os
import signal
import zipfile

import pytest
import torch

from genmodels.algorithms.vae import VAE
from genmodels.callbacks.checkpoint import Checkpoint, read_checkpoint
from genmodels.callbacks.stop import Interrupted, Signals
from genmodels.run import Run
from genmodels.tasks import train as tasks_train
from genmodels.tasks.compose import compose
from genmodels.tasks.place import resumed_config
from genmodels.tasks.schema import run as draft
from genmodels.tasks.stored import load_config
from genmodels.tasks.train import train
from tests.tasks.small import signal_at_step, train_tiny, words


def rows_of(run, name):
    lines = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    return [(row["samples_seen"], row["epoch"], row[name]) for row in lines if name in row]


# An epoch is 4 steps of 2 updates of 50 rows: in the middle, at an epoch's end (3 validates too).
@pytest.mark.parametrize("step", [1, 6, 8, 12, 15])
def test_interrupted_and_resumed_equals_uninterrupted(tmp_path, monkeypatch, step):
    whole = train_tiny(tmp_path, f"run={tmp_path / 'whole'}")
    with monkeypatch.context() as patch:
        calls = signal_at_step(patch, step, signal.SIGINT)
        with pytest.raises(Interrupted) as caught:
            train_tiny(tmp_path)
    assert (caught.value.code, len(calls)) == (130, step)
    run = train(compose("train", [f"run={tmp_path / 'run'}", "resume=auto"]))
    a, b = whole.read_weights(), run.read_weights()
    assert all(torch.equal(a[name], b[name]) for name in a)
    last_a, last_b = (read_checkpoint(r)["state_dict"] for r in (whole, run))
    assert all(torch.equal(last_a[name], last_b[name]) for name in last_a)
    for name in ("val/score", "train/loss", "train/gradient_norm"):
        assert rows_of(run, name) == rows_of(whole, name)
    assert run.read_manifest()["results"] == whole.read_manifest()["results"]
    assert run.read_manifest()["samples_seen"] == whole.read_manifest()["samples_seen"]


def test_sigterm_has_its_own_exit_code(tmp_path, monkeypatch):
    signal_at_step(monkeypatch, 2, signal.SIGTERM)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted) as caught:
        train_tiny(tmp_path)
    assert caught.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.fixture
def scontrol(tmp_path, monkeypatch):
    """A job of Slurm, and a program that notes how it is called."""
    program, calls = tmp_path / "bin" / "scontrol", tmp_path / "bin" / "calls"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    return calls


@pytest.mark.parametrize("array", [False, True])
def test_a_job_of_slurm_is_put_back_and_goes_on(tmp_path, monkeypatch, scontrol, array):
    if array:
        monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "70")
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    whole = train_tiny(tmp_path, f"run={tmp_path / 'whole'}")
    with monkeypatch.context() as patch:
        signal_at_step(patch, 5, signal.SIGUSR1)
        with pytest.raises(Interrupted) as caught:
            train_tiny(tmp_path, "resume=auto")
    assert caught.value.code == 128 + signal.SIGUSR1
    assert scontrol.read_text() == ("requeue 70_3\n" if array else "requeue 77\n")
    run = train_tiny(tmp_path, "resume=auto")
    a, b = whole.read_weights(), run.read_weights()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_job_that_would_not_go_on_is_not_put_back(tmp_path, monkeypatch, scontrol, caplog):
    signal_at_step(monkeypatch, 2, signal.SIGUSR1)
    with pytest.raises(Interrupted):
        train_tiny(tmp_path)
    assert "add run=<folder> and resume=auto" in caplog.text
    assert not scontrol.exists()


def test_a_queue_that_does_not_answer_is_told(tmp_path, monkeypatch, scontrol, caplog):
    (scontrol.parent / "scontrol").write_text("#!/bin/sh\necho no such job >&2\nexit 1\n")
    signal_at_step(monkeypatch, 2, signal.SIGUSR1)
    with pytest.raises(Interrupted):
        train_tiny(tmp_path, "resume=auto")
    assert "scontrol requeue 77 failed: no such job" in caplog.text


def test_other_signals_do_not_put_a_job_back(tmp_path, monkeypatch, scontrol):
    signal_at_step(monkeypatch, 2, signal.SIGTERM)
    with pytest.raises(Interrupted):
        train_tiny(tmp_path, "resume=auto")
    assert not scontrol.exists()


def test_a_second_signal_ends_at_once():
    signals = Signals()
    signals.install()
    try:
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.received == signal.SIGINT
        with pytest.raises(SystemExit) as caught:
            os.kill(os.getpid(), signal.SIGTERM)
        assert caught.value.code == 143
    finally:
        signals.remove()


def test_after_a_crash_the_lines_of_the_lost_steps_are_written_once(tmp_path, monkeypatch):
    whole = train_tiny(tmp_path, f"run={tmp_path / 'whole'}")
    update, calls = VAE.update, []

    def crash(self, *args, **kwargs):
        calls.append(1)
        if len(calls) == 27:
            raise RuntimeError("power cut")
        return update(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(VAE, "update", crash)
        signals = "callbacks.checkpoint.every_seconds=0"
        with pytest.raises(RuntimeError, match="power cut"):
            train_tiny(tmp_path, signals)
    run_path = tmp_path / "run"
    (run_path / "checkpoints" / "last.ckpt").unlink()  # as if the newest had not been written
    (run_path / "checkpoints" / ".last.ckpt.0.part").touch()
    with (run_path / "metrics.jsonl").open("a") as file:
        file.write('{"samples_seen": 1400, "epo')
    run = train(compose("train", [f"run={run_path}", "resume=auto"]))
    a, b = whole.read_weights(), run.read_weights()
    assert all(torch.equal(a[name], b[name]) for name in a)
    seen = [row[0] for row in rows_of(run, "train/loss")]
    assert seen == sorted(set(seen))
    assert rows_of(run, "val/score") == rows_of(whole, "val/score")
    assert not list(run_path.rglob("*.part"))


def flip(path):
    """Change one byte in the middle of the largest part of a checkpoint."""
    with zipfile.ZipFile(path) as archive:
        part = max(archive.infolist(), key=lambda info: info.file_size)
        inside = archive.read(part)
    blob = bytearray(path.read_bytes())
    start = blob.index(inside)
    blob[start + len(inside) // 2] ^= 0xFF
    path.write_bytes(bytes(blob))


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("damage", [flip, truncate])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(tmp_path, caplog, damage):
    run = train_tiny(tmp_path, "callbacks.checkpoint.every_seconds=0")
    damage(run.checkpoints / "last.ckpt")
    state = read_checkpoint(run)
    assert state is not None
    assert "last.ckpt is damaged" in caplog.text
    damage(run.checkpoints / "previous.ckpt")
    with pytest.raises(ValueError, match=r"no checkpoint .* is intact"):
        read_checkpoint(run)


@pytest.mark.parametrize(
    "made", [["checkpoints"], ["checkpoints", "pictures", ".schema.json.1.part"]]
)
def test_resume_auto_starts_where_a_process_was_killed_while_it_made_the_run(tmp_path, made):
    for name in made:
        (tmp_path / "run" / name).mkdir(parents=True)
    with pytest.raises(ValueError, match="a folder of something else"):
        train_tiny(tmp_path)
    assert train_tiny(tmp_path, "resume=auto").read_manifest()["finished"]


def test_resume_auto_does_not_take_a_folder_of_something_else(tmp_path):
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    (tmp_path / "run" / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="a folder of something else"):
        train_tiny(tmp_path, "resume=auto")
    assert (tmp_path / "run" / "thesis.txt").exists()


def test_one_process_at_a_time_trains_a_run(tmp_path):
    run = train_tiny(tmp_path)
    longer = words(tmp_path, "trainer.max_epochs=6", "resume=auto")
    before = run.metrics.read_text()
    with run.locked(), pytest.raises(ValueError, match="another process is training"):
        train(compose("train", longer))
    assert run.metrics.read_text() == before
    assert train(compose("train", longer)).read_manifest()["epochs"] == 6


def test_resume_auto_starts_where_there_is_nothing(tmp_path):
    assert train_tiny(tmp_path, "resume=auto").read_manifest()["finished"]


def test_a_finished_run_is_left_alone_and_can_be_prolonged(tmp_path):
    run = train_tiny(tmp_path)
    before = run.read_weights()
    same = train(compose("train", words(tmp_path, "resume=auto")))
    assert all(torch.equal(before[n], v) for n, v in same.read_weights().items())
    more = train(compose("train", words(tmp_path, "trainer.max_epochs=6", "resume=auto")))
    assert more.read_manifest()["samples_seen"] == 6 * 8 * 50
    longer = train_tiny(tmp_path, f"run={tmp_path / 'six'}", "trainer.max_epochs=6")
    a, b = (read_checkpoint(r)["state_dict"] for r in (more, longer))
    assert all(torch.equal(a[name], b[name]) for name in a)


def go_on(tmp_path, *more):
    return train(compose("train", [f"run={tmp_path / 'run'}", "resume=auto", *more]))


def test_a_resumed_training_says_from_where(tmp_path, caplog):
    caplog.set_level("INFO", logger="genmodels")
    run = train_tiny(tmp_path)
    seen = run.read_manifest()["samples_seen"]
    assert "Going on" not in caplog.text
    train_tiny(tmp_path, "resume=auto", "trainer.max_epochs=5")
    assert f"Going on with {run} from {seen:,} samples (epoch 4)" in caplog.text


def test_moved_data_are_found_by_their_new_path(tmp_path):
    train_tiny(tmp_path)
    (tmp_path / "people.csv").rename(tmp_path / "moved.csv")
    run = go_on(tmp_path, f"data.path={tmp_path / 'moved.csv'}", "trainer.max_epochs=5")
    assert run.read_manifest()["epochs"] == 5
    assert load_config(run).data.source.path == str(tmp_path / "moved.csv")
    assert go_on(tmp_path, "trainer.max_epochs=6").read_manifest()["epochs"] == 6


def test_a_resumed_run_may_move_to_another_machine(tmp_path):
    train_tiny(tmp_path, "trainer=ddp", "trainer.devices=1", "trainer.max_epochs=4")
    torch.distributed.destroy_process_group()
    run = Run(tmp_path / "run")
    cfg = resumed_config(
        compose("train", [f"run={run}", "resume=auto", "trainer=gpu", "logger=tensorboard"]), run
    )
    assert (cfg.trainer.accelerator, cfg.trainer.strategy) == ("gpu", "auto")
    assert (cfg.trainer.max_epochs, cfg.choices.trainer) == (4, "gpu")
    assert cfg.logger.name == "tensorboard"
    words_ = [f"run={run}", "trainer.max_epochs=7", "trainer=cpu", "logger=none"]
    cfg = resumed_config(compose("train", words_), run)
    assert (cfg.trainer.max_epochs, cfg.trainer.accelerator, cfg.logger) == (7, "cpu", None)


def test_the_trainer_chosen_on_resume_is_the_one_that_trains(tmp_path):
    train_tiny(tmp_path)
    run = go_on(tmp_path, "trainer=cpu", "logger=tensorboard", "trainer.max_epochs=5")
    assert list(run.tensorboard.iterdir())
    assert load_config(run).choices.trainer == "cpu"


def test_changes_made_on_resume_hold_for_the_next_one(tmp_path, monkeypatch):
    train_tiny(tmp_path)
    with monkeypatch.context() as patch:
        signal_at_step(patch, 3, signal.SIGINT)
        with pytest.raises(Interrupted):
            go_on(tmp_path, "trainer.max_epochs=6")
    assert go_on(tmp_path).read_manifest()["epochs"] == 6


def test_the_same_command_goes_on_whatever_folder_its_schema_is_named_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    overrides = words(tmp_path, "schema=people.yaml", "resume=auto")
    table = compose("schema", [f"data.path={tmp_path / 'people.csv'}", "out=people.yaml"])
    draft(table)
    train(compose("train", overrides))
    assert train(compose("train", overrides)).read_manifest()["finished"]
    (tmp_path / "other.yaml").write_text((tmp_path / "people.yaml").read_text())
    with pytest.raises(ValueError, match=r"schema=.*people.yaml.*cannot change"):
        go_on(tmp_path, "schema=other.yaml")


class Several:
    """What `Checkpoint` sees of a trainer with two processes."""

    world_size = 2

    def __init__(self, first, others_due):
        self.is_global_zero, self.strategy, self.asked = first, self, []
        self.others_due = others_due

    root_device = torch.device("cpu")

    def reduce(self, told, reduce_op):
        assert reduce_op == "max"
        self.asked.append(int(told))
        return told

    def reduce_boolean_decision(self, decision, all):
        self.asked.append(decision)
        return decision or (self.others_due and len(self.asked) == 1)


def test_several_processes_save_when_the_clock_of_the_first_says_so(monkeypatch):
    class Model:
        num_samples = 0

    for first, others, saves in ((True, False, 1), (False, True, 1), (False, False, 0)):
        checkpoint = Checkpoint(
            run=None, ledger=None, signals=Signals(), resume=None, every_seconds=-1
        )
        calls = []
        monkeypatch.setattr(checkpoint, "save", lambda *args, calls=calls: calls.append(args))
        trainer = Several(first, others)
        checkpoint._maybe_save(trainer, Model)
        assert len(calls) == saves
        assert trainer.asked == ([first, 0] if saves else [False])


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("model=tvae model.latent_dim=8", "model.latent_dim=4.*cannot change"),
        ("model=ctgan", "model=tvae.*cannot change to ctgan"),
        ("seed=3", "seed=0"),
    ],
)
def test_a_resumed_run_stays_what_it_is(tmp_path, word, message):
    train_tiny(tmp_path)
    with pytest.raises(ValueError, match=message):
        train(compose("train", [f"run={tmp_path / 'run'}", "resume=auto", *word.split()]))


def test_other_data_under_the_same_name_are_noticed(tmp_path):
    train_tiny(tmp_path)
    with (tmp_path / "people.csv").open("a") as file:
        file.write("30,oslo,1000.00\n")
    with pytest.raises(ValueError, match="not those"):
        train(compose("train", [f"run={tmp_path / 'run'}", "resume=auto", "trainer.max_epochs=9"]))


def test_the_random_state_of_the_host_comes_back(tmp_path):
    train_tiny(tmp_path)
    state = read_checkpoint(train_tiny(tmp_path, "overwrite=true"))
    assert {"position", "random_states", "optimizers", "host", "callbacks"} <= set(state)
    assert state["position"] == {"epoch": 4, "step": 0}


def test_a_signal_in_the_last_step_lets_training_end(tmp_path, monkeypatch):
    signal_at_step(monkeypatch, 16, signal.SIGTERM)
    run = train_tiny(tmp_path)
    assert run.read_manifest()["finished"]
    assert run.read_weights()


def test_a_signal_before_the_first_step_is_noted(tmp_path, monkeypatch):
    start = tasks_train.record_start

    def interrupted(*args, **kwargs):
        os.kill(os.getpid(), signal.SIGTERM)
        return start(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(tasks_train, "record_start", interrupted)
        with pytest.raises(Interrupted) as caught:
            train_tiny(tmp_path)
    assert caught.value.code == 143
    run = train(compose("train", [f"run={tmp_path / 'run'}", "resume=auto"]))
    assert run.read_manifest()["finished"]


def test_a_trained_run_without_checkpoints_is_not_started_again_unasked(tmp_path):
    run = train_tiny(tmp_path)
    for file in run.checkpoints.iterdir():
        file.unlink()
    before = run.weights.read_bytes()
    with pytest.raises(ValueError, match="overwrite=true"):
        train_tiny(tmp_path, "resume=auto")
    assert run.weights.read_bytes() == before
