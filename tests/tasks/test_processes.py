"""Several processes train one run: whoever starts them, with the batches of one process."""

import json
import os
import socket
import subprocess
import sys

import pytest
import torch

from genmodels.run import Run
from tests.tasks.small import words

TRAIN = ("-m", "genmodels", "train")
TORCHRUN = (sys.executable, "-m", "torch.distributed.run")
DDP = ("trainer=ddp", "trainer.accelerator=cpu")
GIVEN = {"OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def started(*command):
    return subprocess.Popen(
        command, env=os.environ | GIVEN, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def ended(*processes):
    said = [process.communicate(timeout=240)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), said
    return said


def asked(tmp_path, name, *more):
    plain = [w for w in words(tmp_path) if not w.startswith(("run=", "trainer."))]
    return [*plain, *DDP, "trainer.max_epochs=4", f"run={tmp_path / name}", *more]


def by_lightning(tmp_path, name):
    return [started(sys.executable, *TRAIN, *asked(tmp_path, name))]


def by_torchrun(tmp_path, name):
    port = f"--master-port={free_port()}"
    return [started(*TORCHRUN, "--nproc-per-node=2", port, *TRAIN, *asked(tmp_path, name))]


def by_two_machines(tmp_path, name):
    where = ("--nnodes=2", f"--master-port={free_port()}", "--master-addr=127.0.0.1")
    two = ("trainer.num_nodes=2", "trainer.devices=1")
    return [
        started(*TORCHRUN, *where, f"--node-rank={k}", *TRAIN, *asked(tmp_path, name, *two))
        for k in range(2)
    ]


def lines(run):
    timed = ("time", "train/samples_per_second")
    read = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in timed} for line in read]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    own = [*asked(folder, "run"), "trainer.devices=1"]
    ended(started(sys.executable, *TRAIN, *own))
    return Run.open(folder / "run")


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    ended(*by_torchrun(folder, "run"))
    return Run.open(folder / "run")


def test_two_processes_make_as_many_updates_of_as_many_rows_as_one(alone, pair):
    for key in ("samples_seen", "epochs", "split"):
        assert pair.read_manifest()[key] == alone.read_manifest()[key]
    places = [[(x["samples_seen"], x["epoch"]) for x in lines(run)] for run in (alone, pair)]
    assert places[0] == places[1]
    assert sorted(p.name for p in pair.path.iterdir()) == sorted(
        p.name for p in alone.path.iterdir()
    )


# Lightning's launcher leaves the first process waiting if the second one ends early, so that a
# machine that is short of something would look like a test that hangs.
@pytest.mark.parametrize(
    "launch", [pytest.param(by_lightning, marks=pytest.mark.slow), by_two_machines]
)
def test_who_starts_them_makes_no_difference(tmp_path, pair, launch):
    ended(*launch(tmp_path, "run"))
    run = Run.open(tmp_path / "run")
    a, b = run.read_weights(), pair.read_weights()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert lines(run) == lines(pair)


def test_a_run_of_two_goes_on_by_two(tmp_path):
    for epochs in (2, 4):
        port = f"--master-port={free_port()}"
        own = [w for w in asked(tmp_path, "run", "resume=auto") if "max_epochs" not in w]
        process = started(
            *TORCHRUN, "--nproc-per-node=2", port, *TRAIN, *own, f"trainer.max_epochs={epochs}"
        )
        ended(process)
    run = Run.open(tmp_path / "run")
    assert run.read_manifest()["epochs"] == 4
    assert run.read_manifest()["sittings"] == 2


def test_batches_that_cannot_be_shared_are_refused_before_anything_is_written(tmp_path):
    own = asked(tmp_path, "run", "batching.batch_size=51")
    process = started(*TORCHRUN, "--nproc-per-node=2", f"--master-port={free_port()}", *TRAIN, *own)
    said = process.communicate(timeout=240)[0]
    assert process.returncode != 0
    assert "cannot share batches of 51 rows evenly" in said
    assert not (tmp_path / "run").exists()
