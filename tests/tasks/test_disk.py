"""A disk that fills up, a folder that cannot be written to, a clock that jumps: nothing is lost."""

import itertools
import json
import os
import resource
import subprocess
import sys
import time

import pytest
import torch

from genmodels.cli import main
from genmodels.tasks.compose import compose
from genmodels.tasks.sample import sample
from genmodels.tasks.train import train
from tests.tasks.small import train_tiny, words


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train_tiny(tmp_path_factory.mktemp("run"), "model=tvae").path


def limited(size, *arguments):
    """A command that cannot write more than `size` bytes to a file, as on a disk that is full."""
    return subprocess.run(
        [sys.executable, "-m", "genmodels", *map(str, arguments)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        capture_output=True,
        text=True,
        check=False,
    )


def hashes(out):
    return [file["sha256"] for file in json.loads((out / "manifest.json").read_text())["files"]]


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow", "npz"])
def test_a_dataset_too_large_for_the_disk_is_one_clear_line(run, tmp_path, kind):
    done = limited(20_000, "sample", f"run={run}", "n=50000", f"format={kind}",
                   f"out={tmp_path / 'out'}")  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "File too large" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_before_the_disk_was_full_is_kept(run, tmp_path):
    asked = [f"run={run}", "n=20000", "format=csv", "writer.csv.rows_per_file=4000"]
    whole = sample(compose("sample", [*asked, f"out={tmp_path / 'whole'}"]))
    sizes = sorted(file.stat().st_size for file in (whole / "data").iterdir())
    assert sizes[0] < sizes[-1]
    out = tmp_path / "out"
    done = limited(sizes[-1] - 1, "sample", *asked, f"out={out}")
    assert done.returncode == 2, done.stderr
    assert not out.exists()
    again = sample(compose("sample", [*asked, f"out={out}"]))
    assert hashes(again) == hashes(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "whole"]


def test_a_checkpoint_that_does_not_fit_leaves_the_one_before(tmp_path):
    whole = train_tiny(tmp_path, f"run={tmp_path / 'whole'}")
    size = (whole.checkpoints / "last.ckpt").stat().st_size
    short = words(tmp_path, "trainer.max_epochs=2")
    made = train(compose("train", short))
    saved = (made.checkpoints / "last.ckpt").read_bytes()
    longer = words(tmp_path, "resume=auto")
    done = limited(size // 2, "train", *longer)
    assert done.returncode == 2, done.stderr
    assert "File too large" in done.stderr
    assert (made.checkpoints / "last.ckpt").read_bytes() == saved
    again = train(compose("train", longer))
    a, b = whole.read_weights(), again.read_weights()
    assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_one_clear_line(run, tmp_path, capsys):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    assert main(["sample", f"run={run}", "n=5", f"out={folder / 'out'}"]) == 2
    assert "ermission" in capsys.readouterr().err
    assert main(["train", *words(tmp_path, f"run={folder / 'run'}")]) == 2
    assert "not writable" in capsys.readouterr().err


def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch):
    whole = train_tiny(tmp_path, f"run={tmp_path / 'whole'}")
    jumps = itertools.cycle([1e9, 5.0, 2e9, 4e8])
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    other = train_tiny(tmp_path, f"run={tmp_path / 'other'}")
    a, b = whole.read_weights(), other.read_weights()
    assert all(torch.equal(a[name], b[name]) for name in a)
